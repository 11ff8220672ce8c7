"""Each job does all that is due, does nothing twice, and stops when WeChat falls silent."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM
from app.kernel.db import database_now
from app.orders import jobs, services
from app.orders.models import Order, Payment, Refund
from app.orders.services import RefundWish
from app.orders.states import OrderState, RefundState
from app.settings import Settings
from scripts.sandbox.client import SandboxClient
from tests.factories.orders import make_order, pay_at_wechat
from tests.factories.people import make_member


@pytest.fixture
def now(session: Session) -> datetime:
    """Jobs ask the database for the time."""
    return database_now()


def states(session: Session) -> list[OrderState]:
    return list(session.scalars(sa.select(Order.state).order_by(Order.id)))


def offered_orders(
    session: Session, sandbox: SandboxClient, settings: Settings, count: int, *, now: datetime
) -> list[Order]:
    orders = []
    for _ in range(count):
        member = make_member(session, openid=sandbox.user())
        order = make_order(session, member=member, state=OrderState.CREATED, now=now)
        session.commit()
        services.offer_payment(order.number, member_id=member.id, settings=settings, now=now)
        orders.append(order)
    return orders


def test_orders_whose_time_is_over_are_closed_offered_or_not(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    offered_orders(session, sandbox, settings, 2, now=now)
    make_order(session, state=OrderState.CREATED, now=now)
    session.execute(sa.update(Order).values(pay_by_at=now))
    session.execute(sa.update(Payment).values(due_at=now))
    make_order(session, state=OrderState.CREATED, now=now)
    session.commit()

    counts = (jobs.close_unpaid_orders(), jobs.close_unpaid_orders())

    assert counts == (3, 0)
    assert states(session) == [OrderState.CLOSED] * 3 + [OrderState.CREATED]


def test_payments_that_nobody_told_of_are_found(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    paid, unpaid = offered_orders(session, sandbox, settings, 2, now=now)
    sandbox.pay(out_trade_no=paid.number)
    session.execute(sa.update(Payment).values(due_at=now))
    session.commit()

    counts = (jobs.query_payments(), jobs.query_payments())

    assert counts == (2, 0)
    assert (paid.state, unpaid.state) == (OrderState.PAID, OrderState.CREATED)


def test_a_silent_wechat_ends_the_run_and_all_stay_due(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    orders = offered_orders(session, sandbox, settings, 5, now=now)
    session.execute(sa.update(Payment).values(due_at=now))
    session.commit()
    sandbox.fault("/v3/pay", "error_before", times=0)

    count = jobs.query_payments()

    due = session.scalars(sa.select(Payment.due_at)).all()
    assert count == jobs.SILENCES_MAX
    assert len(due) == len(orders)
    assert None not in due
    assert sum(at is not None and at <= now for at in due) == 2


def test_refunds_are_sent_and_their_ends_found(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    for _ in range(2):
        member = make_member(session, openid=sandbox.user())
        order = make_order(session, member=member, state=OrderState.CREATED, now=now)
        pay_at_wechat(session, sandbox, order, settings=settings, now=now)
        services.request_refund(
            session, order.id, wish=RefundWish(), actor=SYSTEM, settings=settings, now=now
        )
        session.commit()

    sent = jobs.send_refunds()
    for refund in session.scalars(sa.select(Refund)):
        sandbox.settle_refund(refund.number)
        refund.due_at = now
    session.commit()
    asked = jobs.send_refunds()

    assert (sent, asked) == (2, 2)
    assert set(session.scalars(sa.select(Refund.state))) == {RefundState.SUCCEEDED}
    assert states(session) == [OrderState.REFUNDED] * 2


def test_orders_settle_after_their_window(session: Session, now: datetime) -> None:
    week_ago = now - timedelta(days=7)
    for at in (week_ago, week_ago, now):
        make_order(session, state=OrderState.COMPLETED, now=at)
    session.commit()

    counts = (jobs.settle_orders(), jobs.settle_orders())

    assert counts == (2, 0)
    assert states(session) == [OrderState.SETTLED, OrderState.SETTLED, OrderState.COMPLETED]
