"""A worker that dies in the middle of an import leaves the rest to the next one, no row twice."""

import signal
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import StockLevel
from app.imports import running, services
from app.imports.models import ImportKind, ImportRun, ImportState
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, database_now
from tests.crash.conditions import wait_until
from tests.factories.imports import bring, run_of
from tests.factories.orders import make_goods
from tests.factories.people import make_store
from tests.servers import Process

pytestmark = pytest.mark.commits
ROWS = 600
"""Some seconds of work, so that it can be seen running."""
Launch = Callable[..., Process]


def done_of(run_id: int) -> int:
    with atomic() as session:
        return session.scalars(sa.select(ImportRun.done_count).where(ImportRun.id == run_id)).one()


def begun(session: Session) -> ImportRun:
    store = make_store(session, "North")
    rows = [["North", make_goods(session, store, on_hand=5).id, "", 4] for _ in range(ROWS)]
    session.commit()
    run = bring(session, ImportKind.STOCK, rows, now=database_now())
    services.begin(session, run.id, actor=SYSTEM, now=database_now())
    session.commit()
    return run


def test_a_killed_worker_is_followed_by_one_that_writes_only_the_rest(
    session: Session, launch: Launch
) -> None:
    run_id = begun(session).id
    worker = launch("run-job", "run_imports")
    wait_until(lambda: done_of(run_id) > 0, "progress")
    worker.stop(signal.SIGKILL)

    left = run_of(session, run_id)
    assert left.state is ImportState.RUNNING
    assert left.done_count < ROWS
    session.commit()
    assert running.work() == 0
    session.execute(sa.update(ImportRun).values(lease_until_at=database_now()))
    session.commit()
    assert running.work() == 1

    ended = run_of(session, run_id)
    assert (ended.state, ended.done_count, ended.failed_count) == (ImportState.DONE, ROWS, 0)
    assert set(session.scalars(sa.select(StockLevel.on_hand))) == {9}


def test_a_run_that_is_called_off_stops_between_batches(session: Session, launch: Launch) -> None:
    run_id = begun(session).id
    worker = launch("run-job", "run_imports")
    wait_until(lambda: done_of(run_id) > 0, "progress")

    services.cancel(session, run_id, actor=SYSTEM, now=database_now())
    session.commit()

    assert worker.popen is not None
    assert worker.popen.wait(60) == 0
    ended = run_of(session, run_id)
    levels = list(session.scalars(sa.select(StockLevel.on_hand)))
    assert ended.state is ImportState.CANCELLED
    assert 0 < ended.done_count < ROWS
    assert (levels.count(9), levels.count(5)) == (ended.done_count, ROWS - ended.done_count)
