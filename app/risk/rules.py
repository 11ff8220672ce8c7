"""When figures about a distributor are a suspicion. Pure: figures and thresholds in, flags out.

Every rule asks for a pattern that honest trade hardly makes, and its threshold is a setting. A
suspicion condemns nobody: it holds money until a person has looked, and says what to look at.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from app.risk.states import RiskKind

HOLDS: Final = frozenset(RiskKind) - {RiskKind.FROZEN_ABOVE}
"""Suspicions that hold payouts; having been brought by somebody frozen alone does not."""
SHOWN_MAX: Final = 100
"""How many ids of each kind the evidence keeps."""
ID_KEYS: Final = ("members", "bindings", "orders", "distributors")
"""Where evidence names rows."""
WHOLE_BP: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From where on figures are suspicious; a pattern of this size is, one below is not."""

    binds_hour: int
    binds_day: int
    shared_people: int
    unpaid_device_people: int
    refund_bp: int
    refund_orders_min: int
    pair_orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """People of one distributor who have one phone, device, payer or real name in common.

    The distributor is in none of the lists; `with_owner` says whether they share it too.
    """

    owner_id: int
    what: str
    buyers: tuple[int, ...]
    never_paid: tuple[int, ...]
    with_owner: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """The most customers that were bound within an hour, and within a day, of late."""

    owner_id: int
    hour: int
    day: int
    binding_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """How many paid orders of one's customers there were, and which of them were given back."""

    owner_id: int
    orders: int
    refunded_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Orders of `other_id` that count for `owner_id`, and the other way round."""

    owner_id: int
    other_id: int
    order_ids: tuple[int, ...]
    other_order_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenAbove:
    """Whose recommender was frozen of late."""

    owner_id: int
    recommender_id: int


Figure = Sharing | Speed | Returns | Pair | FrozenAbove


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What is suspected of whom, and which rows make it so."""

    distributor_id: int
    kind: RiskKind
    evidence: Mapping[str, Any]

    @property
    def holds_payouts(self) -> bool:
        """Tell whether money waits while this is looked into."""
        return self.kind in HOLDS


def suspicions(figures: Iterable[Figure], by: Thresholds) -> list[Suspicion]:
    """Return what figures make suspicious, at most one suspicion of a kind for each distributor.

    >>> few = Thresholds(
    ...     binds_hour=3, binds_day=9, shared_people=3, unpaid_device_people=5,
    ...     refund_bp=3_000, refund_orders_min=10, pair_orders=2)
    >>> suspicions([Speed(owner_id=1, hour=2, day=8, binding_ids=(5,))], few)
    []
    >>> [one.kind.value for one in suspicions(
    ...     [Speed(owner_id=1, hour=3, day=3, binding_ids=(5, 6, 7))], few)]
    ['bind_rate']
    """
    found = sorted(
        (one for figure in figures for one in _judge(figure, by)),
        key=lambda one: (one.distributor_id, one.kind),
    )
    return [
        Suspicion(distributor_id, kind, _merged([one.evidence for one in group]))
        for (distributor_id, kind), group in groupby(
            found, key=lambda one: (one.distributor_id, one.kind)
        )
    ]


def ids_in(evidence: Mapping[str, Any]) -> set[tuple[str, int]]:
    """Return the rows that evidence names.

    >>> sorted(ids_in({"members": [3], "orders": [7], "hour": 4}))
    [('members', 3), ('orders', 7)]
    """
    return {(key, one) for key in ID_KEYS for one in evidence.get(key, ())}


def _judge(figure: Figure, by: Thresholds) -> Iterator[Suspicion]:
    match figure:
        case Sharing():
            yield from _sharing(figure, by)
        case Speed() if figure.hour >= by.binds_hour or figure.day >= by.binds_day:
            facts = {"hour": figure.hour, "day": figure.day, "bindings": figure.binding_ids}
            yield Suspicion(figure.owner_id, RiskKind.BIND_RATE, facts)
        case Returns() if _returns_too_much(figure, by):
            facts = {
                "paid": figure.orders,
                "refunded": len(figure.refunded_ids),
                "orders": figure.refunded_ids,
            }
            yield Suspicion(figure.owner_id, RiskKind.REFUND_RATE, facts)
        case Pair() if min(len(figure.order_ids), len(figure.other_order_ids)) >= by.pair_orders:
            facts = {
                "distributors": (figure.other_id,),
                "orders": figure.order_ids + figure.other_order_ids,
            }
            yield Suspicion(figure.owner_id, RiskKind.PAIR, facts)
        case FrozenAbove():
            facts = {"distributors": (figure.recommender_id,)}
            yield Suspicion(figure.owner_id, RiskKind.FROZEN_ABOVE, facts)
        case _:
            pass


def _sharing(figure: Sharing, by: Thresholds) -> Iterator[Suspicion]:
    """Judge what people have in common: those who buy, and those who never did."""
    least = 1 if figure.with_owner else by.shared_people
    if len(figure.buyers) >= least:
        facts = {
            "what": (figure.what,),
            "with_owner": figure.with_owner,
            "members": figure.buyers,
        }
        yield Suspicion(figure.owner_id, RiskKind.SHARED_IDENTITY, facts)
    is_device = figure.what == "device"
    if is_device and len(figure.never_paid) >= by.unpaid_device_people:
        yield Suspicion(figure.owner_id, RiskKind.UNPAID_DEVICE, {"members": figure.never_paid})


def _returns_too_much(figure: Returns, by: Thresholds) -> bool:
    """Compare without dividing: refunded / orders >= rate."""
    is_enough = figure.orders >= by.refund_orders_min
    return is_enough and len(figure.refunded_ids) * WHOLE_BP >= figure.orders * by.refund_bp


def _merged(parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Put the evidence of several figures together: lists are joined, the largest number stays."""
    whole: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            if isinstance(value, tuple):
                whole[key] = sorted({*whole.get(key, ()), *value})
            else:
                whole[key] = max(whole.get(key, value), value)
    return {
        key: value[:SHOWN_MAX] if isinstance(value, list) else value for key, value in whole.items()
    } | ({"people": len(whole["members"])} if "members" in whole else {})
