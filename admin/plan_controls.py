"""The parameters of a plan as controls of a form, made from the model's own description of them.

Nothing here knows a model: whoever brings a new one has its form. A control is named by the path of
its parameter, as a fault of it is; the rows of a table by product are numbered, not named by key.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from types import UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

from admin.plan_words import field_name, value_name
from app.engines.contract import Family
from app.engines.parameters import (
    AMOUNTS,
    SECONDS_PER_DAY,
    AmountCondition,
    ConditionKind,
    PlanParameters,
)
from app.engines.registry import MODELS

Document: TypeAlias = dict[str, Any]
TEXT_LONG: Final = 200


class Kind(StrEnum):
    """How a value is typed in."""

    PERCENT = "percent"
    YUAN = "yuan"
    NUMBER = "number"
    SPAN = "span"
    TEXT = "text"
    LONG_TEXT = "long_text"
    SWITCH = "switch"
    CHOICE = "choice"
    FIGURE = "figure"
    """At least so much of what a condition counts: yuan or a number."""


@dataclass(frozen=True, slots=True)
class Sort:
    """What a parameter is: how one value is typed, whether it may be absent, or is a list."""

    kind: Kind
    is_list: bool = False
    may_miss: bool = False
    choices: tuple[str, ...] = ()


@dataclass(slots=True)
class Control:
    """One parameter as the form shows it."""

    path: str
    label: str
    sort: Sort
    value: str
    errors: list[str] = field(default_factory=list)

    @property
    def options(self) -> list[tuple[str, str]]:
        """Return the choices with what they are called."""
        absent = [("", "–")] if self.sort.may_miss else []
        return absent + [(one, value_name(one)) for one in self.sort.choices]


@dataclass(slots=True)
class Group:
    """Parameters that belong together; `switch` is the path of the box that turns it on."""

    path: str
    label: str
    parts: list["Part"]
    switch: str = ""
    is_on: bool = True
    key: str = ""
    """The number of the product, in a table by product."""
    errors: list[str] = field(default_factory=list)
    kind: str = "group"


@dataclass(slots=True)
class Rows:
    """A list of such groups, to which some can be added; `is_keyed` by product number."""

    path: str
    label: str
    rows: list[Group]
    is_keyed: bool = False
    errors: list[str] = field(default_factory=list)
    kind: str = "rows"


Part: TypeAlias = Control | Group | Rows


def bare(kind: Any) -> Any:
    """Return a type without what annotates it, and without None."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in {Union, UnionType} and type(None) in get_args(kind):
            rest = [one for one in get_args(kind) if one is not type(None)]
            kind = rest[0] if len(rest) == 1 else Union[tuple(rest)]  # noqa: UP007 - built here
        else:
            return kind


def may_miss(kind: Any) -> bool:
    """Tell whether a parameter of this type may be absent."""
    if get_origin(kind) is Annotated:
        return may_miss(get_args(kind)[0])
    return get_origin(kind) in {Union, UnionType} and type(None) in get_args(kind)


def is_model(kind: Any) -> bool:
    """Tell whether a parameter has parameters of its own."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def item_of(kind: Any) -> Any:
    """Return the type of the entries of a list or of a table by product, else None."""
    kind = bare(kind)
    if get_origin(kind) is tuple:
        return bare(get_args(kind)[0])
    return bare(get_args(kind)[1]) if get_origin(kind) is dict else None


def is_condition(kind: Any) -> bool:
    """Tell whether a type is the union of the conditions of an upgrade."""
    return AmountCondition in get_args(kind)


def is_keyed(kind: Any) -> bool:
    """Tell whether a parameter is a table by product."""
    return get_origin(bare(kind)) is dict


def sort_of(name: str, kind: Any) -> Sort | None:
    """Return how a parameter is typed; None where it has parts, or only one possible value."""
    inner, missable = bare(kind), may_miss(kind)
    if get_origin(inner) is tuple:
        entry = item_of(inner)
        if is_model(entry) or is_condition(entry):
            return None
        of_entry = sort_of(name, entry)
        return Sort(of_entry.kind, is_list=True, may_miss=missable) if of_entry else None
    if inner is bool:
        return Sort(Kind.SWITCH)
    if inner is int:
        return Sort(_kind_of_number(name), may_miss=missable)
    if inner is str:
        is_long = name == "public_rules"
        return Sort(Kind.LONG_TEXT if is_long else Kind.TEXT, may_miss=missable)
    choices = _choices(inner)
    return Sort(Kind.CHOICE, may_miss=missable, choices=choices) if len(choices) > 1 else None


def _kind_of_number(name: str) -> Kind:
    if name.endswith("_bp"):
        return Kind.PERCENT
    if name.endswith("_fen"):
        return Kind.YUAN
    return Kind.SPAN if name.endswith("_seconds") else Kind.NUMBER


def _choices(kind: Any) -> tuple[str, ...]:
    if get_origin(kind) is Literal:
        return tuple(str(getattr(one, "value", one)) for one in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(str(one.value) for one in kind)
    return ()


def written(kind: Kind, value: Any) -> str:
    """Return a value as it stands in its control; what is no such value stands as it is.

    >>> written(Kind.PERCENT, 1_250), written(Kind.YUAN, 1_230), written(Kind.SPAN, 604_800)
    ('12.5', '12.30', '7')
    >>> written(Kind.SPAN, 90), written(Kind.PERCENT, "x")
    ('90 s', 'x')
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    if kind is Kind.PERCENT:
        text = f"{value // 100}.{value % 100:02}"
        return text.rstrip("0").rstrip(".")
    if kind is Kind.YUAN:
        return f"{value // 100}.{value % 100:02}"
    if kind is Kind.SPAN:
        days, rest = divmod(value, SECONDS_PER_DAY)
        return f"{value} s" if rest else str(days)
    return str(value)


def rates_by_level(model: str) -> list[str]:
    """Return the parameters of a model that hold one rate for each level of distributors."""
    if MODELS[model].family is not Family.CHANNEL:
        return []
    fields = MODELS[model].rules.model_fields
    return [
        name
        for name, one in fields.items()
        if (sort := sort_of(name, one.annotation)) and sort.is_list and sort.kind is Kind.PERCENT
    ]


def has_levels(model: str) -> bool:
    """Tell whether the levels of distributors mean anything to a model."""
    return MODELS[model].family is Family.CHANNEL


def own_names(model: str) -> list[str]:
    """Return what a model has besides what all plans have, without its rates by level."""
    common = {*PlanParameters.model_fields, *rates_by_level(model)}
    return [name for name in MODELS[model].rules.model_fields if name not in common]


def parts_of(kind: type[BaseModel], document: Any, path: str, names: Sequence[str]) -> list[Part]:
    """Return the controls of some parameters, with what the document says of each."""
    held = document if isinstance(document, Mapping) else {}
    found = []
    for name in names:
        annotation = kind.model_fields[name].annotation
        below = f"{path}.{name}" if path else name
        part = part_of(name, annotation, held.get(name), below)
        if part is not None:
            found.append(part)
    return found


def part_of(name: str, annotation: Any, value: Any, path: str) -> Part | None:
    """Return the control, group or rows of one parameter; None where there is nothing to choose."""
    sort, inner = sort_of(name, annotation), bare(annotation)
    label = field_name(name)
    if sort is not None:
        return Control(path, label, sort, _text(sort, value))
    if is_model(inner):
        is_on = value is not None
        parts = parts_of(inner, value, path, list(inner.model_fields)) if is_on else []
        return Group(path, label, parts, path if may_miss(annotation) else "", is_on)
    entry = item_of(inner)
    if entry is None:
        return None
    return Rows(path, label, list(_rows(entry, value, path)), is_keyed(annotation))


def _text(sort: Sort, value: Any) -> str:
    if sort.kind is Kind.SWITCH:
        return "1" if value is True else ""
    if sort.is_list and isinstance(value, list | tuple):
        return ", ".join(written(sort.kind, one) for one in value)
    return written(sort.kind, value)


def _rows(entry: Any, value: Any, path: str) -> Iterator[Group]:
    if isinstance(value, Mapping):
        for index, (key, held) in enumerate(value.items()):
            below = f"{path}.{index}"
            yield Group(below, str(key), _parts_of_entry(entry, held, below), key=str(key))
        return
    for index, held in enumerate(value if isinstance(value, list | tuple) else ()):
        below = f"{path}.{index}"
        yield Group(below, str(index + 1), _parts_of_entry(entry, held, below))


def _parts_of_entry(entry: Any, held: Any, path: str) -> list[Part]:
    if is_condition(entry):
        return condition_parts(held, path)
    return parts_of(entry, held, path, list(entry.model_fields))


def condition_parts(held: Any, path: str) -> list[Part]:
    """Return the controls of a condition: which figure, at least how much of it, within when."""
    condition = held if isinstance(held, Mapping) else {}
    kinds = Sort(Kind.CHOICE, choices=tuple(ConditionKind))
    figure = condition.get("kind", "")
    name = "at_least_fen" if figure in AMOUNTS else "at_least_count"
    amount = written(Kind.YUAN if figure in AMOUNTS else Kind.NUMBER, condition.get(name))
    days = written(Kind.NUMBER, condition.get("window_days"))
    return [
        Control(f"{path}.kind", field_name("kind"), kinds, str(figure)),
        Control(f"{path}.at_least", field_name("at_least"), Sort(Kind.FIGURE), amount),
        Control(f"{path}.window_days", field_name("window_days"), Sort(Kind.NUMBER), days),
    ]
