"""Who would move: a set of levels tried on everybody as they are now. Nothing is changed.

The same statement as the nightly run's, so what it shows is what would happen.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import figures
from app.distribution.figures import Whose
from app.engines.parameters import Levels


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


def preview(session: Session, levels: Levels, *, now: datetime) -> list[Count]:
    """Return how many active distributors would rise from where to where under these levels."""
    statement, parameters = figures.moves(levels, Whose.after(0), now=now)
    rows = session.execute(
        sa.text(
            f"SELECT level, target, count(*) FROM ({statement}) AS moved"  # noqa: S608 - from `figures`
            " GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        parameters,
    )
    return [Count(*map(int, row)) for row in rows]


def preview_page(
    session: Session, levels: Levels, *, now: datetime, after_id: int = 0, limit: int
) -> list[Mover]:
    """Return some of those who would move, by member id, from behind the one given."""
    statement, parameters = figures.moves(levels, Whose.after(after_id), now=now)
    rows = session.execute(
        sa.text(
            f"SELECT member_id, level, target FROM ({statement}) AS moved"  # noqa: S608 - from `figures`
            " ORDER BY member_id LIMIT :some"
        ),
        {**parameters, "some": limit},
    )
    return [Mover(*map(int, row)) for row in rows]
