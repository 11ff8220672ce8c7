"""What dashboards read: the figures of each day and store, and when they were made."""

from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.kernel.db import Base, Id

FIGURES: Final = (
    "paid_orders",
    "paid_fen",
    "distributor_orders",
    "distributor_fen",
    "first_orders",
    "completed_orders",
    "refunds",
    "refunded_fen",
    "new_members",
    "new_bindings",
    "touches",
    "new_distributors",
    "awards",
    "awards_fen",
    "clawbacks",
    "clawbacks_fen",
    "payouts",
    "payouts_fen",
)
"""Columns of `DayFigures` that hold a figure; those ending in `_fen` are money, the rest counts."""


def _none() -> Mapped[int]:
    return mapped_column(server_default=sa.text("0"))


class FigureColumns:
    """A column for each of `FIGURES`."""

    paid_orders: Mapped[int] = _none()
    paid_fen: Mapped[int] = _none()
    distributor_orders: Mapped[int] = _none()
    distributor_fen: Mapped[int] = _none()
    first_orders: Mapped[int] = _none()
    completed_orders: Mapped[int] = _none()
    refunds: Mapped[int] = _none()
    refunded_fen: Mapped[int] = _none()
    new_members: Mapped[int] = _none()
    new_bindings: Mapped[int] = _none()
    touches: Mapped[int] = _none()
    new_distributors: Mapped[int] = _none()
    awards: Mapped[int] = _none()
    awards_fen: Mapped[int] = _none()
    clawbacks: Mapped[int] = _none()
    clawbacks_fen: Mapped[int] = _none()
    payouts: Mapped[int] = _none()
    payouts_fen: Mapped[int] = _none()


class DayFigures(FigureColumns, Base):
    """What one business day brought to one store, or to none: rows of the brand have no store.

    Made from other tables alone and rebuilt from them at any time. A store without anything on a
    day has no row.
    """

    __tablename__ = "day_figures"
    __table_args__ = (
        sa.Index(
            "uq_day_figures_once",
            "day",
            "store_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        sa.Index("ix_day_figures_store", "store_id", "day"),
        sa.Index(
            "ix_day_figures_newcomers",
            "day",
            postgresql_include=["store_id", "first_orders"],
            postgresql_where=sa.text("first_orders > 0 AND store_id IS NOT NULL"),
        ),
    )

    day: Mapped[date] = mapped_column()
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"))

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy hands the class over
        """Tell a row by day and store, though the latter may be missing."""
        return {"primary_key": [cls.day, cls.store_id]}


class DayTotals(FigureColumns, Base):
    """The figures of a day for all stores and none together: always the sum of `DayFigures`.

    A chain of a thousand stores is so as quick to look at as one store.
    """

    __tablename__ = "day_totals"

    day: Mapped[date] = mapped_column(primary_key=True)


class StandingFigures(Base):
    """What stands on the accounts of one store's distributors at the last refresh, in fen."""

    __tablename__ = "standing_figures"
    __table_args__ = (
        sa.Index(
            "uq_standing_figures_store", "store_id", unique=True, postgresql_nulls_not_distinct=True
        ),
    )

    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"))
    commission_pending_fen: Mapped[int] = _none()
    commission_available_fen: Mapped[int] = _none()
    clawback_debt_fen: Mapped[int] = _none()

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy hands the class over
        """Tell a row by store, though it may be missing."""
        return {"primary_key": [cls.store_id]}


class FigureRefresh(Base):
    """When the figures were last made: everything committed before `refreshed_at` is in them."""

    __tablename__ = "figure_refreshes"

    name: Mapped[str] = mapped_column(primary_key=True)
    """`recent` after each refresh, `all` after each that went back to the beginning."""
    refreshed_at: Mapped[datetime]


class DayToRedo(Base):
    """A day in the past that something was written into; triggers note it, the refresh deletes it.

    One row for each day and transaction, so that an import of a million rows leaves few, and no
    two transactions ever wait for each other here.
    """

    __tablename__ = "days_to_redo"
    __table_args__ = (sa.Index("ix_days_to_redo_transaction", "transaction_id", "day"),)

    id: Mapped[Id]
    day: Mapped[date] = mapped_column()
    transaction_id: Mapped[int] = mapped_column(
        server_default=sa.text("(pg_current_xact_id()::text::bigint)")
    )
