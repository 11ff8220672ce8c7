"""Holds keep payouts waiting: nothing is approved or sent, nothing is taken, all goes on after."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.outbox import OutboxEvent
from app.ledger.queries import Balances, balances
from app.members.errors import DistributorNotFound
from app.members.models import Distributor, Standing
from app.payouts import holds, services
from app.payouts.errors import PayoutHeld, PayoutNotFound, PayoutOnHold
from app.payouts.models import Payout, PayoutBill, PayoutHold
from app.payouts.sending import begin_next_bill
from app.payouts.states import BillState, PayoutState
from app.settings import Settings
from tests.factories.payouts import (
    broken_invariants,
    make_actor,
    make_approved,
    make_earner,
    make_payout,
)

CAUSE = "risk_flag:1"


def test_a_request_under_a_hold_is_accepted_and_waits(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    holds.place(session, earner.member_id, cause=CAUSE, now=now)

    payout = make_payout(session, earner, 5_000, settings=settings)

    assert payout.state is PayoutState.REQUESTED
    assert balances(session, earner.member_id) == Balances(0, 0, 5_000, 0)
    assert holds.held(session, [earner.member_id]) == {earner.member_id}
    assert broken_invariants(session) == []


def test_under_a_hold_nobody_approves_and_nothing_moves(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    holds.place(session, earner.member_id, cause=CAUSE, now=now)

    with pytest.raises(PayoutHeld):
        services.approve(session, payout.id, actor=make_actor(session), settings=settings, now=now)

    assert payout.state is PayoutState.REQUESTED
    assert (payout.first_approver_id, payout.approved_at) == (None, None)
    assert session.scalars(sa.select(OutboxEvent)).all() == []
    assert balances(session, earner.member_id) == Balances(0, 0, 5_000, 0)


def test_the_second_approval_waits_for_a_hold_too(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 50_000)
    payout = make_payout(session, earner, 50_000, settings=settings)
    services.approve(session, payout.id, actor=make_actor(session), settings=settings, now=now)
    holds.place(session, earner.member_id, cause=CAUSE, now=now)

    with pytest.raises(PayoutHeld):
        services.approve(session, payout.id, actor=make_actor(session), settings=settings, now=now)

    assert payout.state is PayoutState.APPROVED_ONCE
    assert payout.second_approver_id is None


def test_a_lifted_hold_lets_the_payout_go_on(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    holds.place(session, earner.member_id, cause=CAUSE, now=now)

    holds.lift(session, cause=CAUSE, now=now)
    services.approve(session, payout.id, actor=make_actor(session), settings=settings, now=now)

    assert payout.state is PayoutState.APPROVED
    assert holds.held(session, [earner.member_id]) == set()


def test_while_one_of_two_holds_stands_the_payout_waits(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    holds.place(session, earner.member_id, cause=CAUSE, now=now)
    holds.place(session, earner.member_id, cause="risk_flag:2", now=now)
    holds.lift(session, cause=CAUSE, now=now)

    with pytest.raises(PayoutHeld):
        services.approve(session, payout.id, actor=make_actor(session), settings=settings, now=now)


def test_what_was_approved_before_the_hold_is_sent_only_after_it(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    make_approved(session, earner, 5_000, settings=settings)
    holds.place(session, earner.member_id, cause=CAUSE, now=now)
    session.commit()

    assert begin_next_bill(settings=settings, now=now) is None
    bill = session.scalars(sa.select(PayoutBill)).one()
    assert (bill.state, bill.sent_at, bill.last_error) == (BillState.CREATED, None, "on_hold")
    later = bill.due_at
    assert later is not None
    assert later > now

    holds.lift(session, cause=CAUSE, now=now)
    session.commit()

    errand = begin_next_bill(settings=settings, now=later)
    assert errand is not None
    assert errand.order is not None
    assert errand.order.amount_fen == 5_000
    assert balances(session, earner.member_id) == Balances(0, 0, 5_000, 0)
    assert broken_invariants(session) == []


def test_the_hold_of_somebody_else_stops_nobody(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner, other = make_earner(session, 5_000), make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    holds.place(session, other.member_id, cause=CAUSE, now=now)

    services.approve(session, payout.id, actor=make_actor(session), settings=settings, now=now)

    assert payout.state is PayoutState.APPROVED


def test_under_a_hold_a_payout_can_still_be_rejected(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    holds.place(session, earner.member_id, cause=CAUSE, now=now)

    services.reject(session, payout.id, actor=make_actor(session), reason="fraud", now=now)

    assert payout.state is PayoutState.REJECTED
    assert balances(session, earner.member_id) == Balances(0, 5_000, 0, 0)


def test_the_same_hold_again_changes_nothing(session: Session, now: datetime) -> None:
    earner = make_earner(session)
    holds.place(session, earner.member_id, cause=CAUSE, now=now)

    holds.place(session, earner.member_id, cause=CAUSE, now=now + timedelta(hours=1))

    assert session.scalars(sa.select(PayoutHold.placed_at)).all() == [now]


def test_nobody_who_is_no_distributor_is_held(session: Session, now: datetime) -> None:
    with pytest.raises(DistributorNotFound):
        holds.place(session, 999_999, cause=CAUSE, now=now)

    assert session.scalars(sa.select(PayoutHold)).all() == []


def test_a_frozen_distributor_counts_as_held(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    session.execute(sa.update(Distributor).values(standing=Standing.FROZEN))

    with pytest.raises(PayoutOnHold):
        services.approve(session, payout.id, actor=make_actor(session), settings=settings, now=now)

    assert holds.held(session, [earner.member_id]) == {earner.member_id}


def test_approving_what_does_not_exist_is_refused_as_before(
    session: Session, settings: Settings, now: datetime
) -> None:
    with pytest.raises(PayoutNotFound):
        services.approve(session, 999_999, actor=make_actor(session), settings=settings, now=now)

    assert session.scalars(sa.select(Payout)).all() == []
