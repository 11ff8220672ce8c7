"""Many customers at once: exactly what there is, and no more."""

from collections import Counter
from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.activities import bargains, flash_sales, groups
from app.activities.bargain_models import Bargain, BargainCut
from app.activities.group_models import BuyingGroup, GroupSeat
from app.activities.models import ActivityEntry
from app.activities.states import ActivityKind, GroupState, SeatState
from app.kernel.db import atomic, retrying
from app.kernel.errors import DomainError
from app.orders import services as orders
from app.orders.models import Fulfilment, Order, Refund
from app.settings import Settings
from tests.factories.activities import (
    follow,
    make_activity,
    make_deal,
    pay_for,
    purchase,
    sweep,
)
from tests.factories.orders import make_product, offer, payment_report
from tests.factories.people import make_member, make_store
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
CLIENTS, TRIES, PIECES = 20, 50, 100
HELD = ("F4a", "F4b", "F4c", "F4d", "F4e", "F4f", "F4g", "B12", "S1")
DAY = timedelta(days=1)


@pytest.fixture
def now(session: Session) -> datetime:
    at: datetime = session.scalars(sa.select(sa.func.clock_timestamp())).one()
    session.rollback()
    return at


def answer(act: object) -> str:
    """Do it in a transaction of its own; return its refusal, or that it was done."""

    def once() -> None:
        with atomic() as inner:
            assert callable(act)
            act(inner)

    try:
        retrying(once)
    except DomainError as refusal:
        return refusal.code
    return "done"


def test_a_hundred_pieces_are_sold_exactly_among_a_thousand_tries(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    item = make_deal(
        session, store, ActivityKind.FLASH_SALE, on_hand=2 * PIECES, stock=PIECES, limit_total=500
    )
    buyers = [purchase(make_member(session), store) for _ in range(CLIENTS)]
    item_id = item.id
    session.commit()

    def client(number: int) -> Counter[str]:
        def buy(inner: Session) -> None:
            flash_sales.buy(inner, item_id, buyers[number], settings=settings, now=now)

        return Counter(answer(buy) for _ in range(TRIES))

    found = at_once(app, *[partial(client, number) for number in range(CLIENTS)])

    answers = sum((one for one in found if isinstance(one, Counter)), Counter[str]())
    session.refresh(item)
    assert answers == {"done": PIECES, "activity_sold_out": CLIENTS * TRIES - PIECES}
    assert item.sold == PIECES
    assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == PIECES
    assert broken(session, *HELD) == []


def test_one_member_with_many_phones_takes_their_share_only(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    item = make_deal(session, store, ActivityKind.FLASH_SALE, limit_per_member=3)
    buyer, item_id = purchase(make_member(session), store), item.id
    session.commit()

    def buy(inner: Session) -> None:
        flash_sales.buy(inner, item_id, buyer, settings=settings, now=now)

    found = at_once(app, *[partial(answer, buy)] * 12)

    assert Counter(found) == {"done": 3, "activity_limit_reached": 9}
    assert broken(session, *HELD) == []


@pytest.mark.parametrize("size", [2, 5])
def test_a_group_takes_as_many_as_it_has_seats(
    app: Flask, session: Session, settings: Settings, now: datetime, size: int
) -> None:
    store = make_store(session)
    item = make_deal(
        session, store, ActivityKind.GROUP_BUY, on_hand=50, stock=50, rules={"size": size}
    )
    leader = purchase(make_member(session), store)
    group, _ = groups.open_group(session, item.id, leader, settings=settings, now=now)
    joiners = [purchase(make_member(session), store) for _ in range(size + 5)]
    code = group.code
    session.commit()

    def join(number: int) -> str:
        def act(inner: Session) -> None:
            groups.join(inner, code, joiners[number], settings=settings, now=now)

        return answer(act)

    found = at_once(app, *[partial(join, number) for number in range(size + 5)])
    for order in session.scalars(sa.select(Order)).all():
        pay_for(session, order, settings=settings, now=now)
    follow(session, now=now)

    session.refresh(group)
    seats = session.scalars(sa.select(GroupSeat.number).order_by(GroupSeat.number)).all()
    assert Counter(found) == {"done": size - 1, "group_full": 6}
    assert list(seats) == list(range(1, size + 1))
    assert group.state is GroupState.COMPLETE
    assert broken(session, *HELD) == []


def test_the_end_of_its_time_and_its_last_payment_leave_one_truth(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    item = make_deal(
        session, store, ActivityKind.GROUP_BUY, on_hand=50, stock=50, rules={"size": 2}
    )
    pairs = []
    for _ in range(8):
        leader = purchase(make_member(session), store)
        group, first = groups.open_group(session, item.id, leader, settings=settings, now=now)
        _, last = groups.join(
            session, group.code, purchase(make_member(session), store), settings=settings, now=now
        )
        offer(session, last, now=now)
        pay_for(session, first, settings=settings, now=now)
        pairs.append((group.id, last.id))
    reports = {}
    for _, last_id in pairs:
        row = session.get_one(Order, last_id)
        openid = session.scalar(
            sa.text("SELECT wechat_openid FROM members WHERE id = :id"), {"id": row.member_id}
        )
        reports[last_id] = payment_report(row, openid=str(openid))
    session.commit()

    def pay(last_id: int) -> str:
        orders.confirm_payment(reports[last_id], received=None, settings=settings, now=now)
        return "paid"

    def end(group_id: int) -> str:
        return answer(lambda inner: groups.look_after(inner, group_id, now=now + DAY))

    at_once(
        app,
        *[partial(pay, last_id) for _, last_id in pairs],
        *[partial(end, group_id) for group_id, _ in pairs],
    )
    follow(session, now=now)
    sweep(session, now=now + DAY)
    follow(session, now=now)

    complete = session.scalars(
        sa.select(BuyingGroup.id).where(BuyingGroup.state == GroupState.COMPLETE)
    ).all()
    failed = session.scalars(
        sa.select(BuyingGroup.id).where(BuyingGroup.state == GroupState.FAILED)
    ).all()
    given_back = session.scalar(sa.select(sa.func.count()).select_from(Refund))
    assert len(complete) + len(failed) == 8
    assert given_back == 2 * len(failed)
    live = sa.select(sa.func.count()).where(GroupSeat.state == SeatState.PAID)
    assert session.scalar(live) == 2 * len(complete)
    assert broken(session, *HELD) == []


def test_a_cut_and_a_purchase_at_once_agree_on_the_price(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    service = make_product(session)
    activity = make_activity(
        session, ActivityKind.BARGAIN, products=[service], price_fen=6_000, rules={"parts": 30}
    )
    owner = make_member(session)
    bargain = bargains.start(
        session, activity.items[0].id, member_id=owner.id, store_id=store.id, now=now
    )
    helpers = [make_member(session).id for _ in range(10)]
    wanted = purchase(owner, store)
    wanted = type(wanted)(
        member_id=owner.id, store_id=store.id, fulfilment=Fulfilment.SERVICE, quantity=1
    )
    code, bargain_id = bargain.code, bargain.id
    session.commit()

    def cut(helper_id: int) -> str:
        return answer(lambda inner: bargains.cut(inner, code, helper_id=helper_id, now=now))

    def buy() -> str:
        return answer(lambda inner: bargains.buy(inner, code, wanted, settings=settings, now=now))

    found = at_once(app, *[partial(cut, one) for one in helpers], buy, buy)

    row = session.get_one(Bargain, bargain_id, populate_existing=True)
    order = session.scalars(sa.select(Order)).one()
    cuts = session.scalar(sa.select(sa.func.sum(BargainCut.amount_fen))) or 0
    assert Counter(found[-2:]) == {"done": 1, "bargain_not_open": 1}
    assert row.cut_fen == cuts
    assert order.payable_fen == 10_000 - cuts
    assert broken(session, *HELD) == []


def test_one_friend_with_many_phones_cuts_once(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    item = make_deal(session, store, ActivityKind.BARGAIN, price_fen=6_000)
    bargain = bargains.start(
        session, item.id, member_id=make_member(session).id, store_id=store.id, now=now
    )
    helper_id, code = make_member(session).id, bargain.code
    session.commit()

    def cut() -> str:
        return answer(lambda inner: bargains.cut(inner, code, helper_id=helper_id, now=now))

    found = at_once(app, *[cut] * 10)

    assert Counter(found) == {"done": 1, "bargain_cut_already": 9}
    assert broken(session, *HELD) == []


def test_workers_that_sweep_together_give_everything_back_once(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    item = make_deal(session, store, ActivityKind.GROUP_BUY, stock=20, rules={"size": 2})
    for _ in range(10):
        leader = purchase(make_member(session), store)
        _, order = groups.open_group(session, item.id, leader, settings=settings, now=now)
        pay_for(session, order, settings=settings, now=now)
    session.commit()

    at_once(app, *[partial(groups.sweep, now + DAY)] * 4)

    refunds = session.scalars(sa.select(Refund.order_id)).all()
    held = session.scalar(sa.select(sa.func.count()).where(ActivityEntry.state == "held"))
    assert (len(refunds), len(set(refunds)), held) == (10, 10, 0)
    assert broken(session, *HELD) == []
