"""Coupons in orders: what they take off, setting them aside, using them, having them back.

Coupons know an order by its number alone. Whoever makes orders applies coupons while pricing,
reserves them in the transaction that makes the order, and says afterwards how it ended. Each act
may run twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.access import settings
from app.coupons.errors import (
    CouponExpired,
    CouponForeignStore,
    CouponNotFound,
    CouponNotInState,
    CouponNotValidYet,
    CouponsTooMany,
    CouponTaken,
)
from app.coupons.models import Coupon, CouponTemplate, with_template
from app.coupons.rules import (
    BasketLine,
    Candidate,
    Rule,
    Taken,
    amount_alone,
    best,
    combine,
    takes,
)
from app.coupons.states import CouponEvent, CouponState
from app.kernel.errors import DomainError

__all__ = [
    "AppliedCoupon",
    "BasketLine",
    "Usable",
    "apply",
    "give_back",
    "release",
    "reserve",
    "usable",
    "use",
]

COUPONS_PER_ORDER_MAX: Final = 10
SHOWN_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedCoupon:
    """A coupon that goes into an order, and what it takes off these products (None: all)."""

    coupon_id: int
    title: str
    amount_fen: int
    product_ids: frozenset[int] | None
    is_stackable: bool
    rule: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """A coupon beside a basket: what it would take off by itself, or why it cannot be used.

    `is_best` marks those that together take most off; `amount_fen` of these is what each takes in
    that company.
    """

    coupon_id: int
    title: str
    title_en: str
    amount_fen: int
    reason: DomainError | None
    is_best: bool
    is_stackable: bool
    valid_until_at: datetime


def apply(
    session: Session,
    *,
    member_id: int,
    store_id: int,
    coupon_ids: Sequence[int],
    lines: Sequence[BasketLine],
    now: datetime,
) -> tuple[AppliedCoupon, ...]:
    """Say what a member's coupons take off a basket, in the order in which they apply.

    Nothing is promised yet. Raises `CouponsTooMany`, `CouponNotFound`, `CouponNotInState`,
    `CouponNotValidYet`, `CouponExpired`, `CouponForeignStore` and what `rules.combine` raises.
    """
    if not coupon_ids:
        return ()
    if len(coupon_ids) > COUPONS_PER_ORDER_MAX or len(set(coupon_ids)) < len(coupon_ids):
        raise CouponsTooMany(COUPONS_PER_ORDER_MAX)
    coupons = {
        coupon.id: coupon
        for coupon in session.scalars(
            sa.select(Coupon)
            .where(Coupon.id.in_(coupon_ids), Coupon.member_id == member_id)
            .options(with_template())
        )
    }
    for coupon_id in coupon_ids:
        coupon = coupons.get(coupon_id)
        if coupon is None:
            raise CouponNotFound
        refusal = refusal_in(coupon, store_id=store_id, now=now)
        if refusal is not None:
            raise refusal
    candidates = [Candidate(one.id, rule_of(one.template)) for one in coupons.values()]
    return tuple(_applied(coupons[one.coupon_id], one) for one in combine(candidates, lines))


def usable(
    session: Session,
    *,
    member_id: int,
    store_id: int,
    lines: Sequence[BasketLine],
    now: datetime,
) -> tuple[Usable, ...]:
    """Return a member's unused coupons beside a basket: the best together first, then the rest.

    Of the rest those that take more come first, those that cannot be used last. Whoever holds
    more than `SHOWN_MAX` sees those that end soonest.
    """
    coupons = session.scalars(
        sa.select(Coupon)
        .where(
            Coupon.member_id == member_id,
            Coupon.state == CouponState.UNUSED,
            Coupon.valid_until_at > now,
        )
        .options(with_template())
        .order_by(Coupon.valid_until_at, Coupon.id)
        .limit(SHOWN_MAX)
    ).all()
    reasons = {
        one.id: refusal_in(one, store_id=store_id, now=now)
        or _why_not(rule_of(one.template), lines)
        for one in coupons
    }
    candidates = [
        Candidate(one.id, rule_of(one.template)) for one in coupons if reasons[one.id] is None
    ]
    chosen = {one.coupon_id: one for one in best(candidates, lines)[:COUPONS_PER_ORDER_MAX]}
    found = [_usable(one, lines, reasons[one.id], chosen) for one in coupons]
    turn = {coupon_id: place for place, coupon_id in enumerate(chosen)}
    return tuple(
        sorted(
            found,
            key=lambda one: (
                turn.get(one.coupon_id, len(turn)),
                one.reason is not None,
                -one.amount_fen,
                one.coupon_id,
            ),
        )
    )


def reserve(
    session: Session,
    order_id: int,
    applied: Sequence[AppliedCoupon],
    *,
    member_id: int,
    until_at: datetime,
    now: datetime,
) -> None:
    """Set coupons aside for an order that waits to be paid until then.

    Raises `CouponTaken` where one is not there any more; of two orders one gets it.
    """
    for one in sorted(applied, key=lambda each: each.coupon_id):
        coupon = lock(session, one.coupon_id)
        if coupon.member_id != member_id or _standing(coupon, now=now) is not None:
            raise CouponTaken
        coupon.order_id = order_id
        coupon.amount_fen = one.amount_fen
        coupon.reserved_until_at = until_at
        coupon.advance(CouponEvent.RESERVE, now=now)
    session.flush()


def use(session: Session, order_id: int, *, now: datetime) -> None:
    """Note that the order was paid: its coupons are used, also those whose time is over by now."""
    for coupon in _of_order(session, order_id, CouponState.RESERVED):
        coupon.reserved_until_at = None
        coupon.used_at = now
        coupon.advance(CouponEvent.USE, now=now)
    session.flush()


def release(session: Session, order_id: int, *, now: datetime) -> None:
    """Note that the order will not be paid: its coupons are free again, or expire."""
    for coupon in _of_order(session, order_id, CouponState.RESERVED):
        _bring_back(coupon, CouponEvent.RELEASE, now=now)
    session.flush()


def give_back(session: Session, order_id: int, *, now: datetime) -> None:
    """Note that the order was refunded in whole: its coupons come back, once (F5).

    Those whose template keeps them used stay used. One that comes back near its end, or after it,
    is good for `coupon_grace_seconds` more, once in its life.
    """
    grace = timedelta(seconds=settings().coupon_grace_seconds)
    for coupon in _of_order(session, order_id, CouponState.USED):
        if not coupon.template.is_given_back:
            continue
        if grace and coupon.extended_at is None and coupon.valid_until_at < now + grace:
            coupon.valid_until_at = now + grace
            coupon.extended_at = now
        _bring_back(coupon, CouponEvent.GIVE_BACK, now=now)
    session.flush()


def lock(session: Session, coupon_id: int) -> Coupon:
    """Lock a coupon and return it as it is now. Raises `CouponNotFound`."""
    coupon = session.get(Coupon, coupon_id, with_for_update=True, populate_existing=True)
    if coupon is None:
        raise CouponNotFound
    return coupon


def rule_of(template: CouponTemplate) -> Rule:
    """Return what coupons of a template do to a basket."""
    product_ids = template.product_ids
    return Rule(
        kind=template.kind,
        amount_fen=template.amount_fen or 0,
        percent_bp=template.percent_bp or 0,
        most_fen=template.most_fen,
        threshold_fen=template.threshold_fen,
        product_ids=None if product_ids is None else frozenset(product_ids),
        is_stackable=template.is_stackable,
    )


def _standing(coupon: Coupon, *, now: datetime) -> DomainError | None:
    """Return why a coupon cannot be used by anybody anywhere now."""
    if coupon.state is not CouponState.UNUSED:
        return CouponNotInState(coupon.state)
    if now < coupon.valid_from_at:
        return CouponNotValidYet()
    return CouponExpired() if coupon.valid_until_at <= now else None


def refusal_in(coupon: Coupon, *, store_id: int | None, now: datetime) -> DomainError | None:
    """Return why a coupon cannot be used in a store (None: anywhere) now, whatever it is for."""
    refusal, store_ids = _standing(coupon, now=now), coupon.template.store_ids
    if refusal is None and store_id is not None and store_ids is not None:
        return None if store_id in store_ids else CouponForeignStore()
    return refusal


def _why_not(rule: Rule, lines: Sequence[BasketLine]) -> DomainError | None:
    try:
        takes(rule, lines, [line.net_fen for line in lines])
    except DomainError as refusal:
        return refusal
    return None


def _applied(coupon: Coupon, taken: Taken) -> AppliedCoupon:
    rule = rule_of(coupon.template)
    return AppliedCoupon(
        coupon_id=coupon.id,
        title=coupon.template.title,
        amount_fen=taken.amount_fen,
        product_ids=rule.product_ids,
        is_stackable=rule.is_stackable,
        rule=rule.as_json(),
    )


def _usable(
    coupon: Coupon,
    lines: Sequence[BasketLine],
    reason: DomainError | None,
    chosen: Mapping[int, Taken],
) -> Usable:
    rule, best_one = rule_of(coupon.template), chosen.get(coupon.id)
    alone = amount_alone(rule, lines) if reason is None else 0
    return Usable(
        coupon_id=coupon.id,
        title=coupon.template.title,
        title_en=coupon.template.title_en,
        amount_fen=best_one.amount_fen if best_one else alone,
        reason=reason,
        is_best=best_one is not None,
        is_stackable=rule.is_stackable,
        valid_until_at=coupon.valid_until_at,
    )


def _of_order(session: Session, order_id: int, state: CouponState) -> Sequence[Coupon]:
    """Lock the coupons of an order that are in a state, in the order of their numbers."""
    return session.scalars(
        sa.select(Coupon)
        .where(Coupon.order_id == order_id, Coupon.state == state)
        .options(selectinload(Coupon.template))
        .order_by(Coupon.id)
        .with_for_update(of=Coupon)
        .execution_options(populate_existing=True)
    ).all()


def _bring_back(coupon: Coupon, event: CouponEvent, *, now: datetime) -> None:
    """Make a coupon free; its trace keeps the order it was in."""
    coupon.advance(event, now=now)
    coupon.order_id = coupon.amount_fen = coupon.reserved_until_at = coupon.used_at = None
    if coupon.valid_until_at <= now:
        coupon.advance(CouponEvent.EXPIRE, now=now)
