"""Looking over the chain of the audit trail, batch by batch, while people go on working.

A look-over begins when somebody asks for one and is worked off by a job, which remembers how far it
came: a worker that dies costs one batch. When it is over it keeps the head of the chain that it
found. The next one demands that head at its place again, so that rows cut off at the end show too,
which a chain alone cannot tell.
"""

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel import audit
from app.kernel.audit import GENESIS, Actor, AuditRecord, Change, Subject, chained_hash
from app.kernel.db import Base, Id, atomic, database_now
from app.kernel.jobs import job

BATCH: Final = 5_000
_LOCK: Final = 7_310_026


class AuditCheck(Base):
    """One look over the whole trail: how far it came, and what it found."""

    __tablename__ = "audit_checks"

    id: Mapped[Id]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    until_id: Mapped[int]
    """The newest row when it was asked for; later ones are for the next look."""
    row_count: Mapped[int]
    """Rows that there were up to it."""
    seen_count: Mapped[int] = mapped_column(server_default="0")
    seen_id: Mapped[int] = mapped_column(server_default="0")
    seen_hash: Mapped[str]
    """The seal of the last row looked at; of the last of all when it is over."""
    broken_count: Mapped[int] = mapped_column(server_default="0")
    first_broken_id: Mapped[int | None]
    done_at: Mapped[datetime | None]

    __table_args__ = (
        sa.Index(
            "uq_audit_checks_running",
            sa.text("(done_at IS NULL)"),
            unique=True,
            postgresql_where=sa.text("done_at IS NULL"),
        ),
        sa.CheckConstraint("(broken_count > 0) = (first_broken_id IS NOT NULL)", name="broken"),
    )


def begin(session: Session, *, actor: Actor, now: datetime) -> AuditCheck:
    """Let the trail be looked over; returns the look that runs already, if one does."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    running = latest(session)
    if running is not None and running.done_at is None:
        return running
    until_id, count = session.execute(
        sa.select(sa.func.coalesce(sa.func.max(AuditRecord.id), 0), sa.func.count())
    ).one()
    row = AuditCheck(
        asked_at=now,
        asked_by=str(actor),
        until_id=until_id,
        row_count=count,
        seen_hash=GENESIS,
    )
    session.add(row)
    session.flush()
    audit.record(
        session, actor, "audit.check_asked", Subject("audit_check", row.id), Change(), now=now
    )
    return row


def latest(session: Session) -> AuditCheck | None:
    """Return the newest look over the trail, running or over."""
    return session.scalar(sa.select(AuditCheck).order_by(AuditCheck.id.desc()).limit(1))


def advance(session: Session, *, now: datetime, batch: int = BATCH) -> bool:
    """Look at the next rows of the running look; tell whether there is more to do."""
    check = session.scalar(
        sa.select(AuditCheck)
        .where(AuditCheck.done_at.is_(None))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if check is None:
        return False
    rows = session.scalars(
        sa.select(AuditRecord)
        .where(AuditRecord.id > check.seen_id, AuditRecord.id <= check.until_id)
        .order_by(AuditRecord.id)
        .limit(batch)
    ).all()
    for row in rows:
        if row.previous_hash != check.seen_hash or row.hash != chained_hash(row):
            _note_break(check, row.id)
        check.seen_hash, check.seen_id = row.hash, row.id
        check.seen_count += 1
        session.expunge(row)
    if len(rows) == batch:
        return True
    _compare_with_the_last(session, check)
    check.done_at = now
    return False


def _note_break(check: AuditCheck, row_id: int) -> None:
    check.broken_count += 1
    check.first_broken_id = check.first_broken_id or row_id


def _compare_with_the_last(session: Session, check: AuditCheck) -> None:
    """Demand what the look before saw last: it may not be gone, nor another by now."""
    before = session.scalar(
        sa.select(AuditCheck)
        .where(AuditCheck.id < check.id, AuditCheck.seen_id > 0, AuditCheck.broken_count == 0)
        .order_by(AuditCheck.id.desc())
        .limit(1)
    )
    if before is None:
        return
    found = session.scalar(sa.select(AuditRecord.hash).where(AuditRecord.id == before.seen_id))
    if found != before.seen_hash:
        _note_break(check, before.seen_id)


@job("check_audit_trail", timeout_seconds=600)
def check_audit_trail() -> int:
    """Work off the look over the audit trail that somebody asked for; return the batches."""
    count = 0
    while True:
        now = database_now()
        with atomic() as session:
            more = advance(session, now=now)
        count += 1
        if not more:
            return count
