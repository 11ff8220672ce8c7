"""The audit trail: who did what, when, why, with the state before and after.

Rows are only ever inserted, and each carries the hash of the one before, so that an edit or a
missing row shows. Writing takes one short lock, which staff actions can afford; automatic work of
high volume leaves its trace in state logs and the ledger instead.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session

from app.kernel.db import Base, Id

_CHAIN_LOCK: Final = 7_310_001
GENESIS: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a member of staff, a member, or the system itself."""

    kind: str
    id: int | None = None
    request_id: str | None = None

    def __str__(self) -> str:
        return self.kind if self.id is None else f"{self.kind}:{self.id}"


SYSTEM: Final = Actor("system")


class AuditRecord(Base):
    """One action. Never changed, never deleted."""

    __tablename__ = "audit_log"

    id: Mapped[Id]
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[int | None]
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[int | None]
    store_id: Mapped[int | None]
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    reason: Mapped[str]
    request_id: Mapped[str | None]
    previous_hash: Mapped[str]
    hash: Mapped[str]

    __table_args__ = (
        sa.Index("ix_audit_log_subject", "subject_type", "subject_id"),
        sa.Index("ix_audit_log_at", "at", "id"),
        sa.Index("ix_audit_log_actor", "actor_kind", "actor_id", "id"),
        sa.Index("ix_audit_log_action", "action", "id"),
        sa.Index("ix_audit_log_store", "store_id", "id"),
        sa.UniqueConstraint("previous_hash"),
    )


@dataclass(frozen=True, slots=True)
class Subject:
    """What an action was done to, and the store it belongs to."""

    type: str
    id: int | None = None
    store_id: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What an action changed, and why."""

    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: Subject,
    change: Change,
    *,
    now: datetime,
) -> None:
    """Write one action to the trail, in the transaction of the action itself."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_CHAIN_LOCK)))
    previous = session.scalar(sa.select(AuditRecord.hash).order_by(AuditRecord.id.desc()).limit(1))
    row = AuditRecord(
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        action=action,
        subject_type=subject.type,
        subject_id=subject.id,
        store_id=subject.store_id,
        before=dict(change.before),
        after=dict(change.after),
        reason=change.reason,
        request_id=actor.request_id,
        previous_hash=previous or GENESIS,
        hash="",
    )
    row.hash = chained_hash(row)
    session.add(row)
    session.flush()


def chained_hash(row: AuditRecord) -> str:
    """Return the hash that seals a row together with all before it."""
    facts = [
        row.previous_hash,
        row.at.isoformat(),
        row.actor_kind,
        row.actor_id,
        row.action,
        row.subject_type,
        row.subject_id,
        row.store_id,
        row.before,
        row.after,
        row.reason,
        row.request_id,
    ]
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def broken_links(session: Session) -> Iterator[int]:
    """Yield the id of each row whose hash, or link to the row before, does not hold."""
    previous = GENESIS
    for row in session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id)):
        if row.previous_hash != previous or row.hash != chained_hash(row):
            yield row.id
        previous = row.hash
