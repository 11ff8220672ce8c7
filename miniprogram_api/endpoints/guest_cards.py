"""Guest cards in the hands of friends: claimed, booked, shown at the counter.

A card on its way is named by a token that nobody can guess; tokens that name none are counted.
"""

from datetime import date, datetime
from typing import Annotated, Any, Final, Self

from flask import request
from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from app.access import settings
from app.attribution.guessing import counting_misses
from app.guest_cards import booking, claiming, queries, redeeming
from app.guest_cards.claiming import CARD_TOKENS, Friend
from app.guest_cards.models import CardBooking, CardItem, GuestCard
from app.guest_cards.states import BookingState, CardState
from app.kernel.clock import business_day, utc_now
from app.kernel.db import db
from miniprogram_api import keyed
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.endpoints.orders import PickupCodeView
from miniprogram_api.fields import Body, Query, RowId, View, example
from miniprogram_api.keyed import Kept
from miniprogram_api.limits import Limit
from miniprogram_api.routing import Group

group = Group("guest-cards", about="Guest cards that friends gave: claimed, booked and shown.")

CARD: Final[dict[str, Any]] = {
    "id": 31,
    "title": "面部护理体验卡",
    "state": "claimed",
    "face_value_fen": 19_800,
    "store_ids": [1],
    "items": [{"id": 44, "title": "面部护理", "granted": 3, "left": 2}],
    "shared_at": "2026-03-01T12:00:00Z",
    "share_until_at": "2026-03-02T12:00:00Z",
    "claimed_at": "2026-03-01T13:00:00Z",
    "expires_at": "2026-05-30T13:00:00Z",
}


class ClaimRequest(Body):
    """From which device a card is claimed."""

    model_config = Body.model_config | example({"device_id": "f0c1d7aa52"})

    device_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z_.:\-]{4,64}$")]


class BookingRequest(Body):
    """Where and when the customer comes: the beginning of a time that is offered."""

    model_config = Body.model_config | example({"store_id": 1, "from_at": "2026-03-02T02:00:00Z"})

    store_id: RowId
    from_at: AwareDatetime


class CardCodeRequest(Body):
    """Which service of the card is to be redeemed; the first one left where none is named."""

    model_config = Body.model_config | example({"item_id": None})

    item_id: RowId | None = None


class SlotsQuery(Query):
    """A day of the shops' calendar such as 2026-03-02; today where none is named."""

    day: Annotated[date | None, Field(ge=date(2020, 1, 1), le=date(2100, 1, 1))] = None


class ItemView(View):
    """A service of a card."""

    id: int
    title: str
    granted: int
    left: int

    @classmethod
    def of(cls, item: CardItem) -> Self:
        """Show an item."""
        return cls(id=item.id, title=item.title, granted=item.granted, left=item.remaining)


class SharedCardView(View):
    """A card that waits to be claimed, as whoever has the link sees it."""

    title: str
    description: str
    state: CardState
    face_value_fen: int
    store_ids: list[int] | None
    items: list[ItemView]
    valid_days: int
    is_new_only: bool
    share_until_at: datetime
    is_mine: bool

    @classmethod
    def of(cls, card: GuestCard, member_id: int) -> Self:
        """Show a card whose items and template are loaded."""
        return cls(
            title=card.title,
            description=card.template.description,
            state=card.state,
            face_value_fen=card.face_value_fen,
            store_ids=card.store_ids,
            items=[ItemView.of(item) for item in card.items],
            valid_days=card.valid_days,
            is_new_only=card.is_new_only,
            share_until_at=card.share_until_at,
            is_mine=card.member_id == member_id,
        )


class BookingView(View):
    """A time at a store."""

    id: int
    store_id: int
    from_at: datetime
    until_at: datetime
    state: BookingState

    @classmethod
    def of(cls, row: CardBooking) -> Self:
        """Show a booking."""
        return cls(
            id=row.id,
            store_id=row.store_id,
            from_at=row.from_at,
            until_at=row.until_at,
            state=row.state,
        )


class CardView(View):
    """A card that the caller claimed, with the time they booked."""

    model_config = View.model_config | example(CARD | {"is_bookable": True, "booking": None})

    id: int
    title: str
    state: CardState
    face_value_fen: int
    store_ids: list[int] | None
    items: list[ItemView]
    claimed_at: datetime
    expires_at: datetime
    is_bookable: bool
    booking: BookingView | None

    @classmethod
    def of(cls, card: GuestCard, booked: CardBooking | None) -> Self:
        """Show a card whose items and template are loaded."""
        assert card.claimed_at is not None, "somebody claimed it"
        assert card.expires_at is not None, "it came with an end"
        return cls(
            id=card.id,
            title=card.title,
            state=card.state,
            face_value_fen=card.face_value_fen,
            store_ids=card.store_ids,
            items=[ItemView.of(item) for item in card.items],
            claimed_at=card.claimed_at,
            expires_at=card.expires_at,
            is_bookable=card.template.slot_minutes is not None,
            booking=None if booked is None else BookingView.of(booked),
        )


class CardsView(View):
    """A page of the caller's cards, the newest first."""

    items: list[CardView]
    next_cursor: str | None


class SlotView(View):
    """A time that can be booked, and how many places are left."""

    from_at: datetime
    until_at: datetime
    left: int


class SlotsView(View):
    """The times of a day."""

    items: list[SlotView]


@group.operation("POST", "/guest-cards/shared/<code:card_token>", limit=Limit.GUESS)
def show_shared_card(card_token: str) -> SharedCardView:
    """Look at a card by the token of its link. Unknown tokens are counted."""
    now, who, ip = moment(), caller(), request.remote_addr or None

    def act(session: Session) -> SharedCardView:
        return SharedCardView.of(claiming.by_token(session, card_token), who.member_id)

    with counting_misses(
        member_id=who.member_id, ip=ip, settings=settings(), now=now, guess=CARD_TOKENS
    ):
        return at_once(act)


@group.operation("POST", "/guest-cards/shared/<code:card_token>/claim", limit=Limit.GUESS)
def claim_card(card_token: str, body: ClaimRequest) -> Kept[CardView]:
    """Claim a card that a friend gave. The caller must have given their phone number.

    It may bind the caller to the giver, as an arrival by their share code does.
    """
    now, who, ip = moment(), caller(), request.remote_addr or None
    friend = Friend(member_id=who.member_id, device_id=body.device_id, ip=ip)

    def act(session: Session) -> CardView:
        card = claiming.claim(session, card_token, friend=friend, settings=settings(), now=now)
        return CardView.of(card, booking.live_booking(session, card.id))

    with counting_misses(
        member_id=who.member_id, ip=ip, settings=settings(), now=now, guess=CARD_TOKENS
    ):
        return keyed.once(act, body, now=now)


@group.operation("GET", "/guest-cards")
def list_cards(query: PageQuery) -> CardsView:
    """List the caller's cards, the newest first."""
    session = db.session()
    rows = queries.had_page(session, caller().member_id, after_id=query.after, limit=query.one_more)
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    booked = queries.live_bookings(session, [row.id for row in shown])
    items = [CardView.of(row, booked.get(row.id)) for row in shown]
    return CardsView(items=items, next_cursor=next_cursor)


@group.operation("GET", "/guest-cards/<id:card_id>")
def show_card(card_id: int) -> CardView:
    """Show one of the caller's cards."""
    session = db.session()
    card = queries.own_card(session, card_id, member_id=caller().member_id)
    return CardView.of(card, queries.live_bookings(session, [card.id]).get(card.id))


@group.operation("GET", "/guest-cards/<id:card_id>/stores/<id:store_id>/slots")
def list_card_slots(card_id: int, store_id: int, query: SlotsQuery) -> SlotsView:
    """List the times of a day that can be booked at a store, full ones too."""
    session, now = db.session(), utc_now()
    card = queries.own_card(session, card_id, member_id=caller().member_id)
    offers = booking.offered(
        session,
        card,
        store_id=store_id,
        day=query.day or business_day(now),
        settings=settings(),
        now=now,
    )
    items = [
        SlotView(from_at=one.slot.from_at, until_at=one.slot.until_at, left=one.left)
        for one in offers
    ]
    return SlotsView(items=items)


@group.operation("POST", "/guest-cards/<id:card_id>/bookings")
def book_card(card_id: int, body: BookingRequest) -> Kept[BookingView]:
    """Book a time at a store with one of the caller's cards."""
    now, who = moment(), caller()

    def act(session: Session) -> BookingView:
        row = booking.book(
            session,
            card_id,
            member_id=who.member_id,
            store_id=body.store_id,
            from_at=body.from_at,
            settings=settings(),
            now=now,
        )
        return BookingView.of(row)

    return keyed.once(act, body, now=now)


@group.operation("DELETE", "/guest-cards/bookings/<id:card_booking_id>")
def cancel_card_booking(card_booking_id: int) -> None:
    """Give a booking back before its time has come."""
    now, who = moment(), caller()
    at_once(
        lambda session: booking.cancel(session, card_booking_id, member_id=who.member_id, now=now)
    )


@group.operation("POST", "/guest-cards/<id:card_id>/code", status=201)
def show_card_code(card_id: int, body: CardCodeRequest) -> PickupCodeView:
    """Make a code that staff scan to redeem one service of a card.

    It lasts a minute and is good once; the page that shows it asks for a new one in time.
    """
    now, who = moment(), caller()

    def act(session: Session) -> PickupCodeView:
        code = redeeming.show_code(session, card_id, body.item_id, member_id=who.member_id, now=now)
        return PickupCodeView(code=str(code), expires_at=code.expires_at)

    return at_once(act)
