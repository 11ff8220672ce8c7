"""Looking at members again: when a year is over, before it is, and when staff ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.kernel.db import atomic, take_time
from app.kernel.outbox import emit
from app.membership import holding
from app.membership.models import LevelHolding, MembershipLevel
from app.membership.queries import growth_between, levels_at
from app.membership.rules import Step, deserved
from app.membership.states import NOTICE, YEAR, Basis

log = structlog.get_logger()

BATCH_MAX: Final = 500
SHOWN_MAX: Final = 50
MOVES: Final = sa.text("""
    WITH grown AS (
        SELECT member_id, sum(amount)::bigint AS growth FROM growth_entries
        WHERE counts_at > :since_at AND counts_at <= :at GROUP BY member_id),
    held AS (
        SELECT h.member_id, h.level_id, l.rank FROM level_holdings h
        JOIN membership_levels l ON l.id = h.level_id
        WHERE h.basis = 'growth' AND h.ended_at IS NULL),
    steps AS (
        SELECT * FROM unnest(CAST(:ranks AS bigint[]), CAST(:ids AS bigint[]),
            CAST(:needs AS bigint[])) AS s (rank, level_id, needed)
        WHERE needed > 0),
    moves AS (
        SELECT member_id, held.level_id AS from_id, target.level_id AS to_id,
            coalesce(growth, 0) AS growth,
            coalesce(target.rank, 0) > coalesce(held.rank, 0) AS is_rise
        FROM grown FULL JOIN held USING (member_id)
        LEFT JOIN LATERAL (SELECT rank, level_id FROM steps
            WHERE needed <= coalesce(growth, 0) ORDER BY rank DESC LIMIT 1) target ON true
        WHERE target.level_id IS DISTINCT FROM held.level_id AND NOT EXISTS (
            SELECT 1 FROM level_holdings cap WHERE cap.member_id = coalesce(grown.member_id,
                held.member_id) AND cap.is_cap AND cap.ended_at IS NULL AND cap.until_at > :at))
    SELECT member_id, from_id, to_id, growth, is_rise,
        count(*) FILTER (WHERE is_rise) OVER () AS rises,
        count(*) FILTER (WHERE NOT is_rise) OVER () AS falls
    FROM moves WHERE member_id > :after_id AND (is_rise OR NOT :only_rises)
    ORDER BY member_id LIMIT :limit
""")
"""Whose level by growth is another than the last year's growth deserves by some rules."""


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody who would stand elsewhere by other rules."""

    member_id: int
    from_level_id: int | None
    to_level_id: int | None
    growth: int
    is_rise: bool


@dataclass(frozen=True, slots=True)
class MovePreview:
    """Who would move: all counted, the first of each kind by name.

    `rises` rise as soon as they are looked at again; `falls` keep their level until their year is
    over, and lose it then unless they grow.
    """

    rises: int
    falls: int
    shown: tuple[Move, ...]


def end_due(*, now: datetime) -> int:
    """End holdings that are over, one member at a time; return how many members.

    One that cannot be looked at holds up none of the others; it is tried again.
    """
    due = (
        sa.select(LevelHolding.member_id)
        .where(LevelHolding.ended_at.is_(None), LevelHolding.until_at <= now)
        .distinct()
        .limit(BATCH_MAX)
    )
    with atomic() as session:
        members = session.scalars(due).all()
    done = 0
    for member_id in sorted(members):
        try:
            with atomic() as session:
                holding.end_due(session, member_id, now=now)
            done += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must go on
            log.error("level_not_ended", member_id=member_id, error=type(error).__name__)  # noqa: TRY400 - a traceback tells values
    return done


def warn_due(*, now: datetime) -> int:
    """Tell holders by event whose year ends within `NOTICE` and whose growth will not keep it.

    Growth that will not count any more on that day is left out. Return how many were told; each is
    told once in a year.
    """
    count, after_id = 0, 0
    while True:
        with atomic() as session:
            batch = session.scalars(
                sa.select(LevelHolding)
                .where(
                    LevelHolding.basis == Basis.GROWTH,
                    LevelHolding.ended_at.is_(None),
                    LevelHolding.warned_at.is_(None),
                    LevelHolding.until_at > now,
                    LevelHolding.until_at <= now + NOTICE,
                    LevelHolding.id > after_id,
                )
                .order_by(LevelHolding.id)
                .limit(BATCH_MAX)
                .with_for_update(skip_locked=True)
            ).all()
            if not batch:
                return count
            after_id = batch[-1].id
            count += _warn(session, batch, now=now)


def _warn(session: Session, batch: Sequence[LevelHolding], *, now: datetime) -> int:
    steps = holding.steps_of(levels_at(session, at=now))
    told = 0
    for held in batch:
        growth = growth_between(
            session, held.member_id, since_at=held.until_at - YEAR, until_at=held.until_at
        )
        target = deserved(steps, growth)
        if not _keeps(steps, held.level_id, target):
            held.warned_at = now
            emit(session, "level_ending", held.member_id, now=now)
            told += 1
    return told


def _keeps(steps: list[Step], level_id: int, target: Step | None) -> bool:
    rank = next((one.rank for one in steps if one.level_id == level_id), None)
    return target is not None and rank is not None and target.rank >= rank


def preview(session: Session, steps: Sequence[Step] | None = None, *, now: datetime) -> MovePreview:
    """Say who would move by these rules, or by those of now. Nothing is changed.

    Looks at everybody: allow it its time.
    """
    take_time(session)
    rows = _moves(session, steps, now=now, after_id=0, only_rises=False, limit=SHOWN_MAX)
    if not rows:
        return MovePreview(0, 0, ())
    shown = tuple(
        Move(row.member_id, row.from_id, row.to_id, row.growth, row.is_rise) for row in rows
    )
    return MovePreview(rows[0].rises, rows[0].falls, shown)


def raise_everybody(*, now: datetime) -> int:
    """Lift whoever deserves more by the rules of now, where staff asked for it; return how many.

    Done in parts, so an interrupted run goes on where it is called again.
    """
    asked = sa.select(MembershipLevel.id, MembershipLevel.evaluate_asked_at).where(
        MembershipLevel.evaluate_asked_at.is_not(None), MembershipLevel.evaluated_at.is_(None)
    )
    with atomic() as session:
        wishes = session.execute(asked).all()
    if not wishes:
        return 0
    count, after_id = 0, 0
    while members := _who_rises(after_id, now=now):
        for member_id in members:
            with atomic() as session:
                holding.lift(session, holding.lock(session, member_id), now=now)
        after_id, count = members[-1], count + len(members)
    with atomic() as session:
        for level_id, asked_at in wishes:
            session.execute(
                sa.update(MembershipLevel)
                .where(
                    MembershipLevel.id == level_id, MembershipLevel.evaluate_asked_at == asked_at
                )
                .values(evaluated_at=now)
                .execution_options(synchronize_session=False)
            )
    return count


def _who_rises(after_id: int, *, now: datetime) -> list[int]:
    with atomic() as session:
        take_time(session)
        rows = _moves(session, None, now=now, after_id=after_id, only_rises=True, limit=BATCH_MAX)
        return [row.member_id for row in rows]


def _moves(
    session: Session,
    steps: Sequence[Step] | None,
    *,
    now: datetime,
    after_id: int,
    only_rises: bool,
    limit: int,
) -> Sequence[sa.Row[Any]]:
    known = holding.steps_of(levels_at(session, at=now)) if steps is None else steps
    return session.execute(
        MOVES,
        {
            "since_at": now - YEAR,
            "at": now,
            "ranks": [one.rank for one in known],
            "ids": [one.level_id for one in known],
            "needs": [one.growth_at_least for one in known],
            "after_id": after_id,
            "only_rises": only_rises,
            "limit": limit,
        },
    ).all()
