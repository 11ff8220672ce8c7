"""Guessing at a staff account ends after five failures: a quarter of an hour, then ever longer.

Passwords, authenticator codes and recovery codes count alike, so that neither factor can be tried
at leisure. Each lock-out without a sign-in between them lasts twice as long as the one before, up
to four hours. The counter lives on the account and is written in a transaction of its own: a failed
sign-in that rolls back elsewhere still counts.
"""

from datetime import timedelta
from typing import Final

from app.kernel import audit
from app.kernel.db import atomic, database_now
from app.stores.models import Staff
from app.stores.queries import is_employed

FAILURES_MAX: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
DOUBLED_AT_MOST: Final = 4
"""Times: a quarter of an hour becomes four hours, and no attacker shuts somebody out for days."""


def is_locked(staff: Staff) -> bool:
    """Tell whether the account is locked at this moment, by the database's clock."""
    until = staff.locked_until_at
    return until is not None and until > database_now()


def is_shut(staff: Staff) -> bool:
    """Tell whether nobody gets in with this account now: locked, disabled, not employed today."""
    return is_locked(staff) or not is_employed(staff, now=database_now())


def record_failure(staff_id: int) -> None:
    """Count one failure; the fifth locks the account, which the audit trail keeps."""
    now = database_now()
    with atomic() as session:
        staff = session.get_one(Staff, staff_id, with_for_update=True, populate_existing=True)
        staff.failed_logins += 1
        if staff.failed_logins < FAILURES_MAX:
            return
        staff.failed_logins = 0
        staff.locked_until_at = now + LOCKED_FOR * 2 ** min(staff.lock_outs, DOUBLED_AT_MOST)
        staff.lock_outs += 1
        audit.record(
            session,
            audit.SYSTEM,
            "staff_locked_out",
            audit.Subject("staff", staff.id),
            audit.Change(after={"locked_until_at": staff.locked_until_at.isoformat()}),
            now=now,
        )


def forget_failures(staff: Staff) -> None:
    """Begin to count anew, after both factors were right."""
    staff.failed_logins = staff.lock_outs = 0
    staff.locked_until_at = None
