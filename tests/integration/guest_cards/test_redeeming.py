"""Using a card at the counter: once for each time it grants, with who, where and when."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.counter.errors import PickupCodeExpired, PickupCodeInvalid, PickupCodeSpent
from app.guest_cards import ending, redeeming, settling
from app.guest_cards.errors import (
    CardExpired,
    CardNotFound,
    CardNotInState,
    NothingLeft,
    OwnCardUse,
)
from app.guest_cards.models import CardBooking, CardItem, CardUse, GuestCard
from app.guest_cards.settling import KpiBy
from app.guest_cards.states import BookingState, CardState
from app.kernel.audit import SYSTEM, Actor, AuditRecord
from app.kernel.errors import DomainError
from app.kernel.outbox import OutboxEvent
from app.members.errors import ReasonRequired
from app.members.models import MemberStore
from app.settings import Settings
from app.stores.models import Staff, Store
from app.stores.staff_mode_models import StaffBinding
from tests.factories.guest_cards import (
    booked,
    claimed_card,
    make_template,
    open_hours,
    shared_card,
    used,
)
from tests.factories.people import make_distributor, make_member, make_staff, make_store

DAY = timedelta(days=1)
TOMORROW_AT_TEN = datetime(2026, 3, 2, 2, tzinfo=UTC)


@pytest.fixture
def store(session: Session) -> Store:
    return open_hours(session, make_store(session))


@pytest.fixture
def li(session: Session, store: Store) -> Staff:
    return make_staff(session, "front_desk", stores=[store])


def code_of(session: Session, card: GuestCard, now: datetime) -> str:
    item = card.items[0]
    shown = redeeming.show_code(session, card.id, item.id, member_id=card.member_id or 0, now=now)
    return str(shown)


def redeem(
    session: Session,
    card: GuestCard,
    store: Store,
    staff: Staff,
    now: datetime,
    code: str | None = None,
) -> int:
    shown = redeeming.redeem(
        session,
        _items(session, card)[0].id,
        code=code,
        store_id=store.id,
        actor=Actor("staff", staff.id),
        now=now,
    )
    return shown.left


def refused(session: Session, card: GuestCard, error: type[DomainError], act: object) -> None:
    """Assert that a use is refused, and that it moved nothing."""
    before = [(one.remaining, one.used) for one in _items(session, card)], card.state
    uses = session.scalar(sa.select(sa.func.count(CardUse.id)))
    assert callable(act)
    with pytest.raises(error), session.begin_nested():
        act()
    session.expire_all()
    assert ([(one.remaining, one.used) for one in _items(session, card)], card.state) == before
    assert session.scalar(sa.select(sa.func.count(CardUse.id))) == uses


def _items(session: Session, card: GuestCard) -> list[CardItem]:
    rows = session.scalars(
        sa.select(CardItem).where(CardItem.card_id == card.id).order_by(CardItem.id)
    )
    return list(rows)


def test_a_use_takes_one_time_and_writes_one_row(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    card = claimed_card(session, settings, template=make_template(session, uses=2))
    item = card.items[0]

    looked = redeeming.look(session, item.id, store_ids=[store.id], now=now)
    left = redeem(session, card, store, li, now, code_of(session, card, now))

    assert (looked.kind, looked.id, looked.left) == ("card", item.id, 2)
    assert looked.member_id == card.member_id
    assert left == 1
    assert (card.state, card.first_used_at) == (CardState.CLAIMED, now)
    use = session.scalars(sa.select(CardUse)).one()
    assert (use.number, use.store_id, use.staff_id, use.at) == (1, store.id, li.id, now)
    assert (use.store_ids, use.is_by_code, use.cost_fen) == ([store.id], True, 3_000)
    names = session.scalars(sa.select(OutboxEvent.name)).all()
    assert names.count("guest_card_used") == 1
    trail = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "guest_card_redeemed")
    ).one()
    assert (trail.actor_id, trail.store_id, trail.subject_id) == (li.id, store.id, card.id)
    assert session.get(MemberStore, (store.id, card.member_id)) is not None


def test_the_last_use_ends_the_card(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    card = claimed_card(session, settings, template=make_template(session, uses=2))
    redeem(session, card, store, li, now)

    left = redeem(session, card, store, li, now + DAY)

    assert (left, card.state, card.over_at) == (0, CardState.USED, now + DAY)
    assert card.first_used_at == now
    refused(session, card, CardNotInState, lambda: redeem(session, card, store, li, now))


def test_a_service_that_is_used_up_leaves_the_others(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    first, second = (make_template(session), make_template(session))
    services = {one.product_id: 1 for row in (first, second) for one in row.services}
    card = claimed_card(session, settings, template=make_template(session, services=services))
    redeem(session, card, store, li, now)

    refused(session, card, NothingLeft, lambda: redeem(session, card, store, li, now))

    assert card.state is CardState.CLAIMED
    shown = redeeming.usable_of(session, card.member_id or 0, store_ids=[store.id], now=now)
    assert [one.id for one in shown] == [card.items[1].id]


def test_a_card_that_ran_out_was_revoked_or_never_claimed_is_not_used(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    late, gone = claimed_card(session, settings), claimed_card(session, settings)
    unclaimed = shared_card(session, settings)
    ending.revoke(session, gone.id, reason="mistake", actor=SYSTEM, now=now)

    refused(session, late, CardExpired, lambda: redeem(session, late, store, li, now + 90 * DAY))
    refused(session, gone, CardNotInState, lambda: redeem(session, gone, store, li, now))
    refused(session, unclaimed, CardNotFound, lambda: redeem(session, unclaimed, store, li, now))


def test_a_foreign_store_finds_no_card(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    card = claimed_card(session, settings, template=make_template(session, store=store))
    there = make_store(session)
    wang = make_staff(session, "front_desk", stores=[there])

    refused(session, card, CardNotFound, lambda: redeem(session, card, there, wang, now))
    refused(session, card, CardNotFound, lambda: redeem(session, card, store, wang, now))
    refused(session, card, CardNotFound, lambda: redeem(session, card, there, li, now))
    with pytest.raises(CardNotFound):
        redeeming.look(session, card.items[0].id, store_ids=[there.id], now=now)
    assert redeeming.usable_of(session, card.member_id or 0, store_ids=[there.id], now=now) == []


def test_staff_who_left_find_no_card(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    card = claimed_card(session, settings)
    li.active = False
    session.flush()

    refused(session, card, CardNotFound, lambda: redeem(session, card, store, li, now))


@pytest.mark.parametrize("whose", ["friend", "giver"])
def test_nobody_redeems_their_own_card_or_one_that_they_gave(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff, whose: str
) -> None:
    card = claimed_card(session, settings)
    member_id = card.member_id if whose == "friend" else card.giver_id
    session.add(StaffBinding(staff_id=li.id, member_id=member_id, bound_at=now))
    session.flush()

    refused(session, card, OwnCardUse, lambda: redeem(session, card, store, li, now))


def test_a_code_serves_once_for_a_minute_and_for_its_own_card(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    template = make_template(session, uses=3)
    card, other = (claimed_card(session, settings, template=template) for _ in range(2))
    good, foreign = code_of(session, card, now), code_of(session, other, now)
    tampered = good[:-1] + ("0" if good[-1] != "0" else "1")
    redeem(session, card, store, li, now, good)

    for code, at, error in [
        (good, now, PickupCodeSpent),
        (tampered, now, PickupCodeInvalid),
        (foreign, now, PickupCodeInvalid),
        ("nonsense", now, PickupCodeInvalid),
        (code_of(session, card, now), now + timedelta(seconds=61), PickupCodeExpired),
    ]:
        refused(
            session,
            card,
            error,
            lambda code=code, at=at: redeem(session, card, store, li, at, code),
        )


def test_only_the_holder_shows_a_code_and_only_for_what_is_left(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    card, other = claimed_card(session, settings), claimed_card(session, settings)
    item_id, member_id = card.items[0].id, card.member_id or 0

    for card_id, who in ((card.id, other.member_id or 0), (other.id, member_id)):
        with pytest.raises(CardNotFound):
            redeeming.show_code(session, card_id, item_id, member_id=who, now=now)
    redeem(session, card, store, li, now)
    with pytest.raises(CardNotInState):
        redeeming.show_code(session, card.id, item_id, member_id=member_id, now=now)


@pytest.mark.parametrize(
    ("at", "becomes"),
    [
        (TOMORROW_AT_TEN + timedelta(minutes=5), BookingState.KEPT),
        (TOMORROW_AT_TEN - DAY / 2, BookingState.CANCELLED),
    ],
)
def test_a_use_ends_the_booking_of_the_card(
    session: Session,
    settings: Settings,
    store: Store,
    li: Staff,
    at: datetime,
    becomes: BookingState,
) -> None:
    card = claimed_card(session, settings)
    row = booked(session, settings, card, store, from_at=TOMORROW_AT_TEN)

    redeem(session, card, store, li, at)

    assert (row.state, card.state) == (becomes, CardState.USED)


def test_time_ends_a_card_and_voids_what_is_left(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    card = claimed_card(session, settings, template=make_template(session, uses=3))
    redeem(session, card, store, li, now)
    kept = claimed_card(session, settings, now=now + DAY)

    early = ending.expire(session, now=now + 89 * DAY, limit=9)
    due = ending.expire(session, now=now + 90 * DAY, limit=9)

    assert (early, due) == (0, 1)
    assert (card.state, kept.state) == (CardState.EXPIRED, CardState.CLAIMED)
    item = _items(session, card)[0]
    assert (item.used, item.remaining, item.voided) == (1, 0, 2)


def test_revoking_wants_a_reason_voids_the_rest_and_frees_the_place(
    session: Session, settings: Settings, now: datetime, store: Store
) -> None:
    card = claimed_card(session, settings)
    row = booked(session, settings, card, store, from_at=TOMORROW_AT_TEN)
    boss = Actor("staff", make_staff(session).id)

    with pytest.raises(ReasonRequired):
        ending.revoke(session, card.id, reason=" ", actor=boss, now=now)
    ending.revoke(session, card.id, reason="given by mistake", actor=boss, now=now)

    assert card.state is CardState.REVOKED
    session.expire_all()
    assert session.get_one(CardBooking, row.id).state is BookingState.CANCELLED
    assert [(one.remaining, one.voided) for one in _items(session, card)] == [(0, 1)]
    trail = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "guest_card_revoked")
    ).one()
    assert (trail.reason, trail.before) == ("given by mistake", {"state": "booked"})


def test_a_use_elsewhere_is_owed_by_the_givers_store(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    home = make_store(session)
    giver, brands = make_distributor(session, store_id=home.id), make_distributor(session)
    template = make_template(session, uses=2)
    for who in (giver, giver, brands):
        used(session, claimed_card(session, settings, giver=who, template=template), store)
    used(session, claimed_card(session, settings, giver=giver, template=template), home)

    def owed(ids: list[int] | None, days: int = 1) -> list[tuple[int, int, int, int]]:
        rows = settling.statement(session, from_at=now, until_at=now + days * DAY, store_ids=ids)
        return [(one.payer_store_id, one.store_id, one.uses, one.settle_fen) for one in rows]

    everything = [(home.id, store.id, 2, 10_000)]
    assert owed(None) == owed([home.id]) == owed([store.id]) == everything
    assert owed([make_store(session).id]) == owed(None, days=0) == []


def test_figures_follow_cards_from_issue_to_conversion(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    giver = make_distributor(session, make_member(session, nickname="王姐"), store_id=store.id)
    template = make_template(session, uses=2, is_new_only=False)
    cards = [claimed_card(session, settings, giver=giver, template=template) for _ in range(3)]
    shared_card(session, settings, giver=giver, template=template)
    booked(session, settings, cards[0], store, from_at=TOMORROW_AT_TEN)
    for card in cards[:2]:
        redeem(session, card, store, li, now)
    redeem(session, cards[0], store, li, now)
    noted = [
        settling.note_conversion(
            session,
            card_id=cards[0].id,
            order_id=order_id,
            store_id=store.id,
            paid_fen=50_001,
            paid_at=now,
        )
        for order_id in (7, 8)
    ]
    settling.note_refunded(session, order_id=7, refunded_fen=10_000)

    def figures(by: KpiBy | None, ids: list[int] | None = None) -> list[settling.Funnel]:
        return settling.funnel(session, by, from_at=now, until_at=now + DAY, store_ids=ids)

    whole = figures(None)[0]
    assert noted == [True, False]
    assert (whole.issued, whole.claimed, whole.booked, whole.used) == (4, 3, 1, 2)
    assert (whole.new_customers, whole.converted) == (2, 1)
    assert (whole.cost_fen, whole.revenue_fen) == (9_000, 40_001)
    assert (whole.cost_per_new_fen, whole.revenue_per_card_fen) == (4_500, 10_000)
    named = {by: [(one.id, one.name, one.issued) for one in figures(by)] for by in KpiBy}
    assert named == {
        KpiBy.GIVER: [(giver.member_id, "王姐", 4)],
        KpiBy.STORE: [(store.id, store.name, 4)],
        KpiBy.TEMPLATE: [(template.id, template.name, 4)],
    }
    assert figures(KpiBy.STORE, [make_store(session).id]) == []


def test_cards_of_givers_without_a_store_are_a_row_of_their_own(
    session: Session, settings: Settings, now: datetime
) -> None:
    claimed_card(session, settings)

    rows = settling.funnel(session, KpiBy.STORE, from_at=now, until_at=now + DAY, store_ids=None)

    assert [(one.id, one.issued) for one in rows] == [(None, 1)]
    assert rows[0].cost_per_new_fen is None
