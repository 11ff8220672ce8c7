"""Disputes about who owns a customer, what happened to them, and the pictures that were brought."""

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from app.attribution.dispute_errors import DisputeNotInState
from app.attribution.dispute_states import DisputeEvent as DisputeEvent
from app.attribution.dispute_states import DisputeState as DisputeState
from app.attribution.dispute_states import after_dispute
from app.attribution.rules import Owner
from app.kernel.db import Base, Id

EVIDENCE_MAX: Final = 5
"""How many pictures a dispute can hold."""
EVIDENCE_BYTES_MAX: Final = 5 * 1024 * 1024


class OwnershipDispute(Base):
    """A claim that a customer belongs to somebody else than the one who owns them.

    The claimant is a distributor or a store. `facts` is what was on record when it was opened: who
    owned the customer at the moment the claim speaks of and why, and every period by then. At most
    one dispute about a customer is open. Whatever is decided holds from then on: orders made
    before keep their owner.
    """

    __tablename__ = "ownership_disputes"
    __table_args__ = (
        sa.CheckConstraint("(claimant_id IS NULL) <> (claimant_store_id IS NULL)", name="claimant"),
        sa.CheckConstraint("claimant_id <> customer_id", name="not_self"),
        sa.CheckConstraint("(ended_at IS NULL) = (state = 'open')", name="ended"),
        sa.CheckConstraint("(decided_by IS NULL) = (state = 'open')", name="decided"),
        sa.CheckConstraint("state = 'open' OR btrim(decision_reason) <> ''", name="reason"),
        sa.CheckConstraint("about_at <= opened_at", name="moment"),
        sa.CheckConstraint(
            "char_length(claim) BETWEEN 10 AND 2000 AND claim = btrim(claim)", name="claim"
        ),
        sa.Index(
            "uq_ownership_disputes_open",
            "customer_id",
            unique=True,
            postgresql_where=sa.text("state = 'open'"),
        ),
        sa.Index("ix_ownership_disputes_claimant", "claimant_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"), index=True)
    claimant_id: Mapped[int | None] = mapped_column(sa.ForeignKey("distributors.member_id"))
    claimant_store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    about_at: Mapped[datetime]
    """The moment that the claim speaks of."""
    claim: Mapped[str]
    facts: Mapped[dict[str, Any]]
    state: Mapped[DisputeState]
    opened_by: Mapped[str]
    """Who opened it, as the audit trail writes people: `staff:3`, `member:9`."""
    opened_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decision_reason: Mapped[str] = mapped_column(server_default="")
    ended_at: Mapped[datetime | None]

    steps: WriteOnlyMapped["DisputeStep"] = relationship(
        order_by="DisputeStep.id", cascade="save-update"
    )

    @property
    def claimant(self) -> Owner:
        """Return who says that the customer is theirs."""
        return Owner.of(self.claimant_id, self.claimant_store_id)

    def advance(self, event: DisputeEvent, *, now: datetime, actor: str, reason: str) -> None:
        """Move along the table of states and leave a trace. The row must be locked."""
        target = after_dispute(self.state, event)
        if target is None:
            raise DisputeNotInState(self.state, event)
        self.steps.add(
            DisputeStep(event=event, to_state=target, at=now, actor=actor, reason=reason)
        )
        self.state = target
        self.decided_by = actor
        self.decision_reason = reason
        self.ended_at = now


class DisputeStep(Base):
    """One event in the life of a dispute, and the state it led to. Never changed."""

    __tablename__ = "dispute_steps"

    id: Mapped[Id]
    dispute_id: Mapped[int] = mapped_column(sa.ForeignKey("ownership_disputes.id"), index=True)
    event: Mapped[DisputeEvent]
    to_state: Mapped[DisputeState]
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str]


class EvidenceFile(Base):
    """A picture brought to a dispute, as we drew it anew from what was handed in. Never changed.

    `sha256` is of `content`. The place is part of a key, so that no more pictures than places can
    ever be stored, however many are handed in at once.
    """

    __tablename__ = "evidence_files"
    __table_args__ = (
        sa.UniqueConstraint("dispute_id", "place"),
        sa.UniqueConstraint("dispute_id", "sha256"),
        sa.CheckConstraint(f"place BETWEEN 1 AND {EVIDENCE_MAX}", name="place"),
        sa.CheckConstraint(
            "media_type IN ('image/jpeg', 'image/png', 'image/webp')", name="media_type"
        ),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        sa.CheckConstraint(
            f"octet_length(content) BETWEEN 1 AND {2 * EVIDENCE_BYTES_MAX}", name="size"
        ),
    )

    id: Mapped[Id]
    dispute_id: Mapped[int] = mapped_column(sa.ForeignKey("ownership_disputes.id"))
    place: Mapped[int]
    media_type: Mapped[str] = mapped_column(sa.String(16))
    width: Mapped[int]
    height: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    content: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    added_by: Mapped[str]
    added_at: Mapped[datetime]
