"""One page of a list: narrowed, searched, ordered, and found by its place instead of a count.

A page begins after the last row of the page before (`?after=`), which costs the same on the first
page and on the ten-thousandth, in whatever order. Rows without a value come last, both ways: they
are a second part of the list with a query of its own, so that an index on (value, key) serves both
parts and both directions. How many rows there are is counted up to a thousand; beyond that nobody
reads on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement, Select

from admin import cursors
from admin.cursors import Place

COUNTED_MAX: Final = 1_000
PAGE_SIZES: Final = (25, 50, 100)
SEARCH_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Request:
    """What the address asks of a list."""

    search: str
    sort: str
    descending: bool
    after: str | None
    """A place as the address holds it; it means something only to an order."""
    before: str | None
    size: int

    @classmethod
    def read(cls, arguments: Mapping[str, str], *, sortable: Sequence[str], size: int) -> "Request":
        """Read the address; what makes no sense counts as not said."""
        sort = arguments.get("sort", "")
        wished = arguments.get("size", "")
        return cls(
            search=arguments.get("search", "").replace("\x00", "").strip()[:SEARCH_MAX],
            sort=sort if sort in sortable else "",
            descending=arguments.get("desc") == "1",
            after=arguments.get("after"),
            before=arguments.get("before"),
            size=int(wished) if wished in {str(one) for one in PAGE_SIZES} else size,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page and how to get to those beside it."""

    rows: list[Any]
    newer: dict[str, Any] | None
    """Parameters of the page before, or None on the first."""
    older: dict[str, Any] | None
    """Parameters of the page after, or None on the last."""

    @property
    def is_whole(self) -> bool:
        """Tell whether these are all rows there are."""
        return self.newer is None and self.older is None


def by_place(
    session: Session,
    query: Select[Any],
    columns: Sequence[Any],
    request: Request,
    *,
    descending: bool = True,
) -> Page:
    """Return a page of a list ordered by some columns, all in one direction.

    Together the columns tell rows apart. The first may be NULL, and such rows come last in both
    directions; the others never are.
    """
    walk = _Walk(session, query, tuple(columns), descending)
    after = cursors.read(request.after, columns)
    before = cursors.read(request.before, columns)
    backwards = before is not None and after is None
    found = walk.rows(before if backwards else after, request.size + 1, backwards=backwards)
    more = len(found) > request.size
    shown = found[: request.size]
    if backwards:
        shown.reverse()
    newer = more if backwards else after is not None
    older = more or backwards
    return Page(
        [row for row, _ in shown],
        {"before": cursors.written(shown[0][1])} if newer and shown else ({} if newer else None),
        {"after": cursors.written(shown[-1][1])} if older and shown else None,
    )


@dataclass(frozen=True, slots=True)
class _Walk:
    """A query in an order that can be walked from any place, forwards and backwards."""

    session: Session
    query: Select[Any]
    columns: tuple[Any, ...]
    descending: bool

    def rows(self, place: Place | None, count: int, *, backwards: bool) -> list[tuple[Any, Place]]:
        """Return the rows beyond a place with their own places, in the order of the walk."""
        found: list[tuple[Any, Place]] = []
        for is_empty in self._parts(place, backwards=backwards):
            is_here = place is not None and (place[0] is None) is is_empty
            part = self._part(place if is_here else None, is_empty=is_empty, backwards=backwards)
            for row in self.session.execute(part.limit(count - len(found))):
                found.append((row[0], tuple(row[1:])))
            if len(found) >= count:
                break
        return found

    def _parts(self, place: Place | None, *, backwards: bool) -> Sequence[bool]:
        """Return the parts to come: those with a value (False), then those without (True)."""
        parts = [False, True] if cursors.may_be_null(self.columns[0]) else [False]
        if backwards:
            parts.reverse()
        return parts if place is None else parts[parts.index(place[0] is None) :]

    def _part(self, place: Place | None, *, is_empty: bool, backwards: bool) -> Select[Any]:
        downwards = self.descending is not backwards
        query = self.query
        if cursors.may_be_null(self.columns[0]):
            first = self.columns[0]
            query = query.where(first.is_(None) if is_empty else first.is_not(None))
        skipped = int(is_empty)
        columns = self.columns[skipped:]
        if place is not None:
            query = query.where(_beyond(columns, place[skipped:], downwards=downwards))
        order = [column.desc() if downwards else column.asc() for column in columns]
        return query.order_by(*order).add_columns(*self.columns)


def _beyond(columns: Sequence[Any], values: Place, *, downwards: bool) -> ColumnElement[bool]:
    """Compare whole rows, which an index on just these columns can begin with."""
    here = sa.tuple_(*columns)
    there = sa.tuple_(
        *(sa.literal(value, column.type) for value, column in zip(values, columns, strict=True))
    )
    condition: ColumnElement[bool] = here < there if downwards else here > there
    return condition


def counted(session: Session, query: Select[Any]) -> int:
    """Count rows up to one more than `COUNTED_MAX`."""
    one = query.with_only_columns(sa.literal(1), maintain_column_froms=True)
    few = one.order_by(None).limit(COUNTED_MAX + 1)
    return session.scalar(sa.select(sa.func.count()).select_from(few.subquery())) or 0
