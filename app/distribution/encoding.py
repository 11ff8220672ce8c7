"""Events and places as JSON and back, so that what was decided on can be decided on again."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from types import UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from app.engines.events import Event, Joined, Refunded, Settled, Sold
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Place

P = TypeVar("P", bound=Place)

KINDS: Final[Mapping[type[Any], str]] = {
    Sold: "sold",
    Settled: "settled",
    Refunded: "refunded",
    Joined: "joined",
}
DIRECTED: Final = "directed"
"""A place that staff or the clock changed; the event holds the place as it became."""
_HINTS: dict[type[Any], dict[str, Any]] = {}
_COMMON: Final = frozenset(one.name for one in fields(Place))


def kind_of(event: Event) -> str:
    """Return the name of an event's kind."""
    return KINDS[type(event)]


def event_to_json(event: Event) -> dict[str, Any]:
    """Write an event down with everything that an engine can see of it."""
    if isinstance(event, Sold | Settled):
        sale = event.sale
        return {
            "order_id": sale.order_id,
            "store_id": sale.store_id,
            "at": sale.at.isoformat(),
            "counted_at": sale.counted_at.isoformat(),
            "is_first": sale.is_first,
            "buyer": _person_to_json(sale.buyer),
            "chain": [_person_to_json(one) for one in event.chain],
            "lines": [
                [one.line_id, one.product_id, one.base_fen, one.distributable, one.quantity]
                for one in sale.lines
            ],
        }
    if isinstance(event, Joined):
        return {
            "person": _person_to_json(event.person),
            "recommender_id": event.recommender_id,
            "at": event.at.isoformat(),
        }
    return {one.name: getattr(event, one.name) for one in fields(event)} | {
        "at": event.at.isoformat()
    }


def event_from_json(kind: str, value: Mapping[str, Any]) -> Event:
    """Read what `event_to_json` wrote."""
    if kind in {"sold", "settled"}:
        sale = Sale(
            value["order_id"],
            _person_from_json(value["buyer"]),
            tuple(Line(*line) for line in value["lines"]),
            store_id=value["store_id"],
            at=datetime.fromisoformat(value["at"]),
            counted_at=datetime.fromisoformat(value["counted_at"]),
            is_first=value["is_first"],
        )
        chain = tuple(_person_from_json(one) for one in value["chain"])
        return Sold(sale, chain) if kind == "sold" else Settled(sale, chain)
    at = datetime.fromisoformat(value["at"])
    if kind == "joined":
        return Joined(_person_from_json(value["person"]), value["recommender_id"], at)
    assert kind == "refunded", f"no event is called {kind}"
    return Refunded(**{one.name: value[one.name] for one in fields(Refunded)} | {"at": at})


def place_to_row(plan_id: int, place: Place) -> dict[str, Any]:
    """Return a place as a row; what only its model knows stands in `facts`."""
    parent_id, parent_number = place.parent or (None, None)
    return {
        "plan_id": plan_id,
        "member_id": place.member_id,
        "number": place.number,
        "recommender_id": place.recommender_id,
        "parent_id": parent_id,
        "parent_number": parent_number,
        "slot": place.slot,
        "order_id": place.order_id,
        "facts": {name: _plain(getattr(place, name)) for name in _own_fields(type(place))},
    }


def place_from_row(kind: type[P], row: Any) -> P:
    """Read a row, or anything with its columns, as a place of its model."""
    parent = None if row.parent_id is None else (row.parent_id, row.parent_number)
    hints = _own_fields(kind)
    facts = {name: _typed(value, hints[name]) for name, value in row.facts.items()}
    return kind(
        member_id=row.member_id,
        number=row.number,
        recommender_id=row.recommender_id,
        parent=parent,
        slot=row.slot,
        order_id=row.order_id,
        **facts,
    )


def _own_fields(kind: type[Any]) -> dict[str, Any]:
    """Return the types of the fields that only this model's places have, or this part of one."""
    if kind not in _HINTS:
        hints = get_type_hints(kind)
        common = _COMMON if issubclass(kind, Place) else frozenset()
        _HINTS[kind] = {one.name: hints[one.name] for one in fields(kind) if one.name not in common}
    return _HINTS[kind]


def _plain(value: Any) -> Any:
    """Return a field as JSON can hold it: parts as objects, tuples as lists."""
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return value.value if isinstance(value, Enum) else value


def _typed(value: Any, hint: Any) -> Any:
    """Read what `_plain` wrote as a field of this type."""
    if value is None:
        return None
    if get_origin(hint) in {Union, UnionType}:
        hint = next(one for one in get_args(hint) if one is not type(None))
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return tuple(_typed(one, inner) for one in value)
    if is_dataclass(hint) and isinstance(hint, type):
        hints = _own_fields(hint)
        return hint(**{name: _typed(one, hints[name]) for name, one in value.items()})
    return hint(value) if isinstance(hint, type) and issubclass(hint, Enum) else value


def _person_to_json(person: Person) -> list[Any]:
    return [person.member_id, person.level, person.standing.value, sorted(person.household)]


def _person_from_json(value: list[Any]) -> Person:
    member_id, level, standing, household = value
    return Person(member_id, level, Standing(standing), frozenset(household))
