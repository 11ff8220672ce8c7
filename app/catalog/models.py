"""Products and stock. Stock movements are written once and never changed."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id


class ProductKind(StrEnum):
    """Goods have stock; a service has none and is redeemed in a store."""

    GOODS = "goods"
    SERVICE = "service"


class Product(Base):
    """Something a customer can buy. Orders copy what they need, so it may change any time.

    `is_refundable` says whether the brand takes it back within the after-sale window, `is_medical`
    whether it is medical aesthetics (医美). Both are what the compliance check of a plan asks for.
    """

    __tablename__ = "products"
    __table_args__ = (
        sa.CheckConstraint("price_fen > 0 AND price_fen <= 100000000", name="price"),
        sa.CheckConstraint("list_price_fen >= price_fen", name="list_price"),
    )

    id: Mapped[Id]
    kind: Mapped[ProductKind]
    title: Mapped[str] = mapped_column(sa.String(80))
    title_en: Mapped[str] = mapped_column(sa.String(80), server_default="")
    description: Mapped[str] = mapped_column(server_default="")
    price_fen: Mapped[int]
    list_price_fen: Mapped[int]
    is_published: Mapped[bool] = mapped_column(server_default=sa.false())
    is_distributable: Mapped[bool] = mapped_column(server_default=sa.true())
    is_refundable: Mapped[bool] = mapped_column(server_default=sa.true())
    is_medical: Mapped[bool] = mapped_column(server_default=sa.false())
    created_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.title


class StockLevel(Base):
    """What one store has of one product: on the shelf, and promised to unpaid orders.

    At `low_at` sellable pieces or fewer it is time to order more.
    """

    __tablename__ = "stock_levels"
    __table_args__ = (
        sa.CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="never_oversold"),
        sa.CheckConstraint("low_at >= 0", name="low_at"),
        sa.Index(
            "ix_stock_levels_low",
            "store_id",
            postgresql_where=sa.text("on_hand - reserved <= low_at"),
        ),
    )

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), primary_key=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), primary_key=True, index=True)
    on_hand: Mapped[int]
    reserved: Mapped[int] = mapped_column(server_default=sa.text("0"))
    low_at: Mapped[int] = mapped_column(server_default=sa.text("5"))


class StockMove(StrEnum):
    """Why stock changed."""

    RECEIVE = "receive"
    RESERVE = "reserve"
    RELEASE = "release"
    SELL = "sell"
    RETURN = "return"
    COUNT = "count"


class StockMovement(Base):
    """One change of a stock level. Never changed."""

    __tablename__ = "stock_movements"
    __table_args__ = (sa.Index("ix_stock_movements_product", "product_id", "store_id", "id"),)

    id: Mapped[Id]
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    move: Mapped[StockMove]
    on_hand_change: Mapped[int]
    reserved_change: Mapped[int]
    order_id: Mapped[int | None] = mapped_column(index=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
