"""Orders, their lines, payments and refunds."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from app.kernel.db import Base, Id
from app.orders.errors import OrderNotInState, RefundNotInState
from app.orders.states import (
    OrderEvent,
    OrderState,
    RefundEvent,
    RefundState,
    after_order,
    after_refund,
)


class Fulfilment(StrEnum):
    """How the customer gets what they bought."""

    SERVICE = "service"
    PICKUP = "pickup"
    DELIVERY = "delivery"


class Order(Base):
    """One purchase by one member from one store.

    Everything that decides about commission is copied here and never changes: whose customer the
    buyer was when the order was made. Amounts: payable = goods - discount + shipping.
    `refunding_fen` is reserved by refunds on their way, `refunded_fen` has gone back.
    """

    __tablename__ = "orders"
    __table_args__ = (
        sa.CheckConstraint("goods_fen > 0 AND payable_fen > 0", name="amounts"),
        sa.CheckConstraint("discount_fen >= 0 AND shipping_fen >= 0", name="not_negative"),
        sa.CheckConstraint("payable_fen = goods_fen - discount_fen + shipping_fen", name="payable"),
        sa.CheckConstraint(
            "refunded_fen >= 0 AND refunding_fen >= 0 AND refunded_fen + refunding_fen <= paid_fen",
            name="refunds",
        ),
        sa.CheckConstraint("paid_fen IN (0, payable_fen)", name="paid_whole"),
        sa.CheckConstraint("held_for IS NULL OR let_go_at IS NULL", name="held_once"),
        sa.Index("ix_orders_member", "member_id", sa.text("id DESC")),
        sa.Index("ix_orders_store", "store_id", sa.text("id DESC")),
        sa.Index("ix_orders_paid", "paid_at", "id"),
        sa.Index("ix_orders_created", "created_at", "id"),
        sa.Index("ix_orders_payable", "payable_fen", "id"),
        sa.Index(
            "ix_orders_owner",
            "owner_id",
            sa.text("id DESC"),
            postgresql_where=sa.text("owner_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_orders_state",
            "state",
            sa.text("id DESC"),
            postgresql_where=sa.text("state <> 'settled'"),
        ),
        sa.Index("ix_orders_completed", "completed_at"),
        sa.Index(
            "ix_orders_to_hand_over",
            "store_id",
            "id",
            postgresql_where=sa.text("state = 'paid'"),
        ),
        sa.Index(
            "ix_orders_owner_paid",
            "owner_id",
            "paid_at",
            postgresql_where=sa.text("paid_at IS NOT NULL"),
        ),
        sa.Index("ix_orders_unpaid", "pay_by_at", postgresql_where=sa.text("state = 'created'")),
        sa.Index(
            "ix_orders_to_settle",
            "after_sale_until_at",
            postgresql_where=sa.text("state = 'completed'"),
        ),
        sa.Index("ix_orders_paid_late", "id", postgresql_where=sa.text("state = 'paid_late'")),
        sa.Index(
            "ix_orders_deal",
            sa.text("((deal ->> 'activity_id')::bigint)"),
            "id",
            postgresql_where=sa.text("deal IS NOT NULL"),
        ),
        sa.Index(
            "ix_orders_settled_sales",
            "owner_id",
            "settled_at",
            postgresql_where=sa.text("settled_at IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    """Also WeChat's out_trade_no; fixed before anything is sent."""
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    state: Mapped[OrderState]
    fulfilment: Mapped[Fulfilment]
    goods_fen: Mapped[int]
    discount_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    shipping_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    payable_fen: Mapped[int]
    paid_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    refunding_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    refunded_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("distributors.member_id"))
    binding_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bindings.id"))
    upline: Mapped[list[Any] | None]
    """Buyer, owner, owner's recommender ... as they stood when the money came (`values.Seat`)."""
    created_at: Mapped[datetime]
    pay_by_at: Mapped[datetime]
    close_requested_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    after_sale_until_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    deal: Mapped[dict[str, Any] | None]
    """The offer of an activity it was made by (`deals.Deal`). Never changes."""
    held_for: Mapped[str | None]
    """Who keeps it from being handed over, as a group that still waits for others."""
    let_go_at: Mapped[datetime | None]

    lines: Mapped[list["OrderLine"]] = relationship(
        order_by="OrderLine.id", back_populates="order", lazy="raise_on_sql"
    )
    steps: WriteOnlyMapped["OrderStep"] = relationship(
        order_by="OrderStep.id", cascade="save-update"
    )

    def advance(self, event: OrderEvent, *, now: datetime, actor: str, note: str = "") -> None:
        """Move along the table of states and leave a trace. The row must be locked."""
        target = after_order(self.state, event)
        if target is None:
            raise OrderNotInState(self.state, event)
        self.steps.add(OrderStep(event=event, to_state=target, at=now, actor=actor, note=note))
        self.state = target


class OrderLine(Base):
    """One product of an order, with price and title as they were.

    `net_fen` is what the customer pays for it after discounts: the base of commission and the most
    that can be refunded of it.
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        sa.CheckConstraint("quantity BETWEEN 1 AND 999", name="quantity"),
        sa.CheckConstraint("net_fen >= 0 AND net_fen <= unit_price_fen * quantity", name="net"),
        sa.CheckConstraint(
            "refunded_fen >= 0 AND refunding_fen >= 0 AND refunded_fen + refunding_fen <= net_fen",
            name="refunds",
        ),
        sa.CheckConstraint(
            "refunded_quantity >= 0 AND refunded_quantity <= quantity", name="refunded_quantity"
        ),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    title: Mapped[str]
    is_service: Mapped[bool]
    is_distributable: Mapped[bool]
    unit_price_fen: Mapped[int]
    quantity: Mapped[int]
    net_fen: Mapped[int]
    refunding_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    refunded_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    refunded_quantity: Mapped[int] = mapped_column(server_default=sa.text("0"))
    plan_version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("plan_versions.id"))
    """The plan version in force when the order was made. Never changes."""

    order: Mapped[Order] = relationship(back_populates="lines", lazy="raise_on_sql")


class OrderStep(Base):
    """One event in the life of an order, and the state it led to. Never changed."""

    __tablename__ = "order_steps"

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    event: Mapped[OrderEvent]
    to_state: Mapped[OrderState]
    at: Mapped[datetime]
    actor: Mapped[str]
    note: Mapped[str]


class Payment(Base):
    """What we know of an order's payment at WeChat. One for each order that was ever offered.

    `due_at` is when WeChat is to be asked next; NULL once the end is known.
    """

    __tablename__ = "payments"
    __table_args__ = (
        sa.Index("ix_payments_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
        sa.CheckConstraint(
            "(wechat_transaction_id IS NULL) = (succeeded_at IS NULL)", name="success_whole"
        ),
    )

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), primary_key=True)
    payer_openid: Mapped[str]
    prepay_id: Mapped[str | None]
    prepay_expires_at: Mapped[datetime | None]
    offered_at: Mapped[datetime]
    wechat_transaction_id: Mapped[str | None] = mapped_column(unique=True)
    succeeded_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    queries: Mapped[int] = mapped_column(server_default=sa.text("0"))


class Refund(Base):
    """Money on its way back to a customer. `number` is WeChat's out_refund_no, ours, for life.

    `due_at` is when the next step is to be tried; NULL while a person decides and at the end.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        sa.CheckConstraint("amount_fen > 0", name="amount"),
        sa.CheckConstraint("points_back >= 0 AND coupons_back >= 0", name="returned"),
        sa.Index("ix_refunds_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
        sa.Index(
            "ix_refunds_state",
            "state",
            sa.text("id DESC"),
            postgresql_where=sa.text("state <> 'succeeded'"),
        ),
        sa.Index(
            "ix_refunds_waiting",
            "state",
            "id",
            postgresql_where=sa.text("state IN ('requested', 'abnormal')"),
        ),
        sa.Index("ix_refunds_ended", "ended_at", postgresql_where=sa.text("ended_at IS NOT NULL")),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(sa.String(32), unique=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    amount_fen: Mapped[int]
    reason: Mapped[str]
    state: Mapped[RefundState]
    requested_by: Mapped[str]
    returns_stock: Mapped[bool] = mapped_column(server_default=sa.false())
    """Whether the goods go back on the shelf: they were never handed over, or staff said so."""
    wechat_refund_id: Mapped[str | None] = mapped_column(unique=True)
    requested_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    """When it last went out; NULL again where WeChat certainly did nothing with it."""
    ended_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=sa.text("0"))
    points_back: Mapped[int] = mapped_column(server_default=sa.text("0"))
    """How many of the points that were spent on the order came back with it."""
    coupons_back: Mapped[int] = mapped_column(server_default=sa.text("0"))
    """How many coupons came back with it; only with the refund that ends the order."""

    lines: Mapped[list["RefundLine"]] = relationship(order_by="RefundLine.id", lazy="raise_on_sql")
    steps: WriteOnlyMapped["RefundStep"] = relationship(
        order_by="RefundStep.id", cascade="save-update"
    )

    def advance(self, event: RefundEvent, *, now: datetime, actor: str, note: str = "") -> None:
        """Move along the table of states and leave a trace. The row must be locked."""
        target = after_refund(self.state, event)
        if target is None:
            raise RefundNotInState(self.state, event)
        self.steps.add(RefundStep(event=event, to_state=target, at=now, actor=actor, note=note))
        self.state = target


class RefundLine(Base):
    """How much of which order line a refund gives back. Never changed."""

    __tablename__ = "refund_lines"
    __table_args__ = (
        sa.UniqueConstraint("refund_id", "order_line_id"),
        sa.CheckConstraint("amount_fen >= 0 AND quantity >= 0", name="amounts"),
    )

    id: Mapped[Id]
    refund_id: Mapped[int] = mapped_column(sa.ForeignKey("refunds.id"))
    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), index=True)
    quantity: Mapped[int]
    amount_fen: Mapped[int]


class RefundStep(Base):
    """One event in the life of a refund, and the state it led to. Never changed."""

    __tablename__ = "refund_steps"

    id: Mapped[Id]
    refund_id: Mapped[int] = mapped_column(sa.ForeignKey("refunds.id"), index=True)
    event: Mapped[RefundEvent]
    to_state: Mapped[RefundState]
    at: Mapped[datetime]
    actor: Mapped[str]
    note: Mapped[str]
