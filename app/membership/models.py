"""Levels of the brand, who holds which, and the growth that reaches them."""

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id
from app.membership.states import Basis, GrowthSource, MoveCause


class MembershipLevel(Base):
    """A level of the brand; the higher `rank`, the better. What it brings stands on its versions.

    `evaluate_asked_at` is when staff asked to look at everybody again after its rules changed;
    `evaluated_at` is when that was done.
    """

    __tablename__ = "membership_levels"
    __table_args__ = (sa.CheckConstraint("rank BETWEEN 1 AND 99", name="rank"),)

    id: Mapped[Id]
    rank: Mapped[int] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    evaluate_asked_at: Mapped[datetime | None]
    evaluated_at: Mapped[datetime | None]


class LevelVersion(Base):
    """What a level asks for and brings, from an instant until its next version. Never changed.

    A level without `growth_at_least` is reached by no growth: it is bought, or set by hand.
    `discount_bp` is the share of the price that is still paid: 10000 is the full price. The gifts
    are rewards as `app.loyalty.rewards` writes them.
    """

    __tablename__ = "membership_level_versions"
    __table_args__ = (
        sa.CheckConstraint("growth_at_least >= 0", name="growth"),
        sa.CheckConstraint("discount_bp BETWEEN 1 AND 10000", name="discount"),
        sa.CheckConstraint("points_multiplier_bp BETWEEN 0 AND 100000", name="multiplier"),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 20", name="name"),
        sa.CheckConstraint("(paid_product_id IS NULL) = (paid_days IS NULL)", name="paid_whole"),
        sa.CheckConstraint("paid_days BETWEEN 1 AND 3650", name="paid_days"),
        sa.Index("ix_membership_level_versions_level", "level_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    level_id: Mapped[int] = mapped_column(sa.ForeignKey("membership_levels.id"))
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(server_default="")
    growth_at_least: Mapped[int | None]
    discount_bp: Mapped[int]
    points_multiplier_bp: Mapped[int]
    benefits: Mapped[str] = mapped_column(server_default="")
    benefits_en: Mapped[str] = mapped_column(server_default="")
    upgrade_gift: Mapped[list[Any]]
    birthday_gift: Mapped[list[Any]]
    excluded_product_ids: Mapped[list[Any]]
    """Products that the discount leaves out."""
    paid_product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("products.id"))
    """The service whose paid order grants the level for `paid_days`."""
    paid_days: Mapped[int | None]
    is_retired: Mapped[bool] = mapped_column(server_default=sa.false())
    """Nobody reaches or buys it any more; who holds it keeps it for the time they were given."""
    from_at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str]


LEVEL_NAME: Final = (
    sa.select(LevelVersion.name)
    .where(LevelVersion.level_id == MembershipLevel.id)
    .order_by(LevelVersion.from_at.desc(), LevelVersion.id.desc())
    .limit(1)
    .scalar_subquery()
)
"""What a level is called by its newest rules, for queries of levels."""


class Membership(Base):
    """Where a member stands: the sum of their growth, and the level that counts.

    The row is the lock under which everything about a member's level is decided. Both figures can
    be rebuilt: growth from its entries, the level from the holdings. Without a row, and without a
    level in it, a member stands at the level that asks for no growth.
    """

    __tablename__ = "memberships"
    __table_args__ = (
        sa.Index("ix_memberships_level", "level_id", "member_id"),
        sa.Index("ix_memberships_growth", "growth", "member_id"),
    )

    member_id: Mapped[int] = mapped_column(
        sa.ForeignKey("members.id"), primary_key=True, autoincrement=False
    )
    growth: Mapped[int] = mapped_column(server_default=sa.text("0"))
    level_id: Mapped[int | None] = mapped_column(sa.ForeignKey("membership_levels.id"))


class GrowthEntry(Base):
    """Growth that came or was taken back. Never changed.

    `counts_at` is the instant from which it counts for a year: what a refund takes back counts at
    the instant of what it takes back, so that nothing outlives its own reversal.
    """

    __tablename__ = "growth_entries"
    __table_args__ = (
        sa.CheckConstraint("amount <> 0", name="amount"),
        sa.Index("ix_growth_entries_member", "member_id", sa.text("id DESC")),
        sa.Index(
            "ix_growth_entries_window", "member_id", "counts_at", postgresql_include=["amount"]
        ),
        sa.Index("ix_growth_entries_order", "order_id"),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    amount: Mapped[int]
    source: Mapped[GrowthSource]
    order_id: Mapped[int | None]
    """Orders lie above this slice; the number is kept without a key."""
    counts_at: Mapped[datetime]
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")


class LevelHolding(Base):
    """The hold of a member on a level, from when to when, and on what it rests.

    One by growth ends when it is looked at again after `until_at`; the others end at `until_at` by
    themselves. `growth_needed` is what the level asked for when it was reached, whatever its rules
    say later.
    """

    __tablename__ = "level_holdings"
    __table_args__ = (
        sa.CheckConstraint("until_at > from_at", name="period"),
        sa.CheckConstraint("ended_at >= from_at", name="ended"),
        sa.CheckConstraint("(basis = 'growth') = (growth_needed IS NOT NULL)", name="needed"),
        sa.CheckConstraint("(basis = 'paid') = (order_id IS NOT NULL)", name="order"),
        sa.Index(
            "uq_level_holdings_open",
            "member_id",
            "basis",
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL AND basis <> 'paid'"),
        ),
        sa.UniqueConstraint("order_id", "level_id"),
        sa.Index("ix_level_holdings_member", "member_id", sa.text("id DESC")),
        sa.Index(
            "ix_level_holdings_until", "until_at", postgresql_where=sa.text("ended_at IS NULL")
        ),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    level_id: Mapped[int] = mapped_column(sa.ForeignKey("membership_levels.id"))
    basis: Mapped[Basis]
    growth_needed: Mapped[int | None]
    order_id: Mapped[int | None]
    """Orders lie above this slice; the number is kept without a key."""
    is_cap: Mapped[bool] = mapped_column(server_default=sa.false())
    """Set by hand below what growth deserves: growth does not lift it while it lasts."""
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    """When its holder was told that the growth of the year will not keep it."""
    actor: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")


class LevelMove(Base):
    """One change of the level that counts for a member, and why. Never changed.

    NULL stands for the level that asks for no growth.
    """

    __tablename__ = "level_moves"
    __table_args__ = (
        sa.CheckConstraint("from_level_id IS DISTINCT FROM to_level_id", name="moves"),
        sa.Index("ix_level_moves_member", "member_id", sa.text("id DESC")),
        sa.Index("ix_level_moves_at", "at", "id"),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    from_level_id: Mapped[int | None] = mapped_column(sa.ForeignKey("membership_levels.id"))
    to_level_id: Mapped[int | None] = mapped_column(sa.ForeignKey("membership_levels.id"))
    cause: Mapped[MoveCause]
    growth: Mapped[int]
    """The sum of growth just after."""
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
