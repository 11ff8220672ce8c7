"""Bringing work back that failed too often, once a person has mended the cause."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_
from app.kernel.outbox import Task


@dataclass(eq=False)
class TaskNotQuarantined(DomainError):
    """The task is done meanwhile, or was brought back by somebody else."""

    code: ClassVar[str] = "task_not_quarantined"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This task is not in quarantine any more.")


def retry_task(session: Session, task_id: int, *, actor: Actor, now: datetime) -> Task:
    """Let a quarantined task be tried again, from the first try. Raises `TaskNotQuarantined`."""
    task = session.get(Task, task_id, with_for_update=True, populate_existing=True)
    if task is None or task.quarantined_at is None:
        raise TaskNotQuarantined
    before = {"attempts": task.attempts, "last_error": task.last_error}
    task.quarantined_at = None
    task.attempts = 0
    task.due_at = now
    facts = {"job": task.job, "subject_id": task.subject_id}
    change = Change(before, facts)
    audit.record(session, actor, "task_retried", Subject("task", task.id), change, now=now)
    return task
