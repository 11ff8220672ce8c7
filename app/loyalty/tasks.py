"""Tasks for members: what there is to do, how far somebody is, and what it brings, once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.counter.duty import require_somebody_else
from app.kernel.audit import SYSTEM, Actor, Change, Subject, record
from app.loyalty.errors import TaskInvalid, TaskNotFound, TaskOver
from app.loyalty.models import (
    MemberTask,
    RewardSource,
    TaskKind,
    TaskMark,
    TaskProgress,
)
from app.loyalty.rewards import Reward, give_all, rewards_of

REWARDS_MAX: Final = 5
TARGET_MAX: Final = 1_000
TITLE_LENGTH_MAX: Final = 40
TEXT_LENGTH_MAX: Final = 500
_INSTANT: Final = timedelta(microseconds=1)
"""What never began ran for no time: its period must still be one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """What staff set of a task. `rewards` are what it brings when `target` facts have counted."""

    kind: TaskKind
    title: str
    title_en: str = ""
    description: str = ""
    target: int = 1
    rewards: Sequence[Reward] = field(default_factory=tuple)
    starts_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskStanding:
    """A task as one member sees it."""

    task: MemberTask
    rewards: tuple[Reward, ...]
    count: int
    done_at: datetime | None


def put_task(
    session: Session, task_id: int | None, spec: TaskSpec, *, actor: Actor, now: datetime
) -> MemberTask:
    """Make a task or change one; on record. Who has done it keeps what it brought.

    The kind of a task stays what it was. Raises `TaskInvalid`, `TaskNotFound`.
    """
    _check(spec)
    task, before = None, {}
    if task_id is not None:
        task = _locked(session, task_id)
        before = _told(task)
        if task.kind is not spec.kind:
            raise TaskInvalid("kind")
    if task is None:
        task = MemberTask(kind=spec.kind, created_at=now)
        session.add(task)
    task.title, task.title_en = spec.title.strip(), spec.title_en.strip()
    task.description, task.target = spec.description.strip(), spec.target
    task.rewards = [one.to_json() for one in spec.rewards]
    task.starts_at, task.ends_at = spec.starts_at, spec.ends_at
    session.flush()
    change = Change(before=before, after=_told(task))
    record(session, actor, "member_task_set", Subject("member_task", task.id), change, now=now)
    return task


def end_task(session: Session, task_id: int, *, actor: Actor, now: datetime) -> MemberTask:
    """End a task now, on record; who has done it keeps what it brought."""
    task = _locked(session, task_id)
    if task.ends_at is not None and task.ends_at <= now:
        raise TaskOver
    before = _told(task)
    task.starts_at = min(task.starts_at, now - _INSTANT)
    task.ends_at = now
    session.flush()
    change = Change(before=before, after=_told(task))
    record(session, actor, "member_task_ended", Subject("member_task", task.id), change, now=now)
    return task


def running(session: Session, kind: TaskKind, *, at: datetime) -> Sequence[MemberTask]:
    """Return the tasks of a kind that count at an instant, in the order of their numbers."""
    return session.scalars(
        sa.select(MemberTask).where(MemberTask.kind == kind, is_running(at)).order_by(MemberTask.id)
    ).all()


def is_running(at: datetime) -> sa.ColumnElement[bool]:
    """Return the condition for tasks that count at an instant."""
    return sa.and_(
        MemberTask.starts_at <= at, sa.or_(MemberTask.ends_at.is_(None), MemberTask.ends_at > at)
    )


def note(
    session: Session,
    kind: TaskKind,
    member_id: int,
    fact: str,
    *,
    at: datetime,
    now: datetime,
) -> None:
    """Count a fact that happened at `at` for every task of a kind that was running then."""
    for task in running(session, kind, at=at):
        count(session, task, member_id, fact, now=now)


def count(
    session: Session,
    task: MemberTask,
    member_id: int,
    fact: str,
    *,
    actor: Actor = SYSTEM,
    now: datetime,
) -> bool:
    """Count one fact for one member's task, once; give what it brings when the target is reached.

    Return whether the fact is new.
    """
    session.execute(
        insert(TaskProgress)
        .values(task_id=task.id, member_id=member_id, count=0)
        .on_conflict_do_nothing()
    )
    progress = session.get_one(
        TaskProgress, (task.id, member_id), with_for_update=True, populate_existing=True
    )
    if progress.done_at is not None:
        return False
    marked = session.scalar(
        insert(TaskMark)
        .values(task_id=task.id, member_id=member_id, fact=fact, at=now, actor=str(actor))
        .on_conflict_do_nothing()
        .returning(TaskMark.fact)
    )
    if marked is None:
        return False
    progress.count += 1
    if progress.count >= task.target:
        progress.done_at = now
        session.flush()
        give_all(
            session,
            member_id,
            rewards_of(task.rewards),
            key=f"task:{task.id}:{member_id}",
            source=RewardSource.TASK,
            now=now,
        )
    session.flush()
    return True


def mark_by_hand(
    session: Session, task_id: int, member_id: int, *, actor: Actor, now: datetime
) -> None:
    """Let staff say that a member has done a task nobody else can tell of, as following; on record.

    Raises `TaskInvalid` for tasks that count by themselves, `TaskOver`, `TaskNotFound`,
    `OwnAccount`.
    """
    task = session.get(MemberTask, task_id)
    if task is None:
        raise TaskNotFound
    require_somebody_else(session, actor, member_id)
    if task.kind is not TaskKind.FOLLOW:
        raise TaskInvalid("kind")
    if not task.starts_at <= now or (task.ends_at is not None and task.ends_at <= now):
        raise TaskOver
    if count(session, task, member_id, "by_hand", actor=actor, now=now):
        subject, change = Subject("member", member_id), Change(after={"task": task.title})
        record(session, actor, "member_task_marked", subject, change, now=now)


def tasks_of(session: Session, member_id: int, *, now: datetime) -> list[TaskStanding]:
    """Return the tasks that run now, and those that a member has done, with how far they are."""
    rows = session.execute(
        sa.select(MemberTask, TaskProgress.count, TaskProgress.done_at)
        .outerjoin(
            TaskProgress,
            sa.and_(TaskProgress.task_id == MemberTask.id, TaskProgress.member_id == member_id),
        )
        .where(sa.or_(is_running(now), TaskProgress.done_at.is_not(None)))
        .order_by(MemberTask.id)
    )
    return [
        TaskStanding(task, tuple(rewards_of(task.rewards)), done or 0, done_at)
        for task, done, done_at in rows
    ]


def _locked(session: Session, task_id: int) -> MemberTask:
    task = session.get(MemberTask, task_id, with_for_update=True, populate_existing=True)
    if task is None:
        raise TaskNotFound
    return task


def _check(spec: TaskSpec) -> None:
    bounds = {
        "title": 1 <= len(spec.title.strip()) <= TITLE_LENGTH_MAX,
        "title_en": len(spec.title_en) <= TITLE_LENGTH_MAX,
        "description": len(spec.description) <= TEXT_LENGTH_MAX,
        "target": 1 <= spec.target <= TARGET_MAX,
        "rewards": 1 <= len(spec.rewards) <= REWARDS_MAX,
        "ends_at": spec.ends_at is None or spec.ends_at > spec.starts_at,
    }
    for name, holds in bounds.items():
        if not holds:
            raise TaskInvalid(name)


def _told(task: MemberTask) -> dict[str, Any]:
    return {
        "kind": task.kind.value,
        "title": task.title,
        "target": task.target,
        "rewards": task.rewards,
        "starts_at": task.starts_at.isoformat(),
        "ends_at": task.ends_at.isoformat() if task.ends_at else None,
    }
