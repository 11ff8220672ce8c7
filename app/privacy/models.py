"""Requests of people about their own data, and the copies made for them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id
from app.privacy.errors import DataRequestEnded
from app.privacy.states import RequestEvent, RequestKind, RequestState, after_request


class PrivacyRequest(Base):
    """One wish of one member: a copy of their data, or their erasure. Never deleted.

    `due_at` is when a job takes it up: a copy at once, an erasure after the time to think better of
    it, and again each day while something stands in the way. At most one of a kind waits.
    """

    __tablename__ = "privacy_requests"
    __table_args__ = (
        sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended"),
        sa.CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL)", name="due"),
        sa.Index(
            "uq_privacy_requests_waiting",
            "member_id",
            "kind",
            unique=True,
            postgresql_where=sa.text("state = 'waiting'"),
        ),
        sa.Index(
            "ix_privacy_requests_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")
        ),
        sa.Index("ix_privacy_requests_member", "member_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    kind: Mapped[RequestKind]
    state: Mapped[RequestState]
    requested_by: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    requested_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    obstacles: Mapped[list[Any]] = mapped_column(server_default=sa.text("'[]'"))
    """Codes of what stood in the way of an erasure when it was last tried."""
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]

    def advance(self, event: RequestEvent, *, actor: str, now: datetime) -> None:
        """Move along the table of states. The row must be locked. Raises DataRequestEnded."""
        target = after_request(self.state, event)
        if target is None:
            raise DataRequestEnded
        self.state = target
        self.due_at = None
        self.ended_at = now
        self.ended_by = actor


class PrivacyCopy(Base):
    """The copy made for one request: an archive, removed when its time is over."""

    __tablename__ = "privacy_copies"
    __table_args__ = (sa.Index("ix_privacy_copies_expiring", "expires_at"),)

    request_id: Mapped[int] = mapped_column(
        sa.ForeignKey("privacy_requests.id"), primary_key=True, autoincrement=False
    )
    content_sealed: Mapped[str] = mapped_column(deferred=True)
    """The archive, encrypted as everything that names a person."""
    sha256: Mapped[str] = mapped_column(sa.String(64))
    size_bytes: Mapped[int]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
