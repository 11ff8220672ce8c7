"""Awards that plans granted, what they refused, and the levels of distributors."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.kernel.db import Base, Id

PAID_DEPTH_MAX = 2
"""No one further above a buyer than this is ever paid: three levels is the criminal line."""


class OrderDecision(Base):
    """That the lines of an order under one version were decided on: at most once. Never changed.

    Lines that fell under no version share one row without a version.
    """

    __tablename__ = "order_decisions"
    __table_args__ = (
        sa.Index(
            "uq_order_decisions_once",
            "order_id",
            "plan_version_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    plan_version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("plan_versions.id"))
    base_fen: Mapped[int]
    awarded_fen: Mapped[int]
    decided_at: Mapped[datetime]

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy hands the class over
        """Tell a row by order and version, though the latter may be missing."""
        return {"primary_key": [cls.order_id, cls.plan_version_id]}


class RefundDecision(Base):
    """That a refund has taken back what it takes back: at most once. Never changed."""

    __tablename__ = "refund_decisions"

    refund_id: Mapped[int] = mapped_column(
        sa.ForeignKey("refunds.id"), primary_key=True, autoincrement=False
    )
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    decided_at: Mapped[datetime]


class AwardState(StrEnum):
    """Where an award stands.

    pending (order paid) ▶ frozen (received, waiting for the after-sale window) ▶ matured (may be
    withdrawn) ▶ withdrawn (paid out). `void` was reversed whole before it matured, `reversed`
    after.
    """

    PENDING = "pending"
    FROZEN = "frozen"
    MATURED = "matured"
    WITHDRAWN = "withdrawn"
    VOID = "void"
    REVERSED = "reversed"


class Award(Base):
    """One amount granted by a plan to one beneficiary, for one order line or for one closed month.

    A month grants one amount of a kind; what is for having brought somebody, one for each of them.

    Without a rate it is a fixed amount, which refunds reduce in proportion. `base_fen` is what was
    paid for the line and not refunded when the order counted for the plan. What was granted never
    changes; `reversed_fen` grows with refunds, `allocated_fen` is what payouts have taken up.
    """

    __tablename__ = "awards"
    __table_args__ = (
        sa.UniqueConstraint("order_line_id", "kind", "beneficiary_id"),
        sa.Index(
            "uq_awards_month_once",
            "closed_month_id",
            "kind",
            "beneficiary_id",
            sa.text("(explanation -> 'promoted_id')"),
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=sa.text("closed_month_id IS NOT NULL"),
        ),
        sa.CheckConstraint(
            "amount_fen > 0 AND amount_fen <= base_fen"
            " AND (rate_bp IS NULL OR amount_fen = base_fen * rate_bp / 10000)",
            name="amount",
        ),
        sa.CheckConstraint(
            "(order_id IS NULL) = (order_line_id IS NULL)"
            " AND (order_id IS NULL) <> (closed_month_id IS NULL)",
            name="cause",
        ),
        sa.CheckConstraint("reversed_fen >= 0 AND reversed_fen <= amount_fen", name="reversed"),
        sa.CheckConstraint("allocated_fen >= 0 AND allocated_fen <= amount_fen", name="allocated"),
        sa.CheckConstraint(f"seat BETWEEN 0 AND {PAID_DEPTH_MAX}", name="paid_depth"),
        sa.CheckConstraint("(state = 'frozen') <= (matures_at IS NOT NULL)", name="maturity"),
        sa.Index("ix_awards_beneficiary", "beneficiary_id", sa.text("id DESC")),
        sa.Index("ix_awards_created", "created_at"),
        sa.Index(
            "ix_awards_state",
            "state",
            sa.text("id DESC"),
            postgresql_where=sa.text("state NOT IN ('matured', 'withdrawn')"),
        ),
        sa.Index("ix_awards_to_mature", "matures_at", postgresql_where=sa.text("state = 'frozen'")),
        sa.Index(
            "ix_awards_to_allocate",
            "beneficiary_id",
            "id",
            postgresql_where=sa.text("state = 'matured'"),
        ),
    )

    id: Mapped[Id]
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    order_line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("order_lines.id"))
    closed_month_id: Mapped[int | None] = mapped_column(sa.ForeignKey("closed_months.id"))
    plan_version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_versions.id"))
    beneficiary_id: Mapped[int] = mapped_column(sa.ForeignKey("distributors.member_id"))
    kind: Mapped[str]
    seat: Mapped[int]
    base_fen: Mapped[int]
    rate_bp: Mapped[int | None]
    amount_fen: Mapped[int]
    reversed_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    allocated_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    state: Mapped[AwardState]
    explanation: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    matures_at: Mapped[datetime | None]
    matured_at: Mapped[datetime | None]


class AwardRefusal(Base):
    """An award that was not given, and why. Never changed."""

    __tablename__ = "award_refusals"

    id: Mapped[Id]
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    order_line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("order_lines.id"))
    closed_month_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("closed_months.id"), index=True
    )
    plan_version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("plan_versions.id"))
    beneficiary_id: Mapped[int | None] = mapped_column(index=True)
    seat: Mapped[int]
    reason: Mapped[str]
    explanation: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class AwardReversal(Base):
    """What one refund took back of one award. Never changed."""

    __tablename__ = "award_reversals"
    __table_args__ = (
        sa.UniqueConstraint("award_id", "refund_id"),
        sa.CheckConstraint("amount_fen >= 0", name="amount"),
        sa.Index("ix_award_reversals_created", "created_at"),
    )

    id: Mapped[Id]
    award_id: Mapped[int] = mapped_column(sa.ForeignKey("awards.id"))
    refund_id: Mapped[int] = mapped_column(sa.ForeignKey("refunds.id"), index=True)
    amount_fen: Mapped[int]
    explanation: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class LevelPeriod(Base):
    """A distributor's channel level from one instant until another, and why it changed.

    Periods of one distributor neither overlap nor leave a gap; the last has no end.
    """

    __tablename__ = "level_periods"
    __table_args__ = (
        ExcludeConstraint(
            (sa.column("member_id"), "="),
            (sa.text("tstzrange(from_at, until_at)"), "&&"),
            name="ex_level_periods_one_level_at_a_time",
            using="gist",
        ),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("distributors.member_id"), index=True)
    level: Mapped[int]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
    cause: Mapped[str]
    facts: Mapped[dict[str, Any]]
    actor: Mapped[str]
