"""How cards end without being used up: not claimed, run out, revoked.

What is left of them is voided, so that used, left and voided always are what was granted (B31).
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.guest_cards.booking import end_booking, live_booking, lock_card
from app.guest_cards.models import CardQuota, GuestCard
from app.guest_cards.sharing import give_back, month_of
from app.guest_cards.states import BookingState, CardEvent, CardState
from app.kernel.audit import Actor, Change, Subject, record
from app.members.decisions import require_reason


def lapse(session: Session, *, now: datetime, limit: int) -> int:
    """End shares that nobody claimed in time; return how many, at most one batch.

    Within the month that the quota was for, the card goes back to it. After that it has expired
    with the quota.
    """
    cards = _due(
        session, GuestCard.state == CardState.SHARED, GuestCard.share_until_at, now=now, limit=limit
    )
    this_month = month_of(now)
    months = dict(
        session.execute(
            sa.select(CardQuota.id, CardQuota.month_on).where(
                CardQuota.id.in_({card.quota_id for card in cards})
            )
        ).all()
    )
    back = [card for card in cards if months[card.quota_id] == this_month]
    for card in cards:
        event = CardEvent.RETURN if months[card.quota_id] == this_month else CardEvent.EXPIRE
        _end(card, event, actor="system", now=now)
    give_back(session, [card.quota_id for card in back])
    session.flush()
    return len(cards)


def expire(session: Session, *, now: datetime, limit: int) -> int:
    """End claimed cards whose time is over; return how many, at most one batch.

    One that is booked waits until the booking is over: it is kept or missed.
    """
    cards = _due(
        session, GuestCard.state == CardState.CLAIMED, GuestCard.expires_at, now=now, limit=limit
    )
    for card in cards:
        _end(card, CardEvent.EXPIRE, actor="system", now=now)
    session.flush()
    return len(cards)


def revoke(
    session: Session, card_id: int, *, reason: str, actor: Actor, now: datetime
) -> GuestCard:
    """Take a card back for good, with a reason; what is left of it is void.

    The quota does not get it back. Raises `ReasonRequired`, `CardNotFound`, `CardNotInState`.
    """
    require_reason(reason)
    card = lock_card(session, card_id)
    before = card.state
    booking = live_booking(session, card.id)
    _end(card, CardEvent.REVOKE, actor=str(actor), reason=reason, now=now)
    if booking is not None:
        end_booking(session, booking, BookingState.CANCELLED, actor=str(actor), now=now)
    session.flush()
    change = Change(before={"state": before}, after={"state": card.state}, reason=reason)
    subject = Subject("guest_card", card.id, card.giver_store_id)
    record(session, actor, "guest_card_revoked", subject, change, now=now)
    return card


def _due(
    session: Session,
    state: sa.ColumnElement[bool],
    until: sa.orm.InstrumentedAttribute[datetime] | sa.orm.InstrumentedAttribute[datetime | None],
    *,
    now: datetime,
    limit: int,
) -> list[GuestCard]:
    """Lock due cards with their items, passing over those that somebody works on."""
    return list(
        session.scalars(
            sa.select(GuestCard)
            .where(state, until <= now)
            .order_by(until, GuestCard.id)
            .limit(limit)
            .options(selectinload(GuestCard.items))
            .with_for_update(of=GuestCard, skip_locked=True)
            .execution_options(populate_existing=True)
        )
    )


def _end(card: GuestCard, event: CardEvent, *, actor: str, now: datetime, reason: str = "") -> None:
    card.advance(event, now=now, actor=actor, reason=reason)
    card.over_at = now
    for item in card.items:
        item.remaining, item.voided = 0, item.voided + item.remaining
