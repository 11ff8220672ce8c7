"""What an audited action changed, value by value, as people read it.

Names of values are mostly those of columns, so their labels, units and links are too. What nothing
is known about is shown as it was written.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from admin.cells import Who
from admin.column_names import COLUMNS
from admin.directory import BY_COLUMN, Reference
from admin.i18n import listed, say
from admin.labels import STATES, label_of
from admin.role_names import permission_names, role_name
from admin.tables import Shape
from admin.words import span
from app.kernel.audit import AuditRecord
from app.kernel.i18n import yuan
from app.kernel.money import percent
from app.preferences.catalogue import BY_NAME
from app.preferences.units import is_kind_of, worded

DIFF: Final = Shape(("field", "before", "after"))
PEOPLE: Final = frozenset({"actor", "second_by", "second_actor", "set_by", "by"})
STATE_NAMES: Final = frozenset({"state", "standing"})
KIND_OF: Final[Mapping[str, str]] = {
    "activity": "ActivityState",
    "order": "OrderState",
    "refund": "RefundState",
    "payout": "PayoutState",
    "distributor": "Standing",
    "plan_version": "PlanVersionState",
    "gift": "GiftState",
    "holding": "HoldingState",
    "store": "StoreState",
    "approval": "ApprovalState",
    "ownership_dispute": "DisputeState",
    "coupon": "CouponState",
    "guest_card": "CardState",
}
"""Whose states a kind of subject has, by the name of the enumeration."""
ENUMERATIONS: Final[Mapping[str, type[StrEnum]]] = {kind.__name__: kind for kind in STATES}


def changes(row: AuditRecord) -> list[dict[str, Any]]:
    """Return each value of an action: what it is called, as it was, as it is since."""
    names = dict.fromkeys((*row.before, *row.after))
    return [
        {
            "field": label(name),
            "before": shown(row.subject_type, name, row.before.get(name)),
            "after": shown(row.subject_type, name, row.after.get(name)),
        }
        for name in names
    ]


def label(name: str) -> str:
    """Return what people call a value; an unknown name stays itself."""
    spec = BY_NAME.get(name)
    return say(spec.label) if spec is not None else str(COLUMNS.get(name) or name)


def shown(subject_type: str, name: str, value: Any) -> Any:
    """Return a value as a cell of a page holds it."""
    match value:
        case None | "":
            return None
        case bool() | int():
            return _number(name, value)
        case str():
            return _text(subject_type, name, value)
        case list() if value and not any(isinstance(one, dict | list) for one in value):
            return listed(_entries(name, value))
        case _:
            return value


def _number(name: str, value: int) -> Any:
    spec = BY_NAME.get(name)
    if spec is not None and is_kind_of(spec.unit, value):
        return say(worded(spec.unit, value))
    if isinstance(value, bool):
        return value
    if name in BY_COLUMN:
        return Reference(BY_COLUMN[name], value)
    if name.endswith("_fen"):
        return yuan(value)
    if name.endswith("_bp"):
        return percent(value)
    return span(value) if name.endswith("_seconds") else str(value)


def _text(subject_type: str, name: str, value: str) -> Any:
    if name in PEOPLE:
        return Who(value)
    if name in STATE_NAMES:
        return _state(subject_type, value)
    if name.endswith(("_at", "_until", "_from")):
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    return value


def _state(subject_type: str, value: str) -> Any:
    """Return a state with its colour, where it is known whose state it is."""
    kind = ENUMERATIONS.get(KIND_OF.get(subject_type, ""))
    return kind(value) if kind is not None and value in set(kind) else value


def _entries(name: str, values: Iterable[Any]) -> Iterator[str]:
    known: Mapping[str, str] = {}
    if name == "permissions":
        known = {str(one.value): text for one, text in permission_names().items()}
    for one in values:
        if name == "roles" and isinstance(one, str):
            yield role_name(one)
        elif isinstance(one, StrEnum):
            yield str(label_of(one))
        else:
            yield known.get(str(one), str(one))
