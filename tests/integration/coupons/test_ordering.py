"""Coupons in orders: applied, set aside, used, free again, given back; each act may run twice."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons import ordering
from app.coupons.errors import (
    CouponExpired,
    CouponForeignStore,
    CouponNotFound,
    CouponNotInState,
    CouponNotStackable,
    CouponNotValidYet,
    CouponsTooMany,
    CouponTaken,
)
from app.coupons.models import Coupon, CouponStep
from app.coupons.ordering import AppliedCoupon, BasketLine
from app.coupons.states import CouponEvent, CouponKind, CouponState
from app.kernel.errors import DomainError
from app.orders.models import Order
from app.orders.states import OrderState
from tests.factories.coupons import WEEK, line, make_coupon, make_template
from tests.factories.orders import make_order, make_product
from tests.factories.people import make_member, make_store

BASKET = (line(1, 5_000), line(2, 3_000))
SOON = timedelta(minutes=30)


def applied(
    session: Session,
    coupons: Sequence[Coupon],
    *,
    now: datetime,
    store_id: int = 1,
    lines: Sequence[BasketLine] = BASKET,
) -> tuple[AppliedCoupon, ...]:
    return ordering.apply(
        session,
        member_id=coupons[0].member_id,
        store_id=store_id,
        coupon_ids=[one.id for one in coupons],
        lines=lines,
        now=now,
    )


def reserved(session: Session, *, now: datetime, **template: Any) -> tuple[Coupon, Order]:
    """A coupon in an order that waits to be paid."""
    member = make_member(session)
    order = make_order(session, member=member, state=OrderState.CREATED)
    coupon = make_coupon(session, make_template(session, **template), member, now=now)
    taken = applied(session, [coupon], now=now)
    ordering.reserve(session, order.id, taken, member_id=member.id, until_at=now + SOON, now=now)
    return coupon, order


def events(session: Session, coupon: Coupon) -> list[CouponEvent]:
    rows = sa.select(CouponStep.event).where(CouponStep.coupon_id == coupon.id)
    return list(session.scalars(rows.order_by(CouponStep.id)))


def test_a_coupon_takes_its_amount_off_and_is_kept_with_its_rule(
    session: Session, now: datetime
) -> None:
    member = make_member(session)
    template = make_template(session, product_ids=[2], is_stackable=True)
    coupon = make_coupon(session, template, member)

    (taken,) = applied(session, [coupon], now=now)

    assert (taken.coupon_id, taken.title, taken.amount_fen) == (coupon.id, template.title, 1_000)
    assert (taken.product_ids, taken.is_stackable) == (frozenset({2}), True)
    assert taken.rule["kind"] == "amount_off"
    assert taken.rule["amount_fen"] == 1_000


@pytest.mark.parametrize(
    ("changes", "later", "refusal"),
    [
        ({}, WEEK, CouponExpired),
        ({"store_ids": [77]}, timedelta(), CouponForeignStore),
    ],
    ids=["expired", "foreign store"],
)
def test_a_coupon_out_of_its_time_or_place_is_refused(
    session: Session,
    now: datetime,
    changes: dict[str, Any],
    later: timedelta,
    refusal: type[DomainError],
) -> None:
    coupon = make_coupon(session, make_template(session, **changes), make_member(session))

    with pytest.raises(refusal):
        applied(session, [coupon], now=now + later)


def test_a_coupon_is_refused_before_its_time(session: Session, now: datetime) -> None:
    template = make_template(session, valid_from_at=now + SOON, valid_until_at=now + WEEK)
    coupon = make_coupon(session, template, make_member(session))

    with pytest.raises(CouponNotValidYet):
        applied(session, [coupon], now=now)


def test_another_members_coupon_is_the_same_as_none(session: Session, now: datetime) -> None:
    coupon = make_coupon(session, make_template(session), make_member(session))

    with pytest.raises(CouponNotFound):
        ordering.apply(
            session,
            member_id=make_member(session).id,
            store_id=1,
            coupon_ids=[coupon.id],
            lines=BASKET,
            now=now,
        )


def test_an_order_takes_one_coupon_that_does_not_go_with_others(
    session: Session, now: datetime
) -> None:
    member, template = make_member(session), make_template(session, per_member=2)
    coupons = [make_coupon(session, template, member) for _ in range(2)]

    with pytest.raises(CouponNotStackable):
        applied(session, coupons, now=now)


def test_one_coupon_named_twice_is_refused(session: Session, now: datetime) -> None:
    coupon = make_coupon(session, make_template(session, is_stackable=True), make_member(session))

    with pytest.raises(CouponsTooMany):
        applied(session, [coupon, coupon], now=now)


def test_a_coupon_in_an_order_is_good_for_no_other(session: Session, now: datetime) -> None:
    coupon, _ = reserved(session, now=now)
    other = make_order(session, state=OrderState.CREATED)

    with pytest.raises(CouponNotInState):
        applied(session, [coupon], now=now)
    stale = AppliedCoupon(
        coupon_id=coupon.id,
        title="",
        amount_fen=1,
        product_ids=None,
        is_stackable=False,
        rule={},
    )
    with pytest.raises(CouponTaken):
        ordering.reserve(
            session,
            other.id,
            [stale],
            member_id=coupon.member_id,
            until_at=now + SOON,
            now=now,
        )

    session.refresh(coupon)
    assert coupon.order_id != other.id


def test_a_paid_order_uses_its_coupon_once_even_after_its_end(
    session: Session, now: datetime
) -> None:
    coupon, order = reserved(session, now=now)
    late = now + WEEK + timedelta(days=1)

    ordering.use(session, order.id, now=late)
    ordering.use(session, order.id, now=late)

    session.refresh(coupon)
    assert (coupon.state, coupon.used_at, coupon.order_id) == (CouponState.USED, late, order.id)
    assert events(session, coupon) == [CouponEvent.CLAIM, CouponEvent.RESERVE, CouponEvent.USE]


def test_a_closed_order_frees_its_coupon(session: Session, now: datetime) -> None:
    coupon, order = reserved(session, now=now)

    ordering.release(session, order.id, now=now)
    ordering.release(session, order.id, now=now)

    session.refresh(coupon)
    assert (coupon.state, coupon.order_id, coupon.amount_fen) == (CouponState.UNUSED, None, None)
    assert events(session, coupon)[1:] == [CouponEvent.RESERVE, CouponEvent.RELEASE]


def test_a_coupon_freed_after_its_end_expires(session: Session, now: datetime) -> None:
    coupon, order = reserved(session, now=now)

    ordering.release(session, order.id, now=now + WEEK)

    session.refresh(coupon)
    assert (coupon.state, coupon.extended_at) == (CouponState.EXPIRED, None)


def test_a_refunded_order_gives_its_coupon_back_once(session: Session, now: datetime) -> None:
    coupon, order = reserved(session, now=now)
    ordering.use(session, order.id, now=now)

    for _ in range(2):
        ordering.give_back(session, order.id, now=now + SOON)

    session.refresh(coupon)
    assert (coupon.state, coupon.used_at) == (CouponState.UNUSED, None)
    assert coupon.valid_until_at == now + WEEK
    assert events(session, coupon).count(CouponEvent.GIVE_BACK) == 1


def test_a_coupon_given_back_after_its_end_is_good_for_the_grace_once(
    session: Session, now: datetime
) -> None:
    coupon, order = reserved(session, now=now)
    ordering.use(session, order.id, now=now)
    back_at = now + timedelta(days=30)

    ordering.give_back(session, order.id, now=back_at)

    session.refresh(coupon)
    assert coupon.state is CouponState.UNUSED
    assert coupon.valid_until_at == back_at + timedelta(days=3)
    assert coupon.extended_at == back_at

    taken = applied(session, [coupon], now=back_at)
    ordering.reserve(
        session,
        order.id,
        taken,
        member_id=coupon.member_id,
        until_at=back_at + SOON,
        now=back_at,
    )
    ordering.use(session, order.id, now=back_at)
    ordering.give_back(session, order.id, now=back_at + timedelta(days=4))
    session.refresh(coupon)
    assert (coupon.state, coupon.extended_at) == (CouponState.EXPIRED, back_at)


def test_a_coupon_that_is_not_given_back_stays_used(session: Session, now: datetime) -> None:
    coupon, order = reserved(session, now=now, is_given_back=False)
    ordering.use(session, order.id, now=now)

    ordering.give_back(session, order.id, now=now)

    session.refresh(coupon)
    assert (coupon.state, coupon.order_id) == (CouponState.USED, order.id)


def test_the_best_coupons_come_first_and_those_that_cannot_be_used_say_why(
    session: Session, now: datetime
) -> None:
    member, store = make_member(session), make_store(session)
    small = make_coupon(session, make_template(session), member)
    large = make_coupon(session, make_template(session, amount_fen=2_000), member)
    extra = make_coupon(session, make_template(session, amount_fen=500, is_stackable=True), member)
    dear = make_coupon(session, make_template(session, threshold_fen=10_000), member)

    found = ordering.usable(session, member_id=member.id, store_id=store.id, lines=BASKET, now=now)

    assert [one.coupon_id for one in found] == [large.id, extra.id, small.id, dear.id]
    assert [one.is_best for one in found] == [True, True, False, False]
    assert [one.amount_fen for one in found] == [2_000, 500, 1_000, 0]
    reason = found[3].reason
    assert reason is not None
    assert reason.parameters()["missing_fen"] == 2_000


def test_an_exchange_takes_one_piece_however_many_are_in_the_basket(
    session: Session, now: datetime
) -> None:
    member, product = make_member(session), make_product(session)
    free = make_template(session, kind=CouponKind.EXCHANGE, product_ids=[product.id])
    coupon = make_coupon(session, free, member, now=now)

    (applied,) = ordering.apply(
        session,
        member_id=member.id,
        store_id=1,
        coupon_ids=[coupon.id],
        lines=[line(product.id, 9_000, 3)],
        now=now,
    )

    assert applied.amount_fen == 3_000
