"""Events and places as JSON and back, so that what was decided on can be decided on again."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, TypeVar

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
_OWN: dict[type[Place], tuple[str, ...]] = {}
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
        "facts": {name: getattr(place, name) for name in _own_fields(type(place))},
    }


def place_from_row(kind: type[P], row: Any) -> P:
    """Read a row, or anything with its columns, as a place of its model."""
    parent = None if row.parent_id is None else (row.parent_id, row.parent_number)
    facts = {name: _tuples(value) for name, value in row.facts.items()}
    return kind(
        member_id=row.member_id,
        number=row.number,
        recommender_id=row.recommender_id,
        parent=parent,
        slot=row.slot,
        order_id=row.order_id,
        **facts,
    )


def _own_fields(kind: type[Place]) -> tuple[str, ...]:
    if kind not in _OWN:
        _OWN[kind] = tuple(one.name for one in fields(kind) if one.name not in _COMMON)
    return _OWN[kind]


def _tuples(value: Any) -> Any:
    """JSON knows lists only; places hold tuples, all the way down."""
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _person_to_json(person: Person) -> list[Any]:
    return [person.member_id, person.level, person.standing.value, sorted(person.household)]


def _person_from_json(value: list[Any]) -> Person:
    member_id, level, standing, household = value
    return Person(member_id, level, Standing(standing), frozenset(household))
