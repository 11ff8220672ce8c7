"""What waits: numbers that equal the lists behind them, within the reader's stores; low stock."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from admin.dashboards.queues import QUEUES, understands
from app.activities.group_models import BuyingGroup
from app.activities.states import GroupState
from app.catalog.models import StockLevel
from app.guest_cards.models import CardBooking
from app.guest_cards.states import BookingState
from app.interactions.review_models import Review
from app.interactions.states import ReviewState
from app.kernel.audit import SYSTEM, AuditRecord
from app.kernel.db import database_now
from app.loyalty.models import GivenReward, RewardState
from app.orders.deals import Deal
from app.orders.handover_models import Handover, HandoverProof
from app.orders.models import Order
from app.orders.states import OrderState, RefundState
from app.settings import Settings
from tests.admin.conftest import Desk
from tests.admin.pages import fields_of
from tests.admin.world import World, build
from tests.factories.discounts import PaidWith
from tests.factories.orders import LineOf, make_goods, make_order, make_product, make_refund
from tests.factories.people import make_member, make_staff, make_store

WAITS: Final = re.compile(
    r'<li><a href="([^"]+)"><span class="count [a-z]*">(\d+)</span><span class="what">([^<]+)<'
)
ROW: Final = re.compile(r"<tr>\s*<td", re.DOTALL)


@pytest.fixture
def world(session: Session, settings: Settings) -> World:
    return build(session, settings)


def todos_of(desk: Desk) -> dict[str, tuple[str, int]]:
    """Return address and number of each queue of the start page by its name."""
    page = desk.get("/").get_data(as_text=True)
    return {
        html.unescape(name): (html.unescape(url), int(count))
        for url, count, name in WAITS.findall(page)
    }


ROLES: Final = ("owner", "operations", "finance", "store_manager", "front_desk")


def test_the_list_behind_each_queue_has_as_many_rows(
    world: World, sit_down: Callable[..., Desk]
) -> None:
    for role, stores in product(ROLES, ((), (world.here.store,))):
        desk = sit_down(role, *stores)

        found = todos_of(desk)

        assert "Orders to hand over" in found or role == "finance"
        for name, (url, count) in found.items():
            page = desk.get(url.removeprefix("/admin")).get_data(as_text=True)
            assert len(ROW.findall(page)) == count, (role, len(stores), name)
    everywhere = todos_of(sit_down("operations"))
    here = todos_of(sit_down("operations", world.here.store))
    assert everywhere["Orders to hand over"][1] == 2 * here["Orders to hand over"][1] > 0
    assert everywhere["Applications of distributors"][1] == 2
    assert here["Applications of distributors"][1] == 1


@pytest.mark.usefixtures("session")
def test_every_queue_of_a_list_that_is_there_is_understood_by_it(app: Flask) -> None:
    views = app.extensions["backoffice"]

    for queue in QUEUES:
        if queue.endpoint in views:
            assert understands(views[queue.endpoint], queue.filters), queue.endpoint
    assert not understands(views["orders"], {"state": "nonsense"})
    assert not understands(views["orders"], {"unheard_of": "paid"})


def test_stock_at_its_alert_waits_for_the_store_that_can_order_more(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    for on_hand in (5, 6, 0):
        make_goods(session, here, on_hand=on_hand)
    make_goods(session, there, on_hand=1)

    manager, owner = sit_down("store_manager", here), sit_down("owner")

    assert todos_of(manager)["Low stock"][1] == 2
    assert todos_of(owner)["Low stock"][1] == 3


def test_money_that_the_house_owes_and_wechat_refused_waits_for_finance_until_asked_for_again(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    goods = make_product(session, price_fen=10_000)
    deal = Deal(
        kind="group_buy",
        activity_id=77,
        title="Two together",
        prices_fen={goods.id: 8_000},
        is_held=True,
    )
    held, other, asked_for = (
        make_order(
            session, store=store, lines=[LineOf(product=goods)], paid_with=PaidWith(deal=deal)
        )
        for store in (here, there, here)
    )
    for order, by in ((held, SYSTEM), (other, SYSTEM), (asked_for, None)):
        make_refund(session, order, state=RefundState.FAILED, by=by)
    session.commit()
    assert held.held_for is not None
    finance, manager = sit_down("finance"), sit_down("store_manager", here)
    name = "Refunds that WeChat refused"

    url, count = todos_of(finance)[name]
    page = finance.get(url.removeprefix("/admin")).get_data(as_text=True)
    answer = finance.post(f"/orders/form/refund/?id={held.id}", refund_of_all(finance, held))

    assert (count, len(ROW.findall(page))) == (2, 2)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    assert todos_of(finance)[name][1] == 1
    assert name not in todos_of(manager)


def refund_of_all(desk: Desk, order: Order) -> dict[str, Any]:
    """Return what the refund form of an order begins with, with a reason."""
    page = desk.get("/orders/form/refund/", id=order.id).get_data(as_text=True)
    return fields_of(page) | {"reason": "The group was not complete"}


def test_what_staff_do_on_their_word_alone_unusually_often_waits_for_who_judges_risks(
    session: Session, settings: Settings, sit_down: Callable[..., Desk]
) -> None:
    store, at = make_store(session), database_now()
    staff = make_staff(session, "front_desk", stores=[store])
    for _ in range(settings.risk_by_word_day):
        order = make_order(session, store=store, state=OrderState.COMPLETED)
        proof = HandoverProof.STAFF_WORD
        session.add(
            Handover(order_id=order.id, store_id=store.id, staff_id=staff.id, proof=proof, at=at)
        )
    session.commit()
    name = "Orders handed over without a code"

    owner, desk = sit_down("owner"), sit_down(staff=staff)

    assert todos_of(owner)[name][1] == settings.risk_by_word_day
    assert name not in todos_of(desk)


def test_the_alert_of_a_product_is_set_with_a_trace(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=20)
    manager = sit_down("store_manager", store)
    wish = {"product_id": goods.id, "store_id": store.id, "low_at": 20}

    answer = manager.post("/stock/form/low/", wish)

    assert answer.status_code == 302, answer.get_data(as_text=True)
    level = session.get_one(StockLevel, (goods.id, store.id), populate_existing=True)
    assert level.low_at == 20
    assert todos_of(manager)["Low stock"][1] == 1
    record = session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id.desc())).first()
    assert record is not None
    assert (record.action, record.before, record.after) == (
        "stock_low_at_set",
        {"low_at": 5},
        {"low_at": 20},
    )


def test_nobody_sets_the_alert_of_another_store(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    goods = make_goods(session, there, on_hand=20)
    manager = sit_down("store_manager", here)

    answer = manager.post(
        "/stock/form/low/", {"product_id": goods.id, "store_id": there.id, "low_at": 20}
    )

    assert answer.status_code == 200
    assert session.get_one(StockLevel, (goods.id, there.id), populate_existing=True).low_at == 5


NEWS: Final = (
    "Guest cards booked for today",
    "Gifts of points to hand over",
    "Gifts of plans to hand over",
    "Groups about to run out of time",
    "Reviews to look at",
    "Nicknames to look at",
    "Rewards that were refused",
)


def counts_of(desk: Desk, names: tuple[str, ...] = NEWS) -> list[int]:
    found = todos_of(desk)
    return [found[name][1] if name in found else 0 for name in names]


@pytest.fixture
def unlooked(session: Session, world: World) -> World:
    """The world, with a review to look at and a refused reward at each store."""
    for place in (world.here, world.there):
        session.get_one(Review, place.ids["reviews"]).state = ReviewState.WAITING
        reward = session.get_one(GivenReward, place.ids["given_rewards"])
        reward.state, reward.given_at, reward.refusal = RewardState.REFUSED, None, "coupons_gone"
    session.commit()
    return world


def test_what_the_toolbox_leaves_to_staff_waits_in_its_own_store(
    unlooked: World, sit_down: Callable[..., Desk]
) -> None:
    everywhere, here = sit_down("owner"), sit_down("owner", unlooked.here.store)

    assert [count > 0 for count in counts_of(here)] == [True] * len(NEWS)
    assert counts_of(everywhere) == [2 * count for count in counts_of(here)]
    for url, count in (todos_of(here)[name] for name in NEWS):
        page = here.get(url.removeprefix("/admin")).get_data(as_text=True)
        assert len(ROW.findall(page)) == count, url


def test_what_comes_tomorrow_does_not_wait_today(
    session: Session, unlooked: World, sit_down: Callable[..., Desk]
) -> None:
    desk, names = sit_down("owner", unlooked.here.store), (NEWS[0], NEWS[3])
    before = counts_of(desk, names)
    booking = session.get_one(CardBooking, unlooked.here.ids["card_bookings"])
    group = session.get_one(BuyingGroup, unlooked.here.ids["buying_groups"])
    today = datetime.now(UTC)
    tomorrow = today + timedelta(days=1)
    booking.state, booking.ended_at = BookingState.KEPT, today
    session.flush()
    session.add(
        CardBooking(
            card_id=booking.card_id,
            template_id=booking.template_id,
            member_id=booking.member_id,
            store_id=booking.store_id,
            from_at=tomorrow,
            until_at=tomorrow + timedelta(hours=1),
            state=BookingState.BOOKED,
            booked_at=today,
        )
    )
    session.add(
        BuyingGroup(
            code="later",
            activity_id=group.activity_id,
            item_id=group.item_id,
            store_id=group.store_id,
            leader_id=make_member(session).id,
            size=2,
            state=GroupState.OPEN,
            opened_at=today,
            expires_at=tomorrow,
        )
    )
    session.commit()

    assert (before, counts_of(desk, names)) == ([1, 1], [0, 1])
