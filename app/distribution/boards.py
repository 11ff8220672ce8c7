"""Places of one plan, read from PostgreSQL as an engine asks for them, and written in one go.

Only ever used under the plan's lock (`lock_plan`): then ids of events rise in the order in which
they are decided, and nobody else changes a place meanwhile. Everyone around the events of a batch
is loaded at once, with those they refer to; what an engine asks for beyond is read when it asks.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.distribution.encoding import place_from_row, place_to_row
from app.distribution.plan_records import PlanPlace
from app.engines.people import Standing
from app.engines.places import Board, Place, Spot
from app.members.models import Distributor
from app.members.states import Standing as StoredStanding

P = TypeVar("P", bound=Place)

_PLAN_LOCK: Final = 7_310_010
FOLLOWED: Final = 2
"""How many steps of references are loaded ahead: a boss, and that boss's origin."""

STANDINGS: Final[Mapping[StoredStanding, Standing]] = {
    StoredStanding.ACTIVE: Standing.ACTIVE,
    StoredStanding.FROZEN: Standing.FROZEN,
    StoredStanding.QUIT: Standing.QUIT,
}


def lock_plan(session: Session, plan_id: int) -> None:
    """Let nobody else decide on events of this plan until the end of this transaction.

    Plans are locked in rising order, and before any order, award or account.
    """
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_PLAN_LOCK, sa.cast(plan_id, sa.INT))))


class StoredBoard(Generic[P]):
    """The places of a plan, as `engines.places.Places` asks for them."""

    def __init__(self, session: Session, plan_id: int, kind: type[P]) -> None:
        """Begin with nothing loaded."""
        self._session = session
        self._plan_id = plan_id
        self._kind = kind
        self._board: Board[P] = Board()
        self._known: set[int] = set()
        self._opened: set[Spot] = set()
        self._changed: dict[Spot, P] = {}
        self._standings: dict[int, Standing] = {}
        self.asked: dict[int, Standing] = {}
        """The standings that the engine has asked for since `begin_event`."""

    def prefetch(self, member_ids: Collection[int]) -> None:
        """Load the places of these members and of those they refer to, in sets."""
        wanted = set(member_ids)
        for _ in range(FOLLOWED + 1):
            wanted -= self._known
            if not wanted:
                return
            wanted = {reference for place in self._load(wanted) for reference in _references(place)}

    def begin_event(self) -> None:
        """Forget which standings were asked for."""
        self.asked = {}

    def get(self, member_id: int, number: int = 1) -> P | None:
        """Return somebody's place, if they have it."""
        self._know(member_id)
        return self._board.get(member_id, number)

    def count(self, member_id: int) -> int:
        """Return how many places somebody has."""
        self._know(member_id)
        return self._board.count(member_id)

    def children(self, spot: Spot) -> Sequence[P]:
        """Return the places directly below one, by slot, then in the order in which they came."""
        if spot not in self._opened:
            self._opened.add(spot)
            below = self._session.scalars(
                sa.select(PlanPlace.member_id)
                .where(
                    PlanPlace.plan_id == self._plan_id,
                    PlanPlace.parent_id == spot[0],
                    PlanPlace.parent_number == spot[1],
                )
                .order_by(PlanPlace.slot, PlanPlace.made_at, PlanPlace.member_id)
            )
            self._load({one for one in below if one not in self._known})
        return self._board.children(spot)

    def root(self) -> P | None:
        """Return the first place that has none above it."""
        found = self._session.execute(
            sa.select(PlanPlace.member_id, PlanPlace.number)
            .where(PlanPlace.plan_id == self._plan_id, PlanPlace.parent_id.is_(None))
            .order_by(PlanPlace.made_at, PlanPlace.member_id, PlanPlace.number)
            .limit(1)
        ).one_or_none()
        return self._board.root() if found is None else self.get(found.member_id, found.number)

    def standing(self, member_id: int) -> Standing:
        """Tell whether somebody may earn now, and remember that it was asked."""
        if member_id not in self._standings:
            found = self._session.scalar(
                sa.select(Distributor.standing).where(Distributor.member_id == member_id)
            )
            self._standings[member_id] = (
                STANDINGS.get(found, Standing.NONE) if found else (Standing.NONE)
            )
        self.asked[member_id] = self._standings[member_id]
        return self._standings[member_id]

    def apply(self, places: Iterable[Place]) -> None:
        """Put new versions of places in; `flush` writes them."""
        for place in places:
            assert isinstance(place, self._kind), f"{place} is no place of this plan"
            self._know(place.member_id)
            self._board.apply([place])
            self._changed[place.spot] = place

    def flush(self, *, now: datetime) -> None:
        """Write every place that was changed, in one statement."""
        if not self._changed:
            return
        rows = [
            place_to_row(self._plan_id, place) | {"made_at": now, "changed_at": now}
            for place in self._changed.values()
        ]
        statement = insert(PlanPlace)
        new = ("recommender_id", "parent_id", "parent_number", "slot", "order_id", "facts")
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["plan_id", "member_id", "number"],
                set_={name: statement.excluded[name] for name in (*new, "changed_at")},
            ),
            rows,
        )
        self._changed.clear()

    def _know(self, member_id: int) -> None:
        if member_id not in self._known:
            self._load({member_id})

    def _load(self, member_ids: Collection[int]) -> list[P]:
        """Read all places of these members; what is in memory already is newer and stays."""
        self._known.update(member_ids)
        if not member_ids:
            return []
        rows: Sequence[Any] = self._session.execute(
            sa.select(*PlanPlace.__table__.columns)
            .where(PlanPlace.plan_id == self._plan_id, PlanPlace.member_id.in_(member_ids))
            .order_by(PlanPlace.slot, PlanPlace.made_at, PlanPlace.member_id, PlanPlace.number)
        ).all()
        places = [place_from_row(self._kind, row) for row in rows]
        self._board.apply(places)
        return places


def _references(place: Place) -> set[int]:
    """Return whom a place names: parent, recommender, and the `*_id` fields of its model."""
    row = place_to_row(0, place)
    named = {
        value
        for name, value in (row | row["facts"]).items()
        if name.endswith("_id") and name not in {"plan_id", "order_id", "member_id"}
    }
    return {one for one in named if isinstance(one, int)}
