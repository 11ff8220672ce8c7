"""What somebody keeps besides what events bring: the register of seats. Pure.

The engine of sharing shareholders counts purchases; seats are given by whoever keeps the register
of a store. Here that is done as soon as somebody waits while a seat is free, and at each month's
end, when terms are looked at.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from app.engines.parameters import PlanParameters
from app.engines.places import Board, Place
from app.engines.shareholders.holdings import HoldingPlace, HoldingState, allot
from app.engines.shareholders.rules import ShareholderRules

_KEPT = frozenset({HoldingState.WAITING, HoldingState.ACTIVE})


class Register:
    """The seats of all stores, for plans that have any; of others it keeps nothing."""

    def __init__(self, rules: PlanParameters, board: Board[Any]) -> None:
        """Begin with empty stores."""
        self._rules = rules if isinstance(rules, ShareholderRules) else None
        self._board = board
        self._holdings: defaultdict[int, dict[int, HoldingPlace]] = defaultdict(dict)
        self._seated: defaultdict[int, dict[int, HoldingPlace]] = defaultdict(dict)

    def see(self, places: Iterable[Place], at: datetime) -> None:
        """Take note of places that an event changed, and give a free seat to who waits for one."""
        if self._rules is None:
            return
        waiting: dict[int, None] = {}
        for place in places:
            assert isinstance(place, HoldingPlace), "shareholders hold nothing else"
            self._note(place)
            if place.state == HoldingState.WAITING:
                waiting[place.number] = None
        for store_id in waiting:
            taken = sum(one.is_in_force(at) for one in self._seated[store_id].values())
            if taken < self._rules.seats_per_store:
                self._allot(store_id, at)

    def end_month(self, at: datetime) -> None:
        """End terms and give free seats in every store."""
        for store_id in sorted(self._holdings):
            self._allot(store_id, at)

    def holdings(self, store_id: int) -> Iterable[HoldingPlace]:
        """Return who waits for a seat of a store or has one, by number of the member."""
        found = self._holdings[store_id]
        return [found[member_id] for member_id in sorted(found)]

    @property
    def stores(self) -> list[int]:
        """The stores in which somebody waits or holds."""
        return sorted(self._holdings)

    def _allot(self, store_id: int, at: datetime) -> None:
        assert self._rules is not None, "only shareholders have seats"
        for place in allot(self._rules, tuple(self.holdings(store_id)), now=at):
            self._board.apply([place])
            self._note(place)

    def _note(self, place: HoldingPlace) -> None:
        held, seated = self._holdings[place.number], self._seated[place.number]
        held.pop(place.member_id, None)
        seated.pop(place.member_id, None)
        if place.state in _KEPT:
            held[place.member_id] = place
        if place.state == HoldingState.ACTIVE:
            seated[place.member_id] = place
