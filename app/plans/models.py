"""Plans and their versions."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, Id


class Plan(Base):
    """A distribution model with a name. What it pays stands in its versions."""

    __tablename__ = "plans"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    model: Mapped[str]
    created_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.name


class PlanVersionState(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PUBLISHED = "published"
    RETIRED = "retired"


class PlanVersion(Base):
    """One set of parameters of a plan. Once published its rules never change (a trigger says so).

    At most one version is in force at any instant. The approver is never the author.
    """

    __tablename__ = "plan_versions"
    __table_args__ = (
        sa.UniqueConstraint("plan_id", "number"),
        sa.CheckConstraint("approver_id <> author_id", name="second_person"),
        sa.CheckConstraint(
            "(state IN ('published', 'retired')) = (effective_from_at IS NOT NULL)",
            name="published_whole",
        ),
        ExcludeConstraint(
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
    rules: Mapped[dict[str, Any]]
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    approver_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    note: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]
    effective_from_at: Mapped[datetime | None]
    effective_until_at: Mapped[datetime | None]

    plan: Mapped[Plan] = relationship(lazy="raise_on_sql")
