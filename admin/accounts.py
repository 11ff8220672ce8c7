"""What changes of a staff account's sign-in: sessions, passwords, second factor, language.

Roles and stores are the core's business (`app.stores.staff`); how people prove who they are is
this front end's, because only it knows how passwords are hashed and codes are checked.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.ids import random_text
from app.stores import sessions, staff_mode
from app.stores.errors import StaffNotFound
from app.stores.models import Staff
from app.stores.session_models import SessionEnd, StaffPassword

UNIQUIFIER_LENGTH = 64
REMEMBERED = 5
"""How many passwords back, the present one among them, nobody chooses again."""


def end_sessions(session: Session, staff_id: int, *, actor: Actor, now: datetime) -> None:
    """Sign somebody out everywhere. Raises `StaffNotFound`."""
    staff = _locked(session, staff_id)
    staff.fs_uniquifier = random_text(UNIQUIFIER_LENGTH)
    is_own = (actor.kind, actor.id) == ("staff", staff_id)
    why = SessionEnd.SIGNED_OUT if is_own else SessionEnd.ENDED_BY_OTHERS
    sessions.end_all(session, staff_id, why=why, now=now)
    _record(session, actor, "staff_signed_out", staff, now=now)


def set_password(  # noqa: PLR0913 - the facts of one change, all by keyword
    session: Session,
    staff_id: int,
    *,
    password_hash: str,
    but_session_id: int | None,
    forgets_phone: bool = False,
    actor: Actor,
    now: datetime,
) -> str:
    """Set somebody's own new password and end their other sessions; returns the new session key.

    `forgets_phone` lets them connect a phone anew with the next sign-in.
    """
    staff = _locked(session, staff_id)
    _remember(session, staff, now=now)
    sessions.end_all(session, staff_id, why=SessionEnd.PASSWORD, but_id=but_session_id, now=now)
    staff.password = password_hash
    staff.must_change_password = False
    if forgets_phone:
        _forget_phone(staff)
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
    _remember(session, staff, now=now)
    sessions.end_all(session, staff_id, why=SessionEnd.RESET, now=now)
    staff_mode.end_binding(session, staff_id, actor=actor, reason=reason, now=now)
    staff.password = password_hash
    staff.must_change_password = True
    _forget_phone(staff)
    staff.failed_logins = staff.lock_outs = 0
    staff.locked_until_at = None
    staff.fs_uniquifier = random_text(UNIQUIFIER_LENGTH)
    _record(session, actor, "staff_sign_in_reset", staff, now=now, reason=reason)


def demand_new_password(session: Session, staff_id: int) -> None:
    """Let somebody do nothing before they have chosen another password. Raises `StaffNotFound`."""
    _locked(session, staff_id).must_change_password = True


def former_passwords(session: Session, staff: Staff) -> list[str]:
    """Return the hashes of the passwords that somebody may not choose again, the present first."""
    rows = session.scalars(
        sa.select(StaffPassword.password_hash)
        .where(StaffPassword.staff_id == staff.id)
        .order_by(StaffPassword.id.desc())
        .limit(REMEMBERED - 1)
    )
    return [*([staff.password] if staff.password else []), *rows]


def set_locale(session: Session, staff_id: int, *, locale: str) -> None:
    """Keep the language somebody chose. Raises `StaffNotFound`."""
    _locked(session, staff_id).locale = locale


def _forget_phone(staff: Staff) -> None:
    staff.tf_primary_method = None
    staff.tf_totp_secret = None
    staff.mf_recovery_codes = None


def _remember(session: Session, staff: Staff, *, now: datetime) -> None:
    """Keep the password that is about to be replaced, and forget those too long ago."""
    if not staff.password:
        return
    session.add(StaffPassword(staff_id=staff.id, password_hash=staff.password, set_at=now))
    session.flush()
    kept = (
        sa.select(StaffPassword.id)
        .where(StaffPassword.staff_id == staff.id)
        .order_by(StaffPassword.id.desc())
        .limit(REMEMBERED - 1)
    )
    session.execute(
        sa.delete(StaffPassword).where(
            StaffPassword.staff_id == staff.id, StaffPassword.id.not_in(kept.subquery().select())
        )
    )


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
