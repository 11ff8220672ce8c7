"""Places of people in models that keep any: a team, a matrix, a round.

An engine reads places and returns the new version of each place it changes; whoever called it puts
them where they belong, in memory (`Board`) or in PostgreSQL (`app.distribution.boards`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from app.engines.people import Standing

Spot: TypeAlias = tuple[int, int]
"""Member and number: somebody's first place in a plan is number 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What every place has. A model adds fields of its own that JSON can hold.

    `recommender_id` never changes. `parent` is the place above in the tree that the model pays
    along; `slot` is which of the parent's places this is, from 1, where they are numbered.
    """

    member_id: int
    number: int = 1
    recommender_id: int | None = None
    parent: Spot | None = None
    slot: int | None = None
    order_id: int | None = None
    """The order that made this place, where an order did."""

    @property
    def spot(self) -> Spot:
        """Where this place is found."""
        return self.member_id, self.number


P = TypeVar("P", bound=Place)
P_co = TypeVar("P_co", bound=Place, covariant=True)


class Places(Protocol[P_co]):
    """What an engine can ask of the places of its plan."""

    def get(self, member_id: int, number: int = 1) -> P_co | None:
        """Return somebody's place, if they have it."""

    def count(self, member_id: int) -> int:
        """Return how many places somebody has."""

    def children(self, spot: Spot) -> Sequence[P_co]:
        """Return the places directly below one, by slot, then in the order in which they came."""

    def root(self) -> P_co | None:
        """Return the first place that has none above it; every place of a single queue is below."""

    def standing(self, member_id: int) -> Standing:
        """Tell whether somebody may earn now."""


class Board(Generic[P]):
    """Places in memory: for tests, simulation and replay.

    >>> board = Board([Place(member_id=1), Place(member_id=2, recommender_id=1, parent=(1, 1))])
    >>> [place.member_id for place in board.children((1, 1))]
    [2]
    >>> board.standing(7).value
    'ACTIVE'
    """

    def __init__(
        self, places: Iterable[P] = (), standings: Mapping[int, Standing] | None = None
    ) -> None:
        """Begin with these places; who is not in `standings` is active."""
        self._places: dict[Spot, P] = {}
        self._below: dict[Spot, dict[Spot, None]] = {}
        self._counts: dict[int, int] = {}
        self.standings = dict(standings or {})
        self.apply(places)

    def get(self, member_id: int, number: int = 1) -> P | None:
        """Return somebody's place, if they have it."""
        return self._places.get((member_id, number))

    def count(self, member_id: int) -> int:
        """Return how many places somebody has."""
        return self._counts.get(member_id, 0)

    def children(self, spot: Spot) -> Sequence[P]:
        """Return the places directly below one, by slot, then in the order in which they came."""
        below = [self._places[one] for one in self._below.get(spot, ())]
        return sorted(below, key=lambda place: place.slot or 0)

    def root(self) -> P | None:
        """Return the first place that has none above it; every place of a single queue is below."""
        return next((place for place in self._places.values() if place.parent is None), None)

    def standing(self, member_id: int) -> Standing:
        """Tell whether somebody may earn now."""
        return self.standings.get(member_id, Standing.ACTIVE)

    def apply(self, places: Iterable[P]) -> None:
        """Put new places in, or in the place of their older versions."""
        for place in places:
            spot = place.spot
            former = self._places.get(spot)
            if former is None:
                self._counts[place.member_id] = self._counts.get(place.member_id, 0) + 1
            elif former.parent is not None and former.parent != place.parent:
                del self._below[former.parent][spot]
            if place.parent is not None and (former is None or former.parent != place.parent):
                self._below.setdefault(place.parent, {})[spot] = None
            self._places[spot] = place

    def all(self) -> Iterable[P]:
        """Return every place, in the order in which they came."""
        return self._places.values()
