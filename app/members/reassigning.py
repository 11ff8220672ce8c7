"""Handing what somebody still had to do about customers to a colleague."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.members.file_models import FollowUp, FollowUpState
from app.stores.errors import StaffNotFound
from app.stores.models import Staff
from app.stores.queries import is_employed


def hand_over_follow_ups(
    session: Session,
    staff_id: int,
    *,
    to_staff_id: int,
    actor: Actor,
    reason: str,
    now: datetime,
) -> int:
    """Give every open follow-up of somebody to a colleague who works here; return how many.

    What is open and new at the same moment stays where it is. Raises `StaffNotFound`.
    """
    colleague = session.get(Staff, to_staff_id)
    if colleague is None or staff_id == to_staff_id or not is_employed(colleague, now=now):
        raise StaffNotFound
    moved = session.execute(
        sa.update(FollowUp)
        .where(FollowUp.assignee_id == staff_id, FollowUp.state == FollowUpState.OPEN)
        .values(assignee_id=to_staff_id)
        .returning(FollowUp.id)
    ).all()
    change = Change(
        {"assignee_id": staff_id},
        {"assignee_id": to_staff_id, "count": len(moved)},
        reason,
    )
    audit.record(
        session, actor, "follow_ups_handed_over", Subject("staff", staff_id), change, now=now
    )
    return len(moved)
