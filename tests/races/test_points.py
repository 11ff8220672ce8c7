"""Two hands on the same points: each point is spent once, whoever is faster."""

from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.audit import Actor
from app.kernel.db import atomic, retrying
from app.ledger.queries import balance
from app.points import accounts, earning, exchanging, expiring, spending
from app.points.exchanging import Wish
from app.points.mall_models import MallExchange, MallItem
from app.points.states import ExchangeState, PointSource
from tests.factories.orders import make_goods
from tests.factories.people import make_member, make_staff, make_store
from tests.factories.points import make_exchange, make_mall_item, make_points
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
POINTS = ("B4", "B32", *(f"B32{one}" for one in "abcdef"), "E1", "E2", "E3", "E4", "S1")
CLIENTS = 20


def hold(member_id: int, key: str, points: int, now: datetime) -> str:
    def act() -> None:
        with atomic() as inner:
            spending.hold(inner, key, points, member_id=member_id, now=now)

    retrying(act)
    return "held"


def test_of_twenty_spends_of_all_points_one_gets_them(
    app: Flask, session: Session, now: datetime
) -> None:
    member = make_member(session)
    member_id = member.id
    make_points(session, member, 100)
    session.commit()

    answers = at_once(
        app, *[partial(hold, member_id, f"order:{one}", 100, now) for one in range(CLIENTS)]
    )

    assert sorted(answers) == ["held", *["points_short"] * (CLIENTS - 1)]
    assert balance(session, accounts.reserved(member_id)) == 100
    assert balance(session, accounts.available(member_id)) == 0
    assert broken(session, *POINTS) == []


def test_small_spends_take_each_point_once(app: Flask, session: Session, now: datetime) -> None:
    member = make_member(session)
    for day in range(10):
        make_points(session, member, 10, now=now - timedelta(days=day))
    session.commit()

    answers = at_once(
        app, *[partial(hold, member.id, f"order:{one}", 7, now) for one in range(CLIENTS)]
    )

    assert answers.count("held") == 100 // 7
    assert balance(session, accounts.available(member.id)) == 100 % 7
    assert broken(session, *POINTS) == []


def test_what_runs_out_while_it_is_spent_is_either_spent_or_gone(
    app: Flask, session: Session, now: datetime
) -> None:
    members = [make_member(session) for _ in range(CLIENTS)]
    old = now - timedelta(days=364)
    for member in members:
        make_points(session, member, 50, now=old)
        make_points(session, member, 50)
    session.commit()
    over = now + timedelta(days=2)

    def expire() -> str:
        with atomic() as inner:
            expiring.expire_batch(inner, now=over)
        return "expired"

    spends = [partial(hold, one.id, f"order:{one.id}", 40, over) for one in members]
    answers = at_once(app, *spends, expire, expire)
    with atomic() as inner:
        expiring.expire_batch(inner, now=over)

    assert answers.count("held") == CLIENTS
    assert all(balance(session, accounts.available(one.id)) == 10 for one in members)
    assert balance(session, accounts.EXPIRED) == 50 * CLIENTS
    assert broken(session, *POINTS) == []


def test_twenty_hands_on_the_last_piece_of_the_mall(
    app: Flask, session: Session, now: datetime
) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=50)
    item = make_mall_item(session, goods, stock=1)
    members = [make_member(session) for _ in range(CLIENTS)]
    for member in members:
        make_points(session, member, 100)
    wish = Wish(item.id, store.id)
    session.commit()

    def take(member_id: int) -> str:
        def act() -> None:
            with atomic() as inner:
                exchanging.exchange(inner, wish, member_id=member_id, now=now)

        retrying(act)
        return "had"

    answers = at_once(app, *[partial(take, one.id) for one in members])

    assert sorted(answers) == ["had", *["mall_item_gone"] * (CLIENTS - 1)]
    left = [balance(session, accounts.available(one.id)) for one in members]
    assert sorted(left) == [0, *[100] * (CLIENTS - 1)]
    assert session.get_one(MallItem, item.id, populate_existing=True).exchanged == 1
    assert broken(session, *POINTS) == []


def test_one_member_with_twenty_hands_gets_no_more_than_their_share(
    app: Flask, session: Session, now: datetime
) -> None:
    store, member = make_store(session), make_member(session)
    item = make_mall_item(session, stock=100, limit_per_member=3)
    make_points(session, member, 10_000)
    wish, member_id = Wish(item.id, store.id), member.id
    session.commit()

    def take() -> str:
        with atomic() as inner:
            exchanging.exchange(inner, wish, member_id=member_id, now=now)
        return "had"

    answers = at_once(app, *[take] * CLIENTS)

    assert sorted(answers) == [*["had"] * 3, *["mall_limit_reached"] * (CLIENTS - 3)]
    assert balance(session, accounts.available(member_id)) == 10_000 - 300
    assert broken(session, *POINTS) == []


def test_an_exchange_is_cancelled_once_or_handed_over(
    app: Flask, session: Session, now: datetime
) -> None:
    store, member = make_store(session), make_member(session)
    goods = make_goods(session, store)
    row_id = make_exchange(session, member, store, make_mall_item(session, goods)).id
    store_id, member_id = store.id, member.id
    staff = Actor("staff", make_staff(session).id)
    session.commit()

    def cancel() -> str:
        with atomic() as inner:
            exchanging.cancel(inner, row_id, actor=staff, reason="why", now=now)
        return "cancelled"

    def hand_over() -> str:
        with atomic() as inner:
            found = exchanging.locked(inner, row_id)
            exchanging.end_handed_over(inner, found, store_id=store_id, actor=staff, now=now)
        return "handed_over"

    answers = at_once(app, *[cancel] * 5, *[hand_over] * 5)

    found = session.get_one(MallExchange, row_id, populate_existing=True)
    back = 100 if found.state is ExchangeState.CANCELLED else 0
    assert sorted(answers) == sorted([found.state.value, *["exchange_not_waiting"] * 9])
    assert balance(session, accounts.available(member_id)) == back
    assert broken(session, *POINTS) == []


def test_a_refund_taken_up_by_many_workers_gives_back_and_takes_back_once(
    app: Flask, session: Session, now: datetime
) -> None:
    member_id = make_member(session).id
    earning.earn_pending(session, member_id, 90, key="order:1", now=now)
    earning.settle(session, "order:1", now=now)
    spending.hold(session, "order:2", 60, member_id=member_id, now=now)
    spending.spend_held(session, "order:2", now=now)
    session.commit()

    def refund() -> int:
        with atomic() as inner:
            spending.give_back_up_to(inner, "order:2", 20, now=now)
            return earning.take_back(inner, "order:1", 70, now=now)

    taken = at_once(app, *[refund] * 8)

    assert sorted(taken) == [*[0] * 7, 70]
    assert balance(session, accounts.available(member_id)) == 0
    assert balance(session, accounts.debt(member_id)) == -20
    assert broken(session, *POINTS) == []


def test_a_gift_given_by_many_workers_at_once_comes_once(
    app: Flask, session: Session, now: datetime
) -> None:
    member_id = make_member(session).id
    session.commit()

    def give() -> bool:
        with atomic() as inner:
            return earning.grant(
                inner, member_id, 30, key="task:1", source=PointSource.TASK, reason="", now=now
            )

    given = at_once(app, *[give] * 12)

    assert sorted(map(str, given)) == [*["False"] * 11, "True"]
    assert balance(session, accounts.available(member_id)) == 30
    lots = session.scalar(sa.text("SELECT count(*) FROM point_lots"))
    assert lots == 1
    assert broken(session, *POINTS) == []
