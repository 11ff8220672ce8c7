"""The coupons of a store of the world."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy.orm import Session

from app.coupons import pushing
from app.kernel.audit import SYSTEM
from tests.admin.place import Place
from tests.factories.coupons import make_coupon, make_template
from tests.factories.people import make_member

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


def put_coupons(session: Session, place: Place, name: str) -> None:
    """A template that is good in this store alone, one coupon of it, and a push of it."""
    template = make_template(session, title=f"{name} voucher", store_ids=[place.store.id])
    place.put("coupon_templates", template.id, template.title)
    member = make_member(session, nickname=f"{name} coupon customer")
    member.origin_store_id = place.store.id
    session.flush()
    coupon = make_coupon(session, template, member)
    place.put("coupons", coupon.id, f"{name} coupon customer")
    row = pushing.push(
        session, template.id, [member.id], title=f"{name} push", actor=SYSTEM, now=NOON
    )
    place.put("coupon_pushes", row.id, f"{name} push")
