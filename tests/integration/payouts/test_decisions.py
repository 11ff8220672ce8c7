from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.distribution.models import Award
from app.kernel.audit import Actor, AuditRecord
from app.kernel.outbox import OutboxEvent
from app.ledger.queries import Balances, balances
from app.members.models import Distributor, Standing
from app.payouts import services
from app.payouts.errors import (
    PayoutNotFound,
    PayoutNotInState,
    PayoutOnHold,
    SecondApproverRequired,
)
from app.payouts.models import Payout, PayoutAllocation, PayoutBill, PayoutStep
from app.payouts.states import BillState, PayoutEvent, PayoutState
from app.settings import Settings
from tests.factories.payouts import (
    broken_invariants,
    claw_back,
    make_actor,
    make_approved,
    make_award,
    make_earner,
    make_payout,
)


def held(session: Session, earner: Distributor) -> Balances:
    return balances(session, earner.member_id)


def steps_of(session: Session, payout: Payout) -> list[tuple[PayoutEvent, str, str]]:
    rows = session.scalars(
        sa.select(PayoutStep).where(PayoutStep.payout_id == payout.id).order_by(PayoutStep.id)
    )
    return [(row.event, row.actor, row.note) for row in rows]


def bill_states(session: Session, payout: Payout) -> set[tuple[BillState, datetime | None]]:
    rows = session.execute(
        sa.select(PayoutBill.state, PayoutBill.due_at).where(PayoutBill.payout_id == payout.id)
    )
    return {(row.state, row.due_at) for row in rows}


def emitted(session: Session) -> list[tuple[str, int]]:
    rows = session.execute(sa.select(OutboxEvent.name, OutboxEvent.subject_id))
    return [(row.name, row.subject_id) for row in rows]


def audited(session: Session) -> list[tuple[str, int | None, str]]:
    rows = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.subject_type == "payout").order_by(AuditRecord.id)
    )
    return [(row.action, row.actor_id, row.reason) for row in rows]


def test_below_the_limit_one_person_lets_a_payout_go(
    session: Session, settings: Settings, now: datetime
) -> None:
    payout = make_payout(session, make_earner(session, 5_000), 5_000, settings=settings)
    actor = make_actor(session)

    services.approve(session, payout.id, actor=actor, settings=settings, now=now)

    assert payout.state is PayoutState.APPROVED
    assert (payout.first_approver_id, payout.second_approver_id) == (actor.id, None)
    assert payout.approved_at == now
    assert bill_states(session, payout) == {(BillState.CREATED, now)}
    assert emitted(session) == [("payout_approved", payout.id)]
    assert audited(session) == [("payout.approved", actor.id, "")]
    assert steps_of(session, payout) == [(PayoutEvent.APPROVE, str(actor), "")]


def test_from_the_limit_on_two_people_have_to_approve(
    session: Session, settings: Settings, now: datetime
) -> None:
    payout = make_payout(session, make_earner(session, 50_000), 50_000, settings=settings)
    first, second = make_actor(session), make_actor(session)

    services.approve(session, payout.id, actor=first, settings=settings, now=now)

    assert session.scalar(sa.select(Payout.state)) is PayoutState.APPROVED_ONCE
    assert emitted(session) == []
    assert bill_states(session, payout) == {(BillState.CREATED, None)}

    services.approve(session, payout.id, actor=second, settings=settings, now=now)

    assert payout.state is PayoutState.APPROVED
    assert (payout.first_approver_id, payout.second_approver_id) == (first.id, second.id)
    assert emitted(session) == [("payout_approved", payout.id)]
    assert audited(session) == [
        ("payout.approved", first.id, ""),
        ("payout.approved", second.id, ""),
    ]


def test_the_second_approval_is_another_persons(
    session: Session, settings: Settings, now: datetime
) -> None:
    payout = make_payout(session, make_earner(session, 50_000), 50_000, settings=settings)
    actor = make_actor(session)
    services.approve(session, payout.id, actor=actor, settings=settings, now=now)

    with pytest.raises(SecondApproverRequired):
        services.approve(session, payout.id, actor=actor, settings=settings, now=now)

    assert payout.state is PayoutState.APPROVED_ONCE
    assert payout.second_approver_id is None
    assert emitted(session) == []


def test_raising_the_limit_lets_no_earlier_payout_slip_through(
    session: Session, settings: Settings, now: datetime
) -> None:
    payout = make_payout(session, make_earner(session, 50_000), 50_000, settings=settings)
    lenient = replace(settings, payout_second_approval_fen=1_000_000)

    services.approve(session, payout.id, actor=make_actor(session), settings=lenient, now=now)

    assert payout.state is PayoutState.APPROVED_ONCE


def test_lowering_the_limit_counts_for_payouts_that_wait(
    session: Session, settings: Settings, now: datetime
) -> None:
    payout = make_payout(session, make_earner(session, 5_000), 5_000, settings=settings)
    strict = replace(settings, payout_second_approval_fen=5_000)

    services.approve(session, payout.id, actor=make_actor(session), settings=strict, now=now)

    assert payout.state is PayoutState.APPROVED_ONCE


@pytest.mark.parametrize(
    "change",
    [
        "second_approver_id = first_approver_id",
        "second_approver_id = NULL",
        "first_approver_id = NULL",
        "approved_at = NULL",
        "ended_at = now()",
    ],
)
def test_the_database_too_refuses_a_large_payout_without_two_approvers(
    session: Session, settings: Settings, change: str
) -> None:
    make_approved(session, make_earner(session, 50_000), 50_000, settings=settings)

    with pytest.raises(IntegrityError):
        session.execute(sa.text(f"UPDATE payouts SET {change}"))  # noqa: S608 - from the list above


@pytest.mark.parametrize("column", ["amount_fen = 1", "payee_openid = 'x'", "number = 'P1'"])
def test_what_was_asked_for_never_changes(
    session: Session, settings: Settings, column: str
) -> None:
    make_payout(session, make_earner(session, 5_000), 5_000, settings=settings)

    with pytest.raises(IntegrityError, match="never changed"):
        session.execute(sa.text(f"UPDATE payouts SET {column}"))  # noqa: S608 - from the list above


def test_nothing_is_approved_for_a_frozen_distributor(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    earner.standing = Standing.FROZEN
    session.flush()

    with pytest.raises(PayoutOnHold):
        services.approve(session, payout.id, actor=make_actor(session), settings=settings, now=now)

    assert payout.state is PayoutState.REQUESTED


def test_a_rejected_payout_gives_everything_back_and_says_why(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000, 3_000)
    payout = make_payout(session, earner, 6_000, settings=settings)
    actor = make_actor(session)

    services.reject(session, payout.id, actor=actor, reason="Name unclear", now=now)

    session.expire_all()
    assert (payout.state, payout.ended_at) == (PayoutState.REJECTED, now)
    assert held(session, earner) == Balances(0, 8_000, 0, 0)
    assert bill_states(session, payout) == {(BillState.CANCELLED, None)}
    assert set(session.scalars(sa.select(Award.allocated_fen))) == {0}
    assert audited(session) == [("payout.rejected", actor.id, "Name unclear")]
    assert steps_of(session, payout) == [(PayoutEvent.REJECT, str(actor), "Name unclear")]
    assert broken_invariants(session) == []


def test_what_is_given_back_fills_a_debt_first(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session)
    award = make_award(session, earner, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    claw_back(session, award, 20_000)
    assert held(session, earner) == Balances(0, 0, 5_000, 2_000)

    services.cancel(session, payout.id, member_id=earner.member_id, now=now)

    assert held(session, earner) == Balances(0, 3_000, 0, 0)
    assert broken_invariants(session) == []


def test_awards_given_back_can_be_paid_by_the_next_payout(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    services.cancel(session, payout.id, member_id=earner.member_id, now=now)

    again = make_payout(session, earner, 5_000, settings=settings)

    parts = session.execute(
        sa.select(
            PayoutAllocation.payout_id, PayoutAllocation.amount_fen, PayoutAllocation.released_fen
        ).order_by(PayoutAllocation.id)
    ).all()
    assert [tuple(part) for part in parts] == [(payout.id, 5_000, 5_000), (again.id, 5_000, 0)]
    assert broken_invariants(session) == []


@pytest.mark.parametrize("decision", ["approve", "reject", "cancel"])
@pytest.mark.parametrize("first", ["approve", "reject", "cancel"])
def test_a_decided_payout_is_not_decided_again(
    session: Session, settings: Settings, now: datetime, first: str, decision: str
) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    actor = make_actor(session)

    def decide(what: str) -> None:
        match what:
            case "approve":
                services.approve(session, payout.id, actor=actor, settings=settings, now=now)
            case "reject":
                services.reject(session, payout.id, actor=actor, reason="no", now=now)
            case _:
                services.cancel(session, payout.id, member_id=earner.member_id, now=now)

    decide(first)
    before = (payout.state, held(session, earner), len(steps_of(session, payout)))

    with pytest.raises(PayoutNotInState):
        decide(decision)

    assert (payout.state, held(session, earner), len(steps_of(session, payout))) == before
    assert broken_invariants(session) == []


def test_a_payout_that_waits_for_its_second_approval_can_still_be_taken_back(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 50_000)
    payout = make_payout(session, earner, 50_000, settings=settings)
    services.approve(session, payout.id, actor=make_actor(session), settings=settings, now=now)

    services.cancel(session, payout.id, member_id=earner.member_id, now=now)

    assert payout.state is PayoutState.CANCELLED
    assert held(session, earner) == Balances(0, 50_000, 0, 0)


def test_the_payout_of_someone_else_does_not_exist(
    session: Session, settings: Settings, now: datetime
) -> None:
    payout = make_payout(session, make_earner(session, 5_000), 5_000, settings=settings)
    other = make_earner(session)

    with pytest.raises(PayoutNotFound):
        services.cancel(session, payout.id, member_id=other.member_id, now=now)
    with pytest.raises(PayoutNotFound):
        services.ask_cancel_bill(
            session, payout.bills[0].id, actor=Actor("member", other.member_id), now=now
        )

    assert payout.state is PayoutState.REQUESTED


def test_an_unknown_payout_is_not_found(
    session: Session, settings: Settings, now: datetime
) -> None:
    actor = make_actor(session)

    with pytest.raises(PayoutNotFound):
        services.approve(session, 4_711, actor=actor, settings=settings, now=now)
    with pytest.raises(PayoutNotFound):
        services.reject(session, 4_711, actor=actor, reason="no", now=now)
    with pytest.raises(PayoutNotFound):
        services.ask_cancel_bill(session, 4_711, actor=actor, now=now)
