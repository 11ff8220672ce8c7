"""What a customer's timeline tells of their coupons."""

from collections.abc import Sequence

import sqlalchemy as sa

from admin.cells import Badge
from admin.directory import Reference
from admin.i18n import gettext
from admin.labels import label_of, tone_of
from admin.timeline import Item, Wanted, scalars, seen
from app.coupons.models import Coupon, CouponStep


def coupons_moved(wanted: Wanted) -> Sequence[Item]:
    """Return what happened to the coupons of a customer, where the reader may see them."""
    ids = seen("coupons", Coupon.id)
    if ids is None:
        return ()
    query = sa.select(CouponStep).where(
        CouponStep.coupon_id.in_(ids.where(Coupon.member_id == wanted.member_id))
    )
    return [
        Item(
            one.at,
            one.id,
            Badge(
                gettext("Coupon: %(event)s", event=label_of(one.event)),
                str(tone_of(one.to_state) or "calm"),
            ),
            Reference("coupons", one.coupon_id),
            one.actor,
            one.note,
        )
        for one in scalars(wanted.page(query, CouponStep.at, CouponStep.id))
    ]
