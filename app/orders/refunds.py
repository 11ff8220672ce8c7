"""Giving money back: who may have how much, and what WeChat says became of it.

An amount is reserved under the order's lock from the request on, so that refunds asked for at the
same time never add up to more than was paid. Commission has no say here: it follows by event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.catalog import services as catalog
from app.kernel.audit import SYSTEM, Actor, Change, Subject, record
from app.kernel.ids import business_number
from app.kernel.outbox import emit
from app.orders import promises
from app.orders.errors import (
    OrderNotInState,
    RefundExceedsRest,
    RefundsExhausted,
    RefundTooLate,
)
from app.orders.models import Fulfilment, Order, Refund, RefundLine
from app.orders.pricing import RefundPart, WantedRefund, refund_parts
from app.orders.queries import line_rests, lock_order, lock_refund
from app.orders.states import (
    REFUNDABLE,
    OrderEvent,
    OrderState,
    RefundEvent,
    RefundState,
)
from app.settings import Settings

REFUNDS_MAX: Final = 50
REFUNDABLE_FOR: Final = timedelta(days=365)
"""WeChat Pay: at most 50 refunds of one payment, within a year."""

INSTANT: Final = timedelta(microseconds=1)
"""The shortest time between two facts."""

LATE_PAYMENT: Final = "late_payment"
"""The reason of refunds that nobody asked for."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWish:
    """What is asked back and why; no lines ask for all that is left.

    `returns_stock` is for staff to say, of goods that were handed over and came back.
    """

    lines: Sequence[WantedRefund] | None = None
    reason: str = ""
    returns_stock: bool = False


def request_refund(
    session: Session,
    order_id: int,
    *,
    wish: RefundWish,
    actor: Actor,
    settings: Settings,
    now: datetime,
) -> Refund:
    """Reserve what is asked back; a job sends it once it is approved.

    While the order is still in our hands - not redeemed, picked up or on its way by courier - the
    refund is approved at once where the settings say so, and its goods return to the shelf. Where
    it was let go, others paid less because of it, as in a group that is complete: staff decide.
    """
    order = lock_order(session, order_id)
    require_refundable(session, order, now=now)
    parts = refund_parts(line_rests(session, order), wish.lines)
    is_in_our_hands = _is_in_our_hands(order)
    refund = _reserve(session, order, parts, wish, requested_by=str(actor), now=now)
    refund.returns_stock = is_in_our_hands or (wish.returns_stock and actor.kind == "staff")
    change = Change(after={"amount_fen": refund.amount_fen, "returns_stock": refund.returns_stock})
    _record_if_staff(session, actor, "refund_requested", (order, refund), change, now=now)
    is_alone = is_in_our_hands and order.let_go_at is None
    if order.state is OrderState.PAID_LATE or (is_alone and settings.refund_auto_approve):
        _approve(session, refund, str(SYSTEM), now=now)
    session.flush()
    return refund


def give_back_late_payment(session: Session, order: Order, *, now: datetime) -> Refund:
    """Send all of a payment back that arrived for a closed order; the order is locked."""
    parts = refund_parts(line_rests(session, order), None)
    wish = RefundWish(reason=LATE_PAYMENT)
    refund = _reserve(session, order, parts, wish, requested_by=str(SYSTEM), now=now)
    _approve(session, refund, str(SYSTEM), now=now)
    session.flush()
    return refund


def give_back_all(
    session: Session, order: Order, *, reason: str, actor: Actor, now: datetime
) -> Refund | None:
    """Send all that is left of a locked order back at once, requests that wait with it.

    Returns the refund of what was left, None where nothing was. Goods that were not handed over
    return to the shelf.
    """
    waiting = sa.select(Refund).where(
        Refund.order_id == order.id, Refund.state == RefundState.REQUESTED
    )
    for refund in session.scalars(waiting.order_by(Refund.id).with_for_update()):
        _approve(session, refund, str(actor), now=now)
        refund.returns_stock = order.state is OrderState.PAID
    rest: Refund | None = None
    if order.refunded_fen + order.refunding_fen < order.paid_fen:
        require_refundable(session, order, now=now)
        parts = refund_parts(line_rests(session, order), None)
        wish = RefundWish(reason=reason)
        rest = _reserve(session, order, parts, wish, requested_by=str(actor), now=now)
        rest.returns_stock = order.state is OrderState.PAID
        _approve(session, rest, str(actor), now=now)
    session.flush()
    return rest


def approve_refund(
    session: Session,
    refund_id: int,
    *,
    actor: Actor,
    returns_stock: bool | None = None,
    now: datetime,
) -> Refund:
    """Let a refund go ahead; `returns_stock` says whether its goods go back on the shelf."""
    order, refund = lock_refund(session, refund_id)
    _approve(session, refund, str(actor), now=now)
    if returns_stock is not None:
        refund.returns_stock = returns_stock
    change = Change(after={"amount_fen": refund.amount_fen, "returns_stock": refund.returns_stock})
    _record_if_staff(session, actor, "refund_approved", (order, refund), change, now=now)
    session.flush()
    return refund


def reject_refund(
    session: Session, refund_id: int, *, actor: Actor, reason: str, now: datetime
) -> Refund:
    """Turn a request down; its amount may be asked for again."""
    order, refund = lock_refund(session, refund_id)
    refund.advance(RefundEvent.REJECT, now=now, actor=str(actor), note=reason)
    _release(order, refund, now=now)
    change = Change(after={"amount_fen": refund.amount_fen}, reason=reason)
    _record_if_staff(session, actor, "refund_rejected", (order, refund), change, now=now)
    session.flush()
    return refund


def fail(order: Order, refund: Refund, *, note: str, now: datetime) -> None:
    """End a refund that certainly did not and will not happen; both rows are locked."""
    refund.advance(RefundEvent.FAIL, now=now, actor=str(SYSTEM), note=note)
    _release(order, refund, now=now)
    if order.state is OrderState.PAID_LATE:
        log.error("late_payment_kept", order_id=order.id, refund_id=refund.id)


def settle(session: Session, order: Order, refund: Refund, *, now: datetime) -> None:
    """Turn what was reserved into what went back, the goods and the order's end with it.

    Coupons and points follow in the same transaction. Money that came too late never used them:
    the order had let them free when it was closed.
    """
    was_in_time = order.state is not OrderState.PAID_LATE
    lines = {line.id: line for line in order.lines}
    goods: dict[int, int] = {}
    for part in refund.lines:
        line = lines[part.order_line_id]
        line.refunding_fen -= part.amount_fen
        line.refunded_fen += part.amount_fen
        line.refunded_quantity += part.quantity
        if part.quantity and refund.returns_stock and not line.is_service:
            goods[line.product_id] = goods.get(line.product_id, 0) + part.quantity
    order.refunding_fen -= refund.amount_fen
    order.refunded_fen += refund.amount_fen
    refund.ended_at, refund.due_at, refund.sent_at = _after_all(order, now), None, None
    if order.refunded_fen == order.paid_fen:
        order.advance(OrderEvent.REFUND, now=now, actor=str(SYSTEM))
    session.flush()
    if was_in_time:
        returned = promises.give_back(session, order, now=refund.ended_at)
        refund.points_back, refund.coupons_back = returned.points, returned.coupons
    catalog.take_back(session, order.id, goods, store_id=order.store_id, now=now)
    emit(session, "refund_succeeded", refund.id, now=now)


def _after_all(order: Order, now: datetime) -> datetime:
    """Return an instant later than the order's own, under whose lock we are.

    `now` was read before the lock was had. Plans share what was left of an order when it was
    received or settled, so the order of instants has to be the order of facts.
    """
    before = [at for at in (order.completed_at, order.settled_at) if at is not None]
    return max([now, *(at + INSTANT for at in before)])


def _release(order: Order, refund: Refund, *, now: datetime) -> None:
    """Give up what was reserved for a refund that ends without money going back."""
    lines = {line.id: line for line in order.lines}
    for part in refund.lines:
        lines[part.order_line_id].refunding_fen -= part.amount_fen
    order.refunding_fen -= refund.amount_fen
    refund.ended_at, refund.due_at, refund.sent_at = now, None, None


def _reserve(
    session: Session,
    order: Order,
    parts: Sequence[RefundPart],
    wish: RefundWish,
    *,
    requested_by: str,
    now: datetime,
) -> Refund:
    amount_fen = sum(part.amount_fen for part in parts)
    if wish.lines is None:
        amount_fen = order.paid_fen - order.refunded_fen - order.refunding_fen
    if amount_fen <= 0:
        raise RefundExceedsRest(0)
    lines = {line.id: line for line in order.lines}
    for part in parts:
        lines[part.order_line_id].refunding_fen += part.amount_fen
    order.refunding_fen += amount_fen
    refund = Refund(
        number=business_number("R", now),
        order_id=order.id,
        amount_fen=amount_fen,
        reason=wish.reason,
        state=RefundState.REQUESTED,
        requested_by=requested_by,
        returns_stock=False,
        requested_at=now,
        attempts=0,
    )
    refund.lines = [
        RefundLine(
            order_line_id=part.order_line_id, quantity=part.quantity, amount_fen=part.amount_fen
        )
        for part in parts
    ]
    session.add(refund)
    session.flush()
    return refund


def _approve(session: Session, refund: Refund, actor: str, *, now: datetime) -> None:
    refund.advance(RefundEvent.APPROVE, now=now, actor=actor)
    refund.due_at = now
    emit(session, "refund_approved", refund.id, now=now)


def require_refundable(session: Session, order: Order, *, now: datetime) -> None:
    """Raise where WeChat or the order's state allow no refund any more.

    `OrderNotInState`, `RefundTooLate`, `RefundsExhausted`.
    """
    if order.state not in REFUNDABLE:
        raise OrderNotInState(order.state, OrderEvent.REFUND)
    assert order.paid_at is not None, "what can be refunded was paid"
    if now > order.paid_at + REFUNDABLE_FOR:
        raise RefundTooLate
    earlier = session.scalar(
        sa.select(sa.func.count())
        .select_from(Refund)
        .where(Refund.order_id == order.id, Refund.state != RefundState.REJECTED)
    )
    if earlier is not None and earlier >= REFUNDS_MAX:
        raise RefundsExhausted(REFUNDS_MAX)


def _is_in_our_hands(order: Order) -> bool:
    """Tell whether nothing has left the store: what is sent has, unless an activity holds it."""
    is_here = order.fulfilment is not Fulfilment.DELIVERY or order.held_for is not None
    return order.state is OrderState.PAID and is_here


def _record_if_staff(
    session: Session,
    actor: Actor,
    action: str,
    rows: tuple[Order, Refund],
    change: Change,
    *,
    now: datetime,
) -> None:
    if actor.kind == "staff":
        order, refund = rows
        subject = Subject("refund", refund.id, order.store_id)
        record(session, actor, action, subject, change, now=now)
