"""What staff set: one row for each change of a setting, planned ones among them."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id
from app.preferences.units import Value


class SettingChange(Base):
    """A setting gets a value from an instant on.

    Rows are never changed, but for the withdrawal of a change that is not in force yet. In force at
    an instant is the row with the latest `effective_at` not after it that was not withdrawn; where
    there is none, the environment decides.
    """

    __tablename__ = "setting_changes"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(sa.String(64))
    value: Mapped[Value] = mapped_column(JSONB)
    previous: Mapped[Value] = mapped_column(JSONB)
    """What was in force just before, as it was known when this was set."""
    effective_at: Mapped[datetime]
    set_at: Mapped[datetime]
    set_by: Mapped[str]
    second_by: Mapped[str | None]
    reason: Mapped[str]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
    withdrawal_reason: Mapped[str | None]

    __table_args__ = (
        sa.Index(
            "uq_setting_changes_name_effective_at",
            "name",
            "effective_at",
            unique=True,
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        ),
        sa.Index("ix_setting_changes_name_id", "name", "id"),
        sa.CheckConstraint("jsonb_typeof(value) IN ('number', 'boolean')", name="value"),
        sa.CheckConstraint("effective_at >= set_at", name="not_in_the_past"),
        sa.CheckConstraint("second_by <> set_by", name="two_people"),
        sa.CheckConstraint("length(reason) > 0", name="reason"),
        sa.CheckConstraint("withdrawn_at < effective_at", name="withdrawn_before"),
        sa.CheckConstraint(
            "num_nonnulls(withdrawn_at, withdrawn_by, withdrawal_reason) IN (0, 3)",
            name="withdrawal",
        ),
    )
