"""Channel levels: who rises on settled own sales, and the history of every move.

Figures come from PostgreSQL in sets, one statement for each window, whatever the number of
distributors; the decision itself is pure (`engine.levels`).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import LevelPeriod
from app.engines.documents import load_rules
from app.engines.levels import Figure, Promotion, figures_needed, promote
from app.engines.parameters import ConditionKind, Levels
from app.kernel import outbox
from app.kernel.outbox import Task
from app.members.models import Distributor, Standing
from app.orders.models import Order
from app.plans.queries import level_version

EVALUATE_BATCH_MAX: Final = 5_000
FIRST_LEVEL: Final = 1


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

    Never lowers anyone. Without a plan in force nobody moves.
    """
    version = level_version(session, at=now)
    if version is None or not member_ids:
        return {}
    levels = load_rules(version.rules).levels
    distributors = session.scalars(
        sa.select(Distributor)
        .where(Distributor.member_id.in_(member_ids), Distributor.standing == Standing.ACTIVE)
        .order_by(Distributor.member_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    figures = figures_of(session, levels, [one.member_id for one in distributors], now=now)
    rises: dict[int, Promotion] = {}
    for distributor in distributors:
        rise = promote(levels, distributor.level, figures[distributor.member_id])
        if rise is not None:
            rises[distributor.member_id] = rise
            _move(session, distributor, rise, version_id=version.id, now=now)
    return rises


def figures_of(
    session: Session, levels: Levels, member_ids: Collection[int], *, now: datetime
) -> Mapping[int, dict[Figure, int]]:
    """Return, for each distributor, the figures that these levels ask for."""
    found: dict[int, dict[Figure, int]] = defaultdict(dict)
    for window_days in sorted({figure.window_days for figure in figures_needed(levels)}):
        rows = session.execute(
            sa.select(
                Order.owner_id,
                sa.func.sum(Order.paid_fen - Order.refunded_fen),
                sa.func.count(sa.distinct(Order.member_id)).filter(
                    Order.paid_fen > Order.refunded_fen
                ),
            )
            .where(
                Order.owner_id.in_(member_ids),
                Order.settled_at > now - timedelta(days=window_days),
                Order.settled_at <= now,
            )
            .group_by(Order.owner_id)
        )
        for owner_id, sales_fen, customers in rows:
            of_owner = found[int(owner_id or 0)]
            of_owner[Figure(ConditionKind.DIRECT_SALES, window_days)] = int(sales_fen)
            of_owner[Figure(ConditionKind.PAYING_CUSTOMERS, window_days)] = int(customers)
    return found


def begin(session: Session, member_id: int, *, now: datetime, actor: str) -> None:
    """Open the level history of a new distributor; a second call changes nothing."""
    known = session.scalar(sa.select(LevelPeriod.id).where(LevelPeriod.member_id == member_id))
    if known is None:
        session.add(
            LevelPeriod(
                member_id=member_id,
                level=FIRST_LEVEL,
                from_at=now,
                cause="approved",
                facts={},
                actor=actor,
            )
        )
        session.flush()


def begin_levels(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Open the level history of distributors who were approved."""
    rows = session.execute(
        sa.select(Distributor.member_id, Distributor.approved_at)
        .where(Distributor.member_id.in_([task.subject_id for task in tasks]))
        .order_by(Distributor.member_id)
        .with_for_update()
    )
    for member_id, approved_at in rows:
        begin(session, member_id, now=approved_at or now, actor="system")
    outbox.finish(session, tasks)


def _move(
    session: Session, distributor: Distributor, rise: Promotion, *, version_id: int, now: datetime
) -> None:
    """End the period of the old level where that of the new one begins."""
    begin(session, distributor.member_id, now=distributor.approved_at or now, actor="system")
    session.execute(
        sa.update(LevelPeriod)
        .where(LevelPeriod.member_id == distributor.member_id, LevelPeriod.until_at.is_(None))
        .values(until_at=now)
        .execution_options(synchronize_session=False)
    )
    session.add(
        LevelPeriod(
            member_id=distributor.member_id,
            level=rise.to_level,
            from_at=now,
            cause="upgrade",
            facts=dict(rise.explanation) | {"plan_version_id": version_id},
            actor="system",
        )
    )
    distributor.level = rise.to_level
    outbox.emit(session, "level_changed", distributor.member_id, now=now)
    session.flush()
