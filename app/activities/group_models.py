"""Groups of people who buy together, and their seats."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.activities.states import GroupState, SeatState
from app.kernel.db import Base, Id

_LIVE = "state <> 'left'"


class BuyingGroup(Base):
    """So many people who buy one item together until `expires_at`; its row lock decides all.

    `code` is what a link to it carries, so that numbers of groups cannot be counted through.
    """

    __tablename__ = "buying_groups"
    __table_args__ = (
        sa.CheckConstraint("size BETWEEN 2 AND 100", name="size"),
        sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
        sa.Index(
            "uq_buying_groups_open",
            "item_id",
            "leader_id",
            unique=True,
            postgresql_where=sa.text("state = 'open'"),
        ),
        sa.Index("ix_buying_groups_due", "expires_at", postgresql_where=sa.text("state = 'open'")),
        sa.Index("ix_buying_groups_activity", "activity_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(32), unique=True)
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activities.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("activity_items.id"))
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    leader_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"), index=True)
    size: Mapped[int]
    state: Mapped[GroupState]
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class GroupSeat(Base):
    """One place in a group, held by an order. One seat has one live holder, one member one seat."""

    __tablename__ = "group_seats"
    __table_args__ = (
        sa.CheckConstraint("number >= 1", name="number"),
        sa.Index(
            "uq_group_seats_number",
            "group_id",
            "number",
            unique=True,
            postgresql_where=sa.text(_LIVE),
        ),
        sa.Index(
            "uq_group_seats_member",
            "group_id",
            "member_id",
            unique=True,
            postgresql_where=sa.text(_LIVE),
        ),
    )

    id: Mapped[Id]
    group_id: Mapped[int] = mapped_column(sa.ForeignKey("buying_groups.id"), index=True)
    number: Mapped[int]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"), index=True)
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("activity_entries.id"), unique=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), unique=True)
    state: Mapped[SeatState]
    at: Mapped[datetime]
    left_at: Mapped[datetime | None]
