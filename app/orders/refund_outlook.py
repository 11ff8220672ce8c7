"""What a refund would give back, before anybody asks for it: money, points, coupons."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons.models import Coupon, CouponTemplate
from app.coupons.states import CouponState
from app.orders import promises, refunds
from app.orders.errors import RefundExceedsRest
from app.orders.models import Order
from app.orders.pricing import RefundPart, refund_parts
from app.orders.queries import line_rests
from app.orders.refunds import RefundWish
from app.orders.states import OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOutlook:
    """What a refund would give back, counted after all refunds that are under way."""

    amount_fen: int
    parts: tuple[RefundPart, ...]
    points_back: int
    coupon_ids_back: tuple[int, ...]


def preview_refund(
    session: Session, order: Order, *, wish: RefundWish, now: datetime
) -> RefundOutlook:
    """Say what a refund would give back of an order whose lines are loaded; nothing is promised.

    Raises what `request_refund` raises.
    """
    refunds.require_refundable(session, order, now=now)
    parts = refund_parts(line_rests(session, order), wish.lines)
    taken_fen = order.refunded_fen + order.refunding_fen
    amount_fen = sum(part.amount_fen for part in parts)
    if wish.lines is None:
        amount_fen = order.paid_fen - taken_fen
    if amount_fen <= 0:
        raise RefundExceedsRest(0)
    points_back = 0
    coupon_ids: tuple[int, ...] = ()
    if order.state is not OrderState.PAID_LATE:
        spent, after_fen = promises.points_of(session, order.id), taken_fen + amount_fen
        points_back = promises.share_back(spent, after_fen, order.paid_fen) - promises.share_back(
            spent, taken_fen, order.paid_fen
        )
        if after_fen == order.paid_fen:
            coupon_ids = _coupons_back(session, order)
    return RefundOutlook(
        amount_fen=amount_fen,
        parts=parts,
        points_back=points_back,
        coupon_ids_back=coupon_ids,
    )


def _coupons_back(session: Session, order: Order) -> tuple[int, ...]:
    wanted = (
        sa.select(Coupon.id)
        .join(CouponTemplate, CouponTemplate.id == Coupon.template_id)
        .where(
            Coupon.order_id == order.id,
            Coupon.state == CouponState.USED,
            CouponTemplate.is_given_back,
        )
        .order_by(Coupon.id)
    )
    return tuple(session.scalars(wanted))
