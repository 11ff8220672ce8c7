"""The points mall: what can be had for points, and who exchanged what."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id
from app.points.states import ExchangeKind, ExchangeState


class MallItem(Base):
    """Something to be had for points: a product, fetched in a store, or a coupon.

    `exchanged` pieces of `stock` are promised or gone. `store_ids` NULL is every store.
    """

    __tablename__ = "mall_items"
    __table_args__ = (
        sa.CheckConstraint("char_length(title) BETWEEN 1 AND 60", name="title"),
        sa.CheckConstraint("points BETWEEN 1 AND 10000000", name="points"),
        sa.CheckConstraint("exchanged >= 0 AND exchanged <= stock", name="never_oversold"),
        sa.CheckConstraint("limit_per_member >= 1", name="limit_per_member"),
        sa.CheckConstraint("store_ids IS NULL OR cardinality(store_ids) > 0", name="stores"),
        sa.CheckConstraint(
            "(kind = 'product') = (product_id IS NOT NULL)"
            " AND (kind = 'coupon') = (template_id IS NOT NULL)",
            name="what",
        ),
        sa.Index("ix_mall_items_published", "id", postgresql_where=sa.text("is_published")),
    )

    id: Mapped[Id]
    kind: Mapped[ExchangeKind]
    title: Mapped[str]
    title_en: Mapped[str] = mapped_column(server_default="")
    description: Mapped[str] = mapped_column(server_default="")
    points: Mapped[int]
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("products.id"), index=True)
    template_id: Mapped[int | None]
    """The coupon's template; no foreign key, because coupons and points do not know each other."""
    store_ids: Mapped[list[int] | None] = mapped_column(sa.ARRAY(sa.BigInteger))
    stock: Mapped[int]
    exchanged: Mapped[int] = mapped_column(server_default=sa.text("0"))
    limit_per_member: Mapped[int | None]
    is_published: Mapped[bool] = mapped_column(server_default=sa.false())
    created_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.title


class MallTally(Base):
    """How many pieces of an item one member has and did not cancel: exact in any race."""

    __tablename__ = "mall_tallies"
    __table_args__ = (sa.CheckConstraint("taken >= 0", name="taken"),)

    item_id: Mapped[int] = mapped_column(sa.ForeignKey("mall_items.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(
        sa.ForeignKey("members.id"), primary_key=True, index=True
    )
    taken: Mapped[int]


class MallExchange(Base):
    """One piece that a member had for points, with title and price as they were."""

    __tablename__ = "mall_exchanges"
    __table_args__ = (
        sa.CheckConstraint("points > 0", name="points"),
        sa.CheckConstraint("(kind = 'product') = (store_id IS NOT NULL)", name="store"),
        sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended"),
        sa.CheckConstraint("(state = 'given') = (coupon_id IS NOT NULL)", name="coupon"),
        sa.Index("ix_mall_exchanges_member", "member_id", sa.text("id DESC")),
        sa.Index("ix_mall_exchanges_store", "store_id", sa.text("id DESC")),
        sa.Index("ix_mall_exchanges_item", "item_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("mall_items.id"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    kind: Mapped[ExchangeKind]
    title: Mapped[str]
    points: Mapped[int]
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("products.id"), index=True)
    is_stocked: Mapped[bool]
    """Whether a piece of the store's stock is set aside for it: goods, not services."""
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"))
    """Where it is fetched."""
    coupon_id: Mapped[int | None]
    """The coupon that was given; no foreign key, as for the template."""
    state: Mapped[ExchangeState]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ExchangeStep(Base):
    """One event in the life of an exchange, and the state it led to. Never changed."""

    __tablename__ = "mall_exchange_steps"

    id: Mapped[Id]
    exchange_id: Mapped[int] = mapped_column(sa.ForeignKey("mall_exchanges.id"), index=True)
    to_state: Mapped[ExchangeState]
    at: Mapped[datetime]
    actor: Mapped[str]
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"))
    """The store it was handed over in."""
    reason: Mapped[str] = mapped_column(server_default="")
