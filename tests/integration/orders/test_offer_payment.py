"""An order is announced to WeChat under its own number, as often as it is asked for."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.kernel.db import database_now
from app.orders import services, unpaid
from app.orders.errors import OrderNotFound, OrderNotInState, PayTimeOver
from app.orders.models import Order, Payment
from app.orders.states import OrderState
from app.settings import Settings
from app.wechat.errors import PrepayRefused, WeChatUnavailable
from scripts.sandbox.client import SandboxClient
from tests.factories.orders import make_order
from tests.factories.people import make_member

JSAPI = "/v3/pay/transactions/jsapi"


@pytest.fixture
def now(session: Session) -> datetime:
    """WeChat has a clock of its own, so these tests use the present."""
    return database_now()


@pytest.fixture
def order(session: Session, sandbox: SandboxClient, now: datetime) -> Order:
    member = make_member(session, openid=sandbox.user())
    order = make_order(session, member=member, state=OrderState.CREATED, price_fen=19_900, now=now)
    session.commit()
    return order


def offer(order: Order, settings: Settings, now: datetime) -> dict[str, str]:
    return services.offer_payment(
        order.number, member_id=order.member_id, settings=settings, now=now
    )


def test_the_order_is_at_wechat_with_its_number_price_and_payer(
    session: Session, sandbox: SandboxClient, settings: Settings, order: Order, now: datetime
) -> None:
    parameters = offer(order, settings, now)

    payment = session.get_one(Payment, order.id)
    trade = sandbox.books()["payments"][0]
    assert sorted(parameters) == ["nonceStr", "package", "paySign", "signType", "timeStamp"]
    assert parameters["package"] == f"prepay_id={payment.prepay_id}"
    assert (trade["out_trade_no"], trade["total"], trade["openid"]) == (
        order.number,
        19_900,
        payment.payer_openid,
    )
    assert payment.due_at == now + timedelta(seconds=settings.payment_query_seconds)


def test_offering_again_hands_out_the_same_announcement_without_asking(
    session: Session, sandbox: SandboxClient, settings: Settings, order: Order, now: datetime
) -> None:
    first = offer(order, settings, now)

    second = offer(order, settings, now + timedelta(minutes=5))

    assert first["package"] == second["package"]
    assert sandbox.calls()[JSAPI] == 1


def test_an_announcement_that_is_over_is_made_again_under_the_same_number(
    session: Session, sandbox: SandboxClient, settings: Settings, order: Order, now: datetime
) -> None:
    offer(order, settings, now)
    payment = session.get_one(Payment, order.id)
    payment.prepay_expires_at = now
    session.commit()

    offer(order, settings, now)

    assert sandbox.calls()[JSAPI] == 2
    assert [trade["out_trade_no"] for trade in sandbox.books()["payments"]] == [order.number]


@pytest.mark.parametrize("fault", ["error_before", "error_after", "drop", "bad_signature"])
def test_without_an_answer_the_intent_stays_and_the_next_try_succeeds(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    order: Order,
    now: datetime,
    fault: str,
) -> None:
    sandbox.fault(JSAPI, fault)

    with pytest.raises(WeChatUnavailable):
        offer(order, settings, now)
    after_failure = session.get_one(Payment, order.id).prepay_id
    parameters = offer(order, settings, now)

    assert after_failure is None
    assert parameters["package"] == f"prepay_id={session.get_one(Payment, order.id).prepay_id}"
    assert len(sandbox.books()["payments"]) == 1


def test_an_order_that_wechat_says_is_paid_becomes_paid_by_asking(
    session: Session, sandbox: SandboxClient, settings: Settings, order: Order, now: datetime
) -> None:
    offer(order, settings, now)
    session.get_one(Payment, order.id).prepay_expires_at = now
    session.commit()
    sandbox.pay(out_trade_no=order.number)

    with pytest.raises(OrderNotInState):
        offer(order, settings, now)

    assert session.get_one(Order, order.id).state is OrderState.PAID


def test_what_wechat_refuses_for_another_reason_is_told(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    stranger = make_order(session, state=OrderState.CREATED, now=now)

    with pytest.raises(PrepayRefused) as refusal:
        offer(stranger, settings, now)

    assert refusal.value.wechat_code == "PARAM_ERROR"
    assert session.get_one(Order, stranger.id).state is OrderState.CREATED


@pytest.mark.parametrize(
    "state", [state for state in OrderState if state is not OrderState.CREATED]
)
def test_an_order_that_takes_no_money_is_not_offered(
    session: Session, settings: Settings, now: datetime, state: OrderState
) -> None:
    order = make_order(session, state=state, now=now)

    with pytest.raises(OrderNotInState):
        offer(order, settings, now)


def test_an_order_is_not_offered_at_the_end_of_its_time_nor_once_it_is_given_up(
    session: Session, sandbox: SandboxClient, settings: Settings, order: Order, now: datetime
) -> None:
    with pytest.raises(PayTimeOver):
        offer(order, settings, order.pay_by_at)
    offer(order, settings, now)
    unpaid.request_close(session, order.number, member_id=order.member_id, now=now)
    session.commit()

    with pytest.raises(PayTimeOver):
        offer(order, settings, now)

    assert sandbox.calls()[JSAPI] == 1


def test_another_member_s_order_is_the_same_as_none(
    session: Session, sandbox: SandboxClient, settings: Settings, order: Order, now: datetime
) -> None:
    for number, member_id in ((order.number, order.member_id + 1), ("T0", order.member_id)):
        with pytest.raises(OrderNotFound):
            services.offer_payment(number, member_id=member_id, settings=settings, now=now)

    assert sandbox.calls() == {}
