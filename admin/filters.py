"""Filters of a list: each a control of the form above the table and a condition of its query.

A filter reads its own parameters from the address, so a filtered list can be bookmarked, and
ignores what it cannot understand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

import sqlalchemy as sa
from flask import g
from sqlalchemy.sql import Select

from admin.i18n import gettext
from admin.labels import label_of
from admin.staff import visible_store_ids
from admin.urls import as_id
from app.kernel.clock import day_begins_at
from app.kernel.db import db
from app.stores.models import Store

Arguments = Mapping[str, str]
YEARS: Final = range(1900, 3000)
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2200


@dataclass(frozen=True, slots=True)
class Control:
    """What the form shows for a filter."""

    kind: str
    name: str
    label: Any
    value: str
    choices: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def said(self) -> str:
        """Return the value in words."""
        return str(dict(self.choices).get(self.value, self.value))


class Filter(Protocol):
    """One way to narrow a list."""

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return the controls of this filter with what the address holds."""

    def apply(self, query: Select[Any], arguments: Arguments) -> Select[Any]:
        """Narrow the query by what the address holds."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value out of an enumeration."""

    name: str
    label: Any
    column: Any
    options: type[StrEnum]

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return one select with every value."""
        choices = [(one.value, label_of(one)) for one in self.options]
        value = self._chosen(arguments)
        return [Control("select", self.name, self.label, value or "", choices)]

    def apply(self, query: Select[Any], arguments: Arguments) -> Select[Any]:
        """Keep rows of the chosen value."""
        value = self._chosen(arguments)
        return query.where(self.column == self.options(value)) if value else query

    def _chosen(self, arguments: Arguments) -> str | None:
        value = arguments.get(self.name, "")
        return value if value in {one.value for one in self.options} else None


@dataclass(frozen=True, slots=True)
class Options:
    """One of a few named conditions."""

    name: str
    label: Any
    conditions: Mapping[str, tuple[Any, Callable[[], sa.ColumnElement[bool]]]]
    """Value of the parameter to its label and its condition."""

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return one select with every condition."""
        choices = [(value, label) for value, (label, _) in self.conditions.items()]
        chosen = arguments.get(self.name, "")
        value = chosen if chosen in self.conditions else ""
        return [Control("select", self.name, self.label, value, choices)]

    def apply(self, query: Select[Any], arguments: Arguments) -> Select[Any]:
        """Keep rows that meet the chosen condition."""
        chosen = self.conditions.get(arguments.get(self.name, ""))
        return query.where(chosen[1]()) if chosen else query


@dataclass(frozen=True, slots=True)
class OfStore:
    """One of the stores that the reader sees; no control where there is only one."""

    name: str
    label: Any
    column: Any

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return one select with the reader's stores."""
        choices = _own_stores()
        if len(choices) <= 1:
            return []
        return [Control("select", self.name, self.label, arguments.get(self.name, ""), choices)]

    def apply(self, query: Select[Any], arguments: Arguments) -> Select[Any]:
        """Keep rows of one store; the scope of the view holds anyway."""
        key = as_id(arguments.get(self.name, ""))
        return query.where(self.column == key) if key is not None else query


@dataclass(frozen=True, slots=True)
class Days:
    """A span of business days, both ends included."""

    name: str
    label: Any
    column: Any

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return two date inputs."""
        since, until = f"{self.name}_from", f"{self.name}_to"
        return [
            Control(
                "date",
                since,
                gettext("%(what)s from", what=self.label),
                _iso(arguments.get(since, "")),
            ),
            Control(
                "date",
                until,
                gettext("%(what)s to", what=self.label),
                _iso(arguments.get(until, "")),
            ),
        ]

    def apply(self, query: Select[Any], arguments: Arguments) -> Select[Any]:
        """Keep rows whose instant falls on these days of the brand's calendar."""
        since, until = arguments.get(f"{self.name}_from", ""), arguments.get(f"{self.name}_to", "")
        if _iso(since):
            query = query.where(self.column >= day_begins_at(date.fromisoformat(since)))
        if _iso(until):
            after = date.fromisoformat(until) + timedelta(days=1)
            query = query.where(self.column < day_begins_at(after))
        return query

    def order(self, arguments: Arguments) -> Any:
        """Return the column to order by while these days are asked for; None for the usual order.

        Days long past are found at once in the order of an index on the column, and only after
        everything since in any other. Without such an index the usual order is no worse.
        """
        asked = any(_iso(arguments.get(f"{self.name}_{end}", "")) for end in ("from", "to"))
        return self.column if asked and leads_an_index(self.column) else None


def leads_an_index(column: Any) -> bool:
    """Tell whether an index of the whole table begins with a column."""
    found = column.property.columns[0]
    return any(
        next(iter(index.columns), None) is found
        and index.dialect_options["postgresql"]["where"] is None
        for index in found.table.indexes
    )


@dataclass(frozen=True, slots=True)
class Exactly:
    """One exact text or id, typed or carried by a link from another page."""

    name: str
    label: Any
    column: Any
    is_id: bool = False

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return one text input."""
        return [Control("text", self.name, self.label, arguments.get(self.name, ""))]

    def apply(self, query: Select[Any], arguments: Arguments) -> Select[Any]:
        """Keep rows of exactly this value; nothing for what cannot be one."""
        value = arguments.get(self.name, "").replace("\x00", "").strip()
        if not value:
            return query
        if not self.is_id:
            return query.where(self.column == value)
        key = as_id(value)
        return query.where(self.column == key if key is not None else sa.false())


def contains(column: Any, text: str) -> sa.ColumnElement[bool]:
    """Match a text anywhere in a column; `%` and `_` stand for themselves.

    Where the letters and pairs of letters of a column are indexed, rows that lack some are passed
    over first.
    """
    condition: sa.ColumnElement[bool] = sa.cast(column, sa.Text).icontains(text, autoescape=True)
    grams = getattr(column, "info", {}).get("grams")
    if grams is None or not text:
        return condition
    return sa.and_(grams(column).op("@>")(grams(text)), condition)


def _own_stores() -> list[tuple[str, Any]]:
    """Return the stores that the reader sees, by name; asked once for each request."""
    if "store_choices" not in g:
        query = sa.select(Store.id, Store.name).order_by(Store.name)
        store_ids = visible_store_ids()
        if store_ids is not None:
            query = query.where(Store.id.in_(store_ids))
        g.store_choices = [(str(row.id), row.name) for row in db.session.execute(query)]
    found: list[tuple[str, Any]] = g.store_choices
    return found


def _iso(text: str) -> str:
    """Return a date as it was written, or nothing where it is none that a shop can mean."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return ""
    return found.isoformat() if FIRST_YEAR <= found.year <= LAST_YEAR else ""
