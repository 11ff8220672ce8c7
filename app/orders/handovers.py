"""Handing orders over at the counter: who may, who did, and what they did today (B33).

Whoever hands over must be assigned to the store at that moment, and must neither be the customer
nor the distributor whom the customer belongs to. Who they are as a customer is known of those who
work with the mini-program.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.counter import codes
from app.counter.codes import PickupCode
from app.counter.duty import duty_of
from app.counter.errors import PickupCodeInvalid
from app.kernel.audit import Actor
from app.kernel.clock import business_day, day_begins_at
from app.orders.errors import OrderNotFound, OwnHandover, PickupNotOffered
from app.orders.handover_models import Handover, HandoverProof
from app.orders.models import Fulfilment, Order
from app.orders.queries import in_stores, order_for_member
from app.orders.states import OrderState

SUBJECT_KIND = "order"


@dataclass(frozen=True, slots=True)
class DayOfStaff:
    """What somebody handed over on a day of the shops' calendar."""

    count: int
    paid_fen: int


def show_pickup_code(session: Session, number: str, *, member_id: int, now: datetime) -> PickupCode:
    """Make the code that lets staff hand a customer's own order over.

    Raises `OrderNotFound`, `PickupNotOffered`.
    """
    order = order_for_member(session, number, member_id)
    is_going_back = order.refunding_fen + order.refunded_fen == order.paid_fen
    if (
        order.state is not OrderState.PAID
        or order.held_for is not None
        or order.fulfilment is Fulfilment.DELIVERY
        or is_going_back
    ):
        raise PickupNotOffered
    return codes.show(f"{SUBJECT_KIND}:{number}", member_id=member_id, now=now)


def order_by_code(
    session: Session, text: str, *, store_ids: Collection[int] | None, now: datetime
) -> Order:
    """Return the order that a customer's code is for, without spending the code.

    Raises `OrderNotFound`, also for a foreign store's, and what `codes.verify` raises.
    """
    code = codes.read(text)
    kind, _, number = code.subject.partition(":")
    if kind != SUBJECT_KIND:
        raise PickupCodeInvalid
    order = order_in_stores(session, number, store_ids=store_ids)
    codes.verify(code, member_id=order.member_id, now=now)
    return order


def prepare(session: Session, order: Order, *, actor: Actor, now: datetime) -> Handover:
    """Return who hands a locked order over, with what they are allowed; nothing is written.

    Raises `OrderNotFound` where the order is not of their stores, `OwnHandover`.
    """
    duty = duty_of(session, actor, now=now)
    if duty is None or not duty.covers(order.store_id):
        raise OrderNotFound
    if duty.is_one_of({order.member_id, order.owner_id}):
        raise OwnHandover
    return Handover(
        order_id=order.id,
        store_id=order.store_id,
        staff_id=duty.staff_id,
        staff_member_id=duty.member_id,
        store_ids=None if duty.store_ids is None else list(duty.store_ids),
        proof=HandoverProof.STAFF_WORD,
        at=now,
    )


def finish(
    session: Session, handover: Handover, order: Order, *, actor: Actor, code: str | None
) -> None:
    """Write down a hand-over; a code of the customer's is spent with it.

    Raises what `codes.spend` raises, and `PickupCodeInvalid` for a code of another order.
    """
    if code is not None:
        shown = codes.read(code)
        if shown.subject != f"{SUBJECT_KIND}:{order.number}":
            raise PickupCodeInvalid
        codes.spend(session, shown, member_id=order.member_id, actor=actor, now=handover.at)
        handover.proof = HandoverProof.PICKUP_CODE
    session.add(handover)
    session.flush()


def order_in_stores(session: Session, number: str, *, store_ids: Collection[int] | None) -> Order:
    """Return an order of these stores with its lines; another's is the same as none.

    None stands for all stores. Raises `OrderNotFound`.
    """
    order = session.scalar(
        sa.select(Order)
        .where(Order.number == number, in_stores(store_ids))
        .options(selectinload(Order.lines))
    )
    if order is None:
        raise OrderNotFound
    return order


def store_page(
    session: Session,
    store_id: int,
    *,
    state: OrderState,
    after_id: int | None = None,
    limit: int,
) -> Sequence[Order]:
    """Return a store's orders in a state with their lines, newest first, from `after_id` on."""
    wanted = (
        sa.select(Order)
        .where(Order.store_id == store_id, Order.state == state)
        .options(selectinload(Order.lines))
        .order_by(Order.id.desc())
        .limit(limit)
    )
    if after_id is not None:
        wanted = wanted.where(Order.id < after_id)
    return session.scalars(wanted).all()


def day_of(session: Session, staff_id: int, *, now: datetime) -> DayOfStaff:
    """Return how many orders somebody handed over today, and what was paid for them."""
    count, paid_fen = session.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(Order.paid_fen), 0))
        .select_from(Handover)
        .join(Order, Order.id == Handover.order_id)
        .where(*_today(staff_id, now))
    ).one()
    return DayOfStaff(count, int(paid_fen))


def day_page(
    session: Session, staff_id: int, *, now: datetime, after_id: int | None = None, limit: int
) -> Sequence[tuple[Handover, Order]]:
    """Return what somebody handed over today, the last first, from `after_id` of a hand-over on."""
    wanted = (
        sa.select(Handover, Order)
        .join(Order, Order.id == Handover.order_id)
        .where(*_today(staff_id, now))
        .order_by(Handover.id.desc())
        .limit(limit)
    )
    if after_id is not None:
        wanted = wanted.where(Handover.id < after_id)
    return [(row[0], row[1]) for row in session.execute(wanted)]


def _today(staff_id: int, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    begins_at = day_begins_at(business_day(now))
    return Handover.staff_id == staff_id, Handover.at >= begins_at, Handover.at <= now
