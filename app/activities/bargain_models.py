"""Bargains and the cuts of friends."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.activities.states import BargainState
from app.kernel.db import Base, Id


class Bargain(Base):
    """One member's way from a price to its floor, in `parts` that were drawn when it began.

    `seed` decides every part (`bargain_plan.parts`), `commitment` is its digest and is shown from
    the start, the seed once it is over: whoever was told "nearly there" can check it.
    """

    __tablename__ = "bargains"
    __table_args__ = (
        sa.CheckConstraint("floor_fen >= 1 AND floor_fen < start_fen", name="prices"),
        sa.CheckConstraint(
            "parts_cut BETWEEN 0 AND parts AND cut_fen >= 0 AND cut_fen <= start_fen - floor_fen"
            " AND (parts_cut = parts) = (cut_fen = start_fen - floor_fen)",
            name="cut",
        ),
        sa.CheckConstraint("(state IN ('ordered', 'bought')) = (order_id IS NOT NULL)", "ordered"),
        sa.CheckConstraint("(state IN ('bought', 'expired')) = (ended_at IS NOT NULL)", "ended"),
        sa.Index(
            "uq_bargains_live",
            "item_id",
            "member_id",
            unique=True,
            postgresql_where=sa.text("state IN ('open', 'ordered')"),
        ),
        sa.Index("ix_bargains_due", "expires_at", postgresql_where=sa.text("state = 'open'")),
        sa.Index("ix_bargains_activity", "activity_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(32), unique=True)
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activities.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("activity_items.id"))
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("activity_entries.id"), unique=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"), index=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"), unique=True)
    state: Mapped[BargainState]
    start_fen: Mapped[int]
    floor_fen: Mapped[int]
    parts: Mapped[int]
    parts_cut: Mapped[int] = mapped_column(server_default=sa.text("0"))
    cut_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    seed: Mapped[str] = mapped_column(sa.String(64))
    commitment: Mapped[str] = mapped_column(sa.String(64))
    begun_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    @property
    def price_fen(self) -> int:
        """Return what it costs now."""
        return self.start_fen - self.cut_fen


class BargainCut(Base):
    """What one person cut off, `parts` parts of the plan at once. Never changed."""

    __tablename__ = "bargain_cuts"
    __table_args__ = (
        sa.UniqueConstraint("bargain_id", "helper_id"),
        sa.UniqueConstraint("bargain_id", "first_part"),
        sa.CheckConstraint("first_part >= 0 AND parts >= 1 AND amount_fen >= 1", name="amounts"),
    )

    id: Mapped[Id]
    bargain_id: Mapped[int] = mapped_column(sa.ForeignKey("bargains.id"))
    helper_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"), index=True)
    first_part: Mapped[int]
    parts: Mapped[int]
    amount_fen: Mapped[int]
    is_newcomer: Mapped[bool]
    at: Mapped[datetime]
