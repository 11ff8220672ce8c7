"""Refunds asked for, decided and reported at the same instant never exceed what was paid."""

from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM, Actor
from app.kernel.db import atomic, database_now, retrying
from app.kernel.errors import DomainError
from app.kernel.inbox import Received
from app.kernel.outbox import OutboxEvent
from app.orders import jobs, services
from app.orders.models import Order, Refund
from app.orders.pricing import WantedRefund
from app.orders.services import RefundWish
from app.orders.states import OrderState, RefundState
from app.settings import Settings
from scripts.sandbox.client import SandboxClient
from tests.factories.orders import make_order, make_refund, pay_at_wechat, refund_report
from tests.factories.people import make_member, make_staff
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
REFUNDS = ("B10o", "B10r", "B11", "B13", "B36", "S1")


def ask_back(order_id: int, wish: RefundWish, settings: Settings, now: datetime) -> str:
    def act() -> str:
        with atomic() as inner:
            refund = services.request_refund(
                inner, order_id, wish=wish, actor=SYSTEM, settings=settings, now=now
            )
            return refund.state.value

    return retrying(act)


def test_eight_who_ask_for_everything_get_it_once(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    order_id = make_order(session).id
    session.commit()

    answers = at_once(app, *[partial(ask_back, order_id, RefundWish(), settings, now)] * 8)

    assert sorted(answers) == ["approved"] + ["refund_exceeds_rest"] * 7
    assert session.get_one(Order, order_id, populate_existing=True).refunding_fen == 10_000
    assert session.scalars(sa.select(Refund.amount_fen)).all() == [10_000]
    assert broken(session, "B10o", "B10r", "B11") == []


def test_eight_who_ask_for_a_third_each_get_no_more_than_the_whole(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session)
    order_id = order.id
    wish = RefundWish(lines=[WantedRefund(order.lines[0].id, 0, 3_333)])
    session.commit()

    answers = at_once(app, *[partial(ask_back, order_id, wish, settings, now)] * 8)

    assert sorted(answers) == ["approved"] * 3 + ["refund_exceeds_rest"] * 5
    assert session.get_one(Order, order_id, populate_existing=True).refunding_fen == 9_999
    assert broken(session, "B10o", "B10r", "B11") == []


def test_orders_refunded_twice_at_once_give_their_money_back_once_at_wechat(
    app: Flask, session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    now = database_now()
    order_ids = []
    for _ in range(25):
        member = make_member(session, openid=sandbox.user())
        order = make_order(session, member=member, state=OrderState.CREATED, now=now)
        pay_at_wechat(session, sandbox, order, settings=settings, now=now)
        order_ids.append(order.id)
    session.commit()

    def ask_all() -> list[str]:
        answers = []
        for order_id in order_ids:
            try:
                answers.append(ask_back(order_id, RefundWish(), settings, now))
            except DomainError as refusal:
                answers.append(refusal.code)
        return answers

    at_once(app, ask_all, ask_all, jobs.send_refunds, jobs.send_refunds)
    at_once(app, jobs.send_refunds, jobs.send_refunds)
    for number in session.scalars(sa.select(Refund.number)):
        sandbox.settle_refund(number)
    session.execute(sa.update(Refund).values(due_at=now))
    session.commit()
    at_once(app, jobs.send_refunds, jobs.send_refunds)

    session.rollback()
    there = [one["refund"] for one in sandbox.books()["refunds"]]
    assert there == [10_000] * 25
    assert set(session.scalars(sa.select(Refund.state))) == {RefundState.SUCCEEDED}
    assert set(session.scalars(sa.select(Order.state))) == {OrderState.REFUNDED}
    assert broken(session, *REFUNDS) == []


def test_workers_and_a_wechat_that_loses_answers_give_each_refund_back_once(
    app: Flask, session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    count = 8
    now = database_now()
    for _ in range(count):
        member = make_member(session, openid=sandbox.user())
        order = make_order(session, member=member, state=OrderState.CREATED, now=now)
        pay_at_wechat(session, sandbox, order, settings=settings, now=now)
        ask_back(order.id, RefundWish(), settings, now)
    for fault in ("drop", "error_after", "error_before", "bad_signature", "drop_before"):
        sandbox.fault("/v3/refund", fault, times=2)
    long_ago = now - timedelta(seconds=settings.refund_not_found_seconds)

    for _ in range(6):
        at_once(app, jobs.send_refunds, jobs.send_refunds)
        session.execute(sa.update(Refund).values(due_at=now))
        session.execute(sa.update(Refund).where(Refund.sent_at > now).values(sent_at=long_ago))
        session.commit()
    hits = sum(one["hits"] for one in sandbox.faults())

    assert hits == 10
    assert [one["refund"] for one in sandbox.books()["refunds"]] == [10_000] * count
    assert set(session.scalars(sa.select(Refund.state))) == {RefundState.SENT}


def test_eight_notices_of_one_refund_end_it_once(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session)
    refund = make_refund(session, order, amounts={order.lines[0].id: 5_000}, state=RefundState.SENT)
    report, order_id = refund_report(session, refund), order.id
    session.commit()

    def hear(copy: int) -> str:
        received = Received(f"EV-{copy}", "REFUND.SUCCESS", report.out_refund_no)
        return services.record_refund(report, received=received, settings=settings, now=now)

    outcomes = at_once(app, *[partial(hear, copy) for copy in range(8)])

    assert sorted(outcomes) == ["repeated"] * 7 + ["succeeded"]
    assert session.get_one(Order, order_id, populate_existing=True).refunded_fen == 5_000
    assert session.scalars(sa.select(OutboxEvent.name)).all() == ["refund_succeeded"]
    assert broken(session, "B10o", "B10r", "B11") == []


def test_approving_and_rejecting_at_once_is_decided_once(
    app: Flask, session: Session, now: datetime
) -> None:
    refunds = []
    for _ in range(10):
        order = make_order(session, state=OrderState.COMPLETED)
        refunds.append(make_refund(session, order, state=RefundState.REQUESTED).id)
    actors = [Actor("staff", make_staff(session).id) for _ in range(2)]
    session.commit()

    def decide(refund_id: int, actor: Actor, *, yes: bool) -> str:
        with atomic() as inner:
            if yes:
                services.approve_refund(inner, refund_id, actor=actor, now=now)
            else:
                services.reject_refund(inner, refund_id, actor=actor, reason="", now=now)
        return "decided"

    for refund_id in refunds:
        answers = at_once(
            app,
            partial(decide, refund_id, actors[0], yes=True),
            partial(decide, refund_id, actors[1], yes=False),
        )
        assert sorted(answers) == ["decided", "refund_not_in_state"]

    assert broken(session, "B10o", "B10r", "B11") == []


def test_handing_over_and_refunding_at_once_never_do_both(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    order_ids = [make_order(session).id for _ in range(10)]
    session.commit()

    def hand_over(order_id: int) -> str:
        with atomic() as inner:
            services.complete(inner, order_id, actor=SYSTEM, settings=settings, now=now)
        return "handed over"

    for order_id in order_ids:
        answers = at_once(
            app,
            partial(hand_over, order_id),
            partial(ask_back, order_id, RefundWish(), settings, now),
        )
        assert sorted(answers) in (
            ["approved", "refund_under_way"],
            ["handed over", "requested"],
        )


def test_settling_passes_over_an_order_that_is_just_being_refunded(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    order_id = make_order(session, state=OrderState.COMPLETED, now=now).id
    session.commit()
    later = now + timedelta(days=8)

    services.request_refund(
        session, order_id, wish=RefundWish(), actor=SYSTEM, settings=settings, now=later
    )
    meanwhile = at_once(app, partial(services.settle_due, now=later))
    session.commit()
    afterwards = at_once(app, partial(services.settle_due, now=later))

    assert (meanwhile, afterwards) == ([0], [0])
    assert session.get_one(Order, order_id, populate_existing=True).state is OrderState.COMPLETED
