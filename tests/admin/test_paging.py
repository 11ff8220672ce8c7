"""Lists by the page: in any order, there and back, whatever an address says."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from itertools import chain
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from admin import cursors
from app.catalog.models import ProductKind
from app.members.models import Member
from tests.admin.conftest import Desk
from tests.factories.orders import make_order, make_product, make_stock
from tests.factories.people import NOON, make_member, make_store

LINK: Final = re.compile(r'rel="(next|prev)" href="([^"]+)"')
NAME: Final = re.compile(r">(m\d{3})<")


def walk(desk: Desk, path: str, shown: re.Pattern[str]) -> tuple[list[str], list[str]]:
    """Read a list to its end by its links and back to its beginning."""

    def follow(start: str, relation: str) -> tuple[list[list[str]], str]:
        pages, here = [], start
        while True:
            text = desk.get(here).get_data(as_text=True)
            pages.append(shown.findall(text))
            onwards = dict(LINK.findall(text)).get(relation)
            if onwards is None:
                return pages, here
            here = html.unescape(onwards).removeprefix("/admin")

    forth, end = follow(path, "next")
    back, _ = follow(end, "prev")
    return list(chain(*forth)), list(chain(*reversed(back)))


@pytest.fixture
def members(session: Session) -> list[str]:
    """Sixty customers, of whom every third never bought and the others did in groups of four."""
    for number in range(60):
        make_member(
            session,
            nickname=f"m{number:03}",
            first_paid_at=NOON + timedelta(days=number // 4) if number % 3 else None,
        )
    session.commit()
    return [f"m{number:03}" for number in range(60)]


@pytest.mark.parametrize("descending", ["0", "1"])
def test_a_sorted_list_is_walked_there_and_back_without_losing_or_doubling_a_row(
    session: Session, owner: Desk, members: list[str], descending: str
) -> None:
    forth, back = walk(owner, f"/members/?sort=first_paid_at&desc={descending}&size=25", NAME)

    bought = [name for name in members if int(name[1:]) % 3]
    never = [name for name in members if not int(name[1:]) % 3]
    if descending == "1":
        bought, never = bought[::-1], never[::-1]
    assert forth == bought + never
    assert back == forth


def test_what_comes_in_meanwhile_moves_nobody_to_another_page(
    session: Session, owner: Desk, members: list[str]
) -> None:
    first = owner.get("/members/", sort="registered_at", desc="1", size=25).get_data(as_text=True)
    make_member(session, nickname="m999")
    session.commit()
    onwards = html.unescape(dict(LINK.findall(first))["next"]).removeprefix("/admin")

    second = owner.get(onwards).get_data(as_text=True)

    assert set(NAME.findall(first)).isdisjoint(NAME.findall(second))
    assert "m999" not in NAME.findall(second)


def test_stock_is_walked_by_product_and_store(session: Session, owner: Desk) -> None:
    stores = [make_store(session) for _ in range(6)]
    for title in ("t001", "t002", "t003", "t004", "t005"):
        product = make_product(session, kind=ProductKind.GOODS, title=title)
        for store in stores:
            make_stock(session, product, store, on_hand=1)
    session.commit()

    forth, back = walk(owner, "/stock/?size=25", re.compile(r">(t\d{3})<"))

    assert forth == [f"t00{number}" for number in range(1, 6) for _ in stores]
    assert back == forth


def test_no_list_skips_rows_by_counting_them(
    app: Flask, session: Session, owner: Desk, members: list[str]
) -> None:
    """OFFSET reads all that it skips, so the ten-thousandth page would cost ten thousand pages."""
    said: list[str] = []

    def listen(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    engine = session.get_bind()
    sa.event.listen(engine, "before_cursor_execute", listen)
    try:
        for endpoint, view in app.extensions["backoffice"].items():
            owner.get(f"/{endpoint}/")
            for column in view.sortable:
                owner.get(f"/{endpoint}/", sort=column, page="3")
    finally:
        sa.event.remove(engine, "before_cursor_execute", listen)

    assert len(said) > 100
    assert not [one for one in said if "OFFSET" in one.upper()]


def test_whatever_counts_stops_at_its_limit(
    app: Flask, session: Session, owner: Desk, members: list[str]
) -> None:
    said: list[str] = []

    def listen(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    engine = session.get_bind()
    sa.event.listen(engine, "before_cursor_execute", listen)
    try:
        for endpoint in app.extensions["backoffice"]:
            owner.get(f"/{endpoint}/")
    finally:
        sa.event.remove(engine, "before_cursor_execute", listen)

    counting = [one for one in said if re.match(r"SELECT count\(\*\) AS \w+ ?\nFROM \(", one)]
    assert counting
    assert all("LIMIT" in one for one in counting)


PLACES: Final = (
    "abc",
    "W10",
    "W251bGwsMTJd" * 500,
    "9" * 30,
    "-1",
    "é",
    "=",
    cursors.written((None, 3)),
    cursors.written(("2026-01-01T00:00:00", 3)),
    cursors.written(("2026-01-01T00:00:00+00:00", 2**70)),
    cursors.written(("9999-12-31T23:59:59-23:00", 3)),
    cursors.written(("\x00", 3)),
    cursors.written((1.5, 3)),
    cursors.written(([], 3)),
    cursors.written((True, 3)),
)


MADE_UP: Final = [(side, place) for place in PLACES for side in ("after", "before")]
SHARES: Final = 5
"""Each order of each list meets every fifth of the places, and each place every fifth of these."""


@pytest.mark.parametrize("number", range(len(MADE_UP)))
def test_a_place_that_somebody_made_up_is_read_or_passed_over_and_never_breaks(
    app: Flask, owner: Desk, number: int
) -> None:
    side, place = MADE_UP[number]
    views = app.extensions["backoffice"].items()
    orders = [(endpoint, column) for endpoint, view in views for column in ("", *view.sortable)]

    for endpoint, column in orders[number % SHARES :: SHARES]:
        answer = owner.get(f"/{endpoint}/", sort=column, **{side: place})
        assert answer.status_code == 200, (endpoint, column)


def test_a_place_leads_to_nobody_elses_rows(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    mine, foreign = make_order(session, store=here), make_order(session, store=there)
    session.commit()
    desk = sit_down("finance", here)
    beyond = cursors.written((foreign.payable_fen, foreign.id + 1))

    page = desk.get("/orders/", sort="payable_fen", desc="1", after=beyond).get_data(as_text=True)

    assert foreign.number not in page
    assert mine.number in page


def test_a_list_on_one_page_knows_its_count_without_counting(session: Session, owner: Desk) -> None:
    before = session.scalar(sa.select(sa.func.count()).select_from(Member)) or 0
    for _ in range(4):
        make_member(session)
    session.commit()

    page = owner.get("/members/").get_data(as_text=True)

    assert f"<small>{before + 4}</small>" in page


HUGE: Final = (
    {f"filter{number}": "x" * 20 for number in range(500)},
    {"search": "x" * 20_000},
    {"store": "9" * 20_000, "created_from": "x" * 20_000},
    {"sort": ["payable_fen"] * 300, "state": ["paid"] * 300},
    {"created_from": "9999-12-31", "created_to": "9999-12-31"},
    {"created_from": "0001-01-01", "at_from": "0001-01-01", "at_to": "9999-12-31"},
    {"registered_from": "2026-13-40", "created_to": "yesterday"},
    {"member": "\x00", "phone": "\x00", "state": "\x00", "x\x00": "1"},
    {"member": "\ud83d".encode("utf-8", "surrogatepass"), "search": b"\xff\xfe"},
    {"view": "9" * 30, "desc": "x", "size": "-1"},
    {"view": "1' OR 1=1"},
)


@pytest.mark.parametrize("query", HUGE, ids=lambda query: next(iter(query)).strip("\x00"))
def test_whatever_an_address_holds_is_answered_with_a_page_of_usual_size(
    app: Flask, owner: Desk, query: dict[str, Any]
) -> None:
    for endpoint in app.extensions["backoffice"]:
        answer = owner.client.get(f"/admin/{endpoint}/", query_string=query)
        assert answer.status_code == 200, endpoint
        assert len(answer.get_data()) < 200_000, endpoint
