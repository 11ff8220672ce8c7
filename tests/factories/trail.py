"""Looks over the audit trail."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.kernel.audit_checks import AuditCheck


def make_look(session: Session, *, seal: str, now: datetime) -> int:
    """Make a look over the trail that is over and found it whole; returns its number."""
    check = AuditCheck(
        asked_at=now,
        asked_by="system",
        until_id=1,
        row_count=1,
        seen_count=1,
        seen_id=1,
        seen_hash=seal,
        done_at=now,
    )
    session.add(check)
    session.flush()
    return check.id
