"""Facts that leave with the transaction that caused them, and the work they leave behind.

`emit` writes a fact in the caller's transaction. The relay turns each fact into one task for
every job that reacts to it (`app.reactions`), in one transaction, and rings the workers. A job
claims its tasks with SKIP LOCKED and deletes them in the very transaction that holds their effect,
so an effect happens exactly once however often the bell rings. Redis may forget everything: the
rows wait here and the next ring finds them.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base, Id

ATTEMPTS_MAX: Final = 8
BACKOFF_SECONDS: Final = (1, 5, 30, 120, 600, 1800, 3600, 7200)
RELAY_BATCH_MAX: Final = 2_000
ERROR_LENGTH_MAX: Final = 500


class OutboxEvent(Base):
    """A fact that jobs are still to react to. The relay deletes what it has turned into tasks."""

    __tablename__ = "outbox_events"

    id: Mapped[Id]
    name: Mapped[str]
    subject_id: Mapped[int]
    occurred_at: Mapped[datetime]


class Task(Base):
    """Work that one job still has to do for one subject. Deleted together with its effect.

    A task that fails `ATTEMPTS_MAX` times is quarantined: it blocks nobody, shows up in the
    metrics and the back office, and waits for a person.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        sa.Index(
            "ix_tasks_due",
            "job",
            "due_at",
            "id",
            postgresql_where=sa.text("quarantined_at IS NULL"),
        ),
        sa.Index(
            "ix_tasks_quarantined",
            "id",
            postgresql_where=sa.text("quarantined_at IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    job: Mapped[str]
    subject_id: Mapped[int]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default=sa.text("0"))
    last_error: Mapped[str | None]
    quarantined_at: Mapped[datetime | None]


def emit(session: Session, name: str, subject_id: int, *, now: datetime) -> None:
    """Record that something happened to a subject, in the caller's transaction."""
    session.add(OutboxEvent(name=name, subject_id=subject_id, occurred_at=now))


def emit_many(session: Session, name: str, subject_ids: Collection[int], *, now: datetime) -> None:
    """Record the same fact about many subjects at once."""
    if subject_ids:
        rows = [{"name": name, "subject_id": one, "occurred_at": now} for one in subject_ids]
        session.execute(sa.insert(OutboxEvent), rows)


def relay(session: Session, reactions: Mapping[str, Sequence[str]], *, now: datetime) -> set[str]:
    """Turn a batch of facts into tasks; return the names of the facts.

    A fact without a reaction is dropped: it is recorded where it happened.
    """
    claimed = session.execute(
        sa.delete(OutboxEvent)
        .where(
            OutboxEvent.id.in_(
                sa.select(OutboxEvent.id)
                .order_by(OutboxEvent.id)
                .limit(RELAY_BATCH_MAX)
                .with_for_update(skip_locked=True)
            )
        )
        .returning(OutboxEvent.name, OutboxEvent.subject_id)
        .execution_options(synchronize_session=False)
    ).all()
    rows = [
        {"job": job, "subject_id": subject_id, "created_at": now, "due_at": now}
        for name, subject_id in claimed
        for job in reactions.get(name, ())
    ]
    if rows:
        session.execute(sa.insert(Task), rows)
    return {str(name) for name, _ in claimed}


def claim(session: Session, job: str, *, limit: int, now: datetime) -> Sequence[Task]:
    """Lock up to `limit` due tasks of a job, oldest first, passing over those of other workers."""
    return session.scalars(
        sa.select(Task)
        .where(Task.job == job, Task.due_at <= now, Task.quarantined_at.is_(None))
        .order_by(Task.due_at, Task.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def finish(session: Session, tasks: Collection[Task]) -> None:
    """Delete tasks whose effect is written in this same transaction."""
    if tasks:
        session.execute(
            sa.delete(Task)
            .where(Task.id.in_([task.id for task in tasks]))
            .execution_options(synchronize_session=False)
        )


def postpone(session: Session, task: Task, error: str, *, now: datetime) -> None:
    """Put a failed task back with growing distance, or into quarantine after the last try."""
    attempts = task.attempts + 1
    wait = timedelta(seconds=BACKOFF_SECONDS[min(attempts, len(BACKOFF_SECONDS)) - 1])
    session.execute(
        sa.update(Task)
        .where(Task.id == task.id)
        .values(
            attempts=attempts,
            last_error=error[:ERROR_LENGTH_MAX],
            due_at=now + wait,
            quarantined_at=now if attempts >= ATTEMPTS_MAX else None,
        )
        .execution_options(synchronize_session=False)
    )


def backlog(session: Session, *, now: datetime) -> dict[str, int]:
    """Return how many tasks of each job are due."""
    rows = session.execute(
        sa.select(Task.job, sa.func.count())
        .where(Task.due_at <= now, Task.quarantined_at.is_(None))
        .group_by(Task.job)
    )
    return {str(row[0]): int(row[1]) for row in rows}


def describe(task: Task) -> dict[str, Any]:
    """Return what a log line says of a task."""
    return {"task_id": task.id, "job": task.job, "subject_id": task.subject_id}


def defer(session: Session, tasks: Collection[Task], *, until: datetime) -> None:
    """Put tasks off that wait for something else to happen first; no failure is counted."""
    if tasks:
        session.execute(
            sa.update(Task)
            .where(Task.id.in_([task.id for task in tasks]))
            .values(due_at=until)
            .execution_options(synchronize_session=False)
        )
