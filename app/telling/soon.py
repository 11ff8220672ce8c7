"""What is near and worth a word beforehand: visits, and coupons that run out.

Found by the clock instead of an event; the key of each message is made of the row, so that looking
every few minutes tells each once.
"""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons.models import Coupon, CouponTemplate
from app.coupons.states import CouponState
from app.guest_cards.models import CardBooking
from app.guest_cards.states import BookingState
from app.interactions.message_models import Message
from app.telling.events import Told, about_booking

VISIT_AHEAD: Final = timedelta(hours=24)
COUPON_AHEAD: Final = timedelta(days=3)
ROWS_MAX: Final = 500
"""Rows of one look; the next look finds the rest."""


def visits(session: Session, *, now: datetime) -> list[Told]:
    """Return reminders of booked visits within a day that nobody was reminded of."""
    key = sa.func.concat("booking_reminder:", CardBooking.id)
    rows = session.scalars(
        sa.select(CardBooking)
        .where(
            CardBooking.state == BookingState.BOOKED,
            CardBooking.until_at > now,
            CardBooking.from_at > now,
            CardBooking.from_at <= now + VISIT_AHEAD,
            _untold(key),
        )
        .order_by(CardBooking.from_at)
        .limit(ROWS_MAX)
    ).all()
    return [
        Told(
            row.member_id,
            "booking_reminder",
            about_booking(session, row),
            f"booking_reminder:{row.id}",
        )
        for row in rows
    ]


def coupons(session: Session, *, now: datetime) -> list[Told]:
    """Return reminders of unused coupons that run out within three days."""
    key = sa.func.concat("coupon_expiring:", Coupon.id)
    rows = session.execute(
        sa.select(Coupon.id, Coupon.member_id, Coupon.valid_until_at, CouponTemplate.title)
        .join(CouponTemplate, CouponTemplate.id == Coupon.template_id)
        .where(
            Coupon.state == CouponState.UNUSED,
            Coupon.valid_until_at > now,
            Coupon.valid_until_at <= now + COUPON_AHEAD,
            _untold(key),
        )
        .order_by(Coupon.valid_until_at, Coupon.id)
        .limit(ROWS_MAX)
    )
    return [
        Told(
            row.member_id,
            "coupon_expiring",
            {"title": row.title, "until": row.valid_until_at},
            f"coupon_expiring:{row.id}",
        )
        for row in rows
    ]


def _untold(key: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(Message.key == key)


LOOKS: Final = {"booking_reminder": visits, "coupon_expiring": coupons}
"""Occasion to who looks for it; without a template in use nobody looks."""
