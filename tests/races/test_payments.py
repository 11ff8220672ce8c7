"""Callbacks, queries and closing at the same instant: an order is paid once, or closed."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.db import atomic, database_now
from app.kernel.inbox import InboxNotice, Received
from app.kernel.outbox import OutboxEvent
from app.orders import jobs, services, unpaid
from app.orders.errors import OrderNotInState, PayTimeOver
from app.orders.models import Order, OrderStep, Payment, Refund
from app.orders.states import OrderState
from app.settings import Settings
from app.wechat.access import pay
from scripts.sandbox.client import SandboxClient, SandboxRefused
from tests.factories.orders import LineOf, make_goods, make_order, offer, payment_report
from tests.factories.people import make_binding, make_member, make_store
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
COPIES = 8
PAYMENTS = ("B7", "B8", "B10o", "B10r", "B11", "B13", "B17", "B37", "S1")


def paid_notice(number: str, notice_id: str) -> Received:
    return Received(notice_id, "TRANSACTION.SUCCESS", number)


def events(session: Session) -> list[str]:
    return list(session.scalars(sa.select(OutboxEvent.name)))


@pytest.mark.parametrize("same_id", [True, False])
def test_eight_copies_of_a_notice_pay_an_order_once(
    app: Flask, session: Session, settings: Settings, now: datetime, same_id: bool
) -> None:
    store, member = make_store(session), make_member(session)
    goods = make_goods(session, store, on_hand=5)
    binding = make_binding(session, customer=member)
    order = make_order(
        session,
        member=member,
        store=store,
        lines=[LineOf(product=goods, quantity=2)],
        binding=binding,
        state=OrderState.CREATED,
    )
    offer(session, order)
    report = payment_report(order, openid=member.wechat_openid)
    number, order_id = order.number, order.id
    session.commit()

    def hear(copy: int) -> str:
        received = paid_notice(number, "EV-1" if same_id else f"EV-{copy}")
        return services.confirm_payment(report, received=received, settings=settings, now=now)

    outcomes = at_once(app, *[partial(hear, copy) for copy in range(COPIES)])

    kept = session.scalars(sa.select(InboxNotice.outcome)).all()
    assert sorted(outcomes) == ["paid"] + ["repeated"] * (COPIES - 1)
    assert sorted(kept) == (["paid"] if same_id else sorted(outcomes))
    assert session.get_one(Order, order_id, populate_existing=True).state is OrderState.PAID
    assert session.scalars(sa.select(OrderStep.event)).all() == ["pay"]
    assert events(session) == ["order_paid"]
    assert broken(session, *PAYMENTS) == []


def test_different_transactions_at_once_pay_an_order_once(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    member = make_member(session)
    order = make_order(session, member=member, state=OrderState.CREATED)
    offer(session, order)
    reports = [
        payment_report(order, openid=member.wechat_openid, transaction_id=f"4200-{copy}")
        for copy in range(COPIES)
    ]
    session.commit()

    outcomes = at_once(
        app,
        *[
            partial(services.confirm_payment, one, received=None, settings=settings, now=now)
            for one in reports
        ],
    )

    assert sorted(outcomes) == ["paid"] + ["second_transaction"] * (COPIES - 1)
    assert events(session) == ["order_paid"]
    assert broken(session, *PAYMENTS) == []


def test_a_late_payment_told_eight_times_at_once_goes_back_once(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    member = make_member(session)
    order = make_order(session, member=member, state=OrderState.CLOSED)
    offer(session, order)
    report = payment_report(order, openid=member.wechat_openid)
    number = order.number
    session.commit()

    def hear(copy: int) -> str:
        received = paid_notice(number, f"EV-{copy}")
        return services.confirm_payment(report, received=received, settings=settings, now=now)

    outcomes = at_once(app, *[partial(hear, copy) for copy in range(COPIES)])

    assert sorted(outcomes) == ["paid_late"] + ["repeated"] * (COPIES - 1)
    assert session.scalars(sa.select(Refund.amount_fen)).all() == [10_000]
    assert broken(session, *PAYMENTS) == []


def test_notices_copied_shuffled_and_lost_settle_every_order_once(
    app: Flask, session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    now, count = database_now(), 40
    notices: list[Callable[[], str]] = []
    for number in range(count):
        member = make_member(session, openid=sandbox.user())
        order = make_order(session, member=member, state=OrderState.CREATED, now=now)
        session.commit()
        services.offer_payment(order.number, member_id=member.id, settings=settings, now=now)
        sandbox.pay(out_trade_no=order.number)
        report = pay().query_payment(order.number)
        is_lost = number % 10 == 0
        copies = 0 if is_lost else 1 + number % 15
        received = paid_notice(order.number, f"EV-{number}")
        hear = partial(
            services.confirm_payment, report, received=received, settings=settings, now=now
        )
        notices += [hear] * copies
    random.Random(7).shuffle(notices)
    session.commit()

    def hear_every(eighth: int) -> list[str]:
        return [hear() for hear in notices[eighth::COPIES]]

    heard = at_once(app, *[partial(hear_every, eighth) for eighth in range(COPIES)])
    session.execute(sa.update(Payment).where(Payment.due_at.is_not(None)).values(due_at=now))
    session.commit()
    found = jobs.query_payments()

    outcomes = Counter(outcome for some in heard for outcome in some)
    assert outcomes == {"paid": 36, "repeated": len(notices) - 36}
    assert found == 4
    assert set(session.scalars(sa.select(Order.state))) == {OrderState.PAID}
    assert Counter(events(session)) == {"order_paid": count}
    assert broken(session, *PAYMENTS) == []


def test_paying_and_closing_at_once_leave_our_books_and_wechat_s_alike(
    app: Flask, session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    now = database_now()
    store = make_store(session)
    goods = make_goods(session, store, on_hand=100)
    orders = []
    for _ in range(12):
        member = make_member(session, openid=sandbox.user())
        line = LineOf(product=goods, quantity=2)
        order = make_order(
            session, member=member, store=store, lines=[line], state=OrderState.CREATED, now=now
        )
        session.commit()
        services.offer_payment(order.number, member_id=member.id, settings=settings, now=now)
        unpaid.request_close(session, order.number, member_id=member.id, now=now)
        orders.append(order.number)
        session.commit()

    def pay() -> None:
        for number in orders:
            try:
                sandbox.pay(out_trade_no=number)
            except SandboxRefused:
                continue

    def close() -> None:
        while unpaid.close_next(settings=settings, now=now) is not None:
            pass

    at_once(app, pay, close, close)
    session.execute(sa.update(Payment).where(Payment.due_at.is_not(None)).values(due_at=now))
    session.commit()
    jobs.close_unpaid_orders()
    jobs.query_payments()

    paid_there = {one["out_trade_no"] for one in sandbox.books()["payments"] if one["paid_at"]}
    session.rollback()
    ours = {row.number: row.state for row in session.scalars(sa.select(Order))}
    assert {number for number, state in ours.items() if state is OrderState.PAID} == paid_there
    assert set(ours.values()) <= {OrderState.PAID, OrderState.CLOSED}
    assert broken(session, *PAYMENTS) == []


def test_offering_and_giving_up_at_once_leave_nothing_that_can_be_paid_and_kept(
    app: Flask, session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    now = database_now()
    numbers = []
    for _ in range(10):
        member = make_member(session, openid=sandbox.user())
        order = make_order(session, member=member, state=OrderState.CREATED, now=now)
        numbers.append((order.number, member.id))
    session.commit()

    def offer_all() -> None:
        for number, member_id in numbers:
            try:
                services.offer_payment(number, member_id=member_id, settings=settings, now=now)
            except (OrderNotInState, PayTimeOver):
                continue

    def give_up_all() -> None:
        for number, member_id in numbers:
            with atomic() as inner:
                unpaid.request_close(inner, number, member_id=member_id, now=now)
            unpaid.close_next(settings=settings, now=now)

    at_once(app, offer_all, give_up_all)
    session.execute(sa.update(Payment).where(Payment.due_at.is_not(None)).values(due_at=now))
    session.commit()
    jobs.close_unpaid_orders()
    jobs.query_payments()

    session.rollback()
    assert set(session.scalars(sa.select(Order.state))) == {OrderState.CLOSED}
    assert {one["state"] for one in sandbox.books()["payments"]} <= {"CLOSED"}
