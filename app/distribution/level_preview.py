"""Who would move: a set of levels tried on everybody as they are now. Nothing is changed.

The same statement as the nightly run's, so what it shows is what would happen.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import figures
from app.distribution.figures import Whose
from app.engines.parameters import Levels
from app.kernel.db import take_time


@dataclass(frozen=True, slots=True)
class Count:
    """How many would move from one level to another."""

    from_level: int
    to_level: int
    people: int


@dataclass(frozen=True, slots=True)
class Mover:
    """One distributor who would move."""

    member_id: int
    from_level: int
    to_level: int


def preview(
    session: Session, levels: Levels, *, now: datetime, store_ids: Collection[int] | None = None
) -> list[Count]:
    """Return how many active distributors would rise from where to where under these levels.

    With `store_ids` only those who belong to one of these stores.
    """
    take_time(session)
    statement, parameters = figures.moves(levels, Whose.after(0), now=now)
    rows = session.execute(
        sa.text(
            f"SELECT level, target, count(*) FROM ({statement}) AS moved"  # noqa: S608 - from `figures`
            f" WHERE {_within(store_ids)} GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        {**parameters, **_told(store_ids)},
    )
    return [Count(*map(int, row)) for row in rows]


def preview_page(
    session: Session,
    levels: Levels,
    *,
    now: datetime,
    after_id: int = 0,
    limit: int,
    store_ids: Collection[int] | None = None,
) -> list[Mover]:
    """Return some of those who would move, by member id, from behind the one given."""
    take_time(session)
    statement, parameters = figures.moves(levels, Whose.after(after_id), now=now)
    rows = session.execute(
        sa.text(
            f"SELECT member_id, level, target FROM ({statement}) AS moved"  # noqa: S608 - from `figures`
            f" WHERE {_within(store_ids)} ORDER BY member_id LIMIT :some"
        ),
        {**parameters, **_told(store_ids), "some": limit},
    )
    return [Mover(*map(int, row)) for row in rows]


def _within(store_ids: Collection[int] | None) -> str:
    if store_ids is None:
        return "true"
    return (
        "EXISTS (SELECT 1 FROM distributors AS own WHERE own.member_id = moved.member_id"
        " AND own.store_id = ANY(:store_ids))"
    )


def _told(store_ids: Collection[int] | None) -> dict[str, list[int]]:
    return {} if store_ids is None else {"store_ids": list(store_ids)}
