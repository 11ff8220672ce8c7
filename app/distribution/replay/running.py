"""Running a replay: one picture of the database, read batch by batch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.replay.balances import compare_balances
from app.distribution.replay.months import count_months, replay_months
from app.distribution.replay.orders import count_orders, replay_orders
from app.distribution.replay.places import count_events, replay_places
from app.distribution.replay.report import Report, Span
from app.kernel.db import atomic

_LOOK_UP: Final = "SET LOCAL random_page_cost = 1.1"
"""Batches look rows up by id; PostgreSQL's own value is for disks that seek."""

Progress: TypeAlias = Callable[[int], None]
"""Is told how many orders, events and months were decided again since it was told last."""


def replay(
    from_at: datetime,
    to_at: datetime,
    plan_id: int | None = None,
    *,
    progress: Progress | None = None,
) -> Report:
    """Decide again what happened within a span, and return every difference to the books.

    Reads only, in one picture of the database, so it may run beside everything else or on a
    replica. What is still to be worked off is no difference. Balances are compared where no plan is
    named.
    """
    span, report = Span(from_at, to_at, plan_id), Report()
    with _one_picture() as session:
        for part in (replay_orders, replay_places, replay_months):
            for done in part(session, span, report):
                if progress is not None:
                    progress(done)
        if plan_id is None:
            compare_balances(session, report)
    return report


def workload(from_at: datetime, to_at: datetime, plan_id: int | None = None) -> int:
    """Return how many orders, events and months a replay has before it."""
    span = Span(from_at, to_at, plan_id)
    with _one_picture() as session:
        return sum(count(session, span) for count in (count_orders, count_events, count_months))


@contextmanager
def _one_picture() -> Iterator[Session]:
    """Read in a transaction that sees one instant; a session bound to a connection stays there."""
    with atomic() as session:
        if isinstance(session.get_bind(), sa.Engine):
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            session.execute(sa.text("SET TRANSACTION READ ONLY"))
        session.execute(sa.text(_LOOK_UP))
        yield session
