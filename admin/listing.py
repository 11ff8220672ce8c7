"""One page of a list: narrowed, searched, ordered, and found by its place instead of a count.

A page begins after the last row of the page before (`?after=`), which costs the same on the first
page and on the ten-thousandth. Lists ordered by another column than their key go by page numbers,
up to a limit. How many rows there are is counted up to a thousand; beyond that nobody reads on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement, Select

from admin.urls import as_id

COUNTED_MAX: Final = 1_000
PAGES_MAX: Final = 200
PAGE_SIZES: Final = (25, 50, 100)


@dataclass(frozen=True, slots=True)
class Request:
    """What the address asks of a list."""

    search: str
    sort: str
    descending: bool
    after: int | None
    before: int | None
    page: int
    size: int

    @classmethod
    def read(cls, arguments: Mapping[str, str], *, sortable: Sequence[str], size: int) -> "Request":
        """Read the address; what makes no sense counts as not said."""
        sort = arguments.get("sort", "")
        wished = arguments.get("size", "")
        return cls(
            search=arguments.get("search", "").replace("\x00", "").strip()[:100],
            sort=sort if sort in sortable else "",
            descending=arguments.get("desc") == "1",
            after=as_id(arguments.get("after")),
            before=as_id(arguments.get("before")),
            page=min(as_id(arguments.get("page")) or 0, PAGES_MAX),
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


def by_key(session: Session, query: Select[Any], key: ColumnElement[int], request: Request) -> Page:
    """Return a page of a list ordered by its key, newest first."""
    backwards = request.before is not None and request.after is None
    if backwards:
        query = query.where(key > request.before).order_by(key)
    else:
        if request.after is not None:
            query = query.where(key < request.after)
        query = query.order_by(key.desc())
    found = list(session.scalars(query.limit(request.size + 1)))
    more = len(found) > request.size
    rows = found[: request.size]
    if backwards:
        rows.reverse()
    name = str(key.key)
    newer = more if backwards else request.after is not None
    older = more or backwards
    return Page(
        rows,
        {"before": getattr(rows[0], name)} if newer and rows else ({} if newer else None),
        {"after": getattr(rows[-1], name)} if older and rows else None,
    )


def by_number(session: Session, query: Select[Any], request: Request) -> Page:
    """Return a page of a list that is ordered already, by its number."""
    offset = request.page * request.size
    found = list(session.scalars(query.limit(request.size + 1).offset(offset)))
    more = len(found) > request.size and request.page < PAGES_MAX
    return Page(
        found[: request.size],
        {"page": request.page - 1} if request.page else None,
        {"page": request.page + 1} if more else None,
    )


def counted(session: Session, query: Select[Any]) -> int:
    """Count rows up to one more than `COUNTED_MAX`."""
    one = query.with_only_columns(sa.literal(1), maintain_column_froms=True)
    few = one.order_by(None).limit(COUNTED_MAX + 1)
    return session.scalar(sa.select(sa.func.count()).select_from(few.subquery())) or 0
