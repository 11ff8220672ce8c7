"""What requests that wait for a second person are about, in words: whom, and from what to what.

Most values explain themselves by their names, as columns do. What does not is entered below, by
the kind of request and the name of the value.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from markupsafe import Markup

from admin.cells import Badge
from admin.directory import BY_COLUMN, Reference
from admin.duty_words import region_names_of, store_names_of
from admin.i18n import gettext, say
from admin.labels import label_of
from admin.people import level_name
from admin.role_names import permission_names_of, role_names_of
from app.approvals.contract import Values
from app.approvals.kinds import KINDS
from app.approvals.models import Approval
from app.attribution.dispute_models import DisputeState
from app.kernel.i18n import Message, yuan
from app.preferences.catalogue import BY_NAME
from app.preferences.units import worded


def setting_said(name: str, value: Any) -> str:
    """Return the value of a setting in its unit."""
    return say(worded(BY_NAME[name].unit, value))


REGISTERS: Final[Mapping[str, str]] = {
    "member": "members",
    "distributor": "distributors",
    "ownership_dispute": "disputes",
    "staff": "staff",
}
"""Which register the subject of a request is in, by what the audit trail calls it."""

UNSAID: Final = frozenset({"binding_id", "customer_id", "claimant_id", "claimant_store_id"})
"""Values that are compared and not shown: they tell people nothing."""

SAID: Final[Mapping[tuple[str, str], Callable[[Any], Any]]] = {
    ("level_by_hand", "level"): level_name,
    ("dispute_resolution", "state"): lambda value: label_of(DisputeState(value)),
    ("staff_duties", "roles"): role_names_of,
    ("staff_duties", "store_ids"): store_names_of,
    ("staff_duties", "region_ids"): region_names_of,
    ("role_permissions", "permissions"): permission_names_of,
    **{("setting_change", name): partial(setting_said, name) for name in BY_NAME},
}
"""How single values are said."""


def kind_name(row: Approval) -> str:
    """Return what people call what is asked for."""
    kind = KINDS.get(row.kind)
    return say(Message(kind.label)) if kind is not None else row.kind


def subject_of(row: Approval) -> Reference | str:
    """Return whom or what a request is about."""
    register = REGISTERS.get(row.subject_type)
    if register is not None and row.subject_id is not None:
        return Reference(register, row.subject_id)
    if row.subject_key in BY_NAME:
        return say(BY_NAME[row.subject_key].label)
    return row.subject_key or f"#{row.subject_id}"


def changes_asked_for(row: Approval) -> list[dict[str, Any]]:
    """Return each value that would change: its name, as it stood when asked, as it is to be."""
    kind = KINDS.get(row.kind)
    outcome: Values = kind.outcome(row.facts, row.payload) if kind is not None else row.payload
    return _pairs(row, row.facts, outcome, ("before", "after"))


def changes_found(row: Approval) -> list[dict[str, Any]]:
    """Return each value that had changed when somebody wanted to agree: as asked, as found."""
    return _pairs(row, row.facts, row.facts_found or {}, ("before", "found"))


def _pairs(
    row: Approval, first: Values, second: Values, columns: tuple[str, str]
) -> list[dict[str, Any]]:
    one, other = _said(row.kind, first), _said(row.kind, second)
    return [
        {"value": name, columns[0]: one.get(name), columns[1]: other.get(name)}
        for name in dict.fromkeys((*one, *other))
        if one.get(name) != other.get(name)
    ]


def _said(kind: str, values: Values) -> dict[str, Any]:
    """Return values as cells of a page hold them; the two columns of an owner become one."""
    said = {
        name: _cell(kind, name, value)
        for name, value in values.items()
        if name not in UNSAID and name not in OWNER
    }
    if values.keys() & OWNER:
        said["owner"] = _owner(values)
    return said


OWNER: Final = frozenset({"owner_id", "owner_store_id"})


def _owner(values: Values) -> Reference | Badge:
    if values.get("owner_id") is not None:
        return Reference("distributors", values["owner_id"])
    if values.get("owner_store_id") is not None:
        return Reference("stores", values["owner_store_id"])
    return Badge(gettext("The brand"), "calm")


def _cell(kind: str, name: str, value: Any) -> Any:
    said = SAID.get((kind, name))
    if said is not None and value is not None:
        return said(value)
    if isinstance(value, int) and not isinstance(value, bool):
        register = BY_COLUMN.get(name)
        if register is not None:
            return Reference(register, value)
        return yuan(value) if name.endswith("_fen") else value
    if isinstance(value, list):
        return Markup(", ").join(str(one) for one in value)
    return value
