"""Guest cards of the demo: two kinds, some on their way, claimed, booked and used."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.catalog.models import Product, ProductKind
from app.counter.duty import duty_of
from app.guest_cards import booking, claiming, redeeming, sharing, templates
from app.guest_cards.claiming import Friend
from app.guest_cards.models import CardTemplate, GuestCard
from app.guest_cards.templates import TemplateSpec
from app.kernel.audit import SYSTEM, Actor
from app.kernel.clock import business_day
from app.kernel.db import atomic, database_now
from app.kernel.errors import DomainError
from app.kernel.secrecy import vault
from app.members.models import ConsentPurpose, Distributor, Member
from app.members.profiles import put_consent
from app.members.states import Standing
from app.stores.models import Staff, Store

GIVERS: Final = 8
FRIENDS: Final = 60
CLAIMED: Final = 14
TRIES: Final = 6
USED: Final = 8
BOOKED: Final = 3


def load_guest_cards() -> Iterator[str]:
    """Set up cards and let people give, claim, book and use some, once; yield what to tell."""
    now = database_now()
    with atomic() as session:
        if session.scalar(sa.select(CardTemplate.id).limit(1)) is not None:
            return
        ids = [one.id for one in _kinds(session, now=now)]
        givers = session.scalars(
            sa.select(Distributor.member_id)
            .where(Distributor.standing == Standing.ACTIVE)
            .order_by(Distributor.member_id)
            .limit(GIVERS)
        ).all()
        friends = session.scalars(
            sa.select(Member.id)
            .where(Member.deleted_at.is_(None))
            .order_by(Member.id.desc())
            .limit(FRIENDS)
        ).all()
        _give_phones(session, friends, now=now)
    shared = [_share(giver_id, key, now) for giver_id in givers for key in ids * 2]
    tokens = [token for token in shared if token is not None]
    claimed = _claim(tokens[: 2 * len(tokens) // 3], list(friends), now)
    booked = sum(_book(card_id, now) for card_id in claimed[:BOOKED])
    used = sum(_use(card_id, now) for card_id in claimed[BOOKED : BOOKED + USED])
    yield (
        f"Guest cards: {len(tokens)} shared, {len(claimed)} claimed, {used} used, {booked} booked."
    )


def _give_phones(session: Session, member_ids: Sequence[int], *, now: datetime) -> None:
    """Let friends who have none give a phone number: cards are claimed with one."""
    version = settings().consent_version
    for number, member_id in enumerate(member_ids):
        member = session.get_one(Member, member_id)
        if member.phone_hash is None:
            put_consent(session, member_id, ConsentPurpose.PHONE, version, now=now)
            phone = f"+86199{number:08d}"
            member.phone_sealed = vault().seal(phone)
            member.phone_hash = vault().look_up("phone", phone)


def _kinds(session: Session, *, now: datetime) -> list[CardTemplate]:
    services = session.scalars(
        sa.select(Product.id)
        .where(Product.kind == ProductKind.SERVICE, Product.is_published)
        .order_by(Product.price_fen, Product.id)
        .limit(2)
    ).all()
    specs = [
        TemplateSpec(
            name="新客体验卡",
            description="送给第一次到店的朋友，三次护理体验，需提前预约。",
            face_value_fen=19_800,
            cost_fen=3_500,
            settle_price_fen=6_000,
            services={services[0]: 3},
            valid_days=90,
            slot_minutes=60,
            slot_capacity=2,
            reward_points=100,
            quotas={level: 4 + 2 * level for level in range(1, 6)},
        ),
        TemplateSpec(
            name="闺蜜同行卡",
            description="老朋友也能用，和闺蜜一起来，一次护理。",
            face_value_fen=9_900,
            cost_fen=2_000,
            settle_price_fen=3_000,
            services={services[-1]: 1},
            valid_days=30,
            is_new_only=False,
            quotas={level: 2 + level for level in range(1, 6)},
        ),
    ]
    return [
        templates.create_template(session, spec, scope=None, actor=SYSTEM, now=now)
        for spec in specs
    ]


def _share(giver_id: int, template_id: int, now: datetime) -> str | None:
    try:
        with atomic() as session:
            card = sharing.share(
                session,
                giver_id=giver_id,
                template_id=template_id,
                settings=settings(),
                now=now,
            )
            return card.token
    except DomainError:
        return None


def _claim(tokens: list[str], friends: list[int], now: datetime) -> list[int]:
    """Let friends open the links, one after the other; whoever may not tries the next."""
    claimed: list[int] = []
    for token in tokens:
        for member_id in friends[-TRIES:] if len(claimed) < CLAIMED else ():
            friend = Friend(member_id=member_id, device_id=f"demo-{member_id}", ip=None)
            try:
                with atomic() as session:
                    card = claiming.claim(
                        session, token, friend=friend, settings=settings(), now=now
                    )
                    claimed.append(card.id)
                friends.remove(member_id)
                break
            except DomainError:
                continue
    return claimed


def _use(card_id: int, now: datetime) -> bool:
    """Use a card once, by staff who may, in the first store of theirs where it is good."""
    with atomic() as session:
        card = session.get_one(GuestCard, card_id)
        item = redeeming.usable_of(session, card.member_id or 0, store_ids=None, now=now)
        people = session.scalars(sa.select(Staff.id).order_by(Staff.id.desc())).all()
        stores = session.scalars(sa.select(Store.id).order_by(Store.id)).all()
        places = [
            (staff_id, store_id)
            for staff_id in people
            for duty in [duty_of(session, Actor("staff", staff_id), now=now)]
            if duty is not None
            for store_id in stores
            if duty.covers(store_id)
        ]
    place = places[card_id % len(places)] if places else None
    if place is None or not item:
        return False
    try:
        with atomic() as session:
            redeeming.redeem(
                session,
                item[0].id,
                code=None,
                store_id=place[1],
                actor=Actor("staff", place[0]),
                now=now,
            )
    except DomainError:
        return False
    return True


def _book(card_id: int, now: datetime) -> bool:
    """Book the first time of tomorrow that some store offers."""
    with atomic() as session:
        card = booking.lock_card(session, card_id)
        for store_id in session.scalars(sa.select(Store.id).order_by(Store.id)).all():
            try:
                with session.begin_nested():
                    offers = booking.offered(
                        session,
                        card,
                        store_id=store_id,
                        day=business_day(now) + timedelta(days=1),
                        settings=settings(),
                        now=now,
                    )
                    booking.book(
                        session,
                        card_id,
                        member_id=card.member_id or 0,
                        store_id=store_id,
                        from_at=offers[0].slot.from_at,
                        settings=settings(),
                        now=now,
                    )
            except (DomainError, IndexError):
                continue
            return True
    return False
