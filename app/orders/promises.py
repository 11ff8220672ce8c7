"""Coupons and points of an order: set aside, used, let free, given back, each with the order.

All of it happens in the transaction that moves the order, under the order's lock. Locks are taken
in one order everywhere - the order, its coupons by id, the member's points, stock by product - so
that two orders never wait for each other in a circle. Each call does nothing for what it was done
for before, and nothing for an order without such discounts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.coupons import ordering as coupons
from app.coupons.models import Coupon
from app.orders.discount_models import OrderDiscount, OrderLineDiscount
from app.orders.models import Order
from app.orders.pricing import DiscountKind, Taken
from app.orders.quoting import Quote
from app.points import ordering as points


@dataclass(frozen=True, slots=True)
class Returned:
    """What a refund gives back besides money."""

    points: int = 0
    coupons: int = 0


def make(session: Session, order: Order, quote: Quote, *, now: datetime) -> None:
    """Write what was taken off a new order, and set its coupons and points aside for it.

    The rows come last: their foreign keys share-lock the coupons, and two orders that both held
    such a lock could not both go on to set the coupon aside. Raises `CouponTaken` where another
    order was faster, and what points refuse.
    """
    if quote.coupons:
        coupons.reserve(
            session,
            order.id,
            quote.coupons,
            member_id=order.member_id,
            until_at=order.pay_by_at,
            now=now,
        )
    if quote.spend.points:
        points.reserve(session, order.id, quote.spend, member_id=order.member_id, now=now)
    for position, taken in enumerate(quote.preview.taken):
        session.add(_row(order, position, taken))
    session.flush()


def use(session: Session, order: Order, *, now: datetime) -> None:
    """Use up what was set aside for a locked order: its money came in time."""
    kinds = _kinds(session, order)
    if DiscountKind.COUPON in kinds:
        coupons.use(session, order.id, now=now)
    if DiscountKind.POINTS in kinds:
        points.spend(session, order.id, now=now)


def release(session: Session, order: Order, *, now: datetime) -> None:
    """Let free what was set aside for a locked order that closes unpaid."""
    kinds = _kinds(session, order)
    if DiscountKind.COUPON in kinds:
        coupons.release(session, order.id, now=now)
    if DiscountKind.POINTS in kinds:
        points.release(session, order.id, now=now)


def give_back(session: Session, order: Order, *, now: datetime) -> Returned:
    """Give back what goes with a refund of a locked order that was paid in time.

    `order.refunded_fen` counts that refund already. Coupons come back once nothing is left of the
    order, points with every refund by its share.
    """
    kinds = _kinds(session, order)
    back_coupons = back_points = 0
    if DiscountKind.COUPON in kinds and order.refunded_fen == order.paid_fen:
        before = _coupons_held(session, order.id)
        coupons.give_back(session, order.id, now=now)
        back_coupons = before - _coupons_held(session, order.id)
    if DiscountKind.POINTS in kinds:
        before = points.used_by(session, order.id)
        points.give_back(
            session,
            order.id,
            refunded_fen=order.refunded_fen,
            paid_fen=order.paid_fen,
            now=now,
        )
        back_points = before - points.used_by(session, order.id)
    return Returned(back_points, back_coupons)


def share_back(spent: int, refunded_fen: int, paid_fen: int) -> int:
    """Return how many points have come back once so much of the money has, rounded down.

    >>> share_back(100, 333, 1_000), share_back(100, 1_000, 1_000)
    (33, 100)
    """
    return spent * refunded_fen // paid_fen


def points_of(session: Session, order_id: int) -> int:
    """Return how many points were spent on an order."""
    wanted = sa.select(OrderDiscount.points).where(
        OrderDiscount.order_id == order_id, OrderDiscount.kind == DiscountKind.POINTS
    )
    return session.scalar(wanted) or 0


def discounts_of(
    session: Session, order_ids: Collection[int]
) -> Mapping[int, Sequence[OrderDiscount]]:
    """Return what was taken off orders with its parts per line, in its order, by order id."""
    rows = session.scalars(
        sa.select(OrderDiscount)
        .where(OrderDiscount.order_id.in_(order_ids))
        .options(selectinload(OrderDiscount.lines))
        .order_by(OrderDiscount.order_id, OrderDiscount.position)
    ).all()
    return {one: [row for row in rows if row.order_id == one] for one in order_ids}


def _row(order: Order, position: int, taken: Taken) -> OrderDiscount:
    discount = taken.discount
    row = OrderDiscount(
        order_id=order.id,
        position=position,
        kind=discount.kind,
        title=discount.title,
        amount_fen=taken.amount_fen,
        coupon_id=discount.coupon_id,
        points=discount.points,
        is_stackable=discount.is_stackable,
        rule=dict(discount.rule),
    )
    row.lines = [
        OrderLineDiscount(order_line_id=line.id, amount_fen=part, of_fen=of)
        for line, part, of in zip(order.lines, taken.parts_fen, taken.of_fen, strict=True)
        if part
    ]
    return row


def _coupons_held(session: Session, order_id: int) -> int:
    wanted = sa.select(sa.func.count()).select_from(Coupon).where(Coupon.order_id == order_id)
    return session.scalars(wanted).one()


def _kinds(session: Session, order: Order) -> frozenset[DiscountKind]:
    if order.discount_fen == 0:
        return frozenset()
    wanted = sa.select(OrderDiscount.kind).where(OrderDiscount.order_id == order.id)
    return frozenset(session.scalars(wanted))
