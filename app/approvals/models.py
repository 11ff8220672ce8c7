"""Requests that a second person decides at their own desk, and what became of them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from app.approvals.errors import ApprovalNotInState
from app.approvals.states import ApprovalEvent as ApprovalEvent
from app.approvals.states import ApprovalState as ApprovalState
from app.approvals.states import after_approval
from app.kernel.db import Base, Id


class Approval(Base):
    """One thing that one member of staff asks for and another decides (maker and checker).

    `kind` names an entry of `app.approvals.kinds.KINDS`. The subject is a row (`subject_id`) or
    something known by a name (`subject_key`), such as a setting. `payload` is what is asked for,
    `facts` is how the subject stood when it was asked: where it stands otherwise when it is to be
    approved, the request is void and `facts_found` keeps what was found. `store_id` is the store
    whose staff may see it; None is the brand.
    """

    __tablename__ = "approvals"
    __table_args__ = (
        sa.CheckConstraint("decided_by_id <> asked_by_id", name="two_people"),
        sa.CheckConstraint(
            "(decided_by_id IS NOT NULL) = (state IN ('approved', 'refused'))", name="decided"
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (state = 'requested')", name="ended"),
        sa.CheckConstraint("facts_found IS NULL OR state = 'void'", name="found"),
        sa.CheckConstraint("btrim(reason) <> ''", name="reason"),
        sa.CheckConstraint("expires_at > asked_at", name="period"),
        sa.Index(
            "uq_approvals_open",
            "kind",
            "subject_id",
            "subject_key",
            unique=True,
            postgresql_where=sa.text("state = 'requested'"),
            postgresql_nulls_not_distinct=True,
        ),
        sa.Index("ix_approvals_subject", "subject_type", "subject_id"),
        sa.Index(
            "ix_approvals_waiting",
            "expires_at",
            postgresql_where=sa.text("state = 'requested'"),
        ),
    )

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(sa.String(32))
    subject_type: Mapped[str] = mapped_column(sa.String(32))
    subject_id: Mapped[int | None]
    subject_key: Mapped[str] = mapped_column(server_default="")
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    payload: Mapped[dict[str, Any]]
    facts: Mapped[dict[str, Any]]
    facts_found: Mapped[dict[str, Any] | None]
    reason: Mapped[str]
    state: Mapped[ApprovalState]
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    asked_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    decision_reason: Mapped[str] = mapped_column(server_default="")
    ended_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]

    steps: WriteOnlyMapped["ApprovalStep"] = relationship(
        order_by="ApprovalStep.id", cascade="save-update"
    )

    def advance(self, event: ApprovalEvent, *, now: datetime, actor: str, reason: str = "") -> None:
        """Move along the table of states and leave a trace. The row must be locked."""
        target = after_approval(self.state, event)
        if target is None:
            raise ApprovalNotInState(self.state, event)
        self.steps.add(
            ApprovalStep(event=event, to_state=target, at=now, actor=actor, reason=reason)
        )
        self.state = target
        self.ended_at = now


class ApprovalStep(Base):
    """One event in the life of a request, and the state it led to. Never changed."""

    __tablename__ = "approval_steps"

    id: Mapped[Id]
    approval_id: Mapped[int] = mapped_column(sa.ForeignKey("approvals.id"), index=True)
    event: Mapped[ApprovalEvent]
    to_state: Mapped[ApprovalState]
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str]
