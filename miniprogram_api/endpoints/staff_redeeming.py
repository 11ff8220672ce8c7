"""Staff mode at the counter: whatever a customer's code stands for, and who booked for today.

What a code is for is the word it begins with. Each kind of thing brings a `look` and a `redeem` of
its own; this is the one place that knows them all.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final, Protocol, Self

from pydantic import Field
from sqlalchemy.orm import Session

from app.activities import prizes
from app.counter import codes
from app.counter.errors import PickupCodeInvalid
from app.counter.redeemable import Redeemable
from app.coupons import redeeming as coupons
from app.guest_cards import booking, queries
from app.guest_cards import redeeming as guest_cards
from app.guest_cards.models import CardBooking, GuestCard
from app.guest_cards.states import BookingState
from app.kernel.audit import Actor
from app.kernel.clock import business_day, day_begins_at, next_day_begins_at, utc_now
from app.kernel.db import db
from app.kernel.secrecy import mask_phone, vault
from app.members.models import Member
from app.points import redeeming as gifts
from app.stores import finding, staff_mode
from app.stores.permissions import Permission
from app.stores.staff_mode import OnDuty
from miniprogram_api import keyed
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import caller
from miniprogram_api.endpoints.staff import CODE_SHOWN, BuyerView, PickupCodeText
from miniprogram_api.fields import Body, Query, RowId, View, example
from miniprogram_api.keyed import Kept
from miniprogram_api.routing import Group
from miniprogram_api.tracing import request_id

group = Group("staff-redeeming", about="Staff mode: redeeming what customers show.")

SHOWN: Final = CODE_SHOWN.replace("order:T20260301K3J9X0QW7RT2MN5B", "card:44")
BOOKINGS_MAX: Final = 200
NUMBER_MAX: Final = 18
"""Digits of a row's number."""


class Look(Protocol):
    """Tells what something is, without using it up."""

    def __call__(
        self,
        session: Session,
        subject_id: int,
        *,
        store_ids: Collection[int] | None,
        now: datetime,
    ) -> Redeemable:
        """Return what it is for staff of these stores; None stands for all."""


class Redeem(Protocol):
    """Uses something up."""

    def __call__(
        self,
        session: Session,
        subject_id: int,
        *,
        code: str,
        store_id: int,
        actor: Actor,
        now: datetime,
    ) -> Redeemable:
        """Return what is left of it, the code being spent."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be done with one kind of thing."""

    look: Look
    redeem: Redeem


KINDS: Final[Mapping[str, Kind]] = {
    "card": Kind(guest_cards.look, guest_cards.redeem),
    "coupon": Kind(coupons.look, coupons.redeem),
    "gift": Kind(gifts.look, gifts.redeem),
    "prize": Kind(prizes.look, prizes.redeem),
}
"""By the word that a code begins with."""


class LookRequest(Body):
    """What the customer's phone shows, as it was scanned."""

    model_config = Body.model_config | example({"code": SHOWN})

    code: PickupCodeText


class RedeemRequest(Body):
    """What the customer's phone shows, and at which of the caller's stores."""

    model_config = Body.model_config | example({"code": SHOWN, "store_id": 1})

    code: PickupCodeText
    store_id: RowId


class RedeemableView(View):
    """What a code stands for, and whose it is; the phone number is masked."""

    kind: str
    id: int
    title: str
    left: int
    detail: str
    customer: BuyerView

    @classmethod
    def of(cls, session: Session, found: Redeemable) -> Self:
        """Show a redeemable."""
        return cls(
            kind=found.kind,
            id=found.id,
            title=found.title,
            left=found.left,
            detail=found.detail,
            customer=_customer(session, found.member_id),
        )


class BookedView(View):
    """A booking at a store, and who comes."""

    id: int
    title: str
    from_at: datetime
    until_at: datetime
    state: BookingState
    customer: BuyerView

    @classmethod
    def of(cls, session: Session, row: CardBooking) -> Self:
        """Show a booking."""
        return cls(
            id=row.id,
            title=session.get_one(GuestCard, row.card_id).title,
            from_at=row.from_at,
            until_at=row.until_at,
            state=row.state,
            customer=_customer(session, row.member_id),
        )


class BookingsView(View):
    """The bookings of a day, in order."""

    items: list[BookedView]


class DayQuery(Query):
    """A day of the shops' calendar; today where none is named."""

    day: Annotated[date | None, Field(ge=date(2020, 1, 1), le=date(2100, 1, 1))] = None


@group.operation("POST", "/staff/redemptions/look")
def look_up_redeemable(body: LookRequest) -> RedeemableView:
    """Find what a customer's code is for. The code is not used up by it."""
    now, who = moment(), caller()

    def act(session: Session) -> RedeemableView:
        duty = _on_duty(session, Permission.REDEEM, member_id=who.member_id, now=now)
        kind, subject_id = _subject(body.code)
        found = kind.look(session, subject_id, store_ids=duty.store_ids, now=now)
        codes.verify(codes.read(body.code), member_id=found.member_id, now=now)
        return RedeemableView.of(session, found)

    return at_once(act)


@group.operation("POST", "/staff/redemptions")
def redeem(body: RedeemRequest) -> Kept[RedeemableView]:
    """Redeem what a customer's code is for, at one of the caller's stores.

    The code is used up with it. Nobody redeems what is their own.
    """
    now, who, request_number = moment(), caller(), request_id()

    def act(session: Session) -> RedeemableView:
        duty = _on_duty(session, Permission.REDEEM, member_id=who.member_id, now=now)
        duty.require_store(body.store_id)
        kind, subject_id = _subject(body.code)
        done = kind.redeem(
            session,
            subject_id,
            code=body.code,
            store_id=body.store_id,
            actor=duty.actor(request_number),
            now=now,
        )
        return RedeemableView.of(session, done)

    return keyed.once(act, body, now=now)


@group.operation("GET", "/staff/stores/<id:store_id>/bookings")
def list_store_bookings(store_id: int, query: DayQuery) -> BookingsView:
    """List who booked at one of the caller's stores for a day, in order."""
    session, now = db.session(), utc_now()
    duty = _on_duty(session, Permission.CARDS_VIEW, member_id=caller().member_id, now=now)
    duty.require_store(store_id)
    finding.store(session, store_id)
    begins_at = day_begins_at(query.day or business_day(now))
    rows = queries.bookings_between(
        session,
        store_id=store_id,
        from_at=begins_at,
        until_at=next_day_begins_at(begins_at),
        limit=BOOKINGS_MAX,
    )
    return BookingsView(items=[BookedView.of(session, row) for row in rows])


@group.operation("POST", "/staff/bookings/<id:card_booking_id>/no-show")
def miss_booking(card_booking_id: int) -> BookedView:
    """Note that somebody did not come, once their time has begun."""
    now, who, request_number = moment(), caller(), request_id()

    def act(session: Session) -> BookedView:
        duty = _on_duty(session, Permission.REDEEM, member_id=who.member_id, now=now)
        row = booking.miss(
            session,
            card_booking_id,
            store_ids=duty.store_ids,
            actor=duty.actor(request_number),
            now=now,
        )
        return BookedView.of(session, row)

    return at_once(act)


def _subject(text: str) -> tuple[Kind, int]:
    """Return what can be done with what a code names, and its number."""
    word, _, number = codes.read(text).subject.partition(":")
    kind = KINDS.get(word)
    if kind is None or not number.isascii() or not number.isdigit() or len(number) > NUMBER_MAX:
        raise PickupCodeInvalid
    return kind, int(number)


def _on_duty(session: Session, permission: Permission, *, member_id: int, now: datetime) -> OnDuty:
    """Return as whom the caller works, or raise where they do not, or may not do this."""
    duty = staff_mode.on_duty(session, member_id, now=now)
    duty.require(permission)
    return duty


def _customer(session: Session, member_id: int) -> BuyerView:
    found = session.get_one(Member, member_id)
    phone = mask_phone(vault().open(found.phone_sealed)) if found.phone_sealed else None
    return BuyerView(nickname=found.nickname, phone=phone)
