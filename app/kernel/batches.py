"""Working off tasks in sets, so that one poison row cannot stop its batch.

A batch is claimed, processed and deleted in one transaction. Where that fails, each of its tasks
is tried by itself, and those that fail alone are put back with growing distance and in the end
into quarantine, where people see them.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from app.kernel import outbox
from app.kernel.db import atomic, database_now, db
from app.kernel.outbox import Task

log = structlog.get_logger()

Process = Callable[[Session, Sequence[Task], datetime], None]
"""Writes the effects of all tasks, each at most once, and deletes or defers them."""


def work_off(job: str, process: Process, *, limit: int) -> int:
    """Process the due tasks of a job until none is left; return how many were taken up."""
    total = 0
    while True:
        now = database_now()
        try:
            count = _batch(job, process, limit=limit, now=now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must go on
            log.warning("batch_failed", job=job, error=type(error).__name__)
            count = _one_by_one(job, process, limit=limit, now=now)
        total += count
        if count == 0:
            return total


def _batch(job: str, process: Process, *, limit: int, now: datetime) -> int:
    with atomic() as session:
        tasks = outbox.claim(session, job, limit=limit, now=now)
        if tasks:
            process(session, tasks, now)
        return len(tasks)


def _one_by_one(job: str, process: Process, *, limit: int, now: datetime) -> int:
    count = 0
    for _ in range(limit):
        taken: list[Task] = []
        try:
            with atomic() as session:
                tasks = outbox.claim(session, job, limit=1, now=now)
                session.expunge_all()
                taken.extend(tasks)
                if tasks:
                    process(session, tasks, now)
        except Exception as error:
            if not taken:
                raise
            _put_back(taken[0], error, now=now)
        if not taken:
            break
        count += 1
    return count


def _put_back(task: Task, error: Exception, *, now: datetime) -> None:
    db.session.rollback()
    with atomic() as session:
        outbox.postpone(session, task, f"{type(error).__name__}: {error}", now=now)
    log.error("task_failed", **outbox.describe(task), error=type(error).__name__)
