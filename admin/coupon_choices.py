"""The coupons that a form offers: those still given out, within the reader's stores."""

import sqlalchemy as sa

from admin.scopes import touching_stores
from admin.staff import visible_store_ids
from app.coupons.models import CouponTemplate
from app.kernel.db import db


def live_coupons() -> list[tuple[str, str]]:
    """Return id and title of each coupon that is good in one of the reader's stores, by title."""
    query = (
        sa.select(CouponTemplate.id, CouponTemplate.title)
        .where(CouponTemplate.ended_at.is_(None))
        .order_by(CouponTemplate.title, CouponTemplate.id)
    )
    store_ids = visible_store_ids()
    if store_ids is not None:
        query = query.where(touching_stores(CouponTemplate.store_ids)(store_ids))
    return [(str(row.id), row.title) for row in db.session.execute(query)]
