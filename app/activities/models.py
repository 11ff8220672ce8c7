"""Activities, what they offer, and what members took of it."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.activities.errors import ActivityNotInState
from app.activities.states import (
    ActivityEvent,
    ActivityKind,
    ActivityState,
    EntryState,
    after,
)
from app.kernel.db import Base, Id

NAME_LENGTH_MAX = 60


class Activity(Base):
    """One promotion with a beginning and an end, in some stores or, with None, in all.

    `rules` is validated by the pydantic class of its kind. `limit_per_member` counts what one
    member may take (pieces, groups, bargains, draws: the kind says which), `limit_total` what all
    may; `taken` is what all have taken and not given back, counted where there is a limit.
    """

    __tablename__ = "activities"
    __table_args__ = (
        sa.CheckConstraint(f"char_length(name) BETWEEN 1 AND {NAME_LENGTH_MAX}", name="name"),
        sa.CheckConstraint("starts_at < ends_at", name="period"),
        sa.CheckConstraint("store_ids IS NULL OR cardinality(store_ids) > 0", name="stores"),
        sa.CheckConstraint("limit_per_member >= 1", name="limit_per_member"),
        sa.CheckConstraint("limit_total >= 1", name="limit_total"),
        sa.CheckConstraint(
            "taken >= 0 AND (limit_total IS NULL OR taken <= limit_total)", name="never_above"
        ),
        sa.Index(
            "ix_activities_by_clock",
            "starts_at",
            postgresql_where=sa.text("state IN ('scheduled', 'running')"),
        ),
        sa.Index("ix_activities_state", "state", sa.text("id DESC")),
    )

    id: Mapped[Id]
    kind: Mapped[ActivityKind]
    name: Mapped[str]
    state: Mapped[ActivityState]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    store_ids: Mapped[list[int] | None] = mapped_column(sa.ARRAY(sa.BigInteger))
    rules: Mapped[dict[str, Any]]
    limit_per_member: Mapped[int | None]
    limit_total: Mapped[int | None]
    taken: Mapped[int] = mapped_column(server_default=sa.text("0"))
    pays_commission: Mapped[bool]
    created_by: Mapped[str]
    created_at: Mapped[datetime]

    items: Mapped[list["ActivityItem"]] = relationship(
        order_by="ActivityItem.id", back_populates="activity", lazy="raise_on_sql"
    )

    def advance(self, event: ActivityEvent) -> None:
        """Move along the table of states. The row must be locked; the caller writes the step."""
        target = after(self.state, event)
        if target is None:
            raise ActivityNotInState(self.state, event)
        self.state = target

    def __str__(self) -> str:
        return self.name


class ActivityItem(Base):
    """A product at an activity's price: its price in a sale or a group, the floor of a bargain.

    `sold` pieces are promised or gone; `stock` is what the activity gives, and the store's own
    stock is reserved besides by each order.
    """

    __tablename__ = "activity_items"
    __table_args__ = (
        sa.UniqueConstraint("activity_id", "product_id"),
        sa.CheckConstraint("price_fen BETWEEN 1 AND 100000000", name="price"),
        sa.CheckConstraint("sold >= 0 AND sold <= stock", name="never_oversold"),
    )

    id: Mapped[Id]
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activities.id"))
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    price_fen: Mapped[int]
    stock: Mapped[int]
    sold: Mapped[int] = mapped_column(server_default=sa.text("0"))

    activity: Mapped[Activity] = relationship(back_populates="items", lazy="raise_on_sql")


class ActivityStep(Base):
    """One event in the life of an activity, and the state it led to. Never changed."""

    __tablename__ = "activity_steps"

    id: Mapped[Id]
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activities.id"), index=True)
    event: Mapped[ActivityEvent]
    to_state: Mapped[ActivityState]
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str]


class ActivityEntry(Base):
    """What one member took of an activity at one time: the pieces, the order, at which price.

    `regular_fen` is what a piece costs without the activity, `price_fen` what it costs here;
    both are None where nothing is sold. `is_newcomer` says that the member had never paid before.
    """

    __tablename__ = "activity_entries"
    __table_args__ = (
        sa.CheckConstraint("quantity >= 1", name="quantity"),
        sa.CheckConstraint("(state = 'released') = (released_at IS NOT NULL)", name="released"),
        sa.Index("ix_activity_entries_activity", "activity_id", sa.text("id DESC")),
        sa.Index("ix_activity_entries_member", "member_id", sa.text("id DESC")),
        sa.Index(
            "uq_activity_entries_order",
            "order_id",
            unique=True,
            postgresql_where=sa.text("order_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activities.id"))
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("activity_items.id"), index=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"))
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"))
    quantity: Mapped[int]
    regular_fen: Mapped[int | None]
    price_fen: Mapped[int | None]
    is_newcomer: Mapped[bool]
    state: Mapped[EntryState]
    created_at: Mapped[datetime]
    released_at: Mapped[datetime | None]


class ActivityTally(Base):
    """How much one member has taken of an activity and not given back: exact in any race."""

    __tablename__ = "activity_tallies"
    __table_args__ = (sa.CheckConstraint("taken >= 0", name="taken"),)

    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activities.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(
        sa.ForeignKey("members.id"), primary_key=True, index=True
    )
    taken: Mapped[int]


class ActivityDay(Base):
    """How often one member acted in an activity on one business day, such as cuts for friends."""

    __tablename__ = "activity_days"
    __table_args__ = (sa.CheckConstraint("acts >= 1", name="acts"),)

    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activities.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(
        sa.ForeignKey("members.id"), primary_key=True, index=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    acts: Mapped[int]
