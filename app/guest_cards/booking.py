"""Booking a time at a store with a card: offered, taken, given back, missed.

How many have booked a time is one row that a conditional statement counts up, so that the last
place goes to one. Whoever twice does not come waits before they claim or book again.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from app.guest_cards.errors import (
    BookingBegun,
    BookingNotBegun,
    BookingNotFound,
    BookingOver,
    CardExpired,
    CardNotFound,
    CardsBlocked,
    SlotFull,
    SlotNotOffered,
)
from app.guest_cards.models import CardBooking, CardSlot, GuestCard
from app.guest_cards.slots import Slot, slot_at, slots_of
from app.guest_cards.states import BookingState, CardEvent
from app.kernel.audit import Actor, Change, Subject, record
from app.kernel.outbox import emit
from app.settings import Settings
from app.stores.hours import OpeningHours, read_hours
from app.stores.models import Store

MISSES_TO_BLOCK: Final = 2


@dataclass(frozen=True, slots=True)
class Offer:
    """A slot, and how many places are left."""

    slot: Slot
    left: int


def offered(
    session: Session,
    card: GuestCard,
    *,
    store_id: int,
    day: date,
    settings: Settings,
    now: datetime,
) -> list[Offer]:
    """Return the times of a day that can be booked with a card at a store, full ones too.

    The card's template must be loaded. Raises `SlotNotOffered` where the card cannot be booked
    there at all.
    """
    hours, minutes, capacity = _terms(session, card, store_id)
    slots = [
        one
        for one in slots_of(hours, day, minutes)
        if _is_in_time(card, one, settings=settings, now=now)
    ]
    taken = dict(
        session.execute(
            sa.select(CardSlot.from_at, CardSlot.taken).where(
                CardSlot.template_id == card.template_id,
                CardSlot.store_id == store_id,
                CardSlot.from_at.in_([one.from_at for one in slots]),
            )
        ).all()
    )
    return [Offer(one, max(0, capacity - taken.get(one.from_at, 0))) for one in slots]


def book(  # noqa: PLR0913 - the facts of one request, all by keyword
    session: Session,
    card_id: int,
    *,
    member_id: int,
    store_id: int,
    from_at: datetime,
    settings: Settings,
    now: datetime,
) -> CardBooking:
    """Book a time at a store with one's own card.

    Raises `CardNotFound`, `CardNotInState`, `CardExpired`, `CardsBlocked`, `SlotNotOffered`,
    `SlotFull`.
    """
    card = lock_card(session, card_id)
    if card.member_id != member_id:
        raise CardNotFound
    if card.expires_at is not None and card.expires_at <= now:
        raise CardExpired
    card.advance(CardEvent.BOOK, now=now, actor=f"member:{member_id}")
    require_not_blocked(session, member_id, settings=settings, now=now)
    hours, minutes, capacity = _terms(session, card, store_id)
    is_near = now < from_at <= now + timedelta(seconds=settings.card_book_ahead_seconds)
    slot = slot_at(hours, from_at, minutes) if is_near else None
    if slot is None or not _is_in_time(card, slot, settings=settings, now=now):
        raise SlotNotOffered
    _take_place(session, card.template_id, store_id, slot, capacity)
    booking = CardBooking(
        card_id=card.id,
        template_id=card.template_id,
        member_id=member_id,
        store_id=store_id,
        from_at=slot.from_at,
        until_at=slot.until_at,
        state=BookingState.BOOKED,
        booked_at=now,
    )
    session.add(booking)
    session.flush()
    emit(session, "guest_card_booked", booking.id, now=now)
    return booking


def cancel(session: Session, booking_id: int, *, member_id: int, now: datetime) -> CardBooking:
    """Give one's own booking back before its time has come.

    Raises `BookingNotFound`, `BookingOver`, `BookingBegun`.
    """
    booking, card = _locked(session, booking_id)
    if booking.member_id != member_id:
        raise BookingNotFound
    if booking.from_at <= now:
        raise BookingBegun
    actor = f"member:{member_id}"
    end_booking(session, booking, BookingState.CANCELLED, actor=actor, now=now)
    card.advance(CardEvent.UNBOOK, now=now, actor=actor, reason="cancelled")
    session.flush()
    return booking


def miss(
    session: Session,
    booking_id: int,
    *,
    store_ids: Collection[int] | None,
    actor: Actor,
    now: datetime,
) -> CardBooking:
    """Note that somebody did not come, as staff of the store see it once the time has begun.

    Raises `BookingNotFound`, also for a foreign store's, `BookingOver`, `BookingNotBegun`.
    """
    booking, card = _locked(session, booking_id, store_ids=store_ids)
    if booking.from_at > now:
        raise BookingNotBegun
    _miss(session, booking, card, actor=str(actor), now=now)
    change = Change(before={"state": "booked"}, after={"state": "no_show"})
    subject = Subject("guest_card", card.id, booking.store_id)
    record(session, actor, "guest_card_missed", subject, change, now=now)
    return booking


def miss_due(session: Session, *, settings: Settings, now: datetime, limit: int) -> int:
    """Note of bookings whose time is long over that nobody came; return how many."""
    by = now - timedelta(seconds=settings.card_no_show_seconds)
    due = session.scalars(
        sa.select(CardBooking.id)
        .where(CardBooking.state == BookingState.BOOKED, CardBooking.until_at <= by)
        .order_by(CardBooking.until_at, CardBooking.id)
        .limit(limit)
    ).all()
    count = 0
    for booking_id in due:
        try:
            booking, card = _locked(session, booking_id)
        except BookingOver:
            continue
        _miss(session, booking, card, actor="system", now=now)
        count += 1
    return count


def blocked_until(
    session: Session, member_id: int, *, settings: Settings, now: datetime
) -> datetime | None:
    """Return until when somebody who twice did not come has to wait; None where they need not.

    The two count together where no more time lies between them than one has to wait.
    """
    missed = session.scalars(
        sa.select(CardBooking.ended_at)
        .where(CardBooking.member_id == member_id, CardBooking.state == BookingState.NO_SHOW)
        .order_by(CardBooking.ended_at.desc())
        .limit(MISSES_TO_BLOCK)
    ).all()
    span = timedelta(seconds=settings.card_block_seconds)
    if len(missed) < MISSES_TO_BLOCK or missed[0] is None or missed[-1] is None:
        return None
    until = missed[0] + span
    return until if missed[0] - missed[-1] <= span and now < until else None


def require_not_blocked(
    session: Session, member_id: int, *, settings: Settings, now: datetime
) -> None:
    """Raise `CardsBlocked` for somebody who twice did not come."""
    until = blocked_until(session, member_id, settings=settings, now=now)
    if until is not None:
        raise CardsBlocked(until)


def live_booking(session: Session, card_id: int) -> CardBooking | None:
    """Return the booking of a locked card, if it has one."""
    return session.scalar(
        sa.select(CardBooking)
        .where(CardBooking.card_id == card_id, CardBooking.state == BookingState.BOOKED)
        .execution_options(populate_existing=True)
    )


def end_booking(
    session: Session, booking: CardBooking, state: BookingState, *, actor: str, now: datetime
) -> None:
    """End a live booking of a locked card; one that is given back frees its place."""
    booking.state, booking.ended_at, booking.ended_by = state, now, actor
    if state is BookingState.CANCELLED:
        session.execute(
            sa.update(CardSlot)
            .where(
                CardSlot.template_id == booking.template_id,
                CardSlot.store_id == booking.store_id,
                CardSlot.from_at == booking.from_at,
            )
            .values(taken=CardSlot.taken - 1)
            .execution_options(synchronize_session=False)
        )


def lock_card(session: Session, card_id: int) -> GuestCard:
    """Lock a card, with its items and template. Raises `CardNotFound`."""
    card = session.scalar(
        sa.select(GuestCard)
        .where(GuestCard.id == card_id)
        .options(selectinload(GuestCard.items), selectinload(GuestCard.template))
        .with_for_update(of=GuestCard)
        .execution_options(populate_existing=True)
    )
    if card is None:
        raise CardNotFound
    return card


def _miss(
    session: Session, booking: CardBooking, card: GuestCard, *, actor: str, now: datetime
) -> None:
    end_booking(session, booking, BookingState.NO_SHOW, actor=actor, now=now)
    card.advance(CardEvent.UNBOOK, now=now, actor=actor, reason="no_show")
    session.flush()
    emit(session, "guest_card_missed", booking.id, now=now)


def _locked(
    session: Session, booking_id: int, *, store_ids: Collection[int] | None = None
) -> tuple[CardBooking, GuestCard]:
    """Lock the card of a live booking, and read the booking behind that lock."""
    found = session.get(CardBooking, booking_id)
    if found is None or (store_ids is not None and found.store_id not in store_ids):
        raise BookingNotFound
    card = lock_card(session, found.card_id)
    session.refresh(found, ["state"])
    if found.state is not BookingState.BOOKED:
        raise BookingOver
    return found, card


def _terms(session: Session, card: GuestCard, store_id: int) -> tuple[OpeningHours, int, int]:
    """Return a store's hours, and length and places of the slots that a card can be booked for."""
    store = session.get(Store, store_id)
    template = card.template
    if store is None or not store.is_open or not card.is_good_at(store_id):
        raise SlotNotOffered
    hours = read_hours(store.opening_hours)
    if hours is None or template.slot_minutes is None or template.slot_capacity is None:
        raise SlotNotOffered
    return hours, template.slot_minutes, template.slot_capacity


def _is_in_time(card: GuestCard, slot: Slot, *, settings: Settings, now: datetime) -> bool:
    """Tell whether a slot lies ahead, not too far, and inside the card's time."""
    ahead = now + timedelta(seconds=settings.card_book_ahead_seconds)
    is_good = card.expires_at is not None and slot.until_at <= card.expires_at
    return now < slot.from_at <= ahead and is_good


def _take_place(
    session: Session, template_id: int, store_id: int, slot: Slot, capacity: int
) -> None:
    taken = session.scalar(
        insert(CardSlot)
        .values(template_id=template_id, store_id=store_id, from_at=slot.from_at, taken=1)
        .on_conflict_do_update(
            index_elements=[CardSlot.template_id, CardSlot.store_id, CardSlot.from_at],
            set_={"taken": CardSlot.taken + 1},
            where=CardSlot.taken < capacity,
        )
        .returning(CardSlot.taken)
    )
    if taken is None:
        raise SlotFull
