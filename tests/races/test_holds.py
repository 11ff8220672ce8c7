"""A hold and a decision at the same instant: whichever comes second has seen the first."""

from datetime import datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.audit import Actor
from app.kernel.db import atomic
from app.ledger.queries import Balances, balances
from app.payouts import holds, services
from app.payouts.models import Payout, PayoutBill, PayoutHold
from app.payouts.sending import begin_bill
from app.payouts.states import BillState, PayoutState
from app.settings import Settings
from tests.factories.payouts import (
    broken_invariants,
    make_actor,
    make_approved,
    make_earner,
    make_payout,
)
from tests.races.crowd import at_once

pytestmark = pytest.mark.commits

CAUSE = "risk_flag:1"


UNAPPROVED = sa.select(Payout.id).where(Payout.approved_at.is_(None))
UNSENT = sa.select(PayoutBill.id).where(PayoutBill.sent_at.is_(None))


def place(member_id: int, now: datetime, waiting: list[int], still: sa.Select[int]) -> str:
    """Place a hold; note, within its transaction, what is still unapproved or unsent."""
    with atomic() as session:
        holds.place(session, member_id, cause=CAUSE, now=now)
        waiting.extend(session.scalars(still))
    return "done"


def approve(payout_id: int, actor: Actor, settings: Settings, now: datetime) -> str:
    with atomic() as session:
        services.approve(session, payout_id, actor=actor, settings=settings, now=now)
    return "done"


@pytest.mark.parametrize("round_number", range(8))
def test_after_a_hold_has_been_placed_nothing_is_approved(
    app: Flask, session: Session, settings: Settings, now: datetime, round_number: int
) -> None:
    earner = make_earner(session, *[1_000] * 6)
    member_id = earner.member_id
    ids = [make_payout(session, earner, 1_000, settings=settings).id for _ in range(6)]
    actor = make_actor(session)
    session.commit()
    waiting: list[int] = []

    results = at_once(
        app,
        *(partial(approve, one, actor, settings, now) for one in ids[:3]),
        partial(place, member_id, now, waiting, UNAPPROVED),
        *(partial(approve, one, actor, settings, now) for one in ids[3:]),
    )

    session.rollback()
    approved = set(
        session.scalars(sa.select(Payout.id).where(Payout.state == PayoutState.APPROVED))
    )
    assert set(results) <= {"done", "payout_held"}
    assert len(approved) == results.count("done") - 1
    assert approved.isdisjoint(waiting)
    assert balances(session, member_id) == Balances(0, 0, 6_000, 0)
    assert broken_invariants(session) == []


@pytest.mark.parametrize("round_number", range(8))
def test_after_a_hold_has_been_placed_nothing_is_sent(
    app: Flask, session: Session, settings: Settings, now: datetime, round_number: int
) -> None:
    earner = make_earner(session, *[1_000] * 4)
    member_id = earner.member_id
    for _ in range(4):
        make_approved(session, earner, 1_000, settings=settings)
    ids = list(session.scalars(sa.select(PayoutBill.id)))
    session.commit()
    waiting: list[int] = []

    at_once(
        app,
        *(partial(begin_bill, one, settings=settings, now=now) for one in ids),
        partial(place, member_id, now, waiting, UNSENT),
    )

    session.rollback()
    sent = set(session.scalars(sa.select(PayoutBill.id).where(PayoutBill.sent_at.is_not(None))))
    unsent = session.scalars(sa.select(PayoutBill).where(PayoutBill.sent_at.is_(None))).all()
    assert sent.isdisjoint(waiting)
    assert {(one.state, one.last_error) for one in unsent} <= {(BillState.CREATED, "on_hold")}
    assert balances(session, member_id) == Balances(0, 0, 4_000, 0)
    assert broken_invariants(session) == []


def test_many_who_hold_for_one_cause_leave_one_hold(
    app: Flask, session: Session, now: datetime
) -> None:
    member_id = make_earner(session).member_id
    session.commit()

    results = at_once(app, *[partial(place, member_id, now, [], UNSENT)] * 8)

    session.rollback()
    assert results == ["done"] * 8
    assert len(session.scalars(sa.select(PayoutHold)).all()) == 1
