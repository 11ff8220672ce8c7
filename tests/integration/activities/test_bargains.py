"""A price comes down by cuts that were drawn beforehand, and is bought once."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import bargain_plan, bargains
from app.activities.bargain_models import Bargain, BargainCut
from app.activities.errors import (
    ActivitySoldOut,
    AtTheFloor,
    BargainAlreadyOpen,
    BargainNotFound,
    BargainNotOpen,
    CutAlready,
    DayLimitReached,
    NotAtTheFloor,
    OwnBargain,
)
from app.activities.models import Activity, ActivityItem
from app.activities.states import ActivityKind, ActivityState, BargainState, EntryState
from app.members.models import Member
from app.orders.models import Order
from app.settings import Settings
from app.stores.models import Store
from tests.factories.activities import (
    close,
    counts,
    entry_of,
    follow,
    make_deal,
    pay_for,
    purchase,
    sweep,
)
from tests.factories.people import make_member, make_store

DAY = timedelta(days=1)


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session)


def deal(session: Session, store: Store, **rules: object) -> ActivityItem:
    rules = {"parts": 4} | rules
    return make_deal(session, store, ActivityKind.BARGAIN, price_fen=6_000, rules=rules)


def begin(session: Session, item: ActivityItem, store: Store, now: datetime) -> Bargain:
    member = make_member(session)
    return bargains.start(session, item.id, member_id=member.id, store_id=store.id, now=now)


def cut(session: Session, bargain: Bargain, now: datetime) -> int:
    """Let a customer who bought before cut once; returns how much."""
    helper = make_member(session, first_paid_at=now)
    return bargains.cut(session, bargain.code, helper_id=helper.id, now=now).amount_fen


def buy(
    session: Session, bargain: Bargain, store: Store, settings: Settings, now: datetime
) -> Order:
    wanted = purchase(session.get_one(Member, bargain.member_id), store)
    return bargains.buy(session, bargain.code, wanted, settings=settings, now=now)


def test_cuts_follow_the_plan_and_add_up_to_the_floor(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    item = deal(session, store)
    bargain = begin(session, item, store, now)

    amounts = tuple(cut(session, bargain, now) for _ in range(4))

    assert amounts == bargain_plan.parts(bargain.seed, total_fen=4_000, count=4)
    assert bargain.commitment == bargain_plan.commitment(bargain.seed)
    assert (bargain.price_fen, bargain.parts_cut) == (6_000, 4)
    with pytest.raises(AtTheFloor), session.begin_nested():
        cut(session, bargain, now)
    order = buy(session, bargain, store, settings, now)
    assert order.payable_fen == 6_000
    assert entry_of(session, order).price_fen == 6_000


def test_it_is_bought_at_the_price_it_has_come_down_to(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    bargain = begin(session, deal(session, store), store, now)
    first = cut(session, bargain, now)

    order = buy(session, bargain, store, settings, now)
    with pytest.raises(BargainNotOpen), session.begin_nested():
        cut(session, bargain, now)
    pay_for(session, order, settings=settings, now=now)
    follow(session, now=now)

    session.refresh(bargain)
    assert order.payable_fen == 10_000 - first
    assert bargain.state is BargainState.BOUGHT
    assert entry_of(session, order).state is EntryState.KEPT


def test_an_order_that_was_not_paid_lets_friends_go_on(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    item = deal(session, store)
    bargain = begin(session, item, store, now)
    order = buy(session, bargain, store, settings, now)
    close(session, order, now=now)

    follow(session, now=now)

    session.refresh(bargain)
    assert (bargain.state, bargain.order_id) == (BargainState.OPEN, None)
    assert cut(session, bargain, now) > 0
    assert counts(session, item) == (1, 1)
    assert buy(session, bargain, store, settings, now).id != order.id


def test_a_piece_is_set_aside_until_the_time_is_over(
    session: Session, store: Store, now: datetime
) -> None:
    goods = make_deal(
        session, store, ActivityKind.BARGAIN, price_fen=6_000, stock=1, rules={"parts": 4}
    )
    bargain = begin(session, goods, store, now)
    with pytest.raises(ActivitySoldOut), session.begin_nested():
        begin(session, goods, store, now)

    sweep(session, now=now + DAY)

    session.refresh(bargain)
    assert bargain.state is BargainState.EXPIRED
    assert counts(session, goods) == (0, 0)
    assert begin(session, goods, store, now).state is BargainState.OPEN


def test_an_order_open_at_the_end_decides(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    item = deal(session, store)
    bargain = begin(session, item, store, now)
    order = buy(session, bargain, store, settings, now)
    sweep(session, now=now + DAY)
    session.refresh(bargain)
    before = bargain.state
    close(session, order, now=now)
    follow(session, now=now)

    sweep(session, now=now + DAY)

    session.refresh(bargain)
    assert (before, bargain.state) == (BargainState.ORDERED, BargainState.EXPIRED)
    assert counts(session, item) == (0, 0)


def test_everybody_cuts_once_oneself_included(
    session: Session, store: Store, now: datetime
) -> None:
    bargain = begin(session, deal(session, store), store, now)
    bargains.cut(session, bargain.code, helper_id=bargain.member_id, now=now)

    with pytest.raises(CutAlready), session.begin_nested():
        bargains.cut(session, bargain.code, helper_id=bargain.member_id, now=now)

    assert session.scalar(sa.select(sa.func.count()).select_from(BargainCut)) == 1
    assert bargain.parts_cut == 1


def test_a_newcomer_takes_several_parts_at_once_and_never_more_than_are_left(
    session: Session, store: Store, now: datetime
) -> None:
    bargain = begin(session, deal(session, store, newcomer_parts=3), store, now)
    plan = bargains.plan_of(bargain)
    first = bargains.cut(session, bargain.code, helper_id=make_member(session).id, now=now)
    second = bargains.cut(session, bargain.code, helper_id=make_member(session).id, now=now)

    assert (first.amount_fen, second.amount_fen) == (sum(plan[:3]), plan[3])
    assert bargain.price_fen == 6_000


def test_helpers_have_so_many_cuts_a_day(session: Session, store: Store, now: datetime) -> None:
    item = deal(session, store, cuts_per_day=2, bargain_seconds=2 * 86_400)
    found = [begin(session, item, store, now) for _ in range(3)]
    helper_id = make_member(session).id
    for bargain in found[:2]:
        bargains.cut(session, bargain.code, helper_id=helper_id, now=now)

    with pytest.raises(DayLimitReached), session.begin_nested():
        bargains.cut(session, found[2].code, helper_id=helper_id, now=now)
    tomorrow = bargains.cut(
        session, found[2].code, helper_id=helper_id, now=now + timedelta(days=1)
    )

    assert tomorrow.amount_fen > 0
    assert found[2].parts_cut == 1


def test_where_only_friends_cut_one_cannot_help_oneself(
    session: Session, store: Store, now: datetime
) -> None:
    bargain = begin(session, deal(session, store, cuts_own=False), store, now)

    with pytest.raises(OwnBargain), session.begin_nested():
        bargains.cut(session, bargain.code, helper_id=bargain.member_id, now=now)

    assert bargain.parts_cut == 0


def test_where_the_floor_is_asked_for_nothing_is_sold_before(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    bargain = begin(session, deal(session, store, floor_only=True, parts=1), store, now)

    with pytest.raises(NotAtTheFloor), session.begin_nested():
        buy(session, bargain, store, settings, now)
    cut(session, bargain, now)

    assert buy(session, bargain, store, settings, now).payable_fen == 6_000


def test_nobody_buys_the_bargain_of_another(
    session: Session, store: Store, settings: Settings, now: datetime
) -> None:
    bargain = begin(session, deal(session, store), store, now)
    stranger = purchase(make_member(session), store)

    with pytest.raises(BargainNotFound), session.begin_nested():
        bargains.buy(session, bargain.code, stranger, settings=settings, now=now)

    assert bargain.state is BargainState.OPEN


def test_one_person_bargains_once_at_a_time_for_one_thing(
    session: Session, store: Store, now: datetime
) -> None:
    item = deal(session, store)
    bargain = begin(session, item, store, now)

    with pytest.raises(BargainAlreadyOpen) as refusal, session.begin_nested():
        bargains.start(session, item.id, member_id=bargain.member_id, store_id=store.id, now=now)

    assert refusal.value.bargain_code == bargain.code
    assert counts(session, item) == (1, 1)


def test_a_cancelled_activity_ends_its_bargains(
    session: Session, store: Store, now: datetime
) -> None:
    item = deal(session, store)
    bargain = begin(session, item, store, now)
    session.get_one(Activity, item.activity_id).state = ActivityState.CANCELLED

    sweep(session, now=now)

    session.refresh(bargain)
    assert bargain.state is BargainState.EXPIRED
    assert counts(session, item) == (0, 0)
