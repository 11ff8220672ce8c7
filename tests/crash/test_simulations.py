"""A worker that dies in the middle of a simulation leaves it to the next, which ends it the same.

Its progress can be seen from outside while it runs.
"""

import json
import signal
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.plan_records import PlanSimulation, SimulationState
from app.distribution.simulation import services
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, database_now
from tests.crash.conditions import wait_until
from tests.integration.distribution.simulation.test_queue import ask, drafted, seen
from tests.servers import Process

pytestmark = pytest.mark.commits
LARGE = {"members": 30_000, "months": 12, "orders_bp": 5_000, "seed": 5}
"""Some seconds of work, so that it can be seen running."""
Launch = Callable[..., Process]


def progress_of(row_id: int) -> int:
    with atomic() as session:
        found = session.scalar(
            sa.select(PlanSimulation.progress_bp).where(PlanSimulation.id == row_id)
        )
    return found or 0


def test_a_killed_worker_is_followed_by_one_that_ends_the_same(
    session: Session, launch: Launch
) -> None:
    now = database_now()
    version = drafted(session, now)
    row = ask(session, version, now, parameters=LARGE)
    worker = launch("run-job", "run_simulations")
    wait_until(lambda: progress_of(row.id) > 0, "progress")
    worker.stop(signal.SIGKILL)

    left = seen(session, row)
    assert left.state is SimulationState.RUNNING
    assert left.lease_until_at is not None
    assert left.lease_until_at > now
    session.commit()
    assert services.work() == 0
    session.execute(sa.update(PlanSimulation).values(lease_until_at=now))
    session.commit()
    ask(session, version, now, parameters=LARGE)
    assert services.work() == 2

    results = session.scalars(sa.select(PlanSimulation.result)).all()
    assert len({json.dumps(one, sort_keys=True) for one in results}) == 1
    assert seen(session, row).state is SimulationState.DONE


def test_a_running_simulation_that_is_called_off_stops(session: Session, launch: Launch) -> None:
    now = database_now()
    row = ask(session, drafted(session, now), now, parameters={**LARGE, "members": 300_000})
    worker = launch("run-job", "run_simulations")
    wait_until(lambda: progress_of(row.id) > 0, "progress")

    services.cancel(session, row.id, actor=SYSTEM, now=now)
    session.commit()

    assert worker.popen is not None
    assert worker.popen.wait(60) == 0
    assert seen(session, row).state is SimulationState.FAILED
    assert seen(session, row).result is None
