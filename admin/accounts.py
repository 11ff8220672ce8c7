"""What changes of a staff account's sign-in: sessions, passwords, second factor, language.

Roles and stores are the core's business (`app.stores.staff`); how people prove who they are is
this front end's, because only it knows how passwords are hashed and codes are checked.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.ids import random_text
from app.stores.errors import StaffNotFound
from app.stores.models import Staff

UNIQUIFIER_LENGTH = 64


def end_sessions(session: Session, staff_id: int, *, actor: Actor, now: datetime) -> None:
    """Sign somebody out everywhere. Raises `StaffNotFound`."""
    staff = _locked(session, staff_id)
    staff.fs_uniquifier = random_text(UNIQUIFIER_LENGTH)
    _record(session, actor, "staff_signed_out", staff, now=now)


def set_password(
    session: Session, staff_id: int, *, password_hash: str, actor: Actor, now: datetime
) -> str:
    """Set somebody's own new password and end their other sessions; returns the new session key."""
    staff = _locked(session, staff_id)
    staff.password = password_hash
    staff.must_change_password = False
    staff.fs_uniquifier = random_text(UNIQUIFIER_LENGTH)
    _record(session, actor, "staff_password_set", staff, now=now)
    return staff.fs_uniquifier


def reset_sign_in(
    session: Session,
    staff_id: int,
    *,
    password_hash: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Give somebody a first password and let them connect a phone anew. Raises `StaffNotFound`."""
    staff = _locked(session, staff_id)
    staff.password = password_hash
    staff.must_change_password = True
    staff.tf_primary_method = None
    staff.tf_totp_secret = None
    staff.mf_recovery_codes = None
    staff.failed_logins = 0
    staff.locked_until_at = None
    staff.fs_uniquifier = random_text(UNIQUIFIER_LENGTH)
    _record(session, actor, "staff_sign_in_reset", staff, now=now, reason=reason)


def set_locale(session: Session, staff_id: int, *, locale: str) -> None:
    """Keep the language somebody chose. Raises `StaffNotFound`."""
    _locked(session, staff_id).locale = locale


def _locked(session: Session, staff_id: int) -> Staff:
    staff = session.get(Staff, staff_id, with_for_update=True, populate_existing=True)
    if staff is None:
        raise StaffNotFound
    return staff


def _record(
    session: Session, actor: Actor, action: str, staff: Staff, *, now: datetime, reason: str = ""
) -> None:
    session.flush()
    change = Change(reason=reason)
    audit.record(session, actor, action, Subject("staff", staff.id), change, now=now)
