"""What a register is: how rows of one kind are named, and for whom."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute

from admin.i18n import gettext, locale
from admin.scopes import AnySelect, Scope
from app.kernel.i18n import ENGLISH


@dataclass(frozen=True, slots=True)
class Register:
    """How rows of one kind are named, who may know them, and where their page is."""

    endpoint: str
    id: InstrumentedAttribute[int]
    facts: AnySelect
    """The id first, then what the name is made of."""
    name: Callable[[Any], str]
    scope: Scope


def member_name(row: Any) -> str:
    """Return what a person is called; their number where they gave no name."""
    return row.nickname or gettext("Customer %(id)s", id=row[0])


def title_of(row: Any) -> str:
    """Return a title of two languages in the reader's, as far as there is one."""
    return str(row.title_en or row.title) if locale() == ENGLISH else str(row.title)
