"""What took how much off an order, deals of activities, and what came back with refunds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

KINDS = ("deal", "level", "coupon", "points")
APPEND_ONLY = ("order_discounts", "order_line_discounts")
RETURNED = ("points_back", "coupons_back")


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    kind = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    return sa.Column(name, kind, nullable=nullable)


def upgrade() -> None:
    _widen_orders()
    _create_discounts()
    _create_line_discounts()
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _widen_orders() -> None:
    op.add_column("orders", _json("deal", nullable=True))
    op.add_column("orders", sa.Column("held_for", sa.Text(), nullable=True))
    op.add_column("orders", sa.Column("let_go_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        "held_once", "orders", "held_for IS NULL OR let_go_at IS NULL", postgresql_not_valid=True
    )
    op.execute("ALTER TABLE orders VALIDATE CONSTRAINT ck_orders_held_once")
    op.create_index(
        "ix_orders_deal",
        "orders",
        [sa.text("((deal ->> 'activity_id')::bigint)"), "id"],
        postgresql_where=sa.text("deal IS NOT NULL"),
    )
    op.execute(
        "CREATE TRIGGER orders_deal BEFORE UPDATE ON orders FOR EACH ROW"
        " WHEN (OLD.deal IS DISTINCT FROM NEW.deal"
        " OR (NEW.held_for IS NOT NULL AND OLD.held_for IS DISTINCT FROM NEW.held_for))"
        " EXECUTE FUNCTION refuse_change()"
    )
    for name in RETURNED:
        column = sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        op.add_column("refunds", column)
    op.create_check_constraint(
        "returned", "refunds", "points_back >= 0 AND coupons_back >= 0", postgresql_not_valid=True
    )
    op.execute("ALTER TABLE refunds VALIDATE CONSTRAINT ck_refunds_returned")


def _create_discounts() -> None:
    kind = sa.Enum(
        *KINDS, name="discountkind", native_enum=False, create_constraint=True, length=32
    )
    op.create_table(
        "order_discounts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _number("order_id"),
        _number("position"),
        sa.Column("kind", kind, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        _number("amount_fen"),
        _number("coupon_id", nullable=True),
        _number("points", nullable=True),
        sa.Column("is_stackable", sa.Boolean(), server_default=sa.true(), nullable=False),
        _json("rule"),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_order_discounts_amount")),
        sa.CheckConstraint(
            "(kind = 'coupon') = (coupon_id IS NOT NULL)",
            name=op.f("ck_order_discounts_coupon_whole"),
        ),
        sa.CheckConstraint(
            "(kind = 'points') = (points IS NOT NULL)", name=op.f("ck_order_discounts_points_whole")
        ),
        sa.CheckConstraint("points > 0", name=op.f("ck_order_discounts_points")),
        sa.CheckConstraint(
            "is_stackable OR kind = 'coupon'", name=op.f("ck_order_discounts_stackable")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_order_discounts_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["coupon_id"], ["coupons.id"], name=op.f("fk_order_discounts_coupon_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_discounts")),
        sa.UniqueConstraint(
            "order_id", "position", name=op.f("uq_order_discounts_order_id_position")
        ),
        sa.UniqueConstraint(
            "order_id", "coupon_id", name=op.f("uq_order_discounts_order_id_coupon_id")
        ),
    )
    op.create_index(
        "uq_order_discounts_kind",
        "order_discounts",
        ["order_id", "kind"],
        unique=True,
        postgresql_where=sa.text("kind <> 'coupon'"),
    )
    op.create_index(
        "uq_order_discounts_alone",
        "order_discounts",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("NOT is_stackable"),
    )
    op.create_index(
        "ix_order_discounts_coupon",
        "order_discounts",
        ["coupon_id"],
        postgresql_where=sa.text("coupon_id IS NOT NULL"),
    )


def _create_line_discounts() -> None:
    op.create_table(
        "order_line_discounts",
        _number("discount_id"),
        _number("order_line_id"),
        _number("amount_fen"),
        _number("of_fen"),
        sa.CheckConstraint(
            "amount_fen > 0 AND amount_fen <= of_fen", name=op.f("ck_order_line_discounts_amount")
        ),
        sa.ForeignKeyConstraint(
            ["discount_id"],
            ["order_discounts.id"],
            name=op.f("fk_order_line_discounts_discount_id"),
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"],
            ["order_lines.id"],
            name=op.f("fk_order_line_discounts_order_line_id"),
        ),
        sa.PrimaryKeyConstraint(
            "discount_id", "order_line_id", name=op.f("pk_order_line_discounts")
        ),
    )
    op.create_index(
        "ix_order_line_discounts_order_line_id", "order_line_discounts", ["order_line_id"]
    )


def downgrade() -> None:
    op.drop_table("order_line_discounts")
    op.drop_table("order_discounts")
    op.drop_constraint(op.f("ck_refunds_returned"), "refunds", type_="check")
    for name in RETURNED:
        op.drop_column("refunds", name)
    op.execute("DROP TRIGGER orders_deal ON orders")
    op.drop_index("ix_orders_deal", "orders")
    op.drop_constraint(op.f("ck_orders_held_once"), "orders", type_="check")
    for name in ("let_go_at", "held_for", "deal"):
        op.drop_column("orders", name)
