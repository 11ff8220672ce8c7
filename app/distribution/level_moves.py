"""Moves between levels: written in sets, each with its period, its reason and an end of warnings.

Whoever moves distributors locks their rows first, by member id; then what is written here cannot
meet another move of the same person.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from app.distribution.models import LevelPeriod
from app.distribution.plan_records import LevelWarning, WarningOutcome
from app.members.models import Distributor

FIRST_LEVEL: Final = 1
UPGRADE: Final = "upgrade"
DOWNGRADE: Final = "downgrade"
BY_HAND: Final = "set_by_hand"


@dataclass(frozen=True, slots=True)
class Move:
    """One distributor from one level to another, why, and by whom."""

    member_id: int
    to_level: int
    cause: str
    facts: Mapping[str, Any]
    actor: str = "system"


def begin(session: Session, member_ids: Collection[int], *, now: datetime) -> None:
    """Open the level history of distributors who have none yet: at their approval, or now."""
    opened = sa.select(
        Distributor.member_id,
        sa.literal(FIRST_LEVEL),
        sa.func.least(sa.func.coalesce(Distributor.approved_at, now), now),
        sa.literal("approved"),
        sa.text("'{}'::jsonb"),
        sa.literal("system"),
    ).where(
        Distributor.member_id.in_(member_ids),
        ~sa.exists().where(LevelPeriod.member_id == Distributor.member_id),
    )
    columns = ["member_id", "level", "from_at", "cause", "facts", "actor"]
    session.execute(sa.insert(LevelPeriod).from_select(columns, opened))


def record(session: Session, moves: Sequence[Move], *, now: datetime) -> None:
    """Write moves of distributors whose rows are locked, one each.

    The period of the old level ends where that of the new one begins: now, or just after it began
    where another run was ahead. Who rises has made an open warning good; any other move lifts it.
    """
    if not moves:
        return
    ids = [one.member_id for one in moves]
    begin(session, ids, now=now)
    began = _began(session, ids)
    at = {one: max(now, began[one] + datetime.resolution) for one in ids}
    session.execute(
        sa.update(LevelPeriod)
        .where(LevelPeriod.member_id.in_(ids), LevelPeriod.until_at.is_(None))
        .values(until_at=sa.func.greatest(LevelPeriod.from_at + datetime.resolution, now))
        .execution_options(synchronize_session=False)
    )
    rows = [
        {
            "member_id": one.member_id,
            "level": one.to_level,
            "from_at": at[one.member_id],
            "cause": one.cause,
            "facts": dict(one.facts),
            "actor": one.actor,
        }
        for one in moves
    ]
    session.execute(sa.insert(LevelPeriod), rows)
    _set_levels(session, moves)
    _end_warnings(session, moves, now=now)
    session.flush()


def _began(session: Session, ids: Collection[int]) -> dict[int, datetime]:
    rows = session.execute(
        sa.select(LevelPeriod.member_id, LevelPeriod.from_at).where(
            LevelPeriod.member_id.in_(ids), LevelPeriod.until_at.is_(None)
        )
    )
    return {int(member_id): from_at for member_id, from_at in rows}


def _set_levels(session: Session, moves: Sequence[Move]) -> None:
    """Write the levels, and let what was loaded of these rows be read again."""
    pairs = sa.select(
        sa.func.unnest(sa.literal([one.member_id for one in moves], sa.ARRAY(sa.BigInteger))).label(
            "member_id"
        ),
        sa.func.unnest(sa.literal([one.to_level for one in moves], sa.ARRAY(sa.BigInteger))).label(
            "level"
        ),
    ).subquery()
    session.execute(
        sa.update(Distributor)
        .where(Distributor.member_id == pairs.c.member_id)
        .values(level=pairs.c.level)
        .execution_options(synchronize_session=False)
    )
    for one in moves:
        loaded = session.identity_map.get(identity_key(Distributor, one.member_id))
        if loaded is not None:
            session.expire(loaded, ["level"])


def _end_warnings(session: Session, moves: Sequence[Move], *, now: datetime) -> None:
    """End open warnings of those who moved; one that was lost is ended by whoever lowers them."""
    for outcome, ids in (
        (WarningOutcome.KEPT, [one.member_id for one in moves if one.cause == UPGRADE]),
        (WarningOutcome.LIFTED, [one.member_id for one in moves if one.cause == BY_HAND]),
    ):
        if ids:
            session.execute(
                sa.update(LevelWarning)
                .where(LevelWarning.member_id.in_(ids), LevelWarning.ended_at.is_(None))
                .values(ended_at=now, outcome=outcome)
                .execution_options(synchronize_session=False)
            )
