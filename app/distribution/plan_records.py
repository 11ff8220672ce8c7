"""What plans keep besides awards: places, events, closed months, gifts, trials, warnings."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id


class PlanPlace(Base):
    """Somebody's place in a plan that keeps places: a team, a matrix, a round, a holding.

    Written only from what an engine decided. `number` counts somebody's places from 1, but for
    shareholders it is the store. `facts` holds the fields that only the model knows.
    """

    __tablename__ = "plan_places"
    __table_args__ = (
        sa.PrimaryKeyConstraint("plan_id", "member_id", "number"),
        sa.ForeignKeyConstraint(
            ["plan_id", "parent_id", "parent_number"],
            ["plan_places.plan_id", "plan_places.member_id", "plan_places.number"],
            name="fk_plan_places_parent",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.CheckConstraint("(parent_id IS NULL) = (parent_number IS NULL)", name="parent_whole"),
        sa.CheckConstraint(
            "parent_id IS NULL OR (parent_id, parent_number) <> (member_id, number)",
            name="not_own_parent",
        ),
        sa.CheckConstraint("recommender_id <> member_id", name="not_own_recommender"),
        sa.CheckConstraint("slot >= 1", name="slot"),
        sa.Index(
            "uq_plan_places_slot",
            "plan_id",
            "parent_id",
            "parent_number",
            "slot",
            unique=True,
            postgresql_where=sa.text("slot IS NOT NULL"),
        ),
        sa.Index("ix_plan_places_below", "plan_id", "parent_id", "parent_number"),
        sa.Index("ix_plan_places_recommended", "plan_id", "recommender_id"),
        sa.Index("ix_plan_places_member", "member_id"),
    )

    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plans.id"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    number: Mapped[int]
    recommender_id: Mapped[int | None]
    parent_id: Mapped[int | None]
    parent_number: Mapped[int | None]
    slot: Mapped[int | None]
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"))
    facts: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class PlanEvent(Base):
    """One event that a plan with places reacted to, with all that it was decided on. Never changed.

    Ids of one plan rise in the order in which events were decided, since that happens under the
    plan's lock; so replaying them in this order leads to the same places.
    """

    __tablename__ = "plan_events"
    __table_args__ = (
        sa.Index(
            "uq_plan_events_once",
            "plan_id",
            "kind",
            "order_id",
            "refund_id",
            "member_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=sa.text("kind <> 'directed'"),
        ),
        sa.Index("ix_plan_events_plan", "plan_id", "id"),
        sa.Index("ix_plan_events_order", "order_id"),
        sa.Index(
            "ix_plan_events_directed",
            "plan_id",
            "member_id",
            postgresql_where=sa.text("kind = 'directed'"),
        ),
    )

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plans.id"))
    plan_version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_versions.id"))
    kind: Mapped[str]
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"))
    refund_id: Mapped[int | None] = mapped_column(sa.ForeignKey("refunds.id"))
    member_id: Mapped[int | None] = mapped_column(sa.ForeignKey("members.id"))
    inputs: Mapped[dict[str, Any]]
    """The event as the engine was given it, and the standings it asked for."""
    notes: Mapped[list[Any]]
    at: Mapped[datetime]
    decided_at: Mapped[datetime]
    actor: Mapped[str]


class ClosedMonth(Base):
    """A month of a plan, or of one store under it, that was closed and paid. Never changed."""

    __tablename__ = "closed_months"
    __table_args__ = (
        sa.Index(
            "uq_closed_months_once",
            "plan_id",
            "store_id",
            "month",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint("month ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'", name="month"),
        sa.CheckConstraint(
            "pool_fen >= 0 AND awarded_fen >= 0 AND carried_fen >= 0 AND deficit_fen >= 0",
            name="amounts",
        ),
    )

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plans.id"))
    plan_version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_versions.id"))
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    month: Mapped[str] = mapped_column(sa.String(7))
    net_fen: Mapped[int]
    pool_fen: Mapped[int]
    awarded_fen: Mapped[int]
    carried_fen: Mapped[int]
    deficit_fen: Mapped[int]
    inputs: Mapped[dict[str, Any]]
    facts: Mapped[dict[str, Any]]
    closed_at: Mapped[datetime]
    actor: Mapped[str]


class GiftState(StrEnum):
    """Where a gift stands: due ▶ given | revoked."""

    DUE = "due"
    GIVEN = "given"
    REVOKED = "revoked"


class Gift(Base):
    """Something other than money that a plan granted: a coupon, points, a service."""

    __tablename__ = "gifts"
    __table_args__ = (
        sa.UniqueConstraint("event_id", "kind", "beneficiary_id"),
        sa.CheckConstraint("amount > 0", name="amount"),
        sa.CheckConstraint("(state = 'due') = (ended_at IS NULL)", name="ended"),
        sa.Index("ix_gifts_beneficiary", "beneficiary_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_events.id"))
    plan_version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_versions.id"))
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    beneficiary_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    kind: Mapped[str]
    item: Mapped[str]
    amount: Mapped[int]
    state: Mapped[GiftState]
    explanation: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    actor: Mapped[str | None]


class SimulationKind(StrEnum):
    """On what a draft is tried."""

    ORDERS = "orders"
    GROWTH = "growth"


class SimulationState(StrEnum):
    """Where a simulation stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class PlanSimulation(Base):
    """One revision of a version, tried on own orders or on invented growth, and what came of it.

    `lease_until_at` lets another worker take over from one that died.
    """

    __tablename__ = "plan_simulations"
    __table_args__ = (
        sa.Index("ix_plan_simulations_version", "version_id", sa.text("id DESC")),
        sa.Index(
            "ix_plan_simulations_open",
            "id",
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        ),
        sa.CheckConstraint("progress_bp BETWEEN 0 AND 10000", name="progress"),
        sa.CheckConstraint("(state = 'done') = (result IS NOT NULL)", name="result"),
    )

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_versions.id"))
    revision: Mapped[int]
    against_version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("plan_versions.id"))
    kind: Mapped[SimulationKind]
    parameters: Mapped[dict[str, Any]]
    state: Mapped[SimulationState]
    progress_bp: Mapped[int] = mapped_column(server_default=sa.text("0"))
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    requested_at: Mapped[datetime]
    actor: Mapped[str]
    lease_until_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class WarningOutcome(StrEnum):
    """How a warning ended: the level was kept after all, was lost, or the warning was lifted."""

    KEPT = "kept"
    LOST = "lost"
    LIFTED = "lifted"


class LevelWarning(Base):
    """Notice to a distributor that they will lose a level unless they make it good in time."""

    __tablename__ = "level_warnings"
    __table_args__ = (
        sa.Index(
            "uq_level_warnings_open",
            "member_id",
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended"),
        sa.CheckConstraint("until_at >= given_at", name="grace"),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("distributors.member_id"), index=True)
    level: Mapped[int]
    plan_version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_versions.id"))
    period: Mapped[str]
    """The month or quarter that was missed, as `2026-10` or `2026-Q4`."""
    facts: Mapped[dict[str, Any]]
    given_at: Mapped[datetime]
    until_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[WarningOutcome | None]
