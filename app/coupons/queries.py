"""Reading coupons: the centre, one's own, and what a template has brought."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons.errors import (
    CouponLimitReached,
    CouponNotFound,
    CouponsEnded,
    CouponsGone,
    CouponsNotOpen,
    TemplateNotFound,
)
from app.coupons.giving import Gift, is_claimable
from app.coupons.models import (
    Coupon,
    CouponChannel,
    CouponHolding,
    CouponStep,
    CouponTemplate,
    with_template,
)
from app.coupons.states import CouponState
from app.kernel.errors import DomainError


@dataclass(frozen=True, slots=True)
class Offer:
    """A template beside a member: how many they got of it, and why they can claim none now."""

    template: CouponTemplate
    held: int
    refusal: DomainError | None


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """What the coupons of a template that came by one channel did."""

    channel: CouponChannel
    issued: int
    used: int
    reserved: int
    expired: int
    revoked: int
    discount_fen: int
    """What those used in orders took off."""


def centre_page(
    session: Session,
    member_id: int,
    *,
    store_id: int | None = None,
    after_id: int | None = None,
    limit: int,
    now: datetime,
) -> list[Offer]:
    """Return the coupons of the centre, newest first: open, or to be opened later.

    `store_id` leaves out those that are not good there.
    """
    wanted = (
        sa.select(CouponTemplate)
        .where(
            CouponTemplate.ended_at.is_(None),
            sa.literal(CouponChannel.CENTRE.value) == sa.any_(CouponTemplate.ways),
            CouponTemplate.claim_until_at > now,
            sa.or_(CouponTemplate.valid_until_at.is_(None), CouponTemplate.valid_until_at > now),
        )
        .order_by(CouponTemplate.id.desc())
        .limit(limit)
    )
    if store_id is not None:
        wanted = wanted.where(
            sa.or_(
                CouponTemplate.store_ids.is_(None),
                sa.literal(store_id) == sa.any_(CouponTemplate.store_ids),
            )
        )
    if after_id is not None:
        wanted = wanted.where(CouponTemplate.id < after_id)
    return _offers(session, session.scalars(wanted).all(), member_id, now=now)


def offer(session: Session, template_id: int, member_id: int, *, now: datetime) -> Offer:
    """Return one coupon of the centre. Raises `TemplateNotFound`, also for another way's."""
    template = session.get(CouponTemplate, template_id)
    if template is None or CouponChannel.CENTRE not in template.ways:
        raise TemplateNotFound
    (found,) = _offers(session, [template], member_id, now=now)
    return found


def coupon_of(session: Session, coupon_id: int, *, member_id: int) -> Coupon:
    """Return a member's own coupon with its template; another's is the same as none."""
    coupon = session.scalar(
        sa.select(Coupon)
        .where(Coupon.id == coupon_id, Coupon.member_id == member_id)
        .options(with_template())
    )
    if coupon is None:
        raise CouponNotFound
    return coupon


def coupons_page(
    session: Session,
    member_id: int,
    *,
    states: Collection[CouponState],
    after_id: int | None = None,
    limit: int,
) -> Sequence[Coupon]:
    """Return a member's coupons in these states with their templates, newest first."""
    wanted = (
        sa.select(Coupon)
        .where(Coupon.member_id == member_id, Coupon.state.in_(states))
        .options(with_template())
        .order_by(Coupon.id.desc())
        .limit(limit)
    )
    if after_id is not None:
        wanted = wanted.where(Coupon.id < after_id)
    return session.scalars(wanted).all()


def story(session: Session, coupon_id: int) -> Sequence[CouponStep]:
    """Return what happened to a coupon, oldest first."""
    return session.scalars(
        sa.select(CouponStep).where(CouponStep.coupon_id == coupon_id).order_by(CouponStep.id)
    ).all()


def figures(
    session: Session, template_id: int, *, only: sa.ColumnElement[bool] | None = None
) -> list[ChannelFigures]:
    """Return what the coupons of a template did, channel by channel; `only` of some of them."""
    rows = session.execute(
        sa.select(
            Coupon.channel,
            sa.func.count(),
            *(
                sa.func.count().filter(Coupon.state == state)
                for state in (
                    CouponState.USED,
                    CouponState.RESERVED,
                    CouponState.EXPIRED,
                    CouponState.REVOKED,
                )
            ),
            sa.func.coalesce(
                sa.func.sum(Coupon.amount_fen).filter(Coupon.state == CouponState.USED), 0
            ),
        )
        .where(Coupon.template_id == template_id, sa.true() if only is None else only)
        .group_by(Coupon.channel)
        .order_by(Coupon.channel)
    )
    return [ChannelFigures(row[0], *(int(value) for value in row[1:])) for row in rows]


def refusal_of(template: CouponTemplate, *, held: int, now: datetime) -> DomainError | None:
    """Return why a member who got so many cannot claim another in the centre now."""
    gift = Gift(channel=CouponChannel.CENTRE, actor="")
    if template.ended_at is not None:
        return CouponsEnded()
    if not is_claimable(template, gift=gift, now=now):
        return CouponsNotOpen()
    if held >= template.per_member:
        return CouponLimitReached(template.per_member)
    return CouponsGone() if template.issued >= template.stock else None


def _offers(
    session: Session, templates: Sequence[CouponTemplate], member_id: int, *, now: datetime
) -> list[Offer]:
    rows = session.execute(
        sa.select(CouponHolding.template_id, CouponHolding.issued).where(
            CouponHolding.member_id == member_id,
            CouponHolding.template_id.in_([one.id for one in templates]),
        )
    )
    held = {row[0]: row[1] for row in rows}
    return [
        Offer(one, held.get(one.id, 0), refusal_of(one, held=held.get(one.id, 0), now=now))
        for one in templates
    ]
