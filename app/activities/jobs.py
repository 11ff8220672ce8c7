"""Work on activities that waits for time or for orders. Each job may run any number of times."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import queries, services
from app.activities.kinds import KINDS
from app.activities.models import Activity, ActivityEntry
from app.kernel import outbox
from app.kernel.batches import work_off
from app.kernel.db import atomic, database_now
from app.kernel.jobs import job
from app.kernel.outbox import Task
from app.orders.models import Refund

PAID_ORDERS: Final = "follow_activity_orders"
REFUNDS: Final = "follow_activity_refunds"


@job("keep_activities_to_time")
def keep_activities_to_time() -> int:
    """Start and end activities by the clock, and do what each kind has to do by its time."""
    count = services.keep_to_time(database_now())
    for kind in KINDS.values():
        if kind.sweep is not None:
            count += kind.sweep(database_now())
    return count


@job(PAID_ORDERS)
def follow_activity_orders() -> int:
    """Do what follows for activities from orders that were paid or closed."""
    _drop_others(PAID_ORDERS, ActivityEntry.order_id == Task.subject_id)
    return work_off(PAID_ORDERS, _orders_moved, limit=1)


@job(REFUNDS)
def follow_activity_refunds() -> int:
    """Do what follows for activities from refunds that reached their customers."""
    of_refund = sa.and_(Refund.id == Task.subject_id, ActivityEntry.order_id == Refund.order_id)
    _drop_others(REFUNDS, of_refund)
    return work_off(REFUNDS, _refunds_moved, limit=1)


def _drop_others(name: str, is_theirs: sa.ColumnElement[bool]) -> None:
    """Drop the tasks of orders that belong to no activity, all at once: most of them.

    The others are worked off one by one, so that no two lock what the other waits for.
    """
    now = database_now()
    with atomic() as session:
        tasks = (
            sa.select(Task.id)
            .where(
                Task.job == name,
                Task.due_at <= now,
                Task.quarantined_at.is_(None),
                ~sa.exists().where(is_theirs),
            )
            .with_for_update(skip_locked=True)
        )
        session.execute(
            sa.delete(Task).where(Task.id.in_(tasks)).execution_options(synchronize_session=False)
        )


def _orders_moved(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    for task in tasks:
        _moved(session, task.subject_id, now=now)
    outbox.finish(session, tasks)


def _refunds_moved(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    for task in tasks:
        order_id = session.scalar(sa.select(Refund.order_id).where(Refund.id == task.subject_id))
        if order_id is not None:
            _moved(session, order_id, now=now)
    outbox.finish(session, tasks)


def _moved(session: Session, order_id: int, *, now: datetime) -> None:
    entry = queries.entry_of_order(session, order_id)
    if entry is not None:
        kind = session.get_one(Activity, entry.activity_id).kind
        KINDS[kind].order_moved(session, entry, now)
