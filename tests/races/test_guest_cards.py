"""Cards under crowds: the last of a quota, a link two friends open, two tills, the last place."""

from collections import Counter
from datetime import UTC, datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.guest_cards import booking, claiming, ending, redeeming, sharing
from app.guest_cards.models import CardBooking, CardQuota, CardUse, GuestCard
from app.guest_cards.states import CardState
from app.kernel.audit import Actor
from app.kernel.db import atomic, retrying
from app.settings import Settings
from tests.factories.guest_cards import (
    claimed_card,
    friend_of,
    make_friend,
    make_template,
    open_hours,
    shared_card,
)
from tests.factories.people import make_distributor, make_staff, make_store
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
CROWD = 8
CODES = ("B10g", "B31", "B31b", "B31o", "B31q", "B31u", "B33c")
TOMORROW_AT_TEN = datetime(2026, 3, 2, 2, tzinfo=UTC)


def test_the_last_card_of_a_quota_is_shared_once(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    giver_id, template = make_distributor(session).member_id, make_template(session, quota=3)
    template_id = template.id
    session.commit()

    def share() -> str:
        def act() -> str:
            with atomic() as inner:
                sharing.share(
                    inner, giver_id=giver_id, template_id=template_id, settings=settings, now=now
                )
                return "shared"

        return retrying(act)

    answers = Counter(at_once(app, *[share] * CROWD))

    assert answers == {"shared": 3, "card_quota_used_up": CROWD - 3}
    session.rollback()
    assert session.scalars(sa.select(CardQuota.taken)).one() == 3
    assert len(session.scalars(sa.select(GuestCard.id)).all()) == 3
    assert broken(session, *CODES) == []


def test_a_link_that_friends_open_at_once_is_one_friends_card(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    card = shared_card(session, settings)
    token, friends = card.token, [friend_of(make_friend(session)) for _ in range(CROWD)]
    session.commit()

    def claim(place: int) -> str:
        def act() -> str:
            with atomic() as inner:
                claiming.claim(inner, token, friend=friends[place], settings=settings, now=now)
                return "claimed"

        return retrying(act)

    answers = Counter(at_once(app, *[partial(claim, place) for place in range(CROWD)]))

    assert answers == {"claimed": 1, "card_taken": CROWD - 1}
    assert broken(session, *CODES) == []


def test_cards_that_one_phone_claims_at_once_are_two(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    tokens = [shared_card(session, settings).token for _ in range(CROWD)]
    friends = [friend_of(make_friend(session), "one phone") for _ in range(CROWD)]
    session.commit()

    def claim(place: int) -> str:
        def act() -> str:
            with atomic() as inner:
                claiming.claim(
                    inner, tokens[place], friend=friends[place], settings=settings, now=now
                )
                return "claimed"

        return retrying(act)

    answers = Counter(at_once(app, *[partial(claim, place) for place in range(CROWD)]))

    assert answers == {"claimed": 2, "device_cards_used_up": CROWD - 2}


def test_a_friend_who_claims_two_cards_of_a_kind_at_once_gets_one(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    template, friend = make_template(session, quota=9), friend_of(make_friend(session))
    tokens = [shared_card(session, settings, template=template).token for _ in range(4)]
    session.commit()

    def claim(token: str) -> str:
        def act() -> str:
            with atomic() as inner:
                claiming.claim(inner, token, friend=friend, settings=settings, now=now)
                return "claimed"

        return retrying(act)

    answers = Counter(at_once(app, *[partial(claim, token) for token in tokens]))

    assert answers == {"claimed": 1, "card_had_before": 3}
    assert broken(session, *CODES) == []


@pytest.mark.parametrize("by_code", [True, False])
def test_one_card_at_many_tills_is_used_as_often_as_it_grants(
    app: Flask, session: Session, settings: Settings, now: datetime, *, by_code: bool
) -> None:
    store = make_store(session)
    people = [make_staff(session, "front_desk", stores=[store]).id for _ in range(CROWD)]
    card = claimed_card(session, settings, template=make_template(session, uses=2))
    item_id, store_id = card.items[0].id, store.id
    shown = redeeming.show_code(session, card.id, None, member_id=card.member_id or 0, now=now)
    code = str(shown) if by_code else None
    session.commit()

    def redeem(staff_id: int) -> str:
        def act() -> str:
            with atomic() as inner:
                actor = Actor("staff", staff_id)
                redeeming.redeem(inner, item_id, code=code, store_id=store_id, actor=actor, now=now)
                return "used"

        return retrying(act)

    answers = Counter(at_once(app, *[partial(redeem, one) for one in people]))

    if by_code:
        assert answers == {"used": 1, "pickup_code_spent": CROWD - 1}
    else:
        assert answers == {"used": 2, "card_not_in_state": CROWD - 2}
    session.rollback()
    assert len(session.scalars(sa.select(CardUse)).all()) == answers["used"]
    assert broken(session, *CODES) == []


def test_the_last_place_of_a_time_goes_to_one(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    store, template = open_hours(session, make_store(session)), make_template(session, quota=9)
    cards = [claimed_card(session, settings, template=template) for _ in range(CROWD)]
    wishes = [(card.id, card.member_id or 0) for card in cards]
    store_id = store.id
    session.commit()

    def book(card_id: int, member_id: int) -> str:
        def act() -> str:
            with atomic() as inner:
                booking.book(
                    inner,
                    card_id,
                    member_id=member_id,
                    store_id=store_id,
                    from_at=TOMORROW_AT_TEN,
                    settings=settings,
                    now=now,
                )
                return "booked"

        return retrying(act)

    answers = Counter(at_once(app, *[partial(book, *wish) for wish in wishes]))

    assert answers == {"booked": 2, "slot_full": CROWD - 2}
    session.rollback()
    assert len(session.scalars(sa.select(CardBooking)).all()) == 2
    assert broken(session, *CODES) == []


def test_a_card_that_lapses_while_it_is_claimed_does_one_of_both(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    card = shared_card(session, settings)
    token, friend, until = card.token, friend_of(make_friend(session)), card.share_until_at
    session.commit()

    def claim() -> str:
        with atomic() as inner:
            claiming.claim(inner, token, friend=friend, settings=settings, now=now)
            return "claimed"

    def lapse() -> str:
        with atomic() as inner:
            return f"lapsed {ending.lapse(inner, now=until, limit=9)}"

    answers = at_once(app, partial(retrying, claim), partial(retrying, lapse))

    session.rollback()
    state = session.scalars(sa.select(GuestCard.state)).one()
    assert (answers, state) in [
        (["claimed", "lapsed 0"], CardState.CLAIMED),
        (["card_lapsed", "lapsed 1"], CardState.RETURNED),
    ]
    assert broken(session, *CODES) == []
