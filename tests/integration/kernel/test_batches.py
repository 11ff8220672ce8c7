from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import outbox
from app.kernel.batches import work_off
from app.kernel.db import atomic
from app.kernel.outbox import ATTEMPTS_MAX, OutboxEvent, Task
from app.stores.models import Store

REACTIONS = {"opened": ("greet", "count"), "closed": ("count",)}


def _tasks(session: Session, now: datetime, *subjects: int) -> None:
    session.add_all(
        [Task(job="greet", subject_id=one, created_at=now, due_at=now) for one in subjects]
    )
    session.commit()


def _open(session: Session, tasks: Sequence[Task], _now: datetime) -> None:
    for task in tasks:
        if task.subject_id == 13:
            raise ValueError("poison")
        session.add(Store(name=f"store {task.subject_id}"))
    outbox.finish(session, tasks)


def _stores(session: Session) -> set[str]:
    return set(session.scalars(sa.select(Store.name)))


def test_tasks_are_worked_off_in_sets_until_none_is_left(session: Session, now: datetime) -> None:
    _tasks(session, now, 1, 2, 3, 4, 5)

    assert work_off("greet", _open, limit=2) == 5

    assert _stores(session) == {f"store {n}" for n in range(1, 6)}
    assert session.scalar(sa.select(sa.func.count(Task.id))) == 0


def test_one_poison_task_stops_nobody_and_waits_with_its_reason(
    session: Session, now: datetime
) -> None:
    _tasks(session, now, 1, 13, 2)

    work_off("greet", _open, limit=10)

    assert _stores(session) == {"store 1", "store 2"}
    [left] = session.scalars(sa.select(Task))
    assert (left.subject_id, left.attempts, left.last_error) == (13, 1, "ValueError: poison")
    assert left.quarantined_at is None
    assert left.due_at > now


def test_a_task_that_fails_for_good_ends_in_quarantine(session: Session, now: datetime) -> None:
    _tasks(session, now, 13)

    for _ in range(ATTEMPTS_MAX):
        session.execute(sa.update(Task).values(due_at=now))
        session.commit()
        work_off("greet", _open, limit=10)

    [left] = session.scalars(sa.select(Task).execution_options(populate_existing=True))
    assert left.attempts == ATTEMPTS_MAX
    assert left.quarantined_at is not None
    assert work_off("greet", _open, limit=10) == 0


def test_the_relay_makes_one_task_for_each_job_that_reacts(session: Session, now: datetime) -> None:
    with atomic() as transaction:
        outbox.emit(transaction, "opened", 7, now=now)
        outbox.emit_many(transaction, "closed", [8, 9], now=now)
        outbox.emit(transaction, "nobody_cares", 10, now=now)

    with atomic() as transaction:
        names = outbox.relay(transaction, REACTIONS, now=now)

    made = {(task.job, task.subject_id) for task in session.scalars(sa.select(Task))}
    assert names == {"opened", "closed", "nobody_cares"}
    assert made == {("greet", 7), ("count", 7), ("count", 8), ("count", 9)}
    assert session.scalar(sa.select(sa.func.count(OutboxEvent.id))) == 0


def test_what_is_rolled_back_leaves_no_fact(session: Session, now: datetime) -> None:
    def change_mind() -> None:
        with atomic() as transaction:
            outbox.emit(transaction, "opened", 7, now=now)
            raise ValueError("change of mind")

    with pytest.raises(ValueError, match="change of mind"):
        change_mind()

    assert session.scalar(sa.select(sa.func.count(OutboxEvent.id))) == 0


@pytest.mark.commits
def test_two_workers_never_hold_the_same_task(session: Session, now: datetime) -> None:
    _tasks(session, now, 1, 2, 3)
    with Session(session.get_bind()) as one, Session(session.get_bind()) as two:
        first = outbox.claim(one, "greet", limit=2, now=now)
        second = outbox.claim(two, "greet", limit=2, now=now)

        assert [task.subject_id for task in first] == [1, 2]
        assert [task.subject_id for task in second] == [3]


def test_a_deferred_task_is_due_later_and_counts_no_failure(
    session: Session, now: datetime
) -> None:
    _tasks(session, now, 1)
    with atomic() as transaction:
        tasks = outbox.claim(transaction, "greet", limit=5, now=now)
        outbox.defer(transaction, tasks, until=now + timedelta(seconds=2))

    with atomic() as transaction:
        assert outbox.claim(transaction, "greet", limit=5, now=now) == []
        [later] = outbox.claim(transaction, "greet", limit=5, now=now + timedelta(seconds=2))
        assert later.attempts == 0
