"""Who has their data erased and comes back is no new customer, for a while."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.guest_cards import claiming
from app.guest_cards.errors import CardHadBefore, DeviceCardsUsedUp, NotANewCustomer
from app.guest_cards.models import GuestCard
from app.kernel.audit import SYSTEM
from app.kernel.db import Base, database_now
from app.members import former, profiles
from app.members import services as members
from app.members.former import CardsHad, FormerCustomer
from app.members.models import Member
from app.orders.states import OrderState
from app.privacy import services
from app.privacy.services import Wish
from app.privacy.states import RequestKind
from app.settings import Settings
from scripts.sandbox.client import SandboxClient
from tests.factories.guest_cards import (
    claimed_card,
    friend_of,
    make_friend,
    make_template,
    shared_card,
    used,
)
from tests.factories.orders import make_order
from tests.factories.people import NOON, make_member, make_store

PHONE = "+8613800001111"
DAY = timedelta(days=1)
LATER = NOON + timedelta(hours=1)


def erase(session: Session, settings: Settings, member: Member) -> None:
    wish = Wish(member.id, RequestKind.ERASURE)
    asked_at = NOON - timedelta(seconds=settings.privacy_cooling_seconds)
    row = services.ask(session, wish, actor=SYSTEM, settings=settings, now=asked_at)
    assert services.carry_out(session, row.id, settings=settings, now=NOON) is not None
    session.refresh(member)
    assert member.deleted_at == NOON


def test_a_customer_who_returns_with_the_same_account_or_number_has_bought_before(
    session: Session, settings: Settings
) -> None:
    gone = make_member(session, openid="same", unionid="union", phone=PHONE, first_paid_at=NOON)
    make_order(session, member=gone, state=OrderState.SETTLED)
    bought_at = gone.first_paid_at
    erase(session, settings, gone)
    back = [
        make_member(session, openid="same"),
        make_member(session, phone=PHONE),
        make_member(session, unionid="union"),
    ]
    stranger = make_friend(session)

    found = [former.recognise(session, one, now=NOON + DAY) for one in [*back, stranger]]

    assert found == [True, True, True, False]
    assert [one.first_paid_at for one in [*back, stranger]] == [bought_at] * 3 + [None]


def test_what_is_kept_says_nothing_and_matches_nothing_else(
    session: Session, settings: Settings
) -> None:
    gone = make_member(session, phone=PHONE, device="phone", first_paid_at=NOON)
    openid, phone_hash = gone.wechat_openid, gone.phone_hash

    erase(session, settings, gone)

    everything = "\n".join(
        str(row)
        for table in Base.metadata.sorted_tables
        for row in session.execute(sa.select(table))
    )
    assert len(session.scalars(sa.select(FormerCustomer)).all()) == 2
    assert openid not in everything
    assert str(phone_hash) not in everything


def test_a_guest_card_is_not_had_twice_by_erasing_oneself(
    session: Session, settings: Settings
) -> None:
    template = make_template(session, is_new_only=False, uses=2)
    friend = make_friend(session, phone=PHONE)
    card = claimed_card(session, settings, template=template, member=friend)
    used(session, card, make_store(session))
    erase(session, settings, friend)
    again = make_member(session, phone=PHONE)

    for other, error in ((template, CardHadBefore), (make_template(session), NotANewCustomer)):
        shared = shared_card(session, settings, template=other)
        with pytest.raises(error), session.begin_nested():
            claiming.claim(
                session, shared.token, friend=friend_of(again), settings=settings, now=LATER
            )
        assert session.get_one(GuestCard, shared.id).member_id is None


def test_cards_claimed_with_a_device_count_although_who_claimed_them_is_erased(
    session: Session, settings: Settings
) -> None:
    for _ in range(settings.card_claims_per_device):
        friend = make_friend(session)
        shared = shared_card(session, settings)
        told = friend_of(friend, "one phone for all")
        claiming.claim(session, shared.token, friend=told, settings=settings, now=NOON)
        erase(session, settings, friend)
    shared = shared_card(session, settings)

    with pytest.raises(DeviceCardsUsedUp):
        claiming.claim(
            session,
            shared.token,
            friend=friend_of(make_friend(session), "one phone for all"),
            settings=settings,
            now=LATER,
        )


@pytest.mark.parametrize(("seconds", "bought"), [(0, True), (86_400, False)])
def test_nothing_is_kept_where_the_brand_wants_none_or_nothing_was_had(
    session: Session, settings: Settings, seconds: int, bought: bool
) -> None:
    member = make_member(session, phone=PHONE, first_paid_at=NOON if bought else None)

    erase(session, replace(settings, former_customer_seconds=seconds), member)

    assert session.scalars(sa.select(FormerCustomer)).all() == []


def test_nobody_is_recognised_after_the_time_and_the_marks_go(
    session: Session, settings: Settings
) -> None:
    gone = make_member(session, phone=PHONE, first_paid_at=NOON)
    erase(session, settings, gone)
    over = NOON + timedelta(seconds=settings.former_customer_seconds)
    back = make_member(session, phone=PHONE)

    assert not former.recognise(session, back, now=over)
    assert back.first_paid_at is None

    assert former.forget(session, now=over - timedelta(seconds=1)) == 0
    assert former.forget(session, now=over) == 2


def test_signing_in_again_and_giving_the_number_again_bring_it_back(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    until_at, openid = database_now() + DAY, sandbox.user()
    other = sandbox.user(phone="13900007777")
    by_account = make_member(session, openid=openid, first_paid_at=NOON)
    by_number = make_member(session, phone="+8613900007777", first_paid_at=NOON - DAY)
    for gone in (by_account, by_number):
        former.remember(session, gone, CardsHad(claims={}), until_at=until_at, now=now)
        gone.wechat_openid, gone.phone_sealed, gone.phone_hash = f"erased:{gone.id}", None, None
    session.commit()

    ids = [
        members.sign_in(
            code=sandbox.login_code(one),
            consent_version="2026-11",
            device_id=None,
            device_name="",
            ip="203.0.113.7",
            settings=settings,
            now=now,
        ).member_id
        for one in (openid, other)
    ]
    session.expire_all()
    assert [session.get_one(Member, one).first_paid_at for one in ids] == [NOON, None]

    code = sandbox.phone_code(other)
    profiles.set_phone(ids[1], code=code, consent_version="2026-11", now=now)

    session.expire_all()
    assert session.get_one(Member, ids[1]).first_paid_at == NOON - DAY
