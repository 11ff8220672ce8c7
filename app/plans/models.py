"""Plans and their versions, where and when they are in force, and how they came to be."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INT8RANGE, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from app.kernel.db import Base, Id
from app.plans.errors import PlanNotInState
from app.plans.states import PlanVersionEvent, after_version
from app.plans.states import PlanVersionState as PlanVersionState


class Plan(Base):
    """A distribution model with a name. What it pays stands in its versions."""

    __tablename__ = "plans"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    model: Mapped[str]
    created_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.name


class PlanVersion(Base):
    """One set of parameters of a plan, and for which stores and products it is meant.

    Rules and scope change only while the version is open; from `submitted` on a trigger refuses it.
    `revision` counts the changes, so that a check or a simulation is never taken for another's.
    The approver is never the author.
    """

    __tablename__ = "plan_versions"
    __table_args__ = (
        sa.UniqueConstraint("plan_id", "number"),
        sa.CheckConstraint("approver_id <> author_id", name="second_person"),
        sa.CheckConstraint(
            "(state IN ('published', 'retired')) = (effective_from_at IS NOT NULL)",
            name="published_whole",
        ),
        sa.CheckConstraint("effective_until_at >= effective_from_at", name="ends_after_beginning"),
        ExcludeConstraint(
            (sa.column("plan_id"), "="),
            (sa.text("tstzrange(effective_from_at, effective_until_at)"), "&&"),
            name="ex_plan_versions_one_in_force",
            using="gist",
            where=sa.text("effective_from_at IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plans.id"))
    number: Mapped[int]
    state: Mapped[PlanVersionState]
    revision: Mapped[int] = mapped_column(server_default=sa.text("1"))
    rules: Mapped[dict[str, Any]]
    scope: Mapped[dict[str, Any]] = mapped_column(server_default=sa.text("'{}'"))
    """`store_ids` and `product_ids`; what is left out is not limited (`scopes.Scope`)."""
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    approver_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    note: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    effective_from_at: Mapped[datetime | None]
    effective_until_at: Mapped[datetime | None]

    plan: Mapped[Plan] = relationship(lazy="raise_on_sql")
    steps: WriteOnlyMapped["PlanVersionStep"] = relationship(
        order_by="PlanVersionStep.id", cascade="save-update"
    )

    def advance(
        self, event: PlanVersionEvent, *, now: datetime, actor: str, note: str = ""
    ) -> None:
        """Move along the table of states and leave a trace. The row must be locked."""
        target = after_version(self.state, event)
        if target is None:
            raise PlanNotInState(self.state)
        step = PlanVersionStep(
            event=event, to_state=target, revision=self.revision, at=now, actor=actor, note=note
        )
        self.steps.add(step)
        self.state = target


class PlanVersionStep(Base):
    """One event in the life of a version, and the state it led to. Never changed."""

    __tablename__ = "plan_version_steps"

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_versions.id"), index=True)
    event: Mapped[PlanVersionEvent]
    to_state: Mapped[PlanVersionState]
    revision: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str]
    note: Mapped[str]


class PlanScope(Base):
    """A rectangle of stores × products × time in which a version is in force.

    An unbounded range means all. No two overlap, whatever plan they belong to, so each line of each
    order falls under one version at most.
    """

    __tablename__ = "plan_scopes"
    __table_args__ = (
        ExcludeConstraint(
            (sa.column("store_ids"), "&&"),
            (sa.column("product_ids"), "&&"),
            (sa.column("during"), "&&"),
            name="ex_plan_scopes_apart",
            using="gist",
        ),
    )

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_versions.id"), index=True)
    store_ids: Mapped[Range[int]] = mapped_column(INT8RANGE)
    product_ids: Mapped[Range[int]] = mapped_column(INT8RANGE)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)


class PlanCheck(Base):
    """What the compliance check found in one revision of a version. Never changed."""

    __tablename__ = "plan_checks"
    __table_args__ = (sa.Index("ix_plan_checks_version", "version_id", sa.text("id DESC")),)

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_versions.id"))
    revision: Mapped[int]
    profile: Mapped[str]
    findings: Mapped[list[Any]]
    bound_bp: Mapped[int]
    monthly_bp: Mapped[int]
    cap_bp: Mapped[int]
    is_blocked: Mapped[bool]
    checked_at: Mapped[datetime]
    actor: Mapped[str]


class PlanConfirmation(Base):
    """A named officer's written word on one finding of severity HIGH. Kept for ever."""

    __tablename__ = "plan_confirmations"
    __table_args__ = (
        sa.UniqueConstraint("version_id", "revision", "rule"),
        sa.CheckConstraint("length(statement) >= 10", name="statement"),
    )

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_versions.id"))
    revision: Mapped[int]
    rule: Mapped[str]
    finding: Mapped[dict[str, Any]]
    statement: Mapped[str]
    officer_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    officer_name: Mapped[str]
    confirmed_at: Mapped[datetime]
