"""Suspicions about distributors, and what people decided about them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id
from app.risk.states import FlagState as FlagState
from app.risk.states import RiskKind as RiskKind


class RiskFlag(Base):
    """One suspicion about one distributor, with its evidence; at most one of a kind is open.

    While it is open or confirmed and `holds_payouts`, a hold of the same cause stands with
    payouts. `expires_at` ends an open flag that nobody decides; a confirmed one has no end but a
    person's. `evidence` names rows by their ids, never phone numbers or devices.
    """

    __tablename__ = "risk_flags"
    __table_args__ = (
        sa.Index(
            "uq_risk_flags_open",
            "distributor_id",
            "kind",
            unique=True,
            postgresql_where=sa.text("state = 'open'"),
        ),
        sa.Index("ix_risk_flags_distributor", "distributor_id", sa.text("id DESC")),
        sa.Index(
            "ix_risk_flags_expiring", "expires_at", postgresql_where=sa.text("state = 'open'")
        ),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
        sa.CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided_whole"),
        sa.CheckConstraint("raised_at <= expires_at", name="period"),
    )

    id: Mapped[Id]
    distributor_id: Mapped[int] = mapped_column(sa.ForeignKey("distributors.member_id"))
    kind: Mapped[RiskKind]
    evidence: Mapped[dict[str, Any]]
    holds_payouts: Mapped[bool]
    state: Mapped[FlagState]
    raised_at: Mapped[datetime]
    raised_by: Mapped[str]
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    reason: Mapped[str] = mapped_column(server_default="")
    """What the person said who raised it by hand; then, what the one said who decided it."""
