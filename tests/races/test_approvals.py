"""Two checkers, a withdrawal and a changing subject at once: one decision, or none, and no half."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.approvals import services
from app.approvals.errors import AlreadyAsked, ApprovalNotInState
from app.approvals.models import Approval, ApprovalState, ApprovalStep
from app.attribution import disputes, evidence
from app.attribution import services as bindings
from app.attribution.dispute_errors import DisputeOpenAlready, TooMuchEvidence
from app.attribution.dispute_models import EvidenceFile, OwnershipDispute
from app.attribution.models import Binding
from app.attribution.rules import Owner
from app.kernel.db import atomic, retrying
from tests.factories.approvals import (
    Case,
    as_actor,
    ask_transfer,
    make_case,
    open_dispute,
    picture,
)
from tests.factories.people import make_distributor, make_staff
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
ROUNDS = 15
NOW = datetime(2026, 3, 1, 13, tzinfo=UTC)


def committed(act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Run one service in a transaction of its own; returns the state of what it returns."""

    def once() -> Any:
        with atomic() as session:
            row = act(session, *arguments, **named)
            return getattr(row, "state", row)

    return retrying(once)


def approve(approval_id: int, checker: Any) -> Callable[[], Any]:
    return partial(committed, services.approve, approval_id, actor=checker, now=NOW)


def periods(session: Session, customer_id: int) -> list[int | None]:
    session.rollback()
    query = sa.select(Binding.owner_id).where(Binding.customer_id == customer_id)
    return list(session.scalars(query.order_by(Binding.id)))


def ends(session: Session, approval_id: int) -> int:
    steps = sa.select(sa.func.count()).where(ApprovalStep.approval_id == approval_id)
    return (session.scalar(steps) or 0) - 1


def asked(session: Session) -> tuple[Case, int]:
    case = make_case(session)
    approval_id = ask_transfer(session, case).id
    session.commit()
    return case, approval_id


def test_of_many_checkers_one_acts(app: Flask, session: Session) -> None:
    case, approval_id = asked(session)
    checkers = [as_actor(make_staff(session, "operations")) for _ in range(8)]
    session.commit()

    found = at_once(app, *(approve(approval_id, one) for one in checkers))

    assert found.count(ApprovalState.APPROVED) == 1
    assert found.count(ApprovalNotInState.code) == 7
    assert periods(session, case.customer.id) == [case.owner.member_id, case.claimant.member_id]
    assert ends(session, approval_id) == 1
    assert broken(session, "S2", "B34c") == []


def test_a_request_is_either_approved_or_withdrawn(app: Flask, session: Session) -> None:
    seen = set()
    for _ in range(ROUNDS):
        case, approval_id = asked(session)
        maker, checker = as_actor(case.maker), as_actor(case.checker)
        customer_id, before = case.customer.id, case.owner.member_id
        after = case.claimant.member_id

        found = at_once(
            app,
            approve(approval_id, checker),
            partial(committed, services.withdraw, approval_id, actor=maker, now=NOW),
        )

        state = session.scalars(sa.select(Approval.state).where(Approval.id == approval_id)).one()
        assert sorted(map(str, found)) == sorted([str(state), ApprovalNotInState.code])
        moved = periods(session, customer_id)
        assert moved == ([before, after] if state is ApprovalState.APPROVED else [before])
        assert ends(session, approval_id) == 1
        seen.add(state)
    assert seen <= {ApprovalState.APPROVED, ApprovalState.WITHDRAWN}


def test_a_change_of_the_subject_is_seen_or_comes_after(app: Flask, session: Session) -> None:
    """The transfer at a desk and the approval of another one never overwrite each other."""
    for _ in range(ROUNDS):
        case, approval_id = asked(session)
        third = make_distributor(session)
        session.commit()
        maker, checker = as_actor(case.maker), as_actor(case.checker)
        customer_id, first = case.customer.id, case.owner.member_id
        wanted, other = case.claimant.member_id, third.member_id
        at_desk = partial(
            committed,
            bindings.transfer_binding,
            customer_id=customer_id,
            to_owner_id=other,
            actor=maker,
            second_actor=checker,
            reason="at the desk",
            now=NOW + timedelta(seconds=1),
        )

        found = at_once(app, approve(approval_id, checker), at_desk)

        expected = {
            ApprovalState.APPROVED: [first, wanted, other],
            ApprovalState.VOID: [first, other],
        }
        assert periods(session, customer_id) == expected[ApprovalState(found[0])]
    assert broken(session, "S2", "B34c") == []


def test_the_same_is_asked_for_once_by_however_many(app: Flask, session: Session) -> None:
    case = make_case(session)
    makers = [as_actor(make_staff(session, "operations")) for _ in range(6)]
    session.commit()
    topic = case.topic
    asks = [
        partial(
            committed, services.ask, "binding_transfer", topic, actor=one, reason="race", now=NOW
        )
        for one in makers
    ]

    found = at_once(app, *asks)

    assert found.count(ApprovalState.REQUESTED) == 1
    assert found.count(AlreadyAsked.code) == 5


def test_a_customer_gets_one_dispute_and_a_dispute_five_pictures(
    app: Flask, session: Session
) -> None:
    case = make_case(session)
    session.commit()
    me = as_actor(case.maker)
    claim = disputes.Claim(case.customer.id, owner_of_claim(case), "she is my neighbour", NOW)
    opened = at_once(
        app, *[partial(committed, disputes.open_dispute, claim, actor=me, now=NOW)] * 5
    )
    dispute_id = session.scalars(sa.select(OwnershipDispute.id)).one()
    session.rollback()
    drawn = [evidence.redraw(picture((9 * one, 0, 0))) for one in range(8)]

    added = at_once(
        app,
        *(
            partial(committed, evidence.add_evidence, dispute_id, one, actor=me, now=NOW)
            for one in drawn
        ),
    )

    assert opened.count(DisputeOpenAlready.code) == 4
    assert added.count(TooMuchEvidence.code) == 3
    places = session.scalars(sa.select(EvidenceFile.place).order_by(EvidenceFile.place)).all()
    assert places == [1, 2, 3, 4, 5]


def owner_of_claim(case: Case) -> Owner:
    return Owner.of(case.claimant.member_id, None)


def test_a_dispute_is_dismissed_or_upheld_and_never_both(app: Flask, session: Session) -> None:
    for _ in range(ROUNDS):
        case = make_case(session)
        dispute_id = open_dispute(session, case).id
        session.commit()
        maker, checker = as_actor(case.maker), as_actor(case.checker)
        customer_id, before = case.customer.id, case.owner.member_id
        after = case.claimant.member_id

        at_once(
            app,
            partial(
                committed,
                disputes.uphold_dispute,
                dispute_id,
                actor=maker,
                second_actor=checker,
                reason="hers",
                now=NOW,
            ),
            partial(
                committed, disputes.dismiss_dispute, dispute_id, actor=maker, reason="no", now=NOW
            ),
        )

        state = session.scalars(
            sa.select(OwnershipDispute.state).where(OwnershipDispute.id == dispute_id)
        ).one()
        moved = periods(session, customer_id)
        assert moved == ([before, after] if state.value == "upheld" else [before])
