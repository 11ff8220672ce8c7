"""Coupons and points in the preview, the order, its refunds; refusals change nothing."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.coupons.models import Coupon
from app.members.models import Member
from app.orders.deals import Deal
from app.orders.models import Order
from tests.api.conftest import Phone, assert_problem, new_key, nothing_moves
from tests.factories.coupons import make_coupon, make_template
from tests.factories.discounts import LineOf, PaidWith, make_points
from tests.factories.orders import make_goods, make_order
from tests.factories.people import make_member, make_store


def now() -> datetime:
    return datetime.now(UTC)


class Shopper:
    """A member with a coupon of 20 yuan and 10,000 points before goods of 129 yuan."""

    def __init__(self, session: Session, phone_of: Callable[..., Phone]) -> None:
        self.session, self.member, self.store = session, make_member(session), make_store(session)
        self.phone = phone_of(self.member)
        self.goods = make_goods(session, self.store, price_fen=12_900)
        self.coupon = self.give(self.member, amount_fen=2_000)
        make_points(session, self.member, now=now())

    def give(self, member: Member, **changes: Any) -> Coupon:
        template = make_template(self.session, now=now(), **changes)
        return make_coupon(self.session, template, member, now=now())

    def basket(self, **changes: Any) -> dict[str, Any]:
        return {
            "store_id": self.store.id,
            "fulfilment": "pickup",
            "lines": [{"product_id": self.goods.id, "quantity": 2}],
        } | changes

    def paid(self, **of: Any) -> Order:
        return make_order(
            self.session,
            member=self.member,
            store=self.store,
            lines=[LineOf(product=self.goods, quantity=2)],
            paid_with=PaidWith(coupons=[self.coupon], points=1_000),
            now=now(),
            **of,
        )


@pytest.fixture
def shopper(session: Session, phone_of: Callable[..., Phone]) -> Shopper:
    return Shopper(session, phone_of)


def test_a_preview_shows_each_step_and_what_else_could_be_used(shopper: Shopper) -> None:
    far = shopper.give(shopper.member, amount_fen=500, threshold_fen=90_000)
    wanted = shopper.basket(coupon_ids=[shopper.coupon.id], points=1_000)

    with nothing_moves(shopper.session):
        shown = shopper.phone.post("/orders/preview", wanted).get_json()

    assert (shown["goods_fen"], shown["discount_fen"], shown["payable_fen"]) == (
        25_800,
        3_000,
        22_800,
    )
    assert [(one["kind"], one["amount_fen"]) for one in shown["discounts"]] == [
        ("coupon", 2_000),
        ("points", 1_000),
    ]
    assert shown["discounts"][0]["lines"] == [{"product_id": shopper.goods.id, "amount_fen": 2_000}]
    assert shown["points"] == {"used": 1_000, "used_fen": 1_000, "most": 10_000, "most_fen": 10_000}
    assert [(one["coupon_id"], one["is_suggested"]) for one in shown["coupons"]] == [
        (shopper.coupon.id, True),
        (far.id, False),
    ]
    assert shown["coupons"][1]["reason"]["code"] == "coupon_below_threshold"


def test_an_order_costs_what_its_preview_said_and_tells_why(shopper: Shopper) -> None:
    wanted = shopper.basket(coupon_ids=[shopper.coupon.id], points=1_000)

    made = shopper.phone.post("/orders", wanted, key=new_key())
    shown = shopper.phone.get(f"/orders/{made.get_json()['number']}").get_json()

    assert made.status_code == 201
    assert (shown["payable_fen"], shown["discount_fen"], shown["is_held"]) == (22_800, 3_000, False)
    assert [(one["kind"], one["amount_fen"]) for one in shown["discounts"]] == [
        ("coupon", 2_000),
        ("points", 1_000),
    ]
    assert shown == made.get_json()
    listed = shopper.phone.get("/orders").get_json()["items"]
    assert listed == [shown]


def test_bad_coupons_and_points_are_refused_and_move_nothing(shopper: Shopper) -> None:
    foreign = shopper.give(make_member(shopper.session))
    mine = shopper.coupon.id
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"coupon_ids": [foreign.id]}, 404, "coupon_not_found"),
        ({"coupon_ids": [mine, mine]}, 422, "coupons_too_many"),
        ({"coupon_ids": [10**12]}, 404, "coupon_not_found"),
        ({"points": 10_001}, 409, "points_short"),
        ({"points": 20_000}, 409, "points_above_limit"),
        ({"points": -1}, 422, "invalid_request"),
        ({"coupon_ids": ["x"]}, 422, "invalid_request"),
    ]
    for change, status, code in cases:
        for path, key in (("/orders/preview", None), ("/orders", new_key())):
            with nothing_moves(shopper.session):
                response = shopper.phone.post(path, shopper.basket(**change), key=key)
            fields = list(change) if status == 422 and code == "invalid_request" else []
            shown = [one.replace("coupon_ids", "coupon_ids/0") for one in fields]
            assert_problem(response, status, code, *(f"/{one}" for one in shown))


def test_a_coupon_goes_into_one_order(shopper: Shopper) -> None:
    wanted = shopper.basket(coupon_ids=[shopper.coupon.id])
    shopper.phone.post("/orders", wanted, key=new_key())

    with nothing_moves(shopper.session):
        response = shopper.phone.post("/orders", wanted, key=new_key())

    assert response.status_code == 409


def test_what_a_refund_would_give_back_is_said_before_it_is_asked_for(shopper: Shopper) -> None:
    order = shopper.paid()
    path, line = f"/orders/{order.number}/refunds/preview", order.lines[0].id

    with nothing_moves(shopper.session):
        half = shopper.phone.post(path, {"lines": [{"order_line_id": line, "quantity": 1}]})
        whole = shopper.phone.post(path, {})

    assert half.get_json() == {
        "amount_fen": 11_400,
        "points_back": 500,
        "coupon_ids_back": [],
        "lines": [{"order_line_id": line, "quantity": 1, "amount_fen": 11_400}],
    }
    assert whole.get_json()["amount_fen"] == 22_800
    assert whole.get_json()["points_back"] == 1_000
    assert whole.get_json()["coupon_ids_back"] == [shopper.coupon.id]


def test_somebody_else_s_order_has_no_outlook(
    shopper: Shopper, phone_of: Callable[..., Phone]
) -> None:
    order = shopper.paid()
    other = phone_of(make_member(shopper.session))

    response = other.post(f"/orders/{order.number}/refunds/preview", {})

    assert_problem(response, 404, "order_not_found")


def test_an_order_of_an_activity_says_so_and_that_it_waits(shopper: Shopper) -> None:
    deal = Deal(
        kind="group_buy",
        activity_id=5,
        title="Three together",
        prices_fen={shopper.goods.id: 9_900},
        is_held=True,
    )
    order = make_order(
        shopper.session,
        member=shopper.member,
        store=shopper.store,
        lines=[LineOf(product=shopper.goods)],
        paid_with=PaidWith(deal=deal),
        now=now(),
    )

    shown = shopper.phone.get(f"/orders/{order.number}").get_json()
    code = shopper.phone.post(f"/orders/{order.number}/pickup-code", {})

    assert shown["deal"] == {"kind": "group_buy", "activity_id": 5, "title": "Three together"}
    assert (shown["is_held"], shown["payable_fen"]) == (True, 9_900)
    assert_problem(code, 409, "pickup_not_offered")
