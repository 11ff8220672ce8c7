"""Disputes: a claim with what is on record, and decisions that hold from then on only."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.approvals import services as approvals
from app.approvals.contract import Topic
from app.approvals.models import Approval, ApprovalState
from app.attribution import disputes
from app.attribution import queries as attribution
from app.attribution.dispute_errors import (
    ClaimInvalid,
    DisputeNotFound,
    DisputeNotInState,
    DisputeOpenAlready,
    MomentInvalid,
    TooManyDisputes,
)
from app.attribution.dispute_models import DisputeState, OwnershipDispute
from app.attribution.errors import NoBindingInForce, OwnerRefused
from app.attribution.rules import Owner
from app.kernel.audit import Actor, AuditRecord
from app.members.errors import ReasonRequired, SecondPersonRequired
from app.orders.models import Order
from tests.factories.approvals import CLAIM, Case, as_actor, make_case, open_dispute
from tests.factories.orders import make_order
from tests.factories.people import make_member, make_store

LATER = timedelta(hours=1)


@pytest.fixture
def case(session: Session) -> Case:
    return make_case(session)


def claimed(case: Case, now: datetime, **changes: Any) -> disputes.Claim:
    facts: dict[str, Any] = {
        "customer_id": case.customer.id,
        "claimant": Owner.of(case.claimant.member_id, None),
        "text": CLAIM,
        "about_at": now,
    }
    return disputes.Claim(**(facts | changes))


def ask_to_uphold(session: Session, case: Case, dispute_id: int, now: datetime) -> Approval:
    return approvals.ask(
        session,
        "dispute_resolution",
        Topic(dispute_id),
        actor=as_actor(case.maker),
        reason="the touch was hers",
        now=now,
    )


def owner_at(session: Session, case: Case, at: datetime) -> int | None:
    answer = attribution.owner_at(session, case.customer.id, at=at)
    return answer.owner.distributor_id if answer.owner else None


def test_opening_keeps_what_is_on_record_and_moves_nothing(
    session: Session, case: Case, now: datetime
) -> None:
    row = open_dispute(session, case, now=now)

    assert row.state is DisputeState.OPEN
    assert row.facts["then"]["owner_id"] == case.owner.member_id
    assert row.facts["then"]["rule"] == case.binding.rule
    assert [one["binding_id"] for one in row.facts["periods"]] == [case.binding.id]
    assert [one["owner_id"] for one in row.facts["touches"]] == [case.owner.member_id]
    assert owner_at(session, case, now) == case.owner.member_id
    record = session.scalars(sa.select(AuditRecord)).one()
    assert (record.action, record.reason) == ("dispute_opened", "")


def test_a_dispute_upheld_at_another_desk_gives_the_customer_from_then_on(
    session: Session, case: Case, now: datetime
) -> None:
    before = make_order(session, member=case.customer, binding=case.binding, now=now)
    row = open_dispute(session, case, now=now)
    request = ask_to_uphold(session, case, row.id, now)

    approvals.approve(session, request.id, actor=as_actor(case.checker), now=now + LATER)

    assert row.state is DisputeState.UPHELD
    assert row.decided_by == f"staff:{case.maker.id}+staff:{case.checker.id}"
    assert owner_at(session, case, now) == case.owner.member_id
    assert owner_at(session, case, now + LATER) == case.claimant.member_id
    owner_id, binding_id = session.execute(
        sa.select(Order.owner_id, Order.binding_id).where(Order.id == before.id)
    ).one()
    assert (owner_id, binding_id) == (case.owner.member_id, case.binding.id)
    actions = session.scalars(sa.select(AuditRecord.action).order_by(AuditRecord.id)).all()
    assert actions == [
        "dispute_opened",
        "approval_asked",
        "binding_transferred",
        "dispute_upheld",
        "approval_approved",
    ]


def test_nobody_upholds_a_dispute_alone(session: Session, case: Case, now: datetime) -> None:
    row = open_dispute(session, case, now=now)
    me = as_actor(case.maker)

    with pytest.raises(SecondPersonRequired):
        disputes.uphold_dispute(session, row.id, actor=me, second_actor=me, reason="clear", now=now)

    assert row.state is DisputeState.OPEN
    assert owner_at(session, case, now) == case.owner.member_id


@pytest.mark.parametrize("end", [disputes.dismiss_dispute, disputes.withdraw_dispute])
def test_a_dispute_that_is_not_upheld_leaves_the_customer_where_they_are(
    session: Session, case: Case, now: datetime, end: Any
) -> None:
    row = open_dispute(session, case, now=now)
    me = as_actor(case.maker)

    with pytest.raises(ReasonRequired):
        end(session, row.id, actor=me, reason=" ", now=now)
    end(session, row.id, actor=me, reason="no proof", now=now)

    assert row.state in {DisputeState.DISMISSED, DisputeState.WITHDRAWN}
    assert (row.decided_by, row.decision_reason) == (str(me), "no proof")
    assert owner_at(session, case, now + LATER) == case.owner.member_id
    with pytest.raises(DisputeNotInState):
        disputes.dismiss_dispute(session, row.id, actor=me, reason="again", now=now)


def test_a_request_to_uphold_is_void_where_the_dispute_was_decided_meanwhile(
    session: Session, case: Case, now: datetime
) -> None:
    row = open_dispute(session, case, now=now)
    request = ask_to_uphold(session, case, row.id, now)
    disputes.dismiss_dispute(
        session, row.id, actor=as_actor(case.maker), reason="a mistake", now=now
    )

    done = approvals.approve(session, request.id, actor=as_actor(case.checker), now=now + LATER)

    assert done.state is ApprovalState.VOID
    assert done.facts_found is not None
    assert (done.facts["state"], done.facts_found["state"]) == ("open", "dismissed")
    assert owner_at(session, case, now + LATER) == case.owner.member_id


def test_a_customer_has_one_open_dispute_at_a_time(
    session: Session, case: Case, now: datetime
) -> None:
    row = open_dispute(session, case, now=now)

    with pytest.raises(DisputeOpenAlready):
        open_dispute(session, case, now=now)
    disputes.withdraw_dispute(
        session, row.id, actor=as_actor(case.maker), reason="typed wrongly", now=now
    )

    assert open_dispute(session, case, now=now).id != row.id


def test_what_cannot_be_claimed_is_refused(session: Session, case: Case, now: datetime) -> None:
    me = as_actor(case.maker)
    free = make_member(session)
    attempts: list[tuple[type[Exception], dict[str, Any]]] = [
        (ClaimInvalid, {"text": "  mine!  "}),
        (ClaimInvalid, {"text": "x" * 2_001}),
        (MomentInvalid, {"about_at": now + LATER}),
        (NoBindingInForce, {"customer_id": free.id}),
        (OwnerRefused, {"claimant": Owner.of(case.owner.member_id, None)}),
        (OwnerRefused, {"claimant": Owner.of(free.id, None)}),
    ]

    for error, changes in attempts:
        with pytest.raises(error):
            disputes.open_dispute(session, claimed(case, now, **changes), actor=me, now=now)

    assert session.scalars(sa.select(OwnershipDispute)).all() == []


def test_a_store_can_be_the_claimant(session: Session, case: Case, now: datetime) -> None:
    store = make_store(session)
    claim = claimed(case, now, claimant=Owner.of(None, store.id))
    row = disputes.open_dispute(session, claim, actor=as_actor(case.maker), now=now)

    disputes.uphold_dispute(
        session,
        row.id,
        actor=as_actor(case.maker),
        second_actor=as_actor(case.checker),
        reason="walked in",
        now=now + LATER,
    )

    answer = attribution.owner_at(session, case.customer.id, at=now + LATER)
    assert answer.owner == Owner.of(None, store.id)


def test_a_distributor_has_no_more_than_twenty_open_disputes(
    session: Session, now: datetime
) -> None:
    cases = [make_case(session) for _ in range(21)]
    claimant = cases[0].claimant.member_id
    me = Actor("member", claimant)
    claims = [claimed(one, now, claimant=Owner.of(claimant, None)) for one in cases]
    for claim in claims[:20]:
        disputes.open_dispute(session, claim, actor=me, now=now)

    with pytest.raises(TooManyDisputes):
        disputes.open_dispute(session, claims[20], actor=me, now=now)
    disputes.open_dispute(session, claims[20], actor=as_actor(cases[0].maker), now=now)


def test_a_distributor_takes_back_their_own_dispute_only(
    session: Session, case: Case, now: datetime
) -> None:
    row = open_dispute(session, case, now=now)
    other = Actor("member", case.owner.member_id)

    with pytest.raises(DisputeNotFound):
        disputes.withdraw_dispute(
            session,
            row.id,
            actor=other,
            reason="not mine",
            now=now,
            claimant_id=case.owner.member_id,
        )
    with pytest.raises(DisputeNotFound):
        disputes.dismiss_dispute(session, 999_999, actor=other, reason="none", now=now)

    assert row.state is DisputeState.OPEN


@pytest.mark.parametrize("column", ["claim", "customer_id", "facts", "about_at"])
def test_the_database_lets_nobody_change_a_claim(
    session: Session, case: Case, now: datetime, column: str
) -> None:
    row = open_dispute(session, case, now=now)
    values: dict[str, Any] = {
        "claim": "something quite different",
        "customer_id": make_member(session).id,
        "facts": {},
        "about_at": now - LATER,
    }

    with pytest.raises(IntegrityError, match="rows of ownership_disputes are never changed"):
        session.execute(
            sa.update(OwnershipDispute)
            .where(OwnershipDispute.id == row.id)
            .values({column: values[column]})
        )
