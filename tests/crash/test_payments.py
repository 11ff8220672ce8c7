"""A process that dies around a payment leaves an order that is paid once, or closed once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import StockLevel
from app.kernel.db import database_now
from app.kernel.outbox import OutboxEvent
from app.operations import invariants
from app.orders import jobs
from app.orders.models import Order, Payment
from app.orders.services import offer_payment
from app.orders.states import OrderState
from app.settings import Settings
from scripts.local.postgres import OWNER
from scripts.sandbox.client import SandboxClient
from tests.crash.conditions import wait_until
from tests.factories.orders import LineOf, make_goods, make_order
from tests.factories.people import make_member, make_store
from tests.servers import Process, Services

pytestmark = pytest.mark.commits
PAY = "/v3/pay/transactions"
Launch = Callable[..., Process]


@pytest.fixture
def order(session: Session, sandbox: SandboxClient) -> Order:
    """An order for two of ten pieces, not offered yet."""
    now = database_now()
    store = make_store(session)
    line = LineOf(product=make_goods(session, store, on_hand=10), quantity=2)
    member = make_member(session, openid=sandbox.user())
    order = make_order(
        session, member=member, store=store, lines=[line], state=OrderState.CREATED, now=now
    )
    session.commit()
    return order


def offer(order: Order, settings: Settings) -> dict[str, str]:
    return offer_payment(
        order.number, member_id=order.member_id, settings=settings, now=database_now()
    )


def make_due(session: Session) -> None:
    """Let the time pass after which WeChat is asked."""
    now = database_now()
    session.execute(sa.update(Payment).where(Payment.due_at.is_not(None)).values(due_at=now))
    session.commit()


def stock(session: Session) -> tuple[int, int]:
    level = session.scalars(sa.select(StockLevel).execution_options(populate_existing=True)).one()
    return level.on_hand, level.reserved


def state_of(session: Session, order: Order) -> OrderState:
    return session.get_one(Order, order.id, populate_existing=True).state


def broken(session: Session) -> list[str]:
    session.rollback()
    wanted = {"B7", "B8", "B10o", "B11", "B13", "B17", "B37", "S1"}
    return [one.code for one in invariants.check(session) if one.code in wanted and one.count]


@contextmanager
def held_member(servers: Services, member_id: int) -> Iterator[None]:
    """Hold a member's row, so that a payment cannot be committed."""
    with psycopg.connect(servers.postgres.dsn(OWNER, "tuoke")) as connection:
        connection.execute("SELECT 1 FROM members WHERE id = %s FOR UPDATE", [member_id])
        yield
        connection.rollback()


def someone_waits_for_a_lock(servers: Services) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with psycopg.connect(servers.postgres.dsn(OWNER, "tuoke")) as connection:
        row = connection.execute(waiting).fetchone()
        return row is not None and row[0] > 0


def test_an_offer_that_died_after_wechat_took_it_is_taken_up_again(
    session: Session,
    sandbox: SandboxClient,
    services: Services,
    settings: Settings,
    order: Order,
) -> None:
    sandbox.fault(PAY, "delay", seconds=30)
    process = Process(
        services, "offer", ["-m", "tests.crash.offer", order.number, str(order.member_id)]
    )
    session.rollback()

    process.start()
    wait_until(lambda: len(sandbox.books()["payments"]) == 1, "the booking")
    process.stop(signal.SIGKILL)
    left_behind = session.get_one(Payment, order.id).prepay_id
    sandbox.clear_faults()
    parameters = offer(order, settings)
    sandbox.pay(out_trade_no=order.number)
    make_due(session)
    jobs.query_payments()

    trades = sandbox.books()["payments"]
    assert left_behind is None
    assert [trade["out_trade_no"] for trade in trades] == [order.number]
    assert parameters["package"] == f"prepay_id={trades[0]['prepay_id']}"
    assert state_of(session, order) is OrderState.PAID
    assert broken(session) == []


def test_a_payment_told_while_its_offer_was_dying_is_not_lost(
    session: Session,
    sandbox: SandboxClient,
    services: Services,
    order: Order,
) -> None:
    sandbox.fault(PAY, "delay", seconds=30)
    process = Process(
        services, "offer", ["-m", "tests.crash.offer", order.number, str(order.member_id)]
    )
    session.rollback()

    process.start()
    wait_until(lambda: len(sandbox.books()["payments"]) == 1, "the booking")
    process.stop(signal.SIGKILL)
    sandbox.clear_faults()
    sandbox.pay(out_trade_no=order.number)
    make_due(session)
    jobs.query_payments()

    assert state_of(session, order) is OrderState.PAID
    assert stock(session) == (8, 0)
    assert broken(session) == []


def test_a_process_killed_before_its_commit_leaves_nothing_and_the_next_one_pays_once(
    session: Session,
    sandbox: SandboxClient,
    services: Services,
    settings: Settings,
    order: Order,
    launch: Launch,
) -> None:
    offer(order, settings)
    sandbox.pay(out_trade_no=order.number)
    make_due(session)
    member_id = order.member_id
    session.rollback()

    with held_member(services, member_id):
        process = launch("run-job", "query_payments")
        wait_until(lambda: someone_waits_for_a_lock(services), "the wait for the member")
        status = process.stop(signal.SIGKILL)
        wait_until(lambda: not someone_waits_for_a_lock(services), "the end of its transaction")
    left_behind = (state_of(session, order), stock(session))
    make_due(session)
    jobs.query_payments()

    assert status == -signal.SIGKILL
    assert left_behind == (OrderState.CREATED, (10, 2))
    assert state_of(session, order) is OrderState.PAID
    assert stock(session) == (8, 0)
    assert session.scalars(sa.select(OutboxEvent.name)).all() == ["order_paid"]
    assert broken(session) == []


def test_a_closer_killed_after_wechat_closed_closes_once_and_frees_each_piece_once(
    session: Session, sandbox: SandboxClient, settings: Settings, order: Order, launch: Launch
) -> None:
    offer(order, settings)
    session.execute(sa.update(Order).values(pay_by_at=database_now()))
    session.commit()
    make_due(session)
    sandbox.fault(f"{PAY}/out-trade-no", "delay", seconds=30)

    process = launch("run-job", "close_unpaid_orders")
    wait_until(lambda: sandbox.books()["payments"][0]["state"] == "CLOSED", "the closing")
    process.stop(signal.SIGKILL)
    left_behind = (state_of(session, order), stock(session))
    sandbox.clear_faults()
    make_due(session)
    jobs.close_unpaid_orders()
    make_due(session)
    jobs.close_unpaid_orders()

    assert left_behind == (OrderState.CREATED, (10, 2))
    assert state_of(session, order) is OrderState.CLOSED
    assert stock(session) == (10, 0)
    assert session.scalars(sa.select(OutboxEvent.name)).all() == ["order_closed"]
    assert broken(session) == []
