"""A group completes with its last payment, or everybody gets their money back."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import groups
from app.activities.errors import (
    ActivityNotOpen,
    AlreadyInGroup,
    GroupAlreadyOpen,
    GroupFull,
    GroupNotFound,
    GroupNotOpen,
    NewcomersOnly,
)
from app.activities.group_models import BuyingGroup, GroupSeat
from app.activities.models import Activity, ActivityItem
from app.activities.states import (
    ActivityKind,
    ActivityState,
    EntryState,
    GroupState,
    SeatState,
)
from app.kernel.audit import SYSTEM, Actor
from app.kernel.errors import DomainError
from app.orders import refund_sending
from app.orders import services as orders
from app.orders.errors import OrderHeld
from app.orders.models import Order, Refund
from app.orders.states import OrderState, RefundState
from app.settings import Settings
from app.stores.models import Store
from tests.factories.activities import (
    close,
    counts,
    entry_of,
    follow,
    fresh,
    make_deal,
    pay_for,
    purchase,
    sweep,
)
from tests.factories.orders import offer, refund_report
from tests.factories.people import make_member, make_store

GROUP = ActivityKind.GROUP_BUY
DAY = timedelta(days=1)


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session)


@pytest.fixture
def item(session: Session, store: Store) -> ActivityItem:
    return make_deal(session, store, GROUP, rules={"size": 3})


class Players:
    """People who open and join groups at one instant."""

    def __init__(self, session: Session, store: Store, settings: Settings, now: datetime) -> None:
        self.session, self.store, self.settings, self.now = session, store, settings, now

    def open(self, item: ActivityItem) -> tuple[BuyingGroup, Order]:
        wanted = purchase(make_member(self.session), self.store)
        made = groups.open_group(
            self.session, item.id, wanted, settings=self.settings, now=self.now
        )
        self.session.commit()
        return made

    def join(self, group: BuyingGroup, count: int = 1) -> list[Order]:
        made = []
        for _ in range(count):
            wanted = purchase(make_member(self.session), self.store)
            _, order = groups.join(
                self.session, group.code, wanted, settings=self.settings, now=self.now
            )
            self.session.commit()
            made.append(order)
        return made

    def pay(self, *paid: Order) -> None:
        for order in paid:
            pay_for(self.session, order, settings=self.settings, now=self.now)

    def state(self, group: BuyingGroup) -> GroupState:
        self.session.refresh(group)
        return group.state


@pytest.fixture
def players(session: Session, store: Store, settings: Settings, now: datetime) -> Players:
    return Players(session, store, settings, now)


def refunds(session: Session) -> list[tuple[int, int, RefundState]]:
    rows = session.execute(
        sa.select(Refund.order_id, Refund.amount_fen, Refund.state).order_by(Refund.order_id)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def test_the_last_payment_completes_a_group_and_lets_all_orders_go(
    session: Session, players: Players, item: ActivityItem, now: datetime, settings: Settings
) -> None:
    group, first = players.open(item)
    bought = [first, *players.join(group, 2)]
    players.pay(*bought[:2])
    follow(session, now=now)
    before = players.state(group)
    with pytest.raises(OrderHeld), session.begin_nested():
        orders.complete(session, first.id, actor=SYSTEM, settings=settings, now=now)
    players.pay(bought[2])

    follow(session, now=now)

    assert (before, players.state(group)) == (GroupState.OPEN, GroupState.COMPLETE)
    assert [fresh(session, one).held_for for one in bought] == [None] * 3
    assert [entry_of(session, one).state for one in bought] == [EntryState.KEPT] * 3
    assert [one.payable_fen for one in bought] == [5_000] * 3
    assert counts(session, item) == (3, 3)
    assert refunds(session) == []


def test_a_group_whose_time_is_over_gives_everything_back(
    session: Session, players: Players, item: ActivityItem, now: datetime
) -> None:
    group, first = players.open(item)
    paid, unpaid = players.join(group, 2)
    players.pay(first, paid)
    follow(session, now=now)

    sweep(session, now=now + DAY)
    follow(session, now=now + DAY)
    sweep(session, now=now + DAY)

    assert players.state(group) is GroupState.FAILED
    approved = RefundState.APPROVED
    assert refunds(session) == [(first.id, 5_000, approved), (paid.id, 5_000, approved)]
    assert fresh(session, unpaid).state is OrderState.CLOSED
    assert counts(session, item) == (0, 0)
    assert groups.live_seats(session, group.id) == []


def test_money_that_comes_after_a_group_failed_goes_back_by_itself(
    session: Session, players: Players, item: ActivityItem, now: datetime
) -> None:
    group, first = players.open(item)
    offer(session, first, now=now)
    sweep(session, now=now + DAY)
    waiting = fresh(session, first)
    was_closing = waiting.state is OrderState.CREATED and waiting.close_requested_at is not None
    seats_before = len(groups.live_seats(session, group.id))
    players.pay(first)

    follow(session, now=now + DAY)

    assert was_closing
    assert (seats_before, len(groups.live_seats(session, group.id))) == (1, 0)
    assert refunds(session) == [(first.id, 5_000, RefundState.APPROVED)]
    assert counts(session, item) == (0, 0)


def test_who_paid_before_the_end_counts_although_the_job_comes_later(
    session: Session, players: Players, item: ActivityItem, now: datetime
) -> None:
    group, first = players.open(item)
    bought = [first, *players.join(group, 2)]
    players.pay(*bought)

    sweep(session, now=now + DAY)

    assert players.state(group) is GroupState.COMPLETE
    assert refunds(session) == []


def test_an_order_that_is_closed_frees_its_seat_for_another(
    session: Session, players: Players, item: ActivityItem, now: datetime
) -> None:
    group, first = players.open(item)
    second, third = players.join(group, 2)
    players.pay(first)
    close(session, second, now=now)
    follow(session, now=now)

    (fourth,) = players.join(group)

    seats = {seat.number: seat.order_id for seat in groups.live_seats(session, group.id)}
    assert seats == {1: first.id, 2: fourth.id, 3: third.id}
    assert entry_of(session, second).state is EntryState.RELEASED
    assert counts(session, item) == (3, 3)


def test_a_member_whose_money_went_back_leaves_the_group(
    session: Session, players: Players, item: ActivityItem, settings: Settings, now: datetime
) -> None:
    group, first = players.open(item)
    (second,) = players.join(group)
    players.pay(first, second)
    buyer = Actor("member", second.member_id)
    refund = orders.request_refund(
        session, second.id, wish=orders.RefundWish(), actor=buyer, settings=settings, now=now
    )
    session.commit()
    report = refund_report(session, refund)
    refund_sending._begin(refund.id, settings=settings, now=now)
    orders.record_refund(report, received=None, settings=settings, now=now)

    follow(session, now=now)

    assert players.state(group) is GroupState.OPEN
    assert [seat.order_id for seat in groups.live_seats(session, group.id)] == [first.id]
    assert counts(session, item) == (1, 1)


def test_a_group_that_everybody_left_is_over(
    session: Session, players: Players, item: ActivityItem, now: datetime
) -> None:
    group, first = players.open(item)
    close(session, first, now=now)

    follow(session, now=now)

    assert players.state(group) is GroupState.FAILED
    assert counts(session, item) == (0, 0)


def test_a_cancelled_activity_lets_go_of_its_groups(
    session: Session, players: Players, item: ActivityItem, now: datetime
) -> None:
    group, first = players.open(item)
    players.pay(first)
    session.get_one(Activity, item.activity_id).state = ActivityState.CANCELLED

    sweep(session, now=now)

    assert players.state(group) is GroupState.FAILED
    assert refunds(session) == [(first.id, 5_000, RefundState.APPROVED)]
    with pytest.raises(ActivityNotOpen), session.begin_nested():
        players.join(group)


def test_a_group_goes_on_when_its_activity_ended(
    session: Session, players: Players, item: ActivityItem, now: datetime
) -> None:
    group, first = players.open(item)
    session.get_one(Activity, item.activity_id).state = ActivityState.ENDED
    session.commit()

    bought = [first, *players.join(group, 2)]
    players.pay(*bought)
    follow(session, now=now)

    assert players.state(group) is GroupState.COMPLETE


@pytest.mark.parametrize(
    ("situation", "error"),
    [
        ("full", GroupFull),
        ("again", AlreadyInGroup),
        ("last minute", GroupNotOpen),
        ("unknown", GroupNotFound),
        ("known customer", NewcomersOnly),
    ],
)
def test_a_group_that_cannot_be_joined_takes_nothing(
    session: Session,
    store: Store,
    settings: Settings,
    now: datetime,
    situation: str,
    error: type[DomainError],
) -> None:
    item = make_deal(session, store, GROUP, rules={"size": 2, "newcomers": "joiners"})
    players = Players(session, store, settings, now)
    group, first = players.open(item)
    member = make_member(session, first_paid_at=now if situation == "known customer" else None)
    wanted = purchase(member, store)
    if situation == "full":
        players.join(group)
    if situation == "again":
        wanted = purchase(session.get_one(type(member), first.member_id), store)
    code = "A" * 16 if situation == "unknown" else group.code
    at = group.expires_at - timedelta(seconds=59) if situation == "last minute" else now
    before = counts(session, item)

    with pytest.raises(error), session.begin_nested():
        groups.join(session, code, wanted, settings=settings, now=at)

    assert counts(session, item) == before
    assert session.scalar(sa.select(sa.func.count()).select_from(GroupSeat)) == before[0]


def test_one_person_has_one_open_group_for_one_thing(
    session: Session, players: Players, item: ActivityItem, settings: Settings, now: datetime
) -> None:
    group, first = players.open(item)
    leader = purchase(make_member(session), players.store)
    again = type(leader)(
        member_id=first.member_id, store_id=leader.store_id, fulfilment=leader.fulfilment
    )

    with pytest.raises(GroupAlreadyOpen) as refusal, session.begin_nested():
        groups.open_group(session, item.id, again, settings=settings, now=now)

    assert refusal.value.group_code == group.code
    assert counts(session, item) == (1, 1)


def test_a_seat_is_paid_before_its_group_is_over(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    rules = {"size": 2, "group_seconds": 600, "pay_seconds": 1800}
    item = make_deal(session, store, GROUP, rules=rules)
    players = Players(session, store, settings, now)
    group, first = players.open(item)
    players.now = now + timedelta(seconds=500)

    (second,) = players.join(group)

    assert first.pay_by_at == group.expires_at
    assert second.pay_by_at == group.expires_at


def test_seats_tell_who_holds_them(
    session: Session, players: Players, item: ActivityItem, now: datetime
) -> None:
    group, first = players.open(item)
    players.join(group)
    players.pay(first)
    follow(session, now=now)

    seats = groups.live_seats(session, group.id)

    assert [(seat.number, seat.state) for seat in seats] == [
        (1, SeatState.PAID),
        (2, SeatState.HELD),
    ]
