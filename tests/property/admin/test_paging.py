"""Walking a list page by page, forwards and backwards, meets every row once and in order."""

import string
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from admin import cursors, listing
from tests.thoroughness import examples

FIRST = listing.Request(search="", sort="", descending=False, after=None, before=None, size=3)
NOON = datetime(2026, 1, 1, 12)  # noqa: DTZ001 - Hypothesis adds the zone itself
NUMBERS = st.none() | st.integers(-3, 3)
MOMENTS = st.none() | st.datetimes(NOON, NOON.replace(hour=13), timezones=st.just(UTC))
WORDS = st.none() | st.sampled_from(["", "a", "A", "b'", '"', "小", "ä", "🙂", "a b", "%"])


def table(kind: sa.types.TypeEngine[Any], values: list[Any]) -> Any:
    """Rows of one value each, numbered from 1."""
    columns = sa.column("key", sa.BigInteger), sa.column("value", kind)
    rows = sa.values(*columns, name="listed").data([*enumerate(values, start=1)])
    typed = sa.select(rows.c.key, sa.cast(rows.c.value, kind).label("value")) if values else None
    return typed.subquery() if typed is not None else None


def in_order(rows: list[tuple[int, Any]], *, descending: bool) -> list[int]:
    """Return the keys as PostgreSQL must list them: by value, then key; no value comes last."""
    empty = sorted((key for key, value in rows if value is None), reverse=descending)
    full = sorted(((value, key) for key, value in rows if value is not None), reverse=descending)
    return [key for _, key in full] + empty


def walk(
    session: Session, query: Any, order: Any, start: listing.Request, *, descending: bool
) -> Any:
    """Go to the end and back; return the pages of both ways, in the order of the list."""
    forth: list[listing.Page] = []
    back: list[listing.Page] = []
    wish, is_last = start, False
    while not is_last:
        page = listing.by_place(session, query, order, wish, descending=descending)
        forth.append(page)
        wish, is_last = replace(start, after=(page.older or {}).get("after")), page.older is None
    wish = replace(start, before=(page.newer or {}).get("before"))
    while wish.before is not None:
        page = listing.by_place(session, query, order, wish, descending=descending)
        back.insert(0, page)
        wish = replace(start, before=(page.newer or {}).get("before"))
    return [one.rows for one in forth], [one.rows for one in back]


@pytest.mark.parametrize("descending", [False, True], ids=["rising", "falling"])
@pytest.mark.parametrize(
    ("kind", "values"),
    [(sa.BigInteger(), NUMBERS), (sa.DateTime(timezone=True), MOMENTS), (sa.Text(), WORDS)],
    ids=["number", "moment", "text"],
)
def test_every_row_is_met_once_on_the_way_there_and_on_the_way_back(
    session: Session, kind: Any, values: Any, descending: bool
) -> None:
    @settings(
        suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(60)
    )
    @given(drawn=st.lists(values, min_size=1, max_size=14), size=st.integers(1, 5))
    def check(drawn: list[Any], size: int) -> None:
        listed = table(kind, drawn)
        value = sa.type_coerce(listed.c.value, kind)
        order = (sa.collate(value, "C") if isinstance(kind, sa.Text) else value, listed.c.key)
        start = replace(FIRST, size=size)
        rows = list(enumerate(drawn, start=1))

        forth, back = walk(session, sa.select(listed.c.key), order, start, descending=descending)

        expected = in_order(rows, descending=descending)
        assert [key for page in forth for key in page] == expected
        assert all(len(page) == size for page in forth[:-1])
        assert [key for page in back for key in page] == [
            key for page in forth[:-1] for key in page
        ]

    check()


COLUMNS = (
    sa.column("value", sa.DateTime(timezone=True)),
    sa.column("amount", sa.BigInteger),
    sa.column("word", sa.Text),
)


@given(
    st.tuples(
        st.none() | st.datetimes(timezones=st.just(UTC)),
        st.integers(-(2**63) + 1, 2**63 - 1),
        st.text().filter(lambda one: "\x00" not in one).filter(str.isprintable),
    )
)
def test_a_place_is_read_as_it_was_written(place: Any) -> None:
    text = cursors.written(place)
    again = cursors.read(text, COLUMNS)

    assert again == place or len(text) > cursors.LENGTH_MAX


@given(st.text(max_size=60) | st.text(string.ascii_letters + string.digits + "-_", max_size=80))
def test_what_is_no_place_counts_as_not_said(text: str) -> None:
    found = cursors.read(text, COLUMNS)

    assert found is None or (len(found) == 3 and cursors.read(cursors.written(found), COLUMNS))
