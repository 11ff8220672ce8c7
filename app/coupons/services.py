"""What members and staff do with single coupons: claim, give, revoke."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution.guessing import Guess
from app.counter.duty import require_somebody_else
from app.coupons.errors import CouponCodesLocked, CouponCodeUnknown, CouponNotFound
from app.coupons.giving import Gift, issue
from app.coupons.models import Coupon, CouponChannel, CouponTemplate
from app.coupons.ordering import lock
from app.coupons.states import CouponEvent
from app.kernel.audit import Actor, Change, Subject, record
from app.kernel.outbox import emit
from app.members.models import Member

COUPON_CODES: Final = Guess("coupon-code:", CouponCodeUnknown, CouponCodesLocked)
"""How guesses at public codes of coupons are counted, apart from others (D6)."""


def claim(session: Session, template_id: int, *, member_id: int, now: datetime) -> Coupon:
    """Let a member take a coupon from the centre.

    Raises `TemplateNotFound`, `CouponsEnded`, `CouponsNotOpen`, `CouponsGone`,
    `CouponLimitReached`; the transaction then rolls back.
    """
    gift = Gift(channel=CouponChannel.CENTRE, actor=f"member:{member_id}")
    return issue(session, template_id, member_id, gift=gift, now=now)


def claim_by_code(session: Session, code: str, *, member_id: int, now: datetime) -> Coupon:
    """Let a member take the coupon behind a public code; spaces and small letters do not matter.

    Raises `CouponCodeUnknown`, which `guessing.counting_misses` counts, and what `claim` raises.
    """
    template_id = session.scalar(
        sa.select(CouponTemplate.id).where(
            CouponTemplate.code == "".join(code.split()).upper(),
            sa.literal(CouponChannel.CODE.value) == sa.any_(CouponTemplate.ways),
        )
    )
    if template_id is None:
        raise CouponCodeUnknown
    gift = Gift(channel=CouponChannel.CODE, actor=f"member:{member_id}")
    return issue(session, template_id, member_id, gift=gift, now=now)


def give_by_staff(
    session: Session,
    template_id: int,
    member_id: int,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Coupon:
    """Give a customer a coupon, by hand and with a reason.

    Whether both are in the reach of whoever gives is the caller's to check (`template_in_reach`).
    Raises `CouponNotFound` for a customer who is not there, `OwnAccount`, and what `giving.issue`
    raises.
    """
    member = session.get(Member, member_id)
    if member is None or member.deleted_at is not None:
        raise CouponNotFound
    require_somebody_else(session, actor, member_id)
    gift = Gift(channel=CouponChannel.STAFF, actor=str(actor), source="staff")
    coupon = issue(session, template_id, member_id, gift=gift, now=now)
    after = {"template": template_id, "member": member_id}
    _record(session, actor, "coupon_given", coupon, Change(after=after, reason=reason), now=now)
    emit(session, "coupon_given", coupon.id, now=now)
    return coupon


def revoke(session: Session, coupon_id: int, *, reason: str, actor: Actor, now: datetime) -> Coupon:
    """Take an unused coupon back, with a reason. One in an order stays: the order is kept.

    Raises `CouponNotFound`, `CouponNotInState`.
    """
    coupon = lock(session, coupon_id)
    before = {"state": coupon.state}
    coupon.advance(CouponEvent.REVOKE, now=now, actor=str(actor), note=reason)
    session.flush()
    change = Change(before=before, after={"state": coupon.state}, reason=reason)
    _record(session, actor, "coupon_revoked", coupon, change, now=now)
    return coupon


def _record(
    session: Session, actor: Actor, action: str, coupon: Coupon, change: Change, *, now: datetime
) -> None:
    record(session, actor, action, Subject("coupon", coupon.id), change, now=now)
