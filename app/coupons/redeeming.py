"""Coupons redeemed in a store without an order: what is free is handed over (D8, B30).

Only exchanges are; other coupons take something off an order. Whoever redeems must be at work in a
store where the coupon is good, and is not the customer. A foreign store's is the same as none.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.catalog import pieces
from app.catalog import queries as catalog
from app.catalog.models import ProductKind
from app.catalog.pieces import Piece
from app.counter import codes
from app.counter.codes import PickupCode
from app.counter.duty import duty_of
from app.counter.errors import PickupCodeInvalid
from app.counter.redeemable import Redeemable
from app.coupons.errors import (
    CouponNotFound,
    CouponNotRedeemable,
    OwnCoupon,
)
from app.coupons.models import Coupon, with_template
from app.coupons.ordering import lock, refusal_in
from app.coupons.states import CouponEvent, CouponKind, CouponState
from app.coupons.templates import touches
from app.kernel.audit import Actor, Change, Subject, record

SUBJECT_KIND: Final = "coupon"
NUMBER_MAX: Final = 18
"""Digits of a row's number."""


def show_code(session: Session, coupon_id: int, *, member_id: int, now: datetime) -> PickupCode:
    """Make the code that lets staff redeem a member's own coupon; it lasts a minute.

    Raises `CouponNotFound`, `CouponNotRedeemable`, `CouponNotInState`, `CouponNotValidYet`,
    `CouponExpired`.
    """
    coupon = _loaded(session, coupon_id)
    if coupon.member_id != member_id:
        raise CouponNotFound
    _require_redeemable(coupon, store_id=None, now=now)
    return codes.show(f"{SUBJECT_KIND}:{coupon.id}", member_id=member_id, now=now)


def coupon_of(text: str) -> int:
    """Return which coupon a code names; nothing is proven yet.

    Raises `PickupCodeInvalid`.
    """
    kind, _, number = codes.read(text).subject.partition(":")
    if kind != SUBJECT_KIND or not number.isdigit() or len(number) > NUMBER_MAX:
        raise PickupCodeInvalid
    return int(number)


def look(
    session: Session, subject_id: int, *, store_ids: Collection[int] | None, now: datetime
) -> Redeemable:
    """Return what a coupon stands for, to staff of these stores (None: all); nothing changes.

    Raises `CouponNotFound`, also where it is good in none of their stores.
    """
    coupon = _loaded(session, subject_id)
    if not touches(coupon.template.store_ids, store_ids):
        raise CouponNotFound
    is_live = coupon.state is CouponState.UNUSED and coupon.valid_until_at > now
    return _shown(coupon, left=int(is_live))


def redeem(
    session: Session, subject_id: int, *, code: str, store_id: int, actor: Actor, now: datetime
) -> Redeemable:
    """Hand over what a coupon is for, in a store; the customer's code is spent with it.

    Raises `CouponNotFound`, `OwnCoupon`, `CouponNotRedeemable`, `CouponForeignStore`,
    `CouponNotInState`, `CouponNotValidYet`, `CouponExpired`, `PickupCodeInvalid` for the code of
    something else, what `codes.spend` raises, and `StockOut` where the store has none of the goods.
    """
    lock(session, subject_id)
    coupon = _loaded(session, subject_id)
    duty = duty_of(session, actor, now=now)
    if duty is None or not duty.covers(store_id):
        raise CouponNotFound
    if duty.is_one_of({coupon.member_id}):
        raise OwnCoupon
    shown = codes.read(code)
    if shown.subject != f"{SUBJECT_KIND}:{coupon.id}":
        raise PickupCodeInvalid
    codes.verify(shown, member_id=coupon.member_id, now=now)
    _require_redeemable(coupon, store_id=store_id, now=now)
    codes.spend(session, shown, member_id=coupon.member_id, actor=actor, now=now)
    _take_piece(session, coupon, store_id=store_id, actor=actor, now=now)
    coupon.store_id = store_id
    coupon.used_at = now
    coupon.advance(CouponEvent.REDEEM, now=now, actor=str(actor))
    session.flush()
    change = Change(before={"state": CouponState.UNUSED}, after={"state": coupon.state})
    subject = Subject("coupon", coupon.id, store_id)
    record(session, actor, "coupon_redeemed", subject, change, now=now)
    return _shown(coupon, left=0)


def _take_piece(
    session: Session, coupon: Coupon, *, store_id: int, actor: Actor, now: datetime
) -> None:
    """Take what an exchange is for from the store's shelf, where it is goods."""
    product_id = (coupon.template.product_ids or [0])[0]
    product = catalog.by_ids(session, [product_id]).get(product_id)
    if product is None or product.kind is not ProductKind.GOODS:
        return
    piece = Piece(product_id, store_id, f"{SUBJECT_KIND}:{coupon.id}")
    pieces.set_aside(session, piece, actor=actor, now=now)
    pieces.hand_over(session, piece, actor=actor, now=now)


def _loaded(session: Session, coupon_id: int) -> Coupon:
    coupon = session.get(Coupon, coupon_id, options=[with_template()], populate_existing=True)
    if coupon is None:
        raise CouponNotFound
    return coupon


def _require_redeemable(coupon: Coupon, *, store_id: int | None, now: datetime) -> None:
    if coupon.template.kind is not CouponKind.EXCHANGE:
        raise CouponNotRedeemable
    refusal = refusal_in(coupon, store_id=store_id, now=now)
    if refusal is not None:
        raise refusal


def _shown(coupon: Coupon, *, left: int) -> Redeemable:
    return Redeemable(
        kind=SUBJECT_KIND,
        id=coupon.id,
        title=coupon.template.title,
        member_id=coupon.member_id,
        left=left,
        detail=coupon.template.terms,
    )
