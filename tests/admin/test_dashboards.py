"""The start page: figures that equal their rows, charts, staleness, and whose figures they are."""

import csv
import html
import io
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.insight import refreshing
from app.insight.models import FigureRefresh
from app.kernel.audit import AuditRecord
from app.kernel.clock import business_day
from app.kernel.db import database_now
from app.stores.models import Store
from app.stores.permissions import RoleName
from tests.admin.conftest import Desk
from tests.factories.insight import HAPPENINGS
from tests.factories.people import make_store

TILE: Final = re.compile(
    r'<a href="([^"]+)">([^<]+)</a></span>\s*<strong data-figure="([a-z_]+)">([^<]+)</strong>'
)
NOTE: Final = re.compile(r'class="counted-note">.*?</svg>(\d+) rows?(?:, (\S+) in all,)? makes? up')
ROW: Final = re.compile(r"<tr>\s*<td", re.DOTALL)
CELL: Final = re.compile(r"<td.*?</td>", re.DOTALL)
BALANCE: Final = re.compile(r'data-label="Balance"><span class="money[^"]*">(-?¥[\d,.]+)</span>')
DRAWING: Final = re.compile(r'data-chart="([^"]+)"')


def fen(text: str) -> int:
    """Read an amount as a page writes it."""
    return int(re.sub(r"[¥,.]", "", text))


def tiles_of(desk: Desk, **query: Any) -> dict[str, tuple[str, str]]:
    """Return address and value of each tile by its key."""
    page = desk.get("/", **query).get_data(as_text=True)
    return {key: (html.unescape(url), value) for url, _name, key, value in TILE.findall(page)}


def values_of(desk: Desk, **query: Any) -> dict[str, str]:
    return {key: value for key, (_url, value) in tiles_of(desk, **query).items()}


def drawings(desk: Desk, **query: Any) -> list[dict[str, Any]]:
    """Return what each chart of the page is drawn from."""
    page = desk.get("/", **query).get_data(as_text=True)
    return [json.loads(html.unescape(text)) for text in DRAWING.findall(page)]


@pytest.fixture
def at(session: Session) -> datetime:
    """Now, by the clock that decides which day today is."""
    return database_now()


@pytest.fixture
def fill(session: Session, at: datetime) -> Callable[..., None]:
    """Let everything happen that can, at a store and a moment, and make the figures."""

    def happen(store: Store, moment: datetime | None = None) -> None:
        for act in HAPPENINGS.values():
            act(session, store, moment or at)
        refreshing.refresh(session, now=at)
        session.commit()

    return happen


@pytest.fixture
def here(session: Session, at: datetime) -> Store:
    return make_store(session, "Here store")


@pytest.fixture
def there(session: Session, at: datetime) -> Store:
    return make_store(session, "There store")


def check_tile(desk: Desk, key: str, url: str, value: str) -> None:
    page = desk.get(url.removeprefix("/admin")).get_data(as_text=True)
    rows = len(ROW.findall(page))
    if "/figures/" in url:
        assert f">{value}</td>" in page
    elif "/ledger_accounts/" in url:
        assert sum(map(fen, BALANCE.findall(page))) == fen(value), key
    else:
        note = NOTE.search(page)
        assert note is not None, f"{key}: no note at {url}"
        assert int(note[1]) == rows, key
        assert (note[2] if key.endswith("_fen") else note[1]) == value, key


@pytest.mark.parametrize("role", list(RoleName))
@pytest.mark.parametrize("sees_all", [False, True], ids=["one-store", "all-stores"])
def test_the_rows_behind_each_tile_make_up_its_figure(
    role: str,
    sees_all: bool,
    here: Store,
    there: Store,
    fill: Callable[..., None],
    sit_down: Callable[..., Desk],
) -> None:
    fill(here)
    fill(there)
    desk = sit_down(role) if sees_all else sit_down(role, here)

    shown = tiles_of(desk)

    assert len(shown) >= 4
    for key, (url, value) in shown.items():
        check_tile(desk, key, url, value)


def test_what_happens_elsewhere_changes_no_figure_of_a_store_manager(
    here: Store, there: Store, fill: Callable[..., None], sit_down: Callable[..., Desk]
) -> None:
    fill(here)
    manager = sit_down("store_manager", here)
    figures, drawn = values_of(manager), drawings(manager)
    table = CELL.findall(manager.get("/figures/").get_data(as_text=True))

    fill(there)

    assert values_of(manager) == figures
    assert values_of(manager, store=there.id) == figures
    assert drawings(manager) == drawn
    assert CELL.findall(manager.get("/figures/").get_data(as_text=True)) == table
    assert table
    assert figures["paid_orders"] == "7"


def test_one_store_can_be_looked_at_alone(
    here: Store, there: Store, fill: Callable[..., None], owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    fill(here)
    fill(there)
    manager = values_of(sit_down("store_manager", here))

    of_here = tiles_of(owner, store=here.id)

    assert {key: of_here[key][1] for key in of_here if key in manager} == {
        key: value for key, value in manager.items() if key in of_here
    }
    for key, (url, value) in of_here.items():
        check_tile(owner, key, url, value)


def test_today_stands_beside_the_whole_of_yesterday_and_of_the_same_weekday(
    here: Store, at: datetime, fill: Callable[..., None], owner: Desk
) -> None:
    fill(here, at - timedelta(days=1))
    fill(here, at - timedelta(days=7))
    fill(here, at - timedelta(days=7))

    page = owner.get("/").get_data(as_text=True)

    assert '<strong data-figure="paid_orders">0</strong>' in page
    assert "<small>Whole of yesterday 7</small>" in page
    assert "<small>Same weekday last week 14</small>" in page


def test_fresh_figures_say_of_when_they_are(
    here: Store, fill: Callable[..., None], owner: Desk
) -> None:
    fill(here)

    page = owner.get("/").get_data(as_text=True)

    assert "at most 5 minutes old" in page
    assert 'role="alert"' not in page


def test_old_figures_are_a_loud_warning(
    session: Session, here: Store, at: datetime, fill: Callable[..., None], owner: Desk
) -> None:
    fill(here)
    session.execute(sa.update(FigureRefresh).values(refreshed_at=at - timedelta(minutes=12)))
    session.commit()

    page = owner.get("/").get_data(as_text=True)

    assert re.search(r'role="alert">.*?12 minutes old', page, re.DOTALL)
    assert "at most 5 minutes old" not in page


def test_figures_that_were_never_made_are_a_warning(owner: Desk) -> None:
    assert "The figures were never made" in owner.get("/").get_data(as_text=True)


def test_charts_show_every_day_of_the_range_that_is_asked_for(
    here: Store, at: datetime, fill: Callable[..., None], owner: Desk
) -> None:
    fill(here, at - timedelta(days=2))

    week = drawings(owner, days=7)[0]

    today = business_day(at)
    assert week["heads"] == [(today - timedelta(days=6 - n)).isoformat() for n in range(7)]
    by_name = {one["name"]: one["values"] for one in week["series"]}
    paid, back = by_name["Money paid"], by_name["Refunded money"]
    assert by_name["Net of refunds"] == [a - b for a, b in zip(paid, back, strict=True)]
    assert [place for place, value in enumerate(paid) if value] == [4]
    assert len(drawings(owner, days=90)[0]["heads"]) == 90
    assert len(drawings(owner, days=8)[0]["heads"]) == 30


def test_a_chart_is_the_same_as_its_file_and_taking_it_is_audited(
    session: Session, here: Store, fill: Callable[..., None], owner: Desk
) -> None:
    fill(here)
    drawn = drawings(owner, days=7)[0]

    answer = owner.get("/figures/chart/money.csv", days=7)

    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert rows[0] == ["Day", "Money paid", "Refunded money", "Net of refunds"]
    assert [row[0] for row in rows[1:]] == drawn["heads"]
    values = [[fen(row[place]) for row in rows[1:]] for place in (1, 2, 3)]
    assert values == [one["values"] for one in drawn["series"]]
    record = session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id.desc())).first()
    assert record is not None
    assert (record.action, record.after["file"], record.after["rows"]) == (
        "exported",
        "figures-money",
        7,
    )


def test_files_need_the_right_to_export(
    here: Store, fill: Callable[..., None], sit_down: Callable[..., Desk]
) -> None:
    fill(here)
    manager = sit_down("store_manager", here)

    assert manager.get("/figures/chart/nothing.csv").status_code == 404
    assert manager.get("/figures/chart/money.csv").status_code == 403
    assert manager.get("/figures/table.csv").status_code == 403
    assert "/figures/chart/" not in manager.get("/").get_data(as_text=True)
    assert manager.get("/figures/").status_code == 200


def test_charts_of_money_are_not_for_who_may_not_see_orders(
    session: Session, here: Store, fill: Callable[..., None], sit_down: Callable[..., Desk]
) -> None:
    fill(here)
    cook = sit_down("cook")

    assert tiles_of(cook) == {}
    assert drawings(cook) == []
    assert cook.get("/figures/").status_code == 403
    assert cook.get("/figures/chart/money.csv").status_code == 403


def test_the_table_of_stores_adds_up_to_that_of_days(
    here: Store, there: Store, fill: Callable[..., None], owner: Desk
) -> None:
    fill(here)
    fill(there)

    days, stores = (
        list(csv.reader(io.StringIO(owner.get("/figures/table.csv", **query).get_data().decode())))
        for query in ({}, {"by": "store"})
    )

    assert days[0][1:] == stores[0][1:]
    column = days[0].index("Paid orders")
    assert sum(int(row[column]) for row in days[1:]) == 16
    assert {row[0] for row in stores[1:]} >= {"Here store", "There store"}
    assert sum(int(row[column]) for row in stores[1:]) == 16


def test_every_figure_is_explained_where_it_stands_and_in_the_glossary(
    here: Store, fill: Callable[..., None], owner: Desk
) -> None:
    fill(here)

    page = owner.get("/").get_data(as_text=True)
    glossary = owner.get("/help/").get_data(as_text=True)

    keys = tiles_of(owner)
    assert page.count('class="explain"') == len(keys)
    for key in keys:
        assert f'href="/admin/help/#{key}"' in page
        assert f'<div id="{key}"><dt>' in glossary
