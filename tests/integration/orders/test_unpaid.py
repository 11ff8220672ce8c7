"""Untold payments are found by asking; nothing is closed that WeChat holds money for."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import Product, StockLevel
from app.kernel.db import database_now
from app.kernel.outbox import OutboxEvent
from app.orders import queries, services, unpaid
from app.orders.errors import OrderNotFound, OrderNotInState
from app.orders.models import Order, Payment
from app.orders.states import OrderState
from app.settings import Settings
from app.stores.models import Store
from scripts.sandbox.client import SandboxClient
from tests.factories.orders import LineOf, make_goods, make_order
from tests.factories.people import make_member, make_store

QUERY = "/v3/pay/transactions/out-trade-no"
SOON = timedelta(seconds=61)


@pytest.fixture
def now(session: Session) -> datetime:
    """WeChat has a clock of its own, so these tests use the present."""
    return database_now()


@pytest.fixture
def goods(session: Session, now: datetime) -> Product:
    return make_goods(session, make_store(session), on_hand=10)


@pytest.fixture
def order(session: Session, sandbox: SandboxClient, now: datetime, goods: Product) -> Order:
    """An order for two pieces that nobody has offered yet."""
    level = session.scalars(sa.select(StockLevel).where(StockLevel.product_id == goods.id)).one()
    order = make_order(
        session,
        member=make_member(session, openid=sandbox.user()),
        store=session.get_one(Store, level.store_id),
        lines=[LineOf(product=goods, quantity=2)],
        state=OrderState.CREATED,
        now=now,
    )
    session.commit()
    return order


@pytest.fixture
def offered(order: Order, settings: Settings, now: datetime) -> Order:
    services.offer_payment(order.number, member_id=order.member_id, settings=settings, now=now)
    return order


def state_of(session: Session, order: Order) -> OrderState:
    return session.get_one(Order, order.id, populate_existing=True).state


def stock_of(session: Session, goods: Product) -> tuple[int, int]:
    row = session.scalars(sa.select(StockLevel).where(StockLevel.product_id == goods.id)).one()
    return row.on_hand, row.reserved


def due_at(session: Session, order: Order) -> datetime | None:
    return session.get_one(Payment, order.id, populate_existing=True).due_at


def events(session: Session) -> list[str]:
    return list(session.scalars(sa.select(OutboxEvent.name).order_by(OutboxEvent.id)))


def test_a_payment_that_nobody_told_of_is_found_by_asking(
    session: Session, sandbox: SandboxClient, settings: Settings, offered: Order, now: datetime
) -> None:
    sandbox.pay(out_trade_no=offered.number)

    early = unpaid.query_next(settings=settings, now=now)
    in_time = unpaid.query_next(settings=settings, now=now + SOON)
    again = unpaid.query_next(settings=settings, now=now + SOON)

    assert (early, in_time, again) == (None, True, None)
    assert state_of(session, offered) is OrderState.PAID
    assert due_at(session, offered) is None


def test_an_unpaid_order_is_asked_for_again_later(
    session: Session, settings: Settings, offered: Order, now: datetime
) -> None:
    answered = unpaid.query_next(settings=settings, now=now + SOON)

    assert answered is True
    assert state_of(session, offered) is OrderState.CREATED
    assert due_at(session, offered) == now + SOON + timedelta(
        seconds=settings.payment_query_seconds
    )


@pytest.mark.parametrize("fault", ["error_before", "drop", "bad_signature", "status_429"])
def test_no_answer_changes_nothing_and_is_asked_for_again(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    offered: Order,
    now: datetime,
    fault: str,
) -> None:
    sandbox.pay(out_trade_no=offered.number)
    sandbox.fault(QUERY, fault)

    silent = unpaid.query_next(settings=settings, now=now + SOON)
    answered = unpaid.query_next(settings=settings, now=now + 2 * SOON)

    assert (silent, answered) == (False, True)
    assert state_of(session, offered) is OrderState.PAID


def test_an_order_that_was_never_offered_closes_without_wechat(
    session: Session, sandbox: SandboxClient, goods: Product, order: Order
) -> None:
    early = unpaid.close_never_offered(now=order.pay_by_at - timedelta(microseconds=1))
    in_time = unpaid.close_never_offered(now=order.pay_by_at)
    again = unpaid.close_never_offered(now=order.pay_by_at)

    story = queries.order_story(session, order.id)
    assert (early, in_time, again) == (False, True, False)
    assert (story.order.state, story.order.closed_at) == (OrderState.CLOSED, order.pay_by_at)
    assert stock_of(session, goods) == (10, 0)
    assert events(session) == ["order_closed"]
    assert sandbox.calls() == {}


def test_an_offered_order_closes_at_wechat_first(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    goods: Product,
    offered: Order,
) -> None:
    in_time = offered.pay_by_at + SOON

    never_offered = unpaid.close_never_offered(now=in_time)
    closed = unpaid.close_next(settings=settings, now=in_time)

    trade = sandbox.books()["payments"][0]
    assert (never_offered, closed) == (False, True)
    assert (trade["state"], state_of(session, offered)) == ("CLOSED", OrderState.CLOSED)
    assert (stock_of(session, goods), due_at(session, offered)) == ((10, 0), None)
    assert unpaid.close_next(settings=settings, now=in_time + SOON) is None


def test_an_order_that_wechat_says_is_paid_is_never_closed(
    session: Session, sandbox: SandboxClient, settings: Settings, goods: Product, offered: Order
) -> None:
    sandbox.pay(out_trade_no=offered.number)

    closed = unpaid.close_next(settings=settings, now=offered.pay_by_at + SOON)

    assert closed is True
    assert state_of(session, offered) is OrderState.PAID
    assert stock_of(session, goods) == (8, 0)
    assert events(session) == ["order_paid"]


@pytest.mark.parametrize("fault", ["error_before", "error_after", "drop", "bad_signature"])
def test_without_a_clear_answer_the_order_stays_open(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    goods: Product,
    offered: Order,
    fault: str,
) -> None:
    sandbox.fault(QUERY, fault)
    late = offered.pay_by_at + SOON

    silent = unpaid.close_next(settings=settings, now=late)
    after_silence = (state_of(session, offered), stock_of(session, goods))
    closed = unpaid.close_next(settings=settings, now=late + SOON)

    assert (silent, closed) == (False, True)
    assert after_silence == (OrderState.CREATED, (10, 2))
    assert state_of(session, offered) is OrderState.CLOSED


def test_a_member_gives_up_an_order_that_was_never_offered_at_once(
    session: Session, sandbox: SandboxClient, goods: Product, order: Order, now: datetime
) -> None:
    first = unpaid.request_close(session, order.number, member_id=order.member_id, now=now)
    again = unpaid.request_close(session, order.number, member_id=order.member_id, now=now)

    story = queries.order_story(session, order.id)
    assert first is again
    assert [(step.to_state, step.actor) for step in story.steps] == [
        ("closed", f"member:{order.member_id}")
    ]
    assert stock_of(session, goods) == (10, 0)


def test_an_offered_order_that_is_given_up_closes_as_soon_as_wechat_agrees(
    session: Session, sandbox: SandboxClient, settings: Settings, offered: Order, now: datetime
) -> None:
    unpaid.request_close(session, offered.number, member_id=offered.member_id, now=now)
    session.commit()
    still_open = state_of(session, offered)

    unpaid.close_next(settings=settings, now=now)

    assert still_open is OrderState.CREATED
    assert state_of(session, offered) is OrderState.CLOSED
    assert sandbox.books()["payments"][0]["state"] == "CLOSED"


@pytest.mark.parametrize(
    "state",
    [state for state in OrderState if state not in {OrderState.CREATED, OrderState.CLOSED}],
)
def test_an_order_with_money_cannot_be_given_up(
    session: Session, now: datetime, state: OrderState
) -> None:
    order = make_order(session, state=state)

    with pytest.raises(OrderNotInState):
        unpaid.request_close(session, order.number, member_id=order.member_id, now=now)

    assert state_of(session, order) is state


def test_another_member_cannot_give_up_an_order(
    session: Session, order: Order, now: datetime
) -> None:
    with pytest.raises(OrderNotFound):
        unpaid.request_close(session, order.number, member_id=order.member_id + 1, now=now)


def test_an_order_that_wechat_does_not_know_is_looked_at_once_more_after_its_time(
    session: Session, sandbox: SandboxClient, settings: Settings, offered: Order, now: datetime
) -> None:
    sandbox.reset()
    unpaid.request_close(session, offered.number, member_id=offered.member_id, now=now)
    session.commit()

    unpaid.close_next(settings=settings, now=now)
    last_look_at = due_at(session, offered)
    answered = unpaid.query_next(settings=settings, now=offered.pay_by_at + SOON)

    assert state_of(session, offered) is OrderState.CLOSED
    assert last_look_at == offered.pay_by_at + timedelta(minutes=1)
    assert (answered, due_at(session, offered)) == (True, None)


def test_an_announcement_that_arrived_after_the_close_is_closed_at_wechat_too(
    session: Session, sandbox: SandboxClient, settings: Settings, offered: Order, now: datetime
) -> None:
    row = session.get_one(Order, offered.id)
    unpaid.request_close(session, row.number, member_id=row.member_id, now=now)
    session.commit()
    unpaid._closed_at_wechat(row.number, is_final=False, now=now)

    answered = unpaid.query_next(settings=settings, now=offered.pay_by_at + SOON)

    assert answered is True
    assert sandbox.books()["payments"][0]["state"] == "CLOSED"


def test_money_that_was_under_way_while_the_order_closed_is_found_and_sent_back(
    session: Session, sandbox: SandboxClient, settings: Settings, offered: Order
) -> None:
    late = offered.pay_by_at + SOON
    unpaid.close_next(settings=settings, now=late)
    session.get_one(Payment, offered.id).due_at = late
    session.commit()
    sandbox.pay(out_trade_no=offered.number, force=True)

    unpaid.query_next(settings=settings, now=late)

    story = queries.order_story(session, offered.id)
    assert story.order.state is OrderState.PAID_LATE
    assert [one.refund.amount_fen for one in story.refunds] == [20_000]
