"""What took how much off which line of an order. Written with the order, never changed."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, Id
from app.orders.pricing import DiscountKind


class OrderDiscount(Base):
    """One step from the price of the goods to what was payable, in its place in the chain.

    `amount_fen` is what it took of the whole order, and the sum of its lines. `rule` is what it
    took by, as it was then: a deal's price, a level's share, a coupon's terms, what a point was
    worth. An order holds one deal, one level and one spending of points at most, any number of
    coupons that go with others, and one that does not.
    """

    __tablename__ = "order_discounts"
    __table_args__ = (
        sa.CheckConstraint("amount_fen > 0", name="amount"),
        sa.CheckConstraint("(kind = 'coupon') = (coupon_id IS NOT NULL)", name="coupon_whole"),
        sa.CheckConstraint("(kind = 'points') = (points IS NOT NULL)", name="points_whole"),
        sa.CheckConstraint("points > 0", name="points"),
        sa.CheckConstraint("is_stackable OR kind = 'coupon'", name="stackable"),
        sa.UniqueConstraint("order_id", "position"),
        sa.UniqueConstraint("order_id", "coupon_id"),
        sa.Index(
            "uq_order_discounts_kind",
            "order_id",
            "kind",
            unique=True,
            postgresql_where=sa.text("kind <> 'coupon'"),
        ),
        sa.Index(
            "uq_order_discounts_alone",
            "order_id",
            unique=True,
            postgresql_where=sa.text("NOT is_stackable"),
        ),
        sa.Index(
            "ix_order_discounts_coupon",
            "coupon_id",
            postgresql_where=sa.text("coupon_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    position: Mapped[int]
    kind: Mapped[DiscountKind]
    title: Mapped[str]
    amount_fen: Mapped[int]
    coupon_id: Mapped[int | None] = mapped_column(sa.ForeignKey("coupons.id"))
    points: Mapped[int | None]
    is_stackable: Mapped[bool] = mapped_column(server_default=sa.true())
    rule: Mapped[dict[str, Any]]

    lines: Mapped[list["OrderLineDiscount"]] = relationship(
        order_by="OrderLineDiscount.order_line_id", lazy="raise_on_sql"
    )


class OrderLineDiscount(Base):
    """What a discount took of one line, of what the line still cost before it."""

    __tablename__ = "order_line_discounts"
    __table_args__ = (
        sa.CheckConstraint("amount_fen > 0 AND amount_fen <= of_fen", name="amount"),
        sa.Index("ix_order_line_discounts_order_line_id", "order_line_id"),
    )

    discount_id: Mapped[int] = mapped_column(sa.ForeignKey("order_discounts.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), primary_key=True)
    amount_fen: Mapped[int]
    of_fen: Mapped[int]
