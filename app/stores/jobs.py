"""What happens to staff by night: who has left is signed out, old sessions are forgotten."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import SYSTEM, Change, Subject
from app.kernel.clock import business_day
from app.kernel.db import atomic, database_now
from app.kernel.jobs import job
from app.stores import sessions
from app.stores.models import Staff
from app.stores.session_models import SessionEnd, StaffSession


@job("end_past_employment")
def end_past_employment() -> int:
    """Sign out whoever's last day has passed; return how many people.

    Requests are refused from the first minute of the next day on in any case; this closes what is
    left open, so that the list of sessions tells the truth.
    """
    now = database_now()
    with atomic() as session:
        return sign_out_leavers(session, now=now)


@job("forget_staff_sessions")
def forget_staff_sessions() -> int:
    """Remove sessions that were over long ago, batch by batch; return how many."""
    total = 0
    while True:
        now = database_now()
        with atomic() as session:
            count = sessions.forget(session, now=now)
        total += count
        if count == 0:
            return total


def sign_out_leavers(session: Session, *, now: datetime) -> int:
    """End the open sessions of everybody whose last day has passed; return how many people."""
    today = business_day(now)
    leavers = session.scalars(
        sa.select(Staff.id)
        .where(
            Staff.employed_until_on < today,
            sa.exists().where(StaffSession.staff_id == Staff.id, StaffSession.ended_at.is_(None)),
        )
        .order_by(Staff.id)
    ).all()
    for staff_id in leavers:
        count = sessions.end_all(session, staff_id, why=SessionEnd.LEFT, now=now)
        change = Change(after={"count": count})
        subject = Subject("staff", staff_id)
        audit.record(session, SYSTEM, "staff_left", subject, change, now=now)
    return len(leavers)
