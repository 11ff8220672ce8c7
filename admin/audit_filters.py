"""Filters of the audit trail: by who acted, what they did, and what it was about."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import Select

from admin.filters import Arguments, Control
from admin.i18n import gettext
from admin.scopes import works_with
from admin.staff import visible_store_ids
from admin.urls import as_id
from app.kernel.audit import AuditRecord
from app.kernel.db import db
from app.stores.models import Staff

STAFF_SHOWN: Final = 500
OTHERS: Final = ("system", "member")
"""Who acts besides staff, as the trail calls them."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who acted: one member of staff, customers, or the system."""

    name: str
    label: Any

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return one select with the system, customers and the colleagues of the reader."""
        words = (gettext("System"), gettext("Customers"))
        choices: list[tuple[str, Any]] = list(zip(OTHERS, words, strict=True))
        known = sa.select(Staff.id, Staff.name).order_by(Staff.name).limit(STAFF_SHOWN)
        store_ids = visible_store_ids()
        if store_ids is not None:
            known = known.where(works_with(store_ids))
        choices += [(str(row.id), row.name) for row in db.session.execute(known)]
        return [Control("select", self.name, self.label, arguments.get(self.name, ""), choices)]

    def apply(self, query: Select[Any], arguments: Arguments) -> Select[Any]:
        """Keep what this person did; an id that nobody has did nothing."""
        value = arguments.get(self.name, "")
        if value in OTHERS:
            return query.where(AuditRecord.actor_kind == value)
        key = as_id(value)
        if key is None:
            return query
        return query.where(AuditRecord.actor_kind == "staff", AuditRecord.actor_id == key)


@dataclass(frozen=True, slots=True)
class Named:
    """One code out of those that have a name; a link may carry one that has none."""

    name: str
    label: Any
    column: Any
    names: Callable[[], dict[str, str]]

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return one select with every code in words."""
        value = arguments.get(self.name, "")
        return [Control("select", self.name, self.label, value, list(self.names().items()))]

    def apply(self, query: Select[Any], arguments: Arguments) -> Select[Any]:
        """Keep rows of exactly this code."""
        value = arguments.get(self.name, "").strip()
        return query.where(self.column == value) if value else query
