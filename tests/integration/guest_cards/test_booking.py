"""Times at a store: offered, booked, given back, missed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.guest_cards import booking
from app.guest_cards.errors import (
    BookingBegun,
    BookingNotBegun,
    BookingNotFound,
    BookingOver,
    CardExpired,
    CardNotFound,
    CardNotInState,
    CardsBlocked,
    SlotFull,
    SlotNotOffered,
)
from app.guest_cards.models import CardBooking, CardSlot
from app.guest_cards.states import BookingState, CardState
from app.kernel.audit import Actor, AuditRecord
from app.kernel.errors import DomainError
from app.members.models import Member
from app.settings import Settings
from app.stores.models import Store
from app.stores.states import StoreState
from tests.factories.guest_cards import (
    booked,
    claimed_card,
    make_friend,
    make_template,
    open_hours,
)
from tests.factories.people import make_staff, make_store

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TOMORROW_AT_TEN = datetime(2026, 3, 2, 2, tzinfo=UTC)


@pytest.fixture
def store(session: Session) -> Store:
    return open_hours(session, make_store(session))


def missed_twice(session: Session, settings: Settings, now: datetime) -> Member:
    """Somebody who booked on two days and came on neither."""
    store, friend = open_hours(session, make_store(session)), make_friend(session)
    card = claimed_card(session, settings, member=friend, template=make_template(session), now=now)
    for day in range(2):
        at = now + day * DAY
        row = booked(session, settings, card, store, from_at=TOMORROW_AT_TEN + day * DAY, now=at)
        assert booking.miss_due(session, settings=settings, now=at + 2 * DAY, limit=9) == 1
        row.ended_at = at + DAY
    session.flush()
    return friend


def test_slots_are_those_of_the_opening_hours_with_the_places_left(
    session: Session, settings: Settings, now: datetime, store: Store
) -> None:
    template = make_template(session)
    card = claimed_card(session, settings, template=template)
    other = claimed_card(session, settings, template=template)
    booked(session, settings, other, store, from_at=TOMORROW_AT_TEN)

    offers = booking.offered(
        session, card, store_id=store.id, day=date(2026, 3, 2), settings=settings, now=now
    )

    assert len(offers) == 10
    assert offers[0].slot.from_at == TOMORROW_AT_TEN
    assert [one.left for one in offers] == [1] + [2] * 9


def test_a_day_that_has_begun_offers_what_is_left_of_it(
    session: Session, settings: Settings, now: datetime, store: Store
) -> None:
    card = claimed_card(session, settings)

    offers = booking.offered(
        session,
        card,
        store_id=store.id,
        day=date(2026, 3, 2),
        settings=settings,
        now=TOMORROW_AT_TEN + 7 * HOUR,
    )

    assert [one.slot.from_at for one in offers] == [
        TOMORROW_AT_TEN + 8 * HOUR,
        TOMORROW_AT_TEN + 9 * HOUR,
    ]


def test_a_booking_takes_a_place_and_holds_the_card(
    session: Session, settings: Settings, store: Store
) -> None:
    card = claimed_card(session, settings)

    row = booked(session, settings, card, store, from_at=TOMORROW_AT_TEN)

    assert (row.state, row.until_at) == (BookingState.BOOKED, TOMORROW_AT_TEN + HOUR)
    assert card.state is CardState.BOOKED
    assert session.scalars(sa.select(CardSlot.taken)).one() == 1
    with pytest.raises(CardNotInState), session.begin_nested():
        booked(session, settings, card, store, from_at=TOMORROW_AT_TEN + HOUR)


def test_the_places_of_a_slot_are_all_there_are(
    session: Session, settings: Settings, store: Store
) -> None:
    template = make_template(session, slot_capacity=1)
    cards = [claimed_card(session, settings, template=template) for _ in range(2)]
    booked(session, settings, cards[0], store, from_at=TOMORROW_AT_TEN)

    with pytest.raises(SlotFull), session.begin_nested():
        booked(session, settings, cards[1], store, from_at=TOMORROW_AT_TEN)

    assert session.scalars(sa.select(CardSlot.taken)).one() == 1
    assert len(session.scalars(sa.select(CardBooking)).all()) == 1


@pytest.mark.parametrize(
    "from_at",
    [
        TOMORROW_AT_TEN + timedelta(minutes=30),
        TOMORROW_AT_TEN - HOUR,
        TOMORROW_AT_TEN + 10 * HOUR,
        TOMORROW_AT_TEN - DAY,
        TOMORROW_AT_TEN + 31 * DAY,
    ],
    ids=["between", "closed", "too late", "past", "too far"],
)
def test_other_times_cannot_be_booked(
    session: Session, settings: Settings, store: Store, from_at: datetime
) -> None:
    card = claimed_card(session, settings)

    with pytest.raises(SlotNotOffered), session.begin_nested():
        booked(session, settings, card, store, from_at=from_at)

    assert session.scalars(sa.select(CardBooking)).all() == []
    session.refresh(card)
    assert card.state is CardState.CLAIMED


@pytest.mark.parametrize("fault", ["foreign", "closed", "no hours", "no slots", "ends before"])
def test_a_card_is_booked_only_where_and_while_it_is_good(
    session: Session, settings: Settings, now: datetime, store: Store, fault: str
) -> None:
    by_fault: dict[str, dict[str, Any]] = {
        "foreign": {"store": make_store(session)},
        "no slots": {"slot_minutes": None, "slot_capacity": None},
        "ends before": {"ends_at": TOMORROW_AT_TEN + HOUR / 2},
    }
    facts = by_fault.get(fault, {})
    card = claimed_card(session, settings, template=make_template(session, **facts))
    if fault == "closed":
        store.state = StoreState.CLOSED
    if fault == "no hours":
        store.opening_hours = None
    session.flush()

    with pytest.raises(SlotNotOffered), session.begin_nested():
        booked(session, settings, card, store, from_at=TOMORROW_AT_TEN)

    assert session.scalars(sa.select(CardSlot)).all() == []


def test_nobody_books_with_anothers_card_or_one_that_ran_out(
    session: Session, settings: Settings, now: datetime, store: Store
) -> None:
    card = claimed_card(session, settings)
    facts: dict[str, Any] = {"store_id": store.id, "from_at": TOMORROW_AT_TEN, "settings": settings}

    with pytest.raises(CardNotFound):
        booking.book(session, card.id, member_id=make_friend(session).id, now=now, **facts)
    with pytest.raises(CardExpired):
        booking.book(session, card.id, member_id=card.member_id or 0, now=now + 91 * DAY, **facts)

    assert session.scalars(sa.select(CardBooking)).all() == []


def test_a_booking_is_given_back_before_it_begins(
    session: Session, settings: Settings, now: datetime, store: Store
) -> None:
    card = claimed_card(session, settings)
    row = booked(session, settings, card, store, from_at=TOMORROW_AT_TEN)
    member_id = card.member_id or 0

    with pytest.raises(BookingNotFound):
        booking.cancel(session, row.id, member_id=card.giver_id, now=now)
    with pytest.raises(BookingBegun):
        booking.cancel(session, row.id, member_id=member_id, now=TOMORROW_AT_TEN)
    booking.cancel(session, row.id, member_id=member_id, now=now)
    with pytest.raises(BookingOver):
        booking.cancel(session, row.id, member_id=member_id, now=now)

    assert (row.state, card.state) == (BookingState.CANCELLED, CardState.CLAIMED)
    session.expire_all()
    assert session.scalars(sa.select(CardSlot.taken)).one() == 0


def test_staff_of_the_store_note_who_did_not_come(
    session: Session, settings: Settings, now: datetime, store: Store
) -> None:
    card = claimed_card(session, settings)
    row = booked(session, settings, card, store, from_at=TOMORROW_AT_TEN)
    actor = Actor("staff", make_staff(session, "front_desk", stores=[store]).id)

    def miss(at: datetime, stores: tuple[int, ...] = (store.id,)) -> None:
        booking.miss(session, row.id, store_ids=stores, actor=actor, now=at)

    refusals: list[tuple[type[DomainError], datetime, tuple[int, ...]]] = [
        (BookingNotFound, TOMORROW_AT_TEN, (make_store(session).id,)),
        (BookingNotBegun, now, (store.id,)),
    ]
    for error, at, stores in refusals:
        with pytest.raises(error):
            miss(at, stores)
    assert row.state is BookingState.BOOKED
    miss(TOMORROW_AT_TEN)

    assert (row.state, row.ended_by) == (BookingState.NO_SHOW, str(actor))
    assert card.state is CardState.CLAIMED
    trail = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "guest_card_missed")
    ).one()
    assert (trail.subject_id, trail.store_id) == (card.id, store.id)


def test_nobody_came_when_the_time_is_long_over(
    session: Session, settings: Settings, now: datetime, store: Store
) -> None:
    card = claimed_card(session, settings)
    row = booked(session, settings, card, store, from_at=TOMORROW_AT_TEN)
    over = TOMORROW_AT_TEN + HOUR + timedelta(seconds=settings.card_no_show_seconds)

    early = booking.miss_due(session, settings=settings, now=over - HOUR, limit=9)
    due = booking.miss_due(session, settings=settings, now=over, limit=9)
    again = booking.miss_due(session, settings=settings, now=over, limit=9)

    assert (early, due, again) == (0, 1, 0)
    assert (row.state, row.ended_by) == (BookingState.NO_SHOW, "system")


def test_two_missed_bookings_close_booking_for_ninety_days(
    session: Session, settings: Settings, now: datetime, store: Store
) -> None:
    friend = missed_twice(session, settings, now)
    card = session.scalars(sa.select(CardBooking.card_id).distinct()).one()
    until = now + 2 * DAY + 90 * DAY

    with pytest.raises(CardsBlocked) as refusal:
        booking.book(
            session,
            card,
            member_id=friend.id,
            store_id=store.id,
            from_at=TOMORROW_AT_TEN + 9 * DAY,
            settings=settings,
            now=now + 5 * DAY,
        )

    assert refusal.value.until == until
    assert booking.blocked_until(session, friend.id, settings=settings, now=until) is None


def test_one_missed_booking_closes_nothing(
    session: Session, settings: Settings, now: datetime, store: Store
) -> None:
    card = claimed_card(session, settings)
    booked(session, settings, card, store, from_at=TOMORROW_AT_TEN)
    booking.miss_due(session, settings=settings, now=now + 2 * DAY, limit=9)

    row = booked(
        session, settings, card, store, from_at=TOMORROW_AT_TEN + 3 * DAY, now=now + 2 * DAY
    )

    assert row.state is BookingState.BOOKED
