"""What members take of activities: entries, each with the order that pays for it.

An entry counts against stock and limits from the moment it is made until it is released. Paid for
and due, it is kept, and a refund later changes nothing: what was sold stays sold.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import limits
from app.activities.models import Activity, ActivityEntry, ActivityItem
from app.activities.states import EntryState
from app.members.models import Member
from app.members.queries import has_bought
from app.orders.models import Order
from app.orders.states import OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Who takes what: so many of an item, or of the activity itself, at this price a piece."""

    activity: Activity
    member_id: int
    item: ActivityItem | None = None
    store_id: int | None = None
    quantity: int = 1
    regular_fen: int | None = None
    price_fen: int | None = None


class OrderFate(StrEnum):
    """What an order means to those who wait for it."""

    WAITING = "waiting"
    PAID = "paid"
    GONE = "gone"


def begin(session: Session, taking: Taking) -> None:
    """Count against the member's own limit; `finish` counts the rest, after the slow part."""
    limits.take_own(
        session,
        taking.activity.id,
        taking.member_id,
        count=taking.quantity,
        limit=taking.activity.limit_per_member,
    )


def finish(
    session: Session, taking: Taking, *, order_id: int | None = None, now: datetime
) -> ActivityEntry:
    """Count against stock and the limit for all, and write the entry. Follows `begin`."""
    activity = taking.activity
    if taking.item is not None:
        limits.take_item(session, taking.item.id, count=taking.quantity)
    limits.take_total(session, activity.id, count=taking.quantity, limit=activity.limit_total)
    entry = ActivityEntry(
        activity_id=activity.id,
        item_id=taking.item.id if taking.item else None,
        member_id=taking.member_id,
        store_id=taking.store_id,
        order_id=order_id,
        quantity=taking.quantity,
        regular_fen=taking.regular_fen,
        price_fen=taking.price_fen,
        is_newcomer=is_newcomer(session, taking.member_id),
        state=EntryState.HELD,
        created_at=now,
    )
    session.add(entry)
    session.flush()
    return entry


def keep(session: Session, entry_ids: Collection[int]) -> None:
    """Let entries stand for good; those that do already, or were released, stay as they are."""
    _move(session, entry_ids, EntryState.KEPT, released_at=None)


def release(session: Session, entry_ids: Collection[int], *, now: datetime) -> int:
    """Give back what entries took, each once; return how many of them were still held."""
    released = _move(session, entry_ids, EntryState.RELEASED, released_at=now)
    limits.give_back(
        session, [(one.activity_id, one.member_id, one.item_id, one.quantity) for one in released]
    )
    return len(released)


def fate_of(order: Order) -> OrderFate:
    """Say what became of an order. It is gone when closed, or when all its money has gone back.

    One that is being closed still waits: its money may be faster. One with a refund under way is
    still paid: the refund may be turned down.
    """
    if order.closed_at is not None or order.state is OrderState.REFUNDED:
        return OrderFate.GONE
    return OrderFate.WAITING if order.state is OrderState.CREATED else OrderFate.PAID


def is_newcomer(session: Session, member_id: int) -> bool:
    """Tell whether a member has never paid for anything, under any account of theirs."""
    return not has_bought(session, session.get_one(Member, member_id))


def _move(
    session: Session, entry_ids: Collection[int], state: EntryState, *, released_at: datetime | None
) -> Sequence[ActivityEntry]:
    return session.scalars(
        sa.update(ActivityEntry)
        .where(ActivityEntry.id.in_(entry_ids), ActivityEntry.state == EntryState.HELD)
        .values(state=state, released_at=released_at)
        .returning(ActivityEntry)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
