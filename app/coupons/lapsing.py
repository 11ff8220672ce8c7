"""Coupons whose time is over, in batches that hold up nobody (B29, B30).

A batch takes unused coupons alone, passes over those that somebody else has just locked, touches
no template, and commits. So claims and orders go on beside it, and it can stop anywhere.
"""

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons.models import Coupon, CouponStep
from app.coupons.states import CouponEvent, CouponState
from app.kernel.audit import SYSTEM

BATCH_MAX: Final = 5_000


def expire_due(session: Session, *, now: datetime, limit: int = BATCH_MAX) -> int:
    """Expire one batch of coupons, those that ended first; return how many."""
    due = (
        sa.select(Coupon.id)
        .where(Coupon.state == CouponState.UNUSED, Coupon.valid_until_at <= now)
        .order_by(Coupon.valid_until_at, Coupon.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    gone = (
        sa.update(Coupon)
        .where(Coupon.id == due.c.id)
        .values(state=CouponState.EXPIRED)
        .returning(Coupon.id)
        .cte("gone")
    )
    traces = sa.select(
        gone.c.id,
        sa.literal(CouponEvent.EXPIRE.value),
        sa.literal(CouponState.EXPIRED.value),
        sa.literal(now, sa.DateTime(timezone=True)),
        sa.literal(str(SYSTEM)),
    )
    noted = (
        sa.insert(CouponStep)
        .from_select(["coupon_id", "event", "to_state", "at", "actor"], traces)
        .cte("noted")
    )
    counted = sa.select(sa.func.count()).select_from(gone).add_cte(noted)
    return session.scalars(counted).one()
