"""How a value looks on a page and in a file, decided by its type and by its column's name.

The house rules name columns by their unit: `_fen` is money, `_bp` a rate, `_at` an instant. So no
view has to say how to print them. What is shown is escaped here, once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias

from markupsafe import Markup, escape

from admin.column_names import COLUMNS
from admin.directory import Directory, Reference
from admin.i18n import gettext, listed, moment, say
from admin.labels import label_of, tone_of
from app.kernel.i18n import Message, yuan
from app.kernel.money import percent

Plain: TypeAlias = str | int | Decimal
"""What a cell of an exported file may hold."""
NOTHING: Final = Markup('<span class="none" aria-hidden="true">–</span>')
TEXT_SHOWN: Final = 200
DEPTH_MAX: Final = 3
"""Documents deeper than this are shown as they are stored."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A word with a colour, for what is no state of an enumeration."""

    text: Any
    tone: str


@dataclass(frozen=True, slots=True)
class Who:
    """Who acted as it was stored: `staff:3`, `member:12`, `system`, or two: `staff:3+staff:5`."""

    text: str

    def people(self) -> list[Reference | str]:
        """Return the row behind each actor, or the word for one that has none."""
        return [self._person(one) for one in self.text.split("+")]

    @staticmethod
    def _person(text: str) -> Reference | str:
        kind, _, number = text.partition(":")
        register = {"staff": "staff", "member": "members"}.get(kind)
        return Reference(register, int(number)) if register and number.isdigit() else text


def is_number(name: str) -> bool:
    """Tell whether a column's values stand flush right."""
    return name.endswith(("_fen", "_bp", "_count", "_change")) or name in NUMBERS


def is_long(name: str) -> bool:
    """Tell whether a column's values are sentences, which may break over lines."""
    return name in SENTENCES


SENTENCES: Final = frozenset(
    {
        "reason",
        "note",
        "description",
        "last_error",
        "address",
        "condition",
        "cause",
        "permissions",
        "page",
        "before",
        "after",
        "title",
        "stores",
        "roles",
        "told",
    }
)
NUMBERS: Final = frozenset(
    {
        "joins",
        "begun",
        "quantity",
        "balance",
        "amount",
        "on_hand",
        "reserved",
        "sellable",
        "attempts",
    }
)


def html(name: str, value: Any, directory: Directory) -> Markup:
    """Return a value as it stands on a page."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, Markup):
        return value
    if isinstance(value, Reference):
        return directory.link(value)
    if isinstance(value, Who):
        return _actor(value, directory)
    return _special(name, value) or _text(plain(name, value, directory))


def _special(name: str, value: Any) -> Markup | None:
    """Return values that have a look of their own, or None."""
    if isinstance(value, Badge):
        return Markup('<span class="badge {}">{}</span>').format(value.tone, value.text)
    if isinstance(value, StrEnum):
        tone = tone_of(value)
        css = Markup(' class="badge {}"').format(tone) if tone else ""
        return Markup("<span{}>{}</span>").format(css, label_of(value))
    if isinstance(value, bool):
        return html(name, _yes_no(flag=value), _EMPTY)
    if isinstance(value, datetime):
        return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), moment(value))
    if name.endswith("_fen") and isinstance(value, int):
        negative = Markup(" minus") if value < 0 else ""
        return Markup('<span class="money{}">{}</span>').format(negative, yuan(value))
    if isinstance(value, dict | list):
        return _document(value)
    return None


def plain(name: str, value: Any, directory: Directory) -> Plain:
    """Return a value as a file holds it: money as an exact decimal of yuan, the rest as text."""
    if isinstance(value, Reference):
        return directory.name(value)
    if isinstance(value, Who):
        return _actor_text(value, directory)
    if isinstance(value, bool):
        return str(_yes_no(flag=value).text)
    if isinstance(value, int):
        return _number(name, value)
    return _plain_text(value)


def _number(name: str, value: int) -> Plain:
    if name.endswith("_fen"):
        return Decimal(value).scaleb(-2)
    return percent(value) if name.endswith("_bp") else value


def _plain_text(value: Any) -> str:
    match value:
        case None:
            return ""
        case StrEnum():
            return str(label_of(value))
        case Badge():
            return str(value.text)
        case Message():
            return say(value)
        case datetime():
            return moment(value, seconds=True)
        case date():
            return value.isoformat()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
        case _:
            return str(value)


def _yes_no(*, flag: bool) -> Badge:
    return Badge(gettext("Yes"), "good") if flag else Badge(gettext("No"), "calm")


def _text(value: Plain) -> Markup:
    text = str(value)
    if len(text) <= TEXT_SHOWN:
        return escape(text)
    return Markup('<span title="{}">{}…</span>').format(text, text[:TEXT_SHOWN])


def _word_for(actor: str) -> str:
    return gettext("System") if actor == "system" else actor


def _actor_text(who: Who, directory: Directory) -> str:
    people = who.people()
    return listed(_word_for(one) if isinstance(one, str) else directory.name(one) for one in people)


def _actor(who: Who, directory: Directory) -> Markup:
    people = who.people()
    return Markup(", ").join(
        escape(_word_for(one)) if isinstance(one, str) else directory.link(one) for one in people
    )


def _document(value: Mapping[str, Any] | list[Any], depth: int = 0) -> Markup:
    """Return a document in words: pairs with the names of columns, and lists of what they hold."""
    if not value:
        return NOTHING
    if depth >= DEPTH_MAX:
        text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
        return Markup('<pre class="document">{}</pre>').format(text)
    if isinstance(value, Mapping):
        pairs = Markup("").join(
            Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(
                COLUMNS.get(key) or key, _entry(key, one, depth)
            )
            for key, one in value.items()
        )
        return Markup('<dl class="pairs">{}</dl>').format(pairs)
    entries = [_entry("", one, depth) for one in value]
    if any(isinstance(one, dict | list) for one in value):
        items = Markup("").join(Markup("<li>{}</li>").format(one) for one in entries)
        return Markup('<ol class="entries">{}</ol>').format(items)
    return Markup(", ").join(entries)


def _entry(name: str, value: Any, depth: int) -> Markup:
    """Return one value of a document in the unit that its name tells."""
    if isinstance(value, dict | list):
        return _document(value, depth + 1)
    return escape("–") if value is None else html(name, value, _EMPTY)


class _NoNames(Directory):
    """A directory of nothing, for values that name nobody."""

    def __init__(self) -> None:
        self._names = {}
        self._sees_all = False


_EMPTY: Final = _NoNames()
