"""The page of an order tells why it costs what it costs; lists find orders by what lowered them."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.orders.deals import Deal
from app.orders.discount_models import OrderDiscount
from app.orders.models import Order, Refund
from app.stores.models import Store
from tests.admin.conftest import Desk
from tests.admin.pages import text_of
from tests.factories.coupons import make_coupon, make_template
from tests.factories.discounts import LineOf, PaidWith, make_points
from tests.factories.orders import make_order, make_product, make_refund
from tests.factories.people import make_member, make_store


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session, "Harbour store")


@pytest.fixture
def lowered(session: Session, store: Store) -> Order:
    """An order of 100 yuan: 90 at a level, less a coupon of 10 and 500 points; half went back."""
    member = make_member(session)
    make_points(session, member)
    template = make_template(session, title="Ten off", amount_fen=1_000, threshold_fen=5_000)
    order = make_order(
        session,
        member=member,
        store=store,
        lines=[LineOf(product=make_product(session, title="Facial"), net_fen=9_000)],
        paid_with=PaidWith(coupons=[make_coupon(session, template, member)], points=500),
    )
    make_refund(session, order, amounts={order.lines[0].id: 3_750})
    return order


@pytest.fixture
def dealt(session: Session, store: Store) -> Order:
    product = make_product(session, title="Mask")
    deal = Deal(
        kind="group_buy",
        activity_id=77,
        title="Three together",
        prices_fen={product.id: 8_800},
        is_held=True,
    )
    lines, paid_with = [LineOf(product=product)], PaidWith(deal=deal)
    return make_order(session, store=store, lines=lines, paid_with=paid_with)


def lowered_refunds(order: Order) -> sa.Select[int]:
    return sa.select(Refund.id).where(Refund.order_id == order.id)


def test_the_page_of_an_order_tells_each_step_of_its_price(
    sit_down: Callable[..., Desk], store: Store, lowered: Order
) -> None:
    desk = sit_down("store_manager", store)

    page = text_of(desk.get("/orders/details/", id=lowered.id))

    for said in ("Ten off", "¥10.00 off, from ¥50.00 on", "Facial: ¥10.00", "¥5.00", "500"):
        assert said in page
    assert lowered.payable_fen == 7_500


def test_the_page_of_a_refund_tells_what_came_back(
    session: Session, sit_down: Callable[..., Desk], store: Store, lowered: Order
) -> None:
    refund_id = session.scalars(lowered_refunds(lowered)).one()
    desk = sit_down("store_manager", store)

    page = text_of(desk.get("/refunds/details/", id=refund_id))

    assert "Points given back" in page
    assert ">250<" in page


def test_a_held_order_is_not_offered_for_handing_over(
    sit_down: Callable[..., Desk], store: Store, dealt: Order
) -> None:
    desk = sit_down("store_manager", store)

    page = text_of(desk.get("/orders/details/", id=dealt.id))

    assert "Three together" in page
    assert "group_buy:77" in page
    assert "Redeem / hand over" not in page


def test_lists_find_orders_by_coupon_activity_and_kind(
    session: Session, sit_down: Callable[..., Desk], store: Store, lowered: Order, dealt: Order
) -> None:
    desk = sit_down("store_manager", store)
    coupon_id = session.scalars(
        sa.select(OrderDiscount.coupon_id).where(OrderDiscount.coupon_id.is_not(None))
    ).one()
    assert coupon_id is not None
    cases: list[tuple[dict[str, Any], set[Order]]] = [
        ({"coupon": coupon_id}, {lowered}),
        ({"coupon": coupon_id + 999}, set()),
        ({"coupon": "x"}, set()),
        ({"activity": 77}, {dealt}),
        ({"activity": 78}, set()),
        ({"lowered": "deal"}, {dealt}),
        ({"lowered": "points"}, {lowered}),
        ({"lowered": "coupon"}, {lowered}),
        ({"lowered": "level"}, {lowered}),
        ({}, {lowered, dealt}),
    ]
    for query, found in cases:
        page = text_of(desk.get("/orders/", **query))
        assert {one for one in (lowered, dealt) if one.number in page} == found, query
