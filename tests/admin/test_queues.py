"""What waits: numbers that equal the lists behind them, within the reader's stores; low stock."""

import html
import re
from collections.abc import Callable
from itertools import product
from typing import Final

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from admin.dashboards.queues import QUEUES, understands
from app.catalog.models import StockLevel
from app.kernel.audit import AuditRecord
from app.settings import Settings
from tests.admin.conftest import Desk
from tests.admin.world import World, build
from tests.factories.orders import make_goods
from tests.factories.people import make_store

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
