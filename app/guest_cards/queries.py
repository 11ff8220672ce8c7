"""Reading cards: a giver's, a friend's, a store's bookings, the story of one."""

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.guest_cards.errors import CardNotFound
from app.guest_cards.models import CardBooking, CardConversion, CardStep, CardUse, GuestCard
from app.guest_cards.states import BookingState


def given_page(
    session: Session, giver_id: int, *, after_id: int | None = None, limit: int
) -> Sequence[GuestCard]:
    """Return the cards that somebody shared, the newest first, with their items."""
    wanted = _loaded().where(GuestCard.giver_id == giver_id)
    return _page(session, wanted, after_id, limit)


def had_page(
    session: Session, member_id: int, *, after_id: int | None = None, limit: int
) -> Sequence[GuestCard]:
    """Return the cards that somebody claimed, the newest first, with their items."""
    wanted = _loaded().where(GuestCard.member_id == member_id)
    return _page(session, wanted, after_id, limit)


def own_card(session: Session, card_id: int, *, member_id: int) -> GuestCard:
    """Return a card that somebody claimed, with items and template. Raises `CardNotFound`."""
    card = session.scalar(
        _loaded().where(GuestCard.id == card_id, GuestCard.member_id == member_id)
    )
    if card is None:
        raise CardNotFound
    return card


def live_bookings(session: Session, card_ids: Collection[int]) -> dict[int, CardBooking]:
    """Return the booking that each of these cards has at present, by card."""
    rows = session.scalars(
        sa.select(CardBooking).where(
            CardBooking.card_id.in_(card_ids), CardBooking.state == BookingState.BOOKED
        )
    )
    return {row.card_id: row for row in rows}


def bookings_between(
    session: Session, *, store_id: int, from_at: datetime, until_at: datetime, limit: int
) -> Sequence[CardBooking]:
    """Return a store's bookings whose time begins in [from, until), in order, with their cards."""
    return session.scalars(
        sa.select(CardBooking)
        .where(
            CardBooking.store_id == store_id,
            CardBooking.from_at >= from_at,
            CardBooking.from_at < until_at,
            CardBooking.state != BookingState.CANCELLED,
        )
        .options(selectinload(CardBooking.card))
        .order_by(CardBooking.from_at, CardBooking.id)
        .limit(limit)
    ).all()


def steps_of(session: Session, card_id: int) -> Sequence[CardStep]:
    """Return what happened to a card, the first step first."""
    return session.scalars(
        sa.select(CardStep).where(CardStep.card_id == card_id).order_by(CardStep.id)
    ).all()


def uses_of(session: Session, card_id: int) -> Sequence[CardUse]:
    """Return the uses of a card, the first one first."""
    return session.scalars(
        sa.select(CardUse).where(CardUse.card_id == card_id).order_by(CardUse.id)
    ).all()


def conversions_of(
    session: Session, card_ids: Collection[int], *, store_ids: Collection[int] | None = None
) -> dict[int, CardConversion]:
    """Return what followed these cards, by card; only in some stores where they are named."""
    wanted = sa.select(CardConversion).where(CardConversion.card_id.in_(card_ids))
    if store_ids is not None:
        wanted = wanted.where(CardConversion.store_id.in_(store_ids))
    return {row.card_id: row for row in session.scalars(wanted)}


def tied_to(store_ids: Collection[int]) -> sa.ColumnElement[bool]:
    """Return the condition for cards that staff of some stores see.

    Those whose giver belonged to one of the stores when they shared it, and those that were booked
    or used there. A card that could be used there is found by its holder's code or phone number
    only: a card for all stores would else show every customer to every store.
    """
    booked = sa.exists().where(
        CardBooking.card_id == GuestCard.id, CardBooking.store_id.in_(store_ids)
    )
    used = sa.exists().where(CardUse.card_id == GuestCard.id, CardUse.store_id.in_(store_ids))
    return sa.or_(GuestCard.giver_store_id.in_(store_ids), booked, used)


def _loaded() -> sa.Select[GuestCard]:
    return sa.select(GuestCard).options(
        selectinload(GuestCard.items), selectinload(GuestCard.template)
    )


def _page(
    session: Session, wanted: sa.Select[GuestCard], after_id: int | None, limit: int
) -> Sequence[GuestCard]:
    if after_id is not None:
        wanted = wanted.where(GuestCard.id < after_id)
    return session.scalars(wanted.order_by(GuestCard.id.desc()).limit(limit)).all()
