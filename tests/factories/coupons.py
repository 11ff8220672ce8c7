"""Templates and coupons for tests.

Each function takes the session, fills in what the test does not care about, flushes and returns
the row. What it writes holds every invariant.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from app.coupons.giving import Gift, issue
from app.coupons.models import Coupon, CouponChannel, CouponTemplate
from app.coupons.ordering import BasketLine
from app.coupons.states import CouponKind
from app.coupons.stock import deal
from app.members.models import Member
from tests.factories.people import NOON

WEEK: Final = timedelta(days=7)


def make_template(session: Session, *, now: datetime = NOON, **changes: Any) -> CouponTemplate:
    """10 yuan off anything anywhere, 100 of them, 1 each, in the centre for a week, good a week."""
    facts: dict[str, Any] = {
        "kind": CouponKind.AMOUNT_OFF,
        "title": "满减十元",
        "amount_fen": 1_000 if "kind" not in changes else None,
        "threshold_fen": 0,
        "is_stackable": False,
        "is_given_back": True,
        "per_member": 1,
        "stock": 100,
        "ways": ["centre", "push", "staff"],
        "claim_from_at": now - timedelta(hours=1),
        "claim_until_at": now + WEEK,
        "valid_seconds": None if "valid_until_at" in changes else 7 * 86_400,
        "created_at": now - timedelta(days=1),
    }
    template = CouponTemplate(**facts | changes)
    session.add(template)
    session.flush()
    deal(session, template.id, template.stock, issued={})
    return template


def make_coupon(
    session: Session,
    template: CouponTemplate,
    member: Member,
    *,
    now: datetime = NOON,
    channel: CouponChannel = CouponChannel.STAFF,
) -> Coupon:
    """A coupon of a member's, given by staff."""
    gift = Gift(channel=channel, actor="staff:1")
    return issue(session, template.id, member.id, gift=gift, now=now)


def line(product_id: int, net_fen: int, quantity: int = 1) -> BasketLine:
    """A line of a basket."""
    return BasketLine(
        product_id=product_id,
        quantity=quantity,
        unit_price_fen=-(-net_fen // quantity),
        net_fen=net_fen,
    )
