"""Follow-ups: what is still to be done about a customer, by when and by whom."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.clock import business_day
from app.members.file_errors import (
    FollowUpAssigneeInvalid,
    FollowUpDayInvalid,
    FollowUpEnded,
    FollowUpNotFound,
)
from app.members.file_models import (
    NOTE_LENGTH_MAX,
    WHAT_LENGTH_MAX,
    FollowUp,
    FollowUpState,
)
from app.members.notes import clean_text
from app.members.profiles import lock_member
from app.stores.models import Staff, Store

AHEAD_MAX: Final = timedelta(days=731)


def plan_follow_up(  # noqa: PLR0913 - one task: about whom, what, by when, whose, by whom, now
    session: Session,
    member_id: int,
    *,
    what: str,
    due_on: date,
    assignee_id: int | None = None,
    store_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> FollowUp:
    """Note what is to be done about a customer; for its author where nobody else is named.

    Raises `MemberNotFound`, `FileTextInvalid`, `FollowUpDayInvalid`, `FollowUpAssigneeInvalid`.
    """
    assert actor.kind == "staff", "follow-ups are planned by staff"
    assert actor.id is not None, "staff have an id"
    member = lock_member(session, member_id)
    today = business_day(now)
    if not today <= due_on <= today + AHEAD_MAX:
        raise FollowUpDayInvalid
    if assignee_id is None and store_id is None:
        assignee_id = actor.id
    _require_somebody(session, assignee_id, store_id)
    task = FollowUp(
        member_id=member.id,
        what=clean_text(what, length_max=WHAT_LENGTH_MAX),
        due_on=due_on,
        assignee_id=assignee_id,
        store_id=store_id,
        state=FollowUpState.OPEN,
        author_id=actor.id,
        created_at=now,
    )
    session.add(task)
    session.flush()
    change = Change({}, {"follow_up_id": task.id, "due_on": due_on.isoformat()})
    subject = Subject("member", member.id, member.origin_store_id)
    audit.record(session, actor, "follow_up_planned", subject, change, now=now)
    return task


def finish_follow_up(
    session: Session, follow_up_id: int, *, note: str = "", actor: Actor, now: datetime
) -> FollowUp:
    """Say that it is done, and how it went. Raises `FollowUpNotFound`, `FollowUpEnded`."""
    return _end(session, follow_up_id, FollowUpState.DONE, note=note, actor=actor, now=now)


def call_off_follow_up(
    session: Session, follow_up_id: int, *, note: str = "", actor: Actor, now: datetime
) -> FollowUp:
    """Say that it need not be done. Raises `FollowUpNotFound`, `FollowUpEnded`."""
    return _end(session, follow_up_id, FollowUpState.CANCELLED, note=note, actor=actor, now=now)


def open_follow_ups(session: Session, member_ids: Collection[int]) -> Sequence[FollowUp]:
    """Return what is still to be done about customers, the soonest first."""
    return session.scalars(
        sa.select(FollowUp)
        .where(FollowUp.member_id.in_(member_ids), FollowUp.state == FollowUpState.OPEN)
        .order_by(FollowUp.due_on, FollowUp.id)
    ).all()


def _require_somebody(session: Session, assignee_id: int | None, store_id: int | None) -> None:
    works = sa.select(Staff.id).where(Staff.id == assignee_id, Staff.active)
    if assignee_id is not None and session.scalar(works) is None:
        raise FollowUpAssigneeInvalid
    if store_id is not None and session.get(Store, store_id) is None:
        raise FollowUpAssigneeInvalid


def _end(
    session: Session,
    follow_up_id: int,
    state: FollowUpState,
    *,
    note: str,
    actor: Actor,
    now: datetime,
) -> FollowUp:
    task = session.get(FollowUp, follow_up_id, with_for_update=True, populate_existing=True)
    if task is None:
        raise FollowUpNotFound
    if task.state is not FollowUpState.OPEN:
        raise FollowUpEnded
    task.note = clean_text(note, length_max=NOTE_LENGTH_MAX) if note.strip() else ""
    task.state, task.ended_at, task.ended_by_id = state, now, actor.id
    session.flush()
    change = Change({"state": "open"}, {"follow_up_id": task.id, "state": state.value})
    subject = Subject("member", task.member_id)
    audit.record(session, actor, "follow_up_ended", subject, change, now=now)
    return task
