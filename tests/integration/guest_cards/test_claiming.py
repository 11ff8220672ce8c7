"""A friend claims a card; who cannot, and whom the friend belongs to afterwards."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution import queries as ownership
from app.attribution import services as attribution
from app.attribution.models import Binding, ShareCode, Touch, TouchOutcome, TouchSource
from app.guest_cards import claiming, ending
from app.guest_cards.errors import (
    CardHadBefore,
    CardLapsed,
    CardPhoneRequired,
    CardsBlocked,
    CardTaken,
    CardUnknown,
    DeviceCardsUsedUp,
    HouseholdCard,
    NotANewCustomer,
    OwnCard,
)
from app.guest_cards.models import CardStep, GuestCard
from app.guest_cards.states import CardEvent, CardState
from app.kernel.audit import SYSTEM
from app.kernel.errors import DomainError
from app.kernel.outbox import OutboxEvent
from app.members.models import Member
from app.members.states import Standing
from app.settings import Settings
from tests.factories.guest_cards import (
    claimed_card,
    friend_of,
    make_friend,
    make_template,
    shared_card,
    used,
)
from tests.factories.people import (
    make_binding,
    make_distributor,
    make_member,
    make_store,
)
from tests.integration.guest_cards.test_booking import missed_twice

DAY = timedelta(days=1)


def claim(
    session: Session,
    settings: Settings,
    card: GuestCard,
    member: Member,
    now: datetime,
    device: str | None = None,
) -> GuestCard:
    return claiming.claim(
        session, card.token, friend=friend_of(member, device), settings=settings, now=now
    )


def refused(
    session: Session,
    settings: Settings,
    card: GuestCard,
    member: Member,
    now: datetime,
    error: type[DomainError],
    device: str | None = None,
) -> None:
    """Assert that a claim is refused, and that it moved nothing."""
    before = session.scalar(sa.select(sa.func.count(Touch.id)))
    with pytest.raises(error), session.begin_nested():
        claim(session, settings, card, member, now, device)
    session.refresh(card)
    assert card.member_id is None
    assert session.scalar(sa.select(sa.func.count(Touch.id))) == before
    assert session.scalars(sa.select(CardStep).where(CardStep.card_id == card.id)).all() == []


def test_a_claim_gives_the_card_and_binds_the_friend_to_the_giver(
    session: Session, settings: Settings, now: datetime
) -> None:
    giver, friend = make_distributor(session), make_friend(session)
    template = make_template(session, valid_days=30)
    card = shared_card(session, settings, giver=giver, template=template)

    claim(session, settings, card, friend, now)

    assert (card.state, card.member_id, card.is_new) == (CardState.CLAIMED, friend.id, True)
    assert (card.claimed_at, card.expires_at) == (now, now + 30 * DAY)
    assert card.touch_id is not None
    touch = session.get_one(Touch, card.touch_id)
    assert (touch.source, touch.outcome) == (TouchSource.GUEST_CARD, TouchOutcome.BOUND)
    binding = session.scalars(sa.select(Binding)).one()
    assert (binding.customer_id, binding.owner_id) == (friend.id, giver.member_id)
    assert binding.source is TouchSource.GUEST_CARD
    events = session.scalars(sa.select(OutboxEvent.name).order_by(OutboxEvent.id)).all()
    assert events == ["guest_card_claimed"]
    assert session.scalars(sa.select(CardStep.event)).all() == [CardEvent.CLAIM]


def test_the_same_friend_again_gets_the_same_card(
    session: Session, settings: Settings, now: datetime
) -> None:
    friend, card = make_friend(session), shared_card(session, settings)
    claim(session, settings, card, friend, now)

    again = claim(session, settings, card, friend, now + DAY)

    assert (again.id, again.claimed_at) == (card.id, now)
    assert len(session.scalars(sa.select(CardStep)).all()) == 1


def test_what_somebody_claimed_nobody_else_claims(
    session: Session, settings: Settings, now: datetime
) -> None:
    card = claimed_card(session, settings)

    with pytest.raises(CardTaken):
        claim(session, settings, card, make_friend(session), now)


def test_a_card_takes_a_customer_over_from_a_weaker_source(
    session: Session, settings: Settings, now: datetime
) -> None:
    giver, friend = make_distributor(session), make_friend(session)
    make_binding(session, customer=friend)

    claimed_card(session, settings, giver=giver, member=friend)

    held = ownership.binding_in_force(session, friend.id, at=now)
    assert held is not None
    assert held.owner_id == giver.member_id


def test_a_card_of_a_frozen_giver_is_good_and_binds_nobody(
    session: Session, settings: Settings, now: datetime
) -> None:
    giver, friend = make_distributor(session), make_friend(session)
    card = shared_card(session, settings, giver=giver)
    giver.standing = Standing.FROZEN
    session.flush()

    claim(session, settings, card, friend, now)

    assert card.state is CardState.CLAIMED
    assert card.touch_id is not None
    touch = session.get_one(Touch, card.touch_id)
    assert (touch.outcome, touch.reason) == (TouchOutcome.REFUSED, "owner_not_active")
    assert session.scalars(sa.select(Binding)).all() == []


@pytest.mark.parametrize(("standing", "touches"), [(Standing.ACTIVE, 1), (Standing.QUIT, 0)])
def test_a_card_whose_share_code_was_revoked_is_good_all_the_same(
    session: Session, settings: Settings, now: datetime, standing: Standing, touches: int
) -> None:
    giver, friend = make_distributor(session), make_friend(session)
    card = shared_card(session, settings, giver=giver)
    code = session.get_one(ShareCode, card.share_code_id)
    attribution.revoke_code(session, code.id, owner_id=None, actor=SYSTEM, now=now)
    giver.standing = standing
    session.flush()

    claim(session, settings, card, friend, now)

    assert card.state is CardState.CLAIMED
    assert len(session.scalars(sa.select(Touch)).all()) == touches


def test_no_card_has_a_token_that_was_made_up(
    session: Session, settings: Settings, now: datetime
) -> None:
    shared_card(session, settings)

    with pytest.raises(CardUnknown):
        claiming.by_token(session, "0" * 22)
    with pytest.raises(CardUnknown):
        claiming.claim(
            session,
            "x" * 22,
            friend=friend_of(make_friend(session)),
            settings=settings,
            now=now,
        )


def test_a_card_waits_for_a_day_even_if_no_job_has_run(
    session: Session, settings: Settings, now: datetime
) -> None:
    card, friend = shared_card(session, settings), make_friend(session)

    refused(session, settings, card, friend, now + DAY, CardLapsed)


@pytest.mark.parametrize("end", ["lapse", "revoke"])
def test_a_card_that_is_over_is_not_claimed(
    session: Session, settings: Settings, now: datetime, end: str
) -> None:
    card, friend = shared_card(session, settings), make_friend(session)
    if end == "lapse":
        ending.lapse(session, now=now + DAY, limit=1)
    else:
        ending.revoke(session, card.id, reason="mistake", actor=SYSTEM, now=now)

    with pytest.raises(CardLapsed):
        claim(session, settings, card, friend, now)

    assert card.member_id is None


def test_nobody_claims_without_a_phone_number(
    session: Session, settings: Settings, now: datetime
) -> None:
    card = shared_card(session, settings)

    refused(session, settings, card, make_member(session), now, CardPhoneRequired)


def test_nobody_claims_their_own_card(session: Session, settings: Settings, now: datetime) -> None:
    member = make_friend(session)
    card = shared_card(session, settings, giver=make_distributor(session, member))

    refused(session, settings, card, member, now, OwnCard)


@pytest.mark.parametrize("shared", ["phone", "device", "unionid", "the giver's phone in hand"])
def test_nobody_claims_a_card_of_their_household(
    session: Session, settings: Settings, now: datetime, shared: str
) -> None:
    facts = {"phone": "+8613911112222", "device": "kitchen", "unionid": "u-1"}
    own: dict[str, Any] = {shared: facts[shared]} if shared in facts and shared != "unionid" else {}
    giver_facts: dict[str, Any] = own if shared in facts else {"device": "kitchen"}
    giver = make_distributor(session, make_member(session, **giver_facts))
    friend = make_friend(session, **own)
    if shared == "unionid":
        giver.real_name_hash = "same person"
        make_distributor(session, friend).real_name_hash = "same person"
        session.flush()
    card = shared_card(session, settings, giver=giver)

    device = "kitchen" if shared == "the giver's phone in hand" else None
    refused(session, settings, card, friend, now, HouseholdCard, device)


def by_phone(session: Session, settings: Settings, now: datetime) -> Member:
    make_member(session, phone="+8613911113333", first_paid_at=now)
    return make_member(session, phone="+8613911113333")


def by_account(session: Session, settings: Settings, now: datetime) -> Member:
    return make_friend(session, first_paid_at=now)


def by_use(session: Session, settings: Settings, now: datetime) -> Member:
    card = claimed_card(session, settings)
    used(session, card, make_store(session))
    assert card.member_id is not None
    return session.get_one(Member, card.member_id)


@pytest.mark.parametrize("who", [by_phone, by_account, by_use])
def test_a_card_for_new_customers_is_for_nobody_who_came_before(
    session: Session,
    settings: Settings,
    now: datetime,
    who: Callable[[Session, Settings, datetime], Member],
) -> None:
    friend = who(session, settings, now)
    card = shared_card(session, settings)

    refused(session, settings, card, friend, now, NotANewCustomer)


def test_a_card_for_everybody_is_also_for_who_bought_before(
    session: Session, settings: Settings, now: datetime
) -> None:
    friend = make_friend(session, first_paid_at=now)
    template = make_template(session, is_new_only=False)

    card = claimed_card(session, settings, member=friend, template=template)

    assert card.is_new is False
    assert session.scalars(sa.select(Touch.reason)).one() == "existing_customer"


def test_a_person_gets_one_card_of_a_kind_under_whatever_account(
    session: Session, settings: Settings, now: datetime
) -> None:
    template, giver = make_template(session), make_distributor(session)
    first = make_member(session, phone="+8613911114444")
    second = make_member(session, phone="+8613911114444")
    claimed_card(session, settings, member=first, template=template, giver=giver)
    card = shared_card(session, settings, template=template, giver=giver)

    refused(session, settings, card, first, now, CardHadBefore)
    refused(session, settings, card, second, now, CardHadBefore)


def test_two_cards_are_claimed_with_one_device_and_no_more(
    session: Session, settings: Settings, now: datetime
) -> None:
    for _ in range(2):
        card = shared_card(session, settings)
        claim(session, settings, card, make_friend(session), now, "one phone")
    third = shared_card(session, settings)

    refused(session, settings, third, make_friend(session), now, DeviceCardsUsedUp, "one phone")


def test_whoever_missed_two_bookings_claims_nothing_for_ninety_days(
    session: Session, settings: Settings, now: datetime
) -> None:
    friend = missed_twice(session, settings, now)
    template = make_template(session)
    card = shared_card(session, settings, template=template, now=now + 5 * DAY)

    refused(session, settings, card, friend, now + 5 * DAY, CardsBlocked)

    later = now + 96 * DAY
    card = shared_card(session, settings, template=template, now=later)
    assert claim(session, settings, card, friend, later).member_id == friend.id
