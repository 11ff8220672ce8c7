"""Everything that happened to a customer as one stream, newest first, as its reader may see it.

Each kind of event is a source of its own, asked by index for no more than a page, through the view
that lists its rows: so permission and scope hold here as everywhere. A page begins after the last
event of the page before, so the hundredth costs what the first does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from flask import current_app
from flask_babel import lazy_gettext as _

from admin.cells import Badge
from admin.directory import Reference
from admin.scopes import AnySelect
from admin.tables import Shape, Table
from admin.urls import as_id
from app.kernel.db import db

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
LATEST: Final = datetime(2999, 1, 1, tzinfo=UTC)
FIRST_SHOWN: Final = 15
PAGE_ROWS: Final = 50
CURSOR_PARTS: Final = 3
SHAPE: Final = Shape(
    ("what", "at", "actor", "about", "amount_fen", "note"), {"what": _("Event"), "about": _("Row")}
)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that happened."""

    at: datetime
    id: int
    what: Badge
    about: Reference | None = None
    actor: str | None = None
    note: Any = None
    amount_fen: int | None = None
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after this event."""

    at: datetime
    rank: int
    id: int

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """Read a place from an address; what makes no sense is the beginning.

        >>> Place.read(Place(EPOCH + timedelta(days=1), 3, 12).text).id
        12
        >>> Place.read("nonsense") is Place.read("9" * 18 + ".1.1") is None
        True
        """
        numbers = [as_id(part) for part in text.split(".")]
        if len(numbers) != CURSOR_PARTS or None in numbers:
            return None
        micros, rank, key = (one or 0 for one in numbers)
        if micros > (LATEST - EPOCH) // MICROSECOND:
            return None
        return cls(EPOCH + micros * MICROSECOND, rank, key)

    @property
    def text(self) -> str:
        """Return the place as an address holds it."""
        return f"{(self.at - EPOCH) // MICROSECOND}.{self.rank}.{self.id}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose events, from where on, and how many of a source at most."""

    member_id: int
    after: Place | None
    limit: int
    rank: int = 0

    def page(self, query: AnySelect, at: Any, key: Any) -> AnySelect:
        """Narrow the rows of one source to those that can stand on the page, newest first."""
        place = self.after
        if place is not None:
            if self.rank < place.rank:
                query = query.where(at <= place.at)
            elif self.rank > place.rank:
                query = query.where(at < place.at)
            else:
                query = query.where(sa.tuple_(at, key) < sa.tuple_(place.at, place.id))
        return query.where(at.is_not(None)).order_by(at.desc(), key.desc()).limit(self.limit)


Source = Callable[[Wanted], Sequence[Item]]
"""Returns the newest events of a kind that stand on the page; none where the reader may not."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some events with their names loaded, and the place after them, if there are more."""

    table: Table
    more: Place | None


def page_of(sources: Sequence[Source], member_id: int, *, after: Place | None, size: int) -> Page:
    """Return a page of the stream: the newest of all sources together."""
    found: list[Item] = []
    for rank, source in enumerate(sources):
        wanted = Wanted(member_id, after, size + 1, rank)
        found += (replace(one, rank=rank) for one in source(wanted))
    found.sort(key=lambda one: (one.at, one.rank, one.id), reverse=True)
    shown = found[:size]
    last = shown[-1] if len(found) > size else None
    return Page(
        Table(shown, SHAPE), Place(last.at, last.rank, last.id) if last is not None else None
    )


def seen(endpoint: str, column: Any) -> AnySelect | None:
    """Return one column of the rows of a view that its reader sees; None where they see none."""
    view = current_app.extensions["backoffice"].get(endpoint)
    if view is None or not view.is_accessible():
        return None
    query: AnySelect = view.get_query()
    return query.with_only_columns(column, maintain_column_froms=True)


def rows_of(endpoint: str, model: Any, condition: sa.ColumnElement[bool]) -> AnySelect | None:
    """Return the rows of a view about somebody that its reader sees; None where they see none."""
    view = current_app.extensions["backoffice"].get(endpoint)
    if view is None or not view.is_accessible():
        return None
    assert view.model is model, "a view lists its own rows"
    return view.get_query().where(condition)  # type: ignore[no-any-return]


def scalars(query: AnySelect) -> Sequence[Any]:
    """Return the rows of a page of a source."""
    return db.session.scalars(query).all()
