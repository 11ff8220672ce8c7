"""Reading the form of a plan back into a document, and what its buttons do to it.

What cannot be read as a number stays as it was typed, so the model's own validation names the
field, and the form shows again what people wrote. What the form does not show is kept.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from admin.plan_controls import (
    Control,
    Document,
    Group,
    Kind,
    Part,
    Rows,
    Sort,
    bare,
    is_condition,
    is_keyed,
    is_model,
    item_of,
    may_miss,
    rates_by_level,
    sort_of,
)
from app.engines.faults import FieldFault
from app.engines.parameters import AMOUNTS, SECONDS_PER_DAY
from app.engines.registry import MODELS
from app.kernel.i18n import N_, Message

VALUE, MARK, ON, COUNT, KEY = "f.", "m.", "on.", "n.", "k."
"""How the names of inputs begin: a value, "this was shown", a box, how many rows, a row's key."""
ROWS_MAX: Final = 500
DIGITS: Final = re.compile(r"-?[0-9]{1,18}")
DECIMAL: Final = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,2}))?")
SECONDS: Final = re.compile(r"([0-9]{1,10}) ?s")
SEPARATORS: Final = re.compile(r"[,，、;；\s]+")
NEW_CONDITION: Final = {"kind": "DIRECT_SALES", "at_least_fen": 500_000, "window_days": 90}
NOT_READ: Final[Mapping[Kind, str]] = {
    Kind.PERCENT: N_("Please enter a percentage with at most two decimals, such as 12.5."),
    Kind.YUAN: N_("Please enter an amount in yuan, such as 128.00."),
    Kind.SPAN: N_("Please enter whole days, or seconds such as 90 s."),
    Kind.FIGURE: N_("Please enter an amount in yuan or a number, as the figure asks for."),
}


def read_document(model: str, form: Mapping[str, str], base: Document) -> Document:
    """Return the document that a form describes; what it does not show is as in `base`."""
    rules = MODELS[model].rules
    document = _read_model(rules, form, "", base)
    document["model"] = model
    held = _at(document, "levels.upgrades")
    upgrades = held if isinstance(held, list) else []
    for index, upgrade in enumerate(upgrades):
        if isinstance(upgrade, dict):
            upgrade["level"] = index + 2
    for name in rates_by_level(model):
        typed = [form.get(f"{VALUE}{name}.{index}") for index in range(len(upgrades) + 1)]
        if any(one is not None for one in typed):
            document[name] = [parsed(Kind.PERCENT, one or "") for one in typed]
    return document


def _read_model(kind: type[BaseModel], form: Mapping[str, str], path: str, base: Any) -> Document:
    held = base if isinstance(base, Mapping) else {}
    document = dict(held)
    for name, one in kind.model_fields.items():
        below = f"{path}.{name}" if path else name
        value = _read(name, one.annotation, form, below, held.get(name))
        if value is not None or name in held or may_miss(one.annotation):
            document[name] = value
    return document


def _read(name: str, annotation: Any, form: Mapping[str, str], path: str, base: Any) -> Any:
    """Return one parameter as it was filled in, or as it was where it was not shown."""
    sort, inner = sort_of(name, annotation), bare(annotation)
    if sort is not None:
        return _read_value(sort, form, path, base)
    if is_model(inner):
        if not may_miss(annotation):
            return _read_model(inner, form, path, base)
        if MARK + path not in form:
            return base
        if not form.get(ON + path):
            return None
        return _read_model(inner, form, path, base if base is not None else _defaults(inner))
    entry = item_of(inner)
    if entry is None or COUNT + path not in form:
        return base
    return _read_rows(entry, form, path, base, keyed=is_keyed(annotation))


def _defaults(kind: type[BaseModel]) -> Document:
    try:
        return kind().model_dump(mode="json")
    except ValidationError:
        return {}


def _read_rows(entry: Any, form: Mapping[str, str], path: str, base: Any, *, keyed: bool) -> Any:
    text = form.get(COUNT + path, "0")
    count = min(int(text), ROWS_MAX) if DIGITS.fullmatch(text) else 0
    held = _entries(base)
    rows = [
        _read_entry(entry, form, f"{path}.{index}", held[index] if index < len(held) else None)
        for index in range(count)
    ]
    if not keyed:
        return rows
    document: Document = {}
    for index, row in enumerate(rows):
        key = form.get(f"{KEY}{path}.{index}", "").strip()
        while key in document:
            key += "+"
        document[key] = row
    return document


def _read_entry(entry: Any, form: Mapping[str, str], path: str, base: Any) -> Any:
    if not is_condition(entry):
        return _read_model(entry, form, path, base)
    if f"{VALUE}{path}.kind" not in form:
        return base
    kind = form.get(f"{VALUE}{path}.kind", "")
    is_amount = kind in AMOUNTS
    at_least = form.get(f"{VALUE}{path}.at_least", "")
    return {
        "kind": kind,
        "at_least_fen" if is_amount else "at_least_count": parsed(
            Kind.YUAN if is_amount else Kind.NUMBER, at_least
        ),
        "window_days": parsed(Kind.NUMBER, form.get(f"{VALUE}{path}.window_days", "")),
    }


def _read_value(sort: Sort, form: Mapping[str, str], path: str, base: Any) -> Any:
    if sort.kind is Kind.SWITCH:
        return bool(form.get(VALUE + path)) if MARK + path in form else base
    text = form.get(VALUE + path)
    if text is None:
        return base
    text = text.strip()
    if not text and sort.may_miss:
        return None
    if sort.is_list:
        return [parsed(sort.kind, one) for one in SEPARATORS.split(text) if one]
    return parsed(sort.kind, text)


def parsed(kind: Kind, text: str) -> Any:
    """Return what was typed as the document holds it, or as it was typed where it is no such value.

    >>> parsed(Kind.PERCENT, "12.5 %"), parsed(Kind.YUAN, "¥1,234.5"), parsed(Kind.SPAN, "7")
    (1250, 123450, 604800)
    >>> parsed(Kind.SPAN, "90 s"), parsed(Kind.NUMBER, "3"), parsed(Kind.PERCENT, "12.555")
    (90, 3, '12.555')
    """
    text = text.strip()
    if kind is Kind.PERCENT:
        return _hundredths(text.removesuffix("%").strip(), text)
    if kind is Kind.YUAN:
        return _hundredths(text.lstrip("¥￥").replace(",", ""), text)
    if kind is Kind.SPAN and (found := SECONDS.fullmatch(text)):
        return int(found[1])
    if kind in {Kind.NUMBER, Kind.SPAN} and DIGITS.fullmatch(text):
        return int(text) * (SECONDS_PER_DAY if kind is Kind.SPAN else 1)
    return text


def _hundredths(text: str, typed: str) -> Any:
    found = DECIMAL.fullmatch(text)
    if found is None:
        return typed
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def change(model: str, document: Document, intent: str) -> None:
    """Do what a button of the form asks for: another level or row, or one fewer."""
    verb, _, path = intent.partition(":")
    if verb in {"more_levels", "fewer_levels"}:
        _change_levels(model, document, more=verb == "more_levels")
    elif verb == "add":
        _add(_at(document, path), path)
    elif verb == "drop":
        above, _, index = path.rpartition(".")
        _drop(_at(document, above), int(index) if DIGITS.fullmatch(index) else -1)


def _change_levels(model: str, document: Document, *, more: bool) -> None:
    upgrades = _at(document, "levels.upgrades")
    if not isinstance(upgrades, list) or (not more and not upgrades):
        return
    tables = [document.get(name) for name in rates_by_level(model)]
    for own in _entries(document.get("product_rates")):
        tables += [one for one in _entries(own) if isinstance(one, list)]
    for table in [*tables, upgrades]:
        if not isinstance(table, list):
            continue
        if not more:
            del table[len(upgrades) + (table is not upgrades) - 1 :]
        elif table is not upgrades:
            table.append(table[-1] if table else 0)
    if more:
        conditions = [dict(NEW_CONDITION)]
        upgrades.append({"level": len(upgrades) + 2, "mode": "ALL", "conditions": conditions})


def _add(rows: Any, path: str) -> None:
    if isinstance(rows, dict):
        rows.setdefault("", {})
    elif isinstance(rows, list) and len(rows) < ROWS_MAX:
        first = dict(NEW_CONDITION) if path.endswith(".conditions") else {}
        rows.append(deepcopy(rows[-1]) if rows else first)


def _drop(rows: Any, index: int) -> None:
    if not (isinstance(rows, dict | list) and 0 <= index < len(rows)):
        return
    if isinstance(rows, dict):
        del rows[list(rows)[index]]
    else:
        del rows[index]


def _at(document: Any, path: str) -> Any:
    """Return what stands at a path; tables by product are entered by row number."""
    for step in path.split("."):
        if isinstance(document, Mapping) and step in document:
            document = document[step]
        elif DIGITS.fullmatch(step) and 0 <= int(step) < len(_entries(document)):
            document = _entries(document)[int(step)]
        else:
            return None
    return document


def _entries(held: Any) -> list[Any]:
    """Return what stands in a list or a table; nothing where it is neither."""
    if isinstance(held, Mapping):
        return list(held.values())
    return held if isinstance(held, list) else []


def shown_path(document: Document, path: str) -> str:
    """Return the path of a fault as the form names its control.

    >>> shown_path({"product_rates": {"7": {}, "9": {}}}, "product_rates.9.rates_first_bp.0")
    'product_rates.1.rates_first_bp.0'
    """
    steps = path.split(".")
    held = document.get(steps[0])
    if isinstance(held, Mapping) and len(steps) > 1 and steps[0].startswith("product_"):
        keys = [str(one) for one in held]
        steps[1] = str(keys.index(steps[1])) if steps[1] in keys else steps[1]
    if steps[-1] in {"at_least_fen", "at_least_count"}:
        steps[-1] = "at_least"
    return ".".join(steps)


def attach(
    parts: list[Part], faults: list[tuple[str, FieldFault]]
) -> list[tuple[Part | None, FieldFault]]:
    """Return each fault with the part of the form that it is about, the nearest one."""
    by_path = {part.path: part for part in _walk(parts) if part.path}
    found: list[tuple[Part | None, FieldFault]] = []
    for path, fault in faults:
        steps = path.split(".")
        nearest = (".".join(steps[:count]) for count in range(len(steps), 0, -1))
        found.append((next((by_path[one] for one in nearest if one in by_path), None), fault))
    return found


def _walk(parts: list[Part]) -> list[Part]:
    found: list[Part] = []
    for part in parts:
        found.append(part)
        if isinstance(part, Group):
            found += _walk(part.parts)
        elif isinstance(part, Rows):
            found += _walk(list(part.rows))
    return found


def sentence_of(part: Part | None, fault: FieldFault) -> Message:
    """Return a fault as the form tells it: what is no number is told by what was asked for."""
    if isinstance(part, Control) and fault.code == "int_type" and part.sort.kind in NOT_READ:
        return Message(NOT_READ[part.sort.kind])
    return fault.message
