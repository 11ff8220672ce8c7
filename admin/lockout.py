"""Guessing at a staff account ends after five failures, for a quarter of an hour.

Passwords, authenticator codes and recovery codes count alike, so that neither factor can be tried
at leisure. The counter lives on the account and is written in a transaction of its own: a failed
sign-in that rolls back elsewhere still counts.
"""

from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from app.kernel import audit
from app.kernel.db import atomic, database_now
from app.stores.models import Staff

FAILURES_MAX: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)


def is_locked(staff: Staff) -> bool:
    """Tell whether the account is locked at this moment, by the database's clock."""
    until = staff.locked_until_at
    return until is not None and until > database_now()


def record_failure(staff_id: int) -> None:
    """Count one failure; the fifth locks the account, which the audit trail keeps."""
    now = database_now()
    with atomic() as session:
        staff = session.get_one(Staff, staff_id, with_for_update=True, populate_existing=True)
        staff.failed_logins += 1
        if staff.failed_logins < FAILURES_MAX:
            return
        staff.failed_logins = 0
        staff.locked_until_at = now + LOCKED_FOR
        audit.record(
            session,
            audit.SYSTEM,
            "staff_locked_out",
            audit.Subject("staff", staff.id),
            audit.Change(after={"locked_until_at": staff.locked_until_at.isoformat()}),
            now=now,
        )


def record_success(staff_id: int) -> None:
    """Forget earlier failures and note the sign-in.

    Flask-Security has changed the account in this session by now - a used recovery code, a newly
    connected phone - and that is committed along.
    """
    with atomic() as session:
        session.flush()
        now = session.scalars(sa.select(sa.func.clock_timestamp())).one()
        staff = session.get_one(Staff, staff_id, with_for_update=True, populate_existing=True)
        staff.failed_logins = 0
        staff.locked_until_at = None
        audit.record(
            session,
            audit.Actor("staff", staff.id),
            "staff_signed_in",
            audit.Subject("staff", staff.id),
            audit.Change(),
            now=now,
        )
