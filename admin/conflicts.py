"""Forms that were open while somebody else changed the row: what was typed, and what is there now.

A form carries a mark of each value that it began with. When it comes back, the marks are compared
with the row as it is now; where they differ, nothing is saved, and the form is shown again with
both values of each field that changed. The marks are no secret and no lock: they keep colleagues
from overwriting each other unknowingly, and the services decide what may be saved at all.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask_wtf import FlaskForm
from wtforms import Field

from admin.i18n import gettext, listed

SEEN: Final = "seen"
"""The parameter that holds the marks."""
TAKE: Final = "take"
THEIRS: Final = "theirs"
CHANGED: Final = "changed"
"""The parameters that ask for the values of now, and of which fields."""
MARK_LENGTH: Final = 12
SEEN_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field whose value in the row changed since the form was opened."""

    name: str
    label: Any
    typed: str
    now: str

    @property
    def differs(self) -> bool:
        """Tell whether saving would undo what somebody else did."""
        return self.typed != self.now


def marks(values: Mapping[str, Any]) -> str:
    """Return the marks of what a form begins with.

    >>> marks({"title": "Tea"}) == marks({"title": "Tea"}) != marks({"title": "Coffee"})
    True
    """
    return json.dumps({name: _mark(value) for name, value in values.items()}, sort_keys=True)


def changed_since(seen: str, values: Mapping[str, Any]) -> list[str]:
    """Return the names of values that are not as they were when the marks were made.

    Marks that make no sense, or none, are those of a form without memory: nothing changed.
    """
    try:
        before = json.loads(seen[:SEEN_MAX]) if seen else {}
    except ValueError:
        return []
    if not isinstance(before, dict):
        return []
    return [
        name for name, value in values.items() if before.get(name, _mark(value)) != _mark(value)
    ]


def conflicts(names: list[str], form: FlaskForm, current: FlaskForm) -> list[Conflict]:
    """Return what was typed and what is there now, for each field that changed."""
    return [
        Conflict(name, form[name].label.text, shown(form[name]), shown(current[name]))
        for name in names
        if name in form and name in current
    ]


def take_theirs(names: Iterable[str], form: FlaskForm, values: Mapping[str, Any]) -> None:
    """Put the values of now into some fields; what was typed into the others stays."""
    for name in names:
        if name in form and name in values:
            form[name].process(None, values[name])
            form[name].raw_data = None


def shown(field: Field) -> str:
    """Return a field's value as people read it."""
    choices = _words(field)
    if choices is not None:
        return listed(choices)
    if isinstance(field.data, bool):
        return gettext("Yes") if field.data else gettext("No")
    found = getattr(field, "found", None)
    if found is not None:
        return str(found.text)
    value = field._value() if hasattr(field, "_value") else field.data
    return str(value) if value not in (None, "") else "–"


def _words(field: Field) -> list[str] | None:
    """Return the labels of what is chosen, or None for a field that offers no choice."""
    if not hasattr(field, "iter_choices"):
        return None
    return [str(label) for _value, label, is_chosen, *_ in field.iter_choices() if is_chosen] or [
        "–"
    ]


def _mark(value: Any) -> str:
    if isinstance(value, set | frozenset | list | tuple):
        value = sorted(map(repr, value))
    return hashlib.sha256(repr(value).encode()).hexdigest()[:MARK_LENGTH]
