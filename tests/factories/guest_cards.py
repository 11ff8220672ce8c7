"""Templates of guest cards and cards at each stage of their lives, made by the services."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from app.catalog.models import ProductKind
from app.guest_cards import booking, claiming, redeeming, sharing, templates
from app.guest_cards.claiming import Friend
from app.guest_cards.models import CardBooking, CardSlot, CardTemplate, GuestCard
from app.guest_cards.states import BookingState, CardEvent
from app.guest_cards.templates import TemplateSpec
from app.kernel.audit import SYSTEM, Actor
from app.kernel.secrecy import vault
from app.members.models import Distributor, Member
from app.settings import Settings
from app.stores.hours import WEEKDAYS, parse_week
from app.stores.models import Staff, Store
from tests.factories.orders import make_product
from tests.factories.people import NOON, make_distributor, make_member, make_staff

ALWAYS = parse_week(dict.fromkeys(WEEKDAYS, "10:00-20:00"))
_numbers = count(1)


def make_template(
    session: Session,
    *,
    store: Store | None = None,
    uses: int = 1,
    quota: int = 5,
    now: datetime = NOON - timedelta(days=60),
    **facts: Any,
) -> CardTemplate:
    """A kind of card for one service, that level 1 may give; booked hourly for two at a time."""
    service = make_product(session, kind=ProductKind.SERVICE, title="面部护理", price_fen=19_800)
    said: dict[str, Any] = {
        "name": f"体验卡 {next(_numbers)}",
        "face_value_fen": 19_800,
        "services": {service.id: uses},
        "valid_days": 90,
        "cost_fen": 3_000,
        "settle_price_fen": 5_000,
        "store_ids": None if store is None else (store.id,),
        "slot_minutes": 60,
        "slot_capacity": 2,
        "quotas": {1: quota},
    }
    spec = TemplateSpec(**(said | facts))
    return templates.create_template(session, spec, scope=None, actor=SYSTEM, now=now)


def open_hours(session: Session, store: Store) -> Store:
    """Open a store from ten to eight, every day."""
    store.opening_hours = ALWAYS.document()
    session.flush()
    return store


def make_friend(session: Session, **facts: Any) -> Member:
    """Somebody new with a phone number of their own."""
    number = next(_numbers)
    return make_member(session, **({"phone": f"+86139{number:08d}"} | facts))


def friend_of(member: Member, device: str | None = None) -> Friend:
    """The same as whoever claims, with a device of their own unless one is named."""
    return Friend(member_id=member.id, device_id=device or f"device-{member.id}", ip="192.0.2.7")


def shared_card(
    session: Session,
    settings: Settings,
    *,
    giver: Distributor | None = None,
    template: CardTemplate | None = None,
    now: datetime = NOON,
) -> GuestCard:
    """A card on its way to a friend."""
    giver = giver or make_distributor(session)
    template = template or make_template(session)
    return sharing.share(
        session, giver_id=giver.member_id, template_id=template.id, settings=settings, now=now
    )


def claimed_card(
    session: Session,
    settings: Settings,
    *,
    member: Member | None = None,
    now: datetime = NOON,
    **facts: Any,
) -> GuestCard:
    """A card that a friend has claimed."""
    card = shared_card(session, settings, now=now, **facts)
    friend = friend_of(member or make_friend(session))
    return claiming.claim(session, card.token, friend=friend, settings=settings, now=now)


def booked(
    session: Session,
    settings: Settings,
    card: GuestCard,
    store: Store,
    *,
    from_at: datetime,
    now: datetime = NOON,
) -> CardBooking:
    """A time booked with a card."""
    assert card.member_id is not None
    return booking.book(
        session,
        card.id,
        member_id=card.member_id,
        store_id=store.id,
        from_at=from_at,
        settings=settings,
        now=now,
    )


def used(
    session: Session,
    card: GuestCard,
    store: Store,
    *,
    staff: Staff | None = None,
    now: datetime = NOON,
) -> GuestCard:
    """A card of which a time was used at a store, by the staff's word."""
    staff = staff or make_staff(session, "front_desk", stores=[store])
    actor = Actor("staff", staff.id)
    item = next(one for one in card.items if one.remaining)
    redeeming.redeem(session, item.id, code=None, store_id=store.id, actor=actor, now=now)
    return card


def card_of(session: Session, settings: Settings, member: Member) -> GuestCard:
    """A card that somebody claimed who may have bought here before."""
    template = make_template(session, is_new_only=False)
    return claimed_card(session, settings, member=member, template=template)


def give_phone(session: Session, member: Member) -> Member:
    """Let somebody who has none give a phone number."""
    if member.phone_hash is None:
        phone = f"+86138{next(_numbers):08d}"
        member.phone_sealed = vault().seal(phone)
        member.phone_hash = vault().look_up("phone", phone)
        session.flush()
    return member


def missable_booking(
    session: Session, card: GuestCard, store: Store, *, now: datetime
) -> CardBooking:
    """A booking of a card whose time has just begun."""
    row = CardBooking(
        card_id=card.id,
        template_id=card.template_id,
        member_id=card.member_id,
        store_id=store.id,
        from_at=now - timedelta(minutes=5),
        until_at=now + timedelta(minutes=55),
        state=BookingState.BOOKED,
        booked_at=now - timedelta(minutes=5),
    )
    slot = CardSlot(template_id=card.template_id, store_id=store.id, from_at=row.from_at, taken=1)
    session.add_all([row, slot])
    card.advance(CardEvent.BOOK, now=now, actor=f"member:{card.member_id}")
    session.flush()
    return row
