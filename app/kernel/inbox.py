"""Messages from outside that were verified, kept together with what they did.

Writing the message and its effect in one transaction makes "processed" and "has an effect" the
same fact. A message may come fifteen times, out of order, or never.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base, Id


class InboxNotice(Base):
    """One message that was accepted, and what it did. Never changed."""

    __tablename__ = "inbox_notices"
    __table_args__ = (sa.Index("ix_inbox_notices_outcome", "outcome"),)

    id: Mapped[Id]
    notice_id: Mapped[str] = mapped_column(unique=True)
    event_type: Mapped[str]
    subject_number: Mapped[str] = mapped_column(index=True)
    outcome: Mapped[str]
    facts: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Received:
    """A verified message: its sender's id, what it says happened, and to what."""

    notice_id: str
    event_type: str
    subject_number: str
    facts: dict[str, Any] = field(default_factory=dict)


def is_known(session: Session, received: Received) -> bool:
    """Tell whether the message was accepted before; the unique id settles a tie at the insert."""
    found = sa.select(InboxNotice.id).where(InboxNotice.notice_id == received.notice_id)
    return session.scalar(found) is not None


def accept(session: Session, received: Received, outcome: str, *, now: datetime) -> bool:
    """Keep a message with what it did; False, and nothing kept, where it was kept before."""
    inserted = session.scalar(
        insert(InboxNotice)
        .values(
            notice_id=received.notice_id,
            event_type=received.event_type,
            subject_number=received.subject_number,
            facts=received.facts,
            outcome=outcome,
            received_at=now,
        )
        .on_conflict_do_nothing()
        .returning(InboxNotice.id)
    )
    return inserted is not None
