"""Levels: who rises on settled sales, by the plan in force, and by hand.

A distributor has one level at the brand. Figures come from PostgreSQL in sets (`figures`); the
decision itself is pure (`engines.levels`). Those who may move are found without a lock; only they
are locked, and decided on with what holds then.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import figures, level_moves
from app.distribution.figures import Whose
from app.distribution.level_moves import BY_HAND, UPGRADE, Move
from app.engines.documents import load_rules
from app.engines.levels import Figure, Promotion, promote
from app.engines.parameters import Levels
from app.kernel import audit, outbox
from app.kernel.audit import Actor, Change, Subject
from app.kernel.db import atomic, retrying, take_time
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_
from app.kernel.outbox import Task
from app.members.decisions import require_reason, require_two_desks
from app.members.errors import DistributorNotFound, NotADistributor
from app.members.models import Distributor, Standing
from app.orders.models import Order
from app.plans.queries import level_version

SET_SIZE: Final = 100_000
"""How many distributors are looked at by one statement."""
MOVE_BATCH_MAX: Final = 2_000
"""How many are locked and moved in one transaction."""


@dataclass(eq=False)
class LevelUnknown(DomainError):
    """The plan in force has no such level, or the distributor holds it already."""

    code: ClassVar[str] = "level_unknown"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Level %(level)s cannot be given to this distributor.")

    level: int


def evaluate_owners(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Evaluate the owners of orders that were settled. Safe to repeat: a level reached stays."""
    owners = session.scalars(
        sa.select(Order.owner_id)
        .where(Order.id.in_([task.subject_id for task in tasks]), Order.owner_id.is_not(None))
        .distinct()
    )
    evaluate(session, [one for one in owners if one is not None], now=now)
    outbox.finish(session, tasks)


def evaluate(
    session: Session, member_ids: Collection[int], *, now: datetime
) -> dict[int, Promotion]:
    """Lift those whose settled sales reach a higher level of the plan in force; return the rises.

    Never lowers anyone, also after refunds. Without a plan in force nobody moves. Frozen
    distributors stay where they are; the nightly run lifts them once they may go on.
    """
    version = level_version(session, at=now)
    if version is None or not member_ids:
        return {}
    levels = load_rules(version.rules).levels
    held = _lock(session, member_ids)
    found = figures_of(session, levels, list(held), now=now)
    rises = {
        member_id: rise
        for member_id, level in held.items()
        if (rise := promote(levels, level, found[member_id])) is not None
    }
    moves = [
        Move(
            member_id,
            rise.to_level,
            UPGRADE,
            dict(rise.explanation) | {"plan_version_id": version.id},
        )
        for member_id, rise in rises.items()
    ]
    level_moves.record(session, moves, now=now)
    return rises


def figures_of(
    session: Session, levels: Levels, member_ids: Collection[int], *, now: datetime
) -> Mapping[int, dict[Figure, int]]:
    """Return, for each distributor, the figures that these levels ask for."""
    wanted = figures.windows(levels, now=now)
    found = figures.gather(session, set(wanted.values()), member_ids)
    return {
        member_id: {figure: values[where] for figure, where in wanted.items()}
        for member_id, values in found.items()
    }


def evaluate_everybody(*, now: datetime) -> int:
    """Evaluate all active distributors, set by set; return how many rose.

    Safe to run twice, also at once: movers are locked and decided on again.
    """
    rises = 0
    for whose in sets():
        with atomic() as session:
            version = level_version(session, at=now)
            if version is None:
                return rises
            take_time(session)
            statement, parameters = figures.moves(load_rules(version.rules).levels, whose, now=now)
            movers = list(session.scalars(sa.text(f"{statement} ORDER BY member_id"), parameters))
        for start in range(0, len(movers), MOVE_BATCH_MAX):
            rises += _lift(movers[start : start + MOVE_BATCH_MAX], now=now)
    return rises


def _lift(member_ids: Sequence[int], *, now: datetime) -> int:
    def act() -> int:
        with atomic() as session:
            return len(evaluate(session, member_ids, now=now))

    return retrying(act)


def sets() -> Iterator[Whose]:
    """Yield ranges of ids that hold up to `SET_SIZE` distributors each."""
    last_id = 0
    while True:
        with atomic() as session:
            some = (
                sa.select(Distributor.member_id)
                .where(Distributor.member_id > last_id)
                .order_by(Distributor.member_id)
                .limit(SET_SIZE)
                .subquery()
            )
            end_id = session.scalar(sa.select(sa.func.max(some.c.member_id)))
        if end_id is None:
            return
        yield Whose.between(last_id + 1, end_id)
        last_id = end_id


def begin_levels(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Open the level history of distributors who were approved."""
    ids = [task.subject_id for task in tasks]
    session.execute(
        sa.select(Distributor.member_id)
        .where(Distributor.member_id.in_(ids))
        .order_by(Distributor.member_id)
        .with_for_update(key_share=True)
    )
    level_moves.begin(session, ids, now=now)
    outbox.finish(session, tasks)


def set_level(  # noqa: PLR0913 - one decision: about whom, to what, by whom, why, when
    session: Session,
    member_id: int,
    *,
    level: int,
    actor: Actor,
    second_actor: Actor,
    reason: str,
    now: datetime,
) -> None:
    """Give a distributor a level by hand: two members of staff, with a reason.

    It is kept and lost like any other. Raises `SecondPersonRequired`, `ReasonRequired`,
    `DistributorNotFound`, `NotADistributor`, `LevelUnknown`.
    """
    require_two_desks(session, actor, second_actor, now=now)
    require_reason(reason)
    row = session.execute(
        sa.select(Distributor.level, Distributor.standing, Distributor.store_id)
        .where(Distributor.member_id == member_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise DistributorNotFound
    if row.standing not in {Standing.ACTIVE, Standing.FROZEN}:
        raise NotADistributor
    version = level_version(session, at=now)
    if version is None or level == row.level or not 1 <= level <= _levels(version.rules).count:
        raise LevelUnknown(level)
    facts = {"from_level": row.level, "to_level": level, "reason": reason.strip()}
    by = f"{actor}+{second_actor}"
    level_moves.record(session, [Move(member_id, level, BY_HAND, facts, by)], now=now)
    audit.record(
        session,
        actor,
        "level_set",
        Subject("distributor", member_id, row.store_id),
        Change({"level": row.level}, {"level": level, "second_actor": str(second_actor)}, reason),
        now=now,
    )


def _levels(rules: Mapping[str, object]) -> Levels:
    return load_rules(rules).levels


def _lock(session: Session, member_ids: Collection[int]) -> dict[int, int]:
    """Lock active distributors by id and return their levels."""
    rows = session.execute(
        sa.select(Distributor.member_id, Distributor.level)
        .where(Distributor.member_id.in_(member_ids), Distributor.standing == Standing.ACTIVE)
        .order_by(Distributor.member_id)
        .with_for_update(key_share=True)
    )
    return {int(member_id): int(level) for member_id, level in rows}
