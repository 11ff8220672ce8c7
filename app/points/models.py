"""Points: lots that run out, what was taken from which, earnings, spends, and the statement.

The ledger says how many points a member has pending, can spend, has set aside and owes; these
tables say which. What a member can spend is always the sum of what is left in their lots (B32); the
database itself compares the two when a transaction ends.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id
from app.points.states import EarningState, EntryKind, PointSource, SpendState


class PointLot(Base):
    """Points that came in together and run out together.

    granted = left + expired + taken + what uses of this lot still hold. `taken_points` went back
    after a refund, into a debt, or by the hand of staff.
    """

    __tablename__ = "point_lots"
    __table_args__ = (
        sa.CheckConstraint("granted_points BETWEEN 1 AND 1000000000", name="granted"),
        sa.CheckConstraint(
            "left_points >= 0 AND expired_points >= 0 AND taken_points >= 0"
            " AND left_points + expired_points + taken_points <= granted_points",
            name="adds_up",
        ),
        sa.CheckConstraint("(expired_points > 0) = (expired_at IS NOT NULL)", name="expired_at"),
        sa.CheckConstraint("granted_at < expires_at", name="period"),
        sa.Index(
            "ix_point_lots_spendable",
            "member_id",
            "expires_at",
            "id",
            postgresql_where=sa.text("left_points > 0"),
        ),
        sa.Index("ix_point_lots_member", "member_id", sa.text("id DESC")),
        sa.Index(
            "ix_point_lots_running_out",
            "expires_at",
            "id",
            postgresql_where=sa.text("left_points > 0"),
        ),
        sa.Index(
            "ix_point_lots_to_notify",
            "expires_at",
            "id",
            postgresql_where=sa.text("left_points > 0 AND notified_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    key: Mapped[str] = mapped_column(unique=True)
    """The fact that brought them, so that it brings them once."""
    source: Mapped[PointSource]
    reason: Mapped[str] = mapped_column(server_default="")
    granted_points: Mapped[int]
    left_points: Mapped[int]
    expired_points: Mapped[int] = mapped_column(server_default=sa.text("0"))
    taken_points: Mapped[int] = mapped_column(server_default=sa.text("0"))
    granted_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    expired_at: Mapped[datetime | None]
    notified_at: Mapped[datetime | None]
    """When the member was told that they run out soon."""


class PointEarning(Base):
    """Points of one purchase: pending until after-sale closes, then a lot.

    `taken_points` is what refunds have taken back in all; of it `forgiven_points` had run out
    unspent before, so nothing else was taken for them.
    """

    __tablename__ = "point_earnings"
    __table_args__ = (
        sa.CheckConstraint("points BETWEEN 1 AND 1000000000", name="points"),
        sa.CheckConstraint(
            "forgiven_points >= 0 AND forgiven_points <= taken_points AND taken_points <= points",
            name="taken",
        ),
        sa.CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name="settled"),
        sa.CheckConstraint("lot_id IS NULL OR state = 'settled'", name="lot"),
        sa.Index("ix_point_earnings_member", "member_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    key: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    points: Mapped[int]
    taken_points: Mapped[int] = mapped_column(server_default=sa.text("0"))
    forgiven_points: Mapped[int] = mapped_column(server_default=sa.text("0"))
    state: Mapped[EarningState]
    earned_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    lot_id: Mapped[int | None] = mapped_column(sa.ForeignKey("point_lots.id"), index=True)


class PointSpend(Base):
    """Points that pay for one thing: part of an order, or an exchange in the mall.

    `given_back_points` is what came back in all after it was spent.
    """

    __tablename__ = "point_spends"
    __table_args__ = (
        sa.CheckConstraint("points BETWEEN 1 AND 1000000000", name="points"),
        sa.CheckConstraint(
            "given_back_points BETWEEN 0 AND points AND (given_back_points = 0 OR state = 'spent')",
            name="given_back",
        ),
        sa.CheckConstraint("(state = 'reserved') = (ended_at IS NULL)", name="ended"),
        sa.Index("ix_point_spends_member", "member_id", sa.text("id DESC")),
        sa.Index(
            "ix_point_spends_reserved",
            "reserved_at",
            postgresql_where=sa.text("state = 'reserved'"),
        ),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    key: Mapped[str] = mapped_column(unique=True)
    """`order:<id>` or `exchange:<number>`."""
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"), unique=True)
    points: Mapped[int]
    given_back_points: Mapped[int] = mapped_column(server_default=sa.text("0"))
    state: Mapped[SpendState]
    reserved_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class PointUse(Base):
    """What one spend took from one lot, and what came back of it.

    `returned_points` are in that lot again; `renewed_points` came back after it was over and went
    into a lot of their own.
    """

    __tablename__ = "point_uses"
    __table_args__ = (
        sa.CheckConstraint("points > 0", name="points"),
        sa.CheckConstraint(
            "returned_points >= 0 AND renewed_points >= 0"
            " AND returned_points + renewed_points <= points",
            name="returned",
        ),
    )

    spend_id: Mapped[int] = mapped_column(sa.ForeignKey("point_spends.id"), primary_key=True)
    lot_id: Mapped[int] = mapped_column(
        sa.ForeignKey("point_lots.id"), primary_key=True, index=True
    )
    points: Mapped[int]
    returned_points: Mapped[int] = mapped_column(server_default=sa.text("0"))
    renewed_points: Mapped[int] = mapped_column(server_default=sa.text("0"))


class PointEntry(Base):
    """One line of a member's statement. Never changed.

    The sums of the changes are the balances of the member's accounts: available, pending, and the
    debt as a positive number.
    """

    __tablename__ = "point_entries"
    __table_args__ = (
        sa.CheckConstraint(
            "available_change <> 0 OR pending_change <> 0 OR debt_change <> 0", name="moves"
        ),
        sa.UniqueConstraint("member_id", "key"),
        sa.Index("ix_point_entries_member", "member_id", sa.text("id DESC")),
        sa.Index("ix_point_entries_at", "at", "id"),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    key: Mapped[str]
    """That of the ledger's entry."""
    kind: Mapped[EntryKind]
    source: Mapped[PointSource | None]
    """Where they came from, for those that came in."""
    available_change: Mapped[int] = mapped_column(server_default=sa.text("0"))
    pending_change: Mapped[int] = mapped_column(server_default=sa.text("0"))
    debt_change: Mapped[int] = mapped_column(server_default=sa.text("0"))
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    reason: Mapped[str] = mapped_column(server_default="")
    actor: Mapped[str]
    at: Mapped[datetime]
