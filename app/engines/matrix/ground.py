"""The positions of a matrix, and where the next one goes.

Every place keeps the distance to the nearest free slot at or below it (`open_depth`, 0 where it has
one itself). So the first free slot, breadth-first from left to right, is found by going down, each
time to the first child whose distance is one less; and a new position changes distances along its
own line upwards only. Nobody's subtree is ever walked: what is read is the depth times the width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.engines.places import Place, Places, Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixPlace(Place):
    """A position. `filled` counts the positions within the layers that complete it.

    `directs` counts, on somebody's first position, the people they brought. `is_out`: complete, so
    layers pay it no more. `under_review`: its order was refunded later; the position stays.
    """

    open_depth: int = 0
    filled: int = 0
    directs: int = 0
    is_out: bool = False
    under_review: bool = False


class Ground:
    """The positions while one event is decided: as stored, and over them what has changed."""

    def __init__(self, places: Places[MatrixPlace], width: int) -> None:
        """Begin with nothing changed."""
        self._places = places
        self._width = width
        self._changed: dict[Spot, MatrixPlace] = {}
        self._added: dict[Spot, list[Spot]] = {}
        self._counts: dict[int, int] = {}

    @property
    def changed(self) -> tuple[MatrixPlace, ...]:
        """The new versions of all positions that changed, each above those added below it."""
        return tuple(self._changed.values())

    def get(self, spot: Spot) -> MatrixPlace | None:
        """Return a position as it is now."""
        return self._changed.get(spot) or self._places.get(*spot)

    def count(self, member_id: int) -> int:
        """Return how many positions somebody has now."""
        return self._places.count(member_id) + self._counts.get(member_id, 0)

    def root(self) -> MatrixPlace | None:
        """Return the first position of all."""
        root = self._places.root()
        return None if root is None else self._changed.get(root.spot, root)

    def above(self, place: MatrixPlace) -> MatrixPlace | None:
        """Return the position that one is placed below."""
        return None if place.parent is None else self.get(place.parent)

    def below(self, spot: Spot) -> Sequence[MatrixPlace]:
        """Return the positions directly below one, from left to right."""
        stored = [self._changed.get(one.spot, one) for one in self._places.children(spot)]
        return [*stored, *(self._changed[one] for one in self._added.get(spot, ()))]

    def put(self, place: MatrixPlace) -> MatrixPlace:
        """Keep the new version of a position."""
        self._changed[place.spot] = place
        return place

    def add(self, new: MatrixPlace, start: MatrixPlace | None, layers: int) -> MatrixPlace:
        """Place a position into the first free slot at or below `start`, as a root without one.

        The positions above count it as one that fills them, as far up as `layers`.
        """
        self._counts[new.member_id] = self._counts.get(new.member_id, 0) + 1
        if start is None:
            return self.put(new)
        parent = self._first_open(start)
        slot = len(self.below(parent.spot)) + 1
        placed = self.put(replace(new, parent=parent.spot, slot=slot))
        self._added.setdefault(parent.spot, []).append(placed.spot)
        self._renew_distances(parent)
        self._fill(placed, layers)
        return placed

    def _first_open(self, start: MatrixPlace) -> MatrixPlace:
        """Return the first position with a free slot, breadth-first, from left to right."""
        place = start
        while place.open_depth > 0:
            wanted = place.open_depth - 1
            place = next(one for one in self.below(place.spot) if one.open_depth == wanted)
        return place

    def _renew_distances(self, lowest: MatrixPlace) -> None:
        """Correct distances upwards from a position that got a child, until one is right."""
        place: MatrixPlace | None = lowest
        while place is not None:
            below = self.below(place.spot)
            is_open = len(below) < self._width
            distance = 0 if is_open else 1 + min(one.open_depth for one in below)
            if distance == place.open_depth:
                return
            place = self.above(self.put(replace(place, open_depth=distance)))

    def _fill(self, placed: MatrixPlace, layers: int) -> None:
        place = self.above(placed)
        for _ in range(layers):
            if place is None:
                return
            place = self.above(self.put(replace(place, filled=place.filled + 1)))
