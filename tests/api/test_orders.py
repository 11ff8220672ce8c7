from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import ProductKind, StockLevel
from app.orders.models import Fulfilment, Order, Payment
from app.orders.states import OrderState
from app.settings import Settings
from app.stores.states import StoreState
from scripts.sandbox.client import SandboxClient
from tests.api.conftest import Phone, assert_problem, new_key, nothing_moves
from tests.factories.orders import LineOf, make_goods, make_order, make_product, offer
from tests.factories.people import make_binding, make_distributor, make_member, make_store


def basket(store_id: int, *lines: tuple[int, int], fulfilment: str = "pickup") -> dict[str, Any]:
    return {
        "store_id": store_id,
        "fulfilment": fulfilment,
        "lines": [{"product_id": one, "quantity": count} for one, count in lines],
    }


def test_a_preview_prices_the_basket_and_promises_nothing(session: Session, phone: Phone) -> None:
    store = make_store(session)
    goods = make_goods(session, store, price_fen=12_900)

    with nothing_moves(session):
        response = phone.post("/orders/preview", basket(store.id, (goods.id, 2)))

    assert response.status_code == 200
    assert response.get_json() == {
        "lines": [
            {
                "product_id": goods.id,
                "title": goods.title,
                "unit_price_fen": 12_900,
                "quantity": 2,
                "net_fen": 25_800,
            }
        ],
        "goods_fen": 25_800,
        "discount_fen": 0,
        "shipping_fen": 0,
        "payable_fen": 25_800,
        "discounts": [],
        "coupons": [],
        "points": {"used": 0, "used_fen": 0, "most": 0, "most_fen": 0},
    }


def test_an_order_reserves_its_goods_and_remembers_whose_customer_the_buyer_is(
    session: Session, phone_of: Callable[..., Phone], settings: Settings
) -> None:
    buyer, owner, store = make_member(session), make_distributor(session), make_store(session)
    binding = make_binding(
        session, customer=buyer, owner=owner, valid_from_at=datetime.now(UTC) - timedelta(days=1)
    )
    goods = make_goods(session, store, on_hand=3, price_fen=12_900)

    response = phone_of(buyer).post("/orders", basket(store.id, (goods.id, 2)), key=new_key())

    assert response.status_code == 201
    assert response.headers["Idempotency-Replayed"] == "false"
    shown = response.get_json()
    order = session.scalars(sa.select(Order)).one()
    assert (shown["number"], shown["state"], shown["payable_fen"]) == (
        order.number,
        "created",
        25_800,
    )
    assert order.pay_by_at == order.created_at + timedelta(seconds=settings.order_pay_seconds)
    assert (order.owner_id, order.binding_id) == (owner.member_id, binding.id)
    assert session.scalars(sa.select(StockLevel.reserved)).all() == [2]
    assert "owner_id" not in shown


def test_the_last_piece_is_sold_once(session: Session, phone: Phone) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=1)
    phone.post("/orders", basket(store.id, (goods.id, 1)), key=new_key())

    with nothing_moves(session):
        response = phone.post("/orders", basket(store.id, (goods.id, 1)), key=new_key())

    problem = assert_problem(response, 409, "stock_out")
    assert problem["facts"]["product_id"] == goods.id
    assert goods.title in problem["detail"]


@pytest.mark.parametrize("path", ["/orders", "/orders/preview"])
def test_what_cannot_be_bought_is_refused_for_what_it_is(
    session: Session, phone: Phone, path: str
) -> None:
    store, closed = make_store(session), make_store(session)
    closed.state = StoreState.PAUSED
    goods, service = make_goods(session, store), make_product(session)
    hidden = make_product(session, is_published=False)
    refused = [
        (basket(store.id + 99, (goods.id, 1)), 404, "store_not_found"),
        (basket(closed.id, (goods.id, 1)), 404, "store_not_found"),
        (basket(store.id, (2**63 - 1, 1)), 404, "product_not_found"),
        (basket(store.id, (hidden.id, 1)), 409, "product_not_on_sale"),
        (basket(store.id, (service.id, 1), fulfilment="delivery"), 422, "fulfilment_invalid"),
        (basket(store.id, (goods.id, 600), (goods.id, 600)), 422, "quantity_invalid"),
    ]

    for body, status, code in refused:
        with nothing_moves(session):
            response = phone.post(path, body, key=new_key())
        assert_problem(response, status, code)


@pytest.mark.parametrize("quantity", [0, -1, 1000, 10**18, 1.0, "1", True, None])
def test_a_quantity_that_is_none_names_its_place(
    session: Session, phone: Phone, quantity: Any
) -> None:
    body = basket(1, (1, 1)) | {"lines": [{"product_id": 1, "quantity": quantity}]}

    with nothing_moves(session):
        response = phone.post("/orders", body, key=new_key())

    assert_problem(response, 422, "invalid_request", "/lines/0/quantity")


def test_a_price_in_the_basket_is_no_field(session: Session, phone: Phone) -> None:
    body = basket(1, (1, 1))
    body["lines"][0]["unit_price_fen"] = 1

    with nothing_moves(session):
        response = phone.post("/orders", body, key=new_key())

    assert_problem(response, 422, "invalid_request", "/lines/0/unit_price_fen")


def test_orders_are_listed_newest_first_by_state_and_page(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    buyer = make_member(session)
    orders = [make_order(session, member=buyer) for _ in range(3)]
    closed = make_order(session, member=buyer, state=OrderState.CLOSED)
    make_order(session)
    phone = phone_of(buyer)

    first = phone.get("/orders?limit=3").get_json()
    rest = phone.get(f"/orders?limit=3&cursor={first['next_cursor']}").get_json()

    assert [item["number"] for item in first["items"]] == [
        closed.number,
        orders[2].number,
        orders[1].number,
    ]
    assert [item["number"] for item in rest["items"]] == [orders[0].number]
    only = phone.get("/orders?state=closed").get_json()["items"]
    assert [item["number"] for item in only] == [closed.number]
    assert_problem(phone.get("/orders?state=lost"), 422, "invalid_request", "state")


def test_an_order_is_shown_with_its_lines(session: Session, phone_of: Callable[..., Phone]) -> None:
    buyer = make_member(session)
    order = make_order(session, member=buyer, price_fen=8_800)

    shown = phone_of(buyer).get(f"/orders/{order.number}").get_json()

    assert (shown["state"], shown["paid_fen"]) == ("paid", 8_800)
    assert [line["net_fen"] for line in shown["lines"]] == [8_800]


def test_payment_is_offered_once_however_often_it_is_asked_for(
    session: Session, sandbox: SandboxClient, phone_of: Callable[..., Phone], settings: Settings
) -> None:
    buyer = make_member(session, openid=sandbox.user())
    order = make_order(session, member=buyer, state=OrderState.CREATED, now=datetime.now(UTC))
    phone = phone_of(buyer)

    first = phone.post(f"/orders/{order.number}/payment").get_json()
    again = phone.post(f"/orders/{order.number}/payment").get_json()

    assert set(first) == {"timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert (first["signType"], first["package"]) == ("RSA", again["package"])
    session.expire_all()
    payment = session.scalars(sa.select(Payment)).one()
    assert first["package"] == f"prepay_id={payment.prepay_id}"
    assert [trade["out_trade_no"] for trade in sandbox.books()["payments"]] == [order.number]


@pytest.mark.parametrize(
    "state", [OrderState.PAID, OrderState.CLOSED, OrderState.REFUNDED, OrderState.SETTLED]
)
def test_an_order_that_takes_no_money_offers_no_payment(
    session: Session, phone_of: Callable[..., Phone], state: OrderState
) -> None:
    buyer = make_member(session)
    order = make_order(session, member=buyer, state=state)
    phone = phone_of(buyer)

    with nothing_moves(session):
        response = phone.post(f"/orders/{order.number}/payment")

    assert_problem(response, 409, "order_not_in_state")


def test_after_its_time_an_order_offers_no_payment(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    buyer = make_member(session)
    order = make_order(session, member=buyer, state=OrderState.CREATED)
    phone = phone_of(buyer)

    with nothing_moves(session):
        response = phone.post(f"/orders/{order.number}/payment")

    assert_problem(response, 409, "pay_time_over")


def test_while_wechat_is_silent_no_payment_is_offered_and_the_order_waits(
    session: Session, sandbox: SandboxClient, phone_of: Callable[..., Phone]
) -> None:
    buyer = make_member(session, openid=sandbox.user())
    order = make_order(session, member=buyer, state=OrderState.CREATED, now=datetime.now(UTC))
    sandbox.fault("/v3/pay/transactions/jsapi", "error_before", times=0)

    response = phone_of(buyer).post(f"/orders/{order.number}/payment")

    assert_problem(response, 503, "wechat_unavailable")
    session.expire_all()
    assert order.state is OrderState.CREATED


def test_an_order_never_offered_is_given_up_at_once_and_its_goods_return(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    buyer, store = make_member(session), make_store(session)
    goods = make_goods(session, store, on_hand=1)
    order = make_order(
        session,
        member=buyer,
        store=store,
        lines=[LineOf(product=goods)],
        state=OrderState.CREATED,
        now=datetime.now(UTC),
    )
    phone = phone_of(buyer)

    response = phone.post(f"/orders/{order.number}/cancel")

    assert response.get_json()["state"] == "closed"
    assert session.scalars(sa.select(StockLevel.reserved)).all() == [0]
    with nothing_moves(session):
        assert phone.post(f"/orders/{order.number}/cancel").get_json()["state"] == "closed"


def test_an_order_that_wechat_knows_is_closed_there_first(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    buyer = make_member(session)
    now = datetime.now(UTC)
    order = make_order(session, member=buyer, state=OrderState.CREATED, now=now)
    offer(session, order, now=now)

    shown = phone_of(buyer).post(f"/orders/{order.number}/cancel").get_json()

    assert shown["state"] == "created"
    assert shown["close_requested_at"] is not None


def test_a_paid_order_is_not_given_up(session: Session, phone_of: Callable[..., Phone]) -> None:
    buyer = make_member(session)
    order = make_order(session, member=buyer)
    phone = phone_of(buyer)

    with nothing_moves(session):
        response = phone.post(f"/orders/{order.number}/cancel")

    assert_problem(response, 409, "order_not_in_state")


def test_the_buyer_confirms_what_was_picked_up(
    session: Session, phone_of: Callable[..., Phone], settings: Settings
) -> None:
    buyer, store = make_member(session), make_store(session)
    goods = make_goods(session, store)
    order = make_order(session, member=buyer, store=store, lines=[LineOf(product=goods)])
    phone = phone_of(buyer)

    shown = phone.post(f"/orders/{order.number}/receipt").get_json()

    assert shown["state"] == "completed"
    completed = datetime.fromisoformat(shown["completed_at"])
    window = timedelta(seconds=settings.after_sale_seconds)
    assert datetime.fromisoformat(shown["after_sale_until_at"]) == completed + window
    with nothing_moves(session):
        again = phone.post(f"/orders/{order.number}/receipt")
    assert_problem(again, 409, "order_not_in_state")


def test_a_service_is_confirmed_by_the_store(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    buyer = make_member(session)
    order = make_order(session, member=buyer)
    assert order.fulfilment is Fulfilment.SERVICE
    phone = phone_of(buyer)

    with nothing_moves(session):
        response = phone.post(f"/orders/{order.number}/receipt")

    assert_problem(response, 403, "redeemed_in_store")


def test_goods_and_services_are_told_apart(session: Session, phone: Phone) -> None:
    store = make_store(session)
    service = make_product(session, kind=ProductKind.SERVICE)

    response = phone.post(
        "/orders", basket(store.id, (service.id, 1), fulfilment="service"), key=new_key()
    )

    assert response.get_json()["lines"][0]["is_service"] is True
