"""Coupons redeemed in a store: by whom, where, with which code, once (D8)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.catalog.errors import StockOut
from app.catalog.models import StockLevel
from app.counter import codes
from app.counter.errors import PickupCodeExpired, PickupCodeInvalid
from app.coupons import redeeming
from app.coupons.errors import (
    CouponExpired,
    CouponForeignStore,
    CouponNotFound,
    CouponNotInState,
    CouponNotRedeemable,
    OwnCoupon,
)
from app.coupons.models import Coupon
from app.coupons.states import CouponKind, CouponState
from app.kernel.audit import Actor
from app.kernel.errors import DomainError
from app.stores.staff_mode_models import StaffBinding
from tests.factories.coupons import WEEK, make_coupon, make_template
from tests.factories.orders import make_goods, make_product
from tests.factories.people import make_member, make_staff, make_store


class Counter:
    """A store, who works there, and a customer with a coupon for something free."""

    def __init__(self, session: Session, now: datetime, **changes: Any) -> None:
        self.session, self.now = session, now
        self.store = make_store(session)
        self.staff = make_staff(session, "front_desk", stores=[self.store])
        self.member = make_member(session)
        facts = {"kind": CouponKind.EXCHANGE, "product_ids": [make_product(session).id]}
        self.template = make_template(session, **(facts | changes))
        self.coupon = make_coupon(session, self.template, self.member, now=now)

    def shown(self) -> str:
        return str(
            redeeming.show_code(
                self.session, self.coupon.id, member_id=self.member.id, now=self.now
            )
        )

    def redeem(self, code: str, **changes: Any) -> Any:
        facts: dict[str, Any] = {
            "code": code,
            "store_id": self.store.id,
            "actor": Actor("staff", self.staff.id),
            "now": self.now,
        }
        return redeeming.redeem(self.session, self.coupon.id, **(facts | changes))

    def state(self) -> CouponState:
        return self.session.get_one(Coupon, self.coupon.id, populate_existing=True).state


@pytest.fixture
def counter(session: Session, now: datetime) -> Counter:
    return Counter(session, now)


def test_a_shown_coupon_is_looked_at_and_then_redeemed_once(counter: Counter) -> None:
    code = counter.shown()

    seen = redeeming.look(
        counter.session, counter.coupon.id, store_ids=[counter.store.id], now=counter.now
    )
    done = counter.redeem(code)

    assert (seen.kind, seen.left, seen.member_id) == ("coupon", 1, counter.member.id)
    assert done.left == 0
    row = counter.session.get_one(Coupon, counter.coupon.id, populate_existing=True)
    assert (row.state, row.store_id, row.order_id) == (CouponState.USED, counter.store.id, None)
    with pytest.raises(CouponNotInState):
        counter.redeem(code)


def test_goods_leave_the_shelf_with_their_coupon(session: Session, now: datetime) -> None:
    goods = make_goods(session, make_store(session), on_hand=3)
    counter = Counter(session, now, product_ids=[goods.id])
    with pytest.raises(StockOut), session.begin_nested():
        counter.redeem(counter.shown())
    assert counter.state() is CouponState.UNUSED

    level = StockLevel(product_id=goods.id, store_id=counter.store.id, on_hand=2, reserved=0)
    session.add(level)
    session.flush()
    counter.redeem(counter.shown())

    session.refresh(level)
    assert (level.on_hand, level.reserved) == (1, 0)


def test_what_is_good_elsewhere_is_the_same_as_nothing(session: Session, now: datetime) -> None:
    counter = Counter(session, now, store_ids=[make_store(session).id])

    with pytest.raises(CouponNotFound):
        redeeming.look(session, counter.coupon.id, store_ids=[counter.store.id], now=now)
    with pytest.raises(CouponForeignStore):
        counter.redeem(counter.shown())
    assert counter.state() is CouponState.UNUSED


def test_who_does_not_work_there_redeems_nothing(counter: Counter) -> None:
    elsewhere = make_staff(counter.session, "front_desk", stores=[make_store(counter.session)])

    with pytest.raises(CouponNotFound):
        counter.redeem(counter.shown(), actor=Actor("staff", elsewhere.id))
    assert counter.state() is CouponState.UNUSED


def test_nobody_redeems_their_own(counter: Counter) -> None:
    counter.session.add(
        StaffBinding(staff_id=counter.staff.id, member_id=counter.member.id, bound_at=counter.now)
    )
    counter.session.flush()

    with pytest.raises(OwnCoupon):
        counter.redeem(counter.shown())
    assert counter.state() is CouponState.UNUSED


def _late(counter: Counter) -> dict[str, Any]:
    return {"now": counter.now + timedelta(seconds=61)}


def _tampered(counter: Counter) -> dict[str, Any]:
    code = counter.shown()
    return {"code": code[:-1] + ("0" if code[-1] != "0" else "1")}


def _of_another(counter: Counter) -> dict[str, Any]:
    shown = codes.show("coupon:999999", member_id=counter.member.id, now=counter.now)
    return {"code": str(shown)}


def _of_a_card(counter: Counter) -> dict[str, Any]:
    subject = f"card:{counter.coupon.id}"
    return {"code": str(codes.show(subject, member_id=counter.member.id, now=counter.now))}


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (_late, PickupCodeExpired),
        (_tampered, PickupCodeInvalid),
        (_of_another, PickupCodeInvalid),
        (_of_a_card, PickupCodeInvalid),
    ],
)
def test_a_code_that_is_not_right_redeems_nothing(
    counter: Counter, change: Callable[[Counter], dict[str, Any]], refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        counter.redeem(**({"code": counter.shown()} | change(counter)))
    assert counter.state() is CouponState.UNUSED


def test_an_expired_coupon_has_no_code(session: Session, now: datetime) -> None:
    counter = Counter(session, now)

    with pytest.raises(CouponExpired):
        redeeming.show_code(session, counter.coupon.id, member_id=counter.member.id, now=now + WEEK)


def test_an_amount_off_is_not_redeemed_and_another_members_is_not_there(
    session: Session, now: datetime
) -> None:
    member = make_member(session)
    plain = make_coupon(session, make_template(session), member, now=now)

    with pytest.raises(CouponNotRedeemable):
        redeeming.show_code(session, plain.id, member_id=member.id, now=now)
    with pytest.raises(CouponNotFound):
        redeeming.show_code(session, plain.id, member_id=make_member(session).id, now=now)
