"""Using a card at the counter: each time once, with who, where and when (B31, B33).

A code names one service of a card. The card's row is locked, so that one card at two tills is used
as often as it grants, and not once more. Nobody redeems their own card or one that they gave.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.counter import codes
from app.counter.codes import PickupCode
from app.counter.duty import Duty, duty_of
from app.counter.errors import PickupCodeInvalid
from app.counter.redeemable import Redeemable
from app.guest_cards.booking import end_booking, live_booking, lock_card
from app.guest_cards.errors import (
    CardExpired,
    CardNotFound,
    CardNotInState,
    NothingLeft,
    OwnCardUse,
)
from app.guest_cards.models import CardItem, CardUse, GuestCard
from app.guest_cards.queries import own_card
from app.guest_cards.states import HELD, BookingState, CardEvent
from app.kernel.audit import Actor, Change, Subject, record
from app.kernel.clock import SHANGHAI, business_day
from app.kernel.outbox import emit

KIND: Final = "card"
NUMBER_MAX: Final = 18
"""Digits of a row's number."""


def show_code(
    session: Session, card_id: int, item_id: int | None, *, member_id: int, now: datetime
) -> PickupCode:
    """Make the code that lets staff redeem one service of one's own card.

    Without an item it is the first of which something is left. Raises `CardNotFound`,
    `CardNotInState`, `CardExpired`, `NothingLeft`.
    """
    card = own_card(session, card_id, member_id=member_id)
    items = [one for one in card.items if one.id == item_id or item_id is None]
    if not items:
        raise CardNotFound
    item = next((one for one in items if one.remaining), items[0])
    _require_usable(card, item, now=now)
    return codes.show(f"{KIND}:{item.id}", member_id=member_id, now=now)


def item_of(text: str) -> int:
    """Return which service of a card a code names; nothing is proven yet.

    Raises `PickupCodeInvalid`.
    """
    kind, _, number = codes.read(text).subject.partition(":")
    if kind != KIND or not number.isascii() or not number.isdigit() or len(number) > NUMBER_MAX:
        raise PickupCodeInvalid
    return int(number)


def look(
    session: Session, subject_id: int, *, store_ids: Collection[int] | None, now: datetime
) -> Redeemable:
    """Return what can be used of one service of a card in some stores; None stands for all.

    A card that is good at none of them is the same as none. Raises `CardNotFound`.
    """
    card, item = _found(session, subject_id)
    if store_ids is not None and not any(card.is_good_at(one) for one in store_ids):
        raise CardNotFound
    return _shown(card, item, now=now)


def redeem(
    session: Session,
    subject_id: int,
    *,
    code: str | None,
    store_id: int,
    actor: Actor,
    now: datetime,
) -> Redeemable:
    """Use a service of a card once. Without a code it is the staff's word alone.

    Raises `CardNotFound`, also for a foreign store's, `OwnCardUse`, `CardNotInState`,
    `CardExpired`, `NothingLeft`, and what `codes.spend` raises.
    """
    card, item = _locked(session, subject_id)
    duty = _duty(session, card, store_id=store_id, actor=actor, now=now)
    _require_usable(card, item, now=now)
    assert card.member_id is not None, "a card that can be used belongs to somebody"
    if code is not None:
        shown = codes.read(code)
        if shown.subject != f"{KIND}:{item.id}":
            raise PickupCodeInvalid
        codes.spend(session, shown, member_id=card.member_id, actor=actor, now=now)
    item.remaining, item.used = item.remaining - 1, item.used + 1
    _write_use(session, card, item, duty, store_id=store_id, is_by_code=code is not None, now=now)
    _end_booking(session, card, store_id=store_id, actor=actor, now=now)
    is_over = all(one.remaining == 0 for one in card.items)
    card.advance(CardEvent.USE_UP if is_over else CardEvent.USE, now=now, actor=str(actor))
    card.first_used_at = card.first_used_at or now
    card.over_at = now if is_over else None
    session.flush()
    emit(session, "guest_card_used", card.id, now=now)
    after = {"item": item.title, "left": item.remaining, "by_code": code is not None}
    subject = Subject("guest_card", card.id, store_id)
    record(session, actor, "guest_card_redeemed", subject, Change(after=after), now=now)
    return _shown(card, item, now=now)


def usable_of(
    session: Session, member_id: int, *, store_ids: Collection[int] | None, now: datetime
) -> list[Redeemable]:
    """Return what somebody can use of their cards in some stores, the first to run out first."""
    found = session.scalars(
        sa.select(GuestCard)
        .where(
            GuestCard.member_id == member_id,
            GuestCard.state.in_(HELD),
            GuestCard.expires_at > now,
        )
        .options(selectinload(GuestCard.items))
        .order_by(GuestCard.expires_at, GuestCard.id)
    )
    return [
        _shown(card, item, now=now)
        for card in found
        if store_ids is None or any(card.is_good_at(one) for one in store_ids)
        for item in card.items
        if item.remaining
    ]


def _found(session: Session, item_id: int) -> tuple[GuestCard, CardItem]:
    item = session.get(CardItem, item_id)
    card = None if item is None else session.get(GuestCard, item.card_id)
    if item is None or card is None or card.member_id is None:
        raise CardNotFound
    return card, item


def _locked(session: Session, item_id: int) -> tuple[GuestCard, CardItem]:
    card_id = session.scalar(sa.select(CardItem.card_id).where(CardItem.id == item_id))
    if card_id is None:
        raise CardNotFound
    card = lock_card(session, card_id)
    item = next((one for one in card.items if one.id == item_id), None)
    if item is None or card.member_id is None:
        raise CardNotFound
    return card, item


def _duty(session: Session, card: GuestCard, *, store_id: int, actor: Actor, now: datetime) -> Duty:
    """Return who redeems, with what they are allowed, or raise where they may not."""
    duty = duty_of(session, actor, now=now)
    if duty is None or not duty.covers(store_id) or not card.is_good_at(store_id):
        raise CardNotFound
    if duty.is_one_of({card.member_id, card.giver_id}):
        raise OwnCardUse
    return duty


def _require_usable(card: GuestCard, item: CardItem, *, now: datetime) -> None:
    if card.state not in HELD:
        raise CardNotInState(card.state, CardEvent.USE)
    if card.expires_at is not None and card.expires_at <= now:
        raise CardExpired
    if item.remaining == 0:
        raise NothingLeft


def _write_use(  # noqa: PLR0913 - one row
    session: Session,
    card: GuestCard,
    item: CardItem,
    duty: Duty,
    *,
    store_id: int,
    is_by_code: bool,
    now: datetime,
) -> None:
    is_elsewhere = card.giver_store_id is not None and card.giver_store_id != store_id
    owes = is_elsewhere and card.settle_price_fen > 0
    session.add(
        CardUse(
            item_id=item.id,
            number=item.used,
            card_id=card.id,
            member_id=card.member_id,
            store_id=store_id,
            staff_id=duty.staff_id,
            staff_member_id=duty.member_id,
            store_ids=None if duty.store_ids is None else list(duty.store_ids),
            is_by_code=is_by_code,
            cost_fen=card.cost_fen,
            payer_store_id=card.giver_store_id if owes else None,
            settle_fen=card.settle_price_fen if owes else 0,
            at=now,
        )
    )


def _end_booking(
    session: Session, card: GuestCard, *, store_id: int, actor: Actor, now: datetime
) -> None:
    """End the card's booking with the use: kept, where it was for this store and day."""
    booking = live_booking(session, card.id)
    if booking is None:
        return
    is_kept = booking.store_id == store_id and business_day(booking.from_at) == business_day(now)
    state = BookingState.KEPT if is_kept else BookingState.CANCELLED
    end_booking(session, booking, state, actor=str(actor), now=now)


def _shown(card: GuestCard, item: CardItem, *, now: datetime) -> Redeemable:
    assert card.member_id is not None, "only what somebody has is shown at the counter"
    assert card.expires_at is not None, "it came with an end when it was claimed"
    is_usable = card.state in HELD and card.expires_at > now
    return Redeemable(
        kind=KIND,
        id=item.id,
        title=f"{card.title} · {item.title}",
        member_id=card.member_id,
        left=item.remaining if is_usable else 0,
        detail=f"{item.used}/{item.granted} · {card.expires_at.astimezone(SHANGHAI):%Y-%m-%d}",
    )
