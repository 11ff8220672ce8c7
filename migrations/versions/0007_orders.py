"""Orders, payments and refunds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "created",
                "paid",
                "completed",
                "settled",
                "closed",
                "paid_late",
                "refunded",
                name="orderstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "fulfilment",
            sa.Enum(
                "service",
                "pickup",
                "delivery",
                name="fulfilment",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("goods_fen", sa.BigInteger(), nullable=False),
        sa.Column("discount_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("shipping_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("payable_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refunding_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refunded_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("binding_id", sa.BigInteger(), nullable=True),
        sa.Column("upline", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pay_by_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("close_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("after_sale_until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "discount_fen >= 0 AND shipping_fen >= 0", name=op.f("ck_orders_not_negative")
        ),
        sa.CheckConstraint("goods_fen > 0 AND payable_fen > 0", name=op.f("ck_orders_amounts")),
        sa.CheckConstraint("paid_fen IN (0, payable_fen)", name=op.f("ck_orders_paid_whole")),
        sa.CheckConstraint(
            "payable_fen = goods_fen - discount_fen + shipping_fen", name=op.f("ck_orders_payable")
        ),
        sa.CheckConstraint(
            "refunded_fen >= 0 AND refunding_fen >= 0 AND refunded_fen + refunding_fen <= paid_fen",
            name=op.f("ck_orders_refunds"),
        ),
        sa.ForeignKeyConstraint(["binding_id"], ["bindings.id"], name=op.f("fk_orders_binding_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_orders_member_id")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["distributors.member_id"], name=op.f("fk_orders_owner_id")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_orders_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("number", name=op.f("uq_orders_number")),
    )
    op.create_index(
        "ix_orders_member", "orders", ["member_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_index(
        "ix_orders_paid_late",
        "orders",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state = 'paid_late'"),
    )
    op.create_index(
        "ix_orders_settled_sales",
        "orders",
        ["owner_id", "settled_at"],
        unique=False,
        postgresql_where=sa.text("settled_at IS NOT NULL"),
    )
    op.create_index(
        "ix_orders_store", "orders", ["store_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_index(
        "ix_orders_to_settle",
        "orders",
        ["after_sale_until_at"],
        unique=False,
        postgresql_where=sa.text("state = 'completed'"),
    )
    op.create_index(
        "ix_orders_unpaid",
        "orders",
        ["pay_by_at"],
        unique=False,
        postgresql_where=sa.text("state = 'created'"),
    )
    op.create_table(
        "order_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("is_service", sa.Boolean(), nullable=False),
        sa.Column("is_distributable", sa.Boolean(), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("refunding_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refunded_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "refunded_quantity", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("plan_version_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "net_fen >= 0 AND net_fen <= unit_price_fen * quantity", name=op.f("ck_order_lines_net")
        ),
        sa.CheckConstraint("quantity BETWEEN 1 AND 999", name=op.f("ck_order_lines_quantity")),
        sa.CheckConstraint(
            "refunded_fen >= 0 AND refunding_fen >= 0 AND refunded_fen + refunding_fen <= net_fen",
            name=op.f("ck_order_lines_refunds"),
        ),
        sa.CheckConstraint(
            "refunded_quantity >= 0 AND refunded_quantity <= quantity",
            name=op.f("ck_order_lines_refunded_quantity"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_lines_order_id")),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_versions.id"], name=op.f("fk_order_lines_plan_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_order_lines_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
    )
    op.create_index(op.f("ix_order_lines_order_id"), "order_lines", ["order_id"], unique=False)
    op.create_index(op.f("ix_order_lines_product_id"), "order_lines", ["product_id"], unique=False)
    op.create_table(
        "order_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "event",
            sa.Enum(
                "pay",
                "close",
                "pay_late",
                "complete",
                "settle",
                "refund",
                name="orderevent",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "to_state",
            sa.Enum(
                "created",
                "paid",
                "completed",
                "settled",
                "closed",
                "paid_late",
                "refunded",
                name="orderstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_steps_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_steps")),
    )
    op.create_index(op.f("ix_order_steps_order_id"), "order_steps", ["order_id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("payer_openid", sa.Text(), nullable=False),
        sa.Column("prepay_id", sa.Text(), nullable=True),
        sa.Column("prepay_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wechat_transaction_id", sa.Text(), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queries", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "(wechat_transaction_id IS NULL) = (succeeded_at IS NULL)",
            name=op.f("ck_payments_success_whole"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_payments_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_payments")),
        sa.UniqueConstraint(
            "wechat_transaction_id", name=op.f("uq_payments_wechat_transaction_id")
        ),
    )
    op.create_index(
        "ix_payments_due",
        "payments",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "approved",
                "sent",
                "abnormal",
                "succeeded",
                "failed",
                "rejected",
                name="refundstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("returns_stock", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("wechat_refund_id", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_refunds_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("number", name=op.f("uq_refunds_number")),
        sa.UniqueConstraint("wechat_refund_id", name=op.f("uq_refunds_wechat_refund_id")),
    )
    op.create_index(
        "ix_refunds_due",
        "refunds",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_refunds_order_id"), "refunds", ["order_id"], unique=False)
    op.create_table(
        "refund_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("refund_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "amount_fen >= 0 AND quantity >= 0", name=op.f("ck_refund_lines_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_refund_lines_order_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refunds.id"], name=op.f("fk_refund_lines_refund_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_lines")),
        sa.UniqueConstraint(
            "refund_id", "order_line_id", name=op.f("uq_refund_lines_refund_id_order_line_id")
        ),
    )
    op.create_index(
        op.f("ix_refund_lines_order_line_id"), "refund_lines", ["order_line_id"], unique=False
    )
    op.create_table(
        "refund_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("refund_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "event",
            sa.Enum(
                "approve",
                "reject",
                "send",
                "succeed",
                "fail",
                "get_stuck",
                name="refundevent",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "to_state",
            sa.Enum(
                "requested",
                "approved",
                "sent",
                "abnormal",
                "succeeded",
                "failed",
                "rejected",
                name="refundstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refunds.id"], name=op.f("fk_refund_steps_refund_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_steps")),
    )
    op.create_index(op.f("ix_refund_steps_refund_id"), "refund_steps", ["refund_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_refund_steps_refund_id"), table_name="refund_steps")
    op.drop_table("refund_steps")
    op.drop_index(op.f("ix_refund_lines_order_line_id"), table_name="refund_lines")
    op.drop_table("refund_lines")
    op.drop_index(op.f("ix_refunds_order_id"), table_name="refunds")
    op.drop_index(
        "ix_refunds_due", table_name="refunds", postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.drop_table("refunds")
    op.drop_index(
        "ix_payments_due", table_name="payments", postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.drop_table("payments")
    op.drop_index(op.f("ix_order_steps_order_id"), table_name="order_steps")
    op.drop_table("order_steps")
    op.drop_index(op.f("ix_order_lines_product_id"), table_name="order_lines")
    op.drop_index(op.f("ix_order_lines_order_id"), table_name="order_lines")
    op.drop_table("order_lines")
    op.drop_index(
        "ix_orders_unpaid", table_name="orders", postgresql_where=sa.text("state = 'created'")
    )
    op.drop_index(
        "ix_orders_to_settle", table_name="orders", postgresql_where=sa.text("state = 'completed'")
    )
    op.drop_index("ix_orders_store", table_name="orders")
    op.drop_index(
        "ix_orders_paid_late", table_name="orders", postgresql_where=sa.text("state = 'paid_late'")
    )
    op.drop_index(
        "ix_orders_settled_sales",
        table_name="orders",
        postgresql_where=sa.text("settled_at IS NOT NULL"),
    )
    op.drop_index("ix_orders_member", table_name="orders")
    op.drop_table("orders")
