"""Figures of days, kept so that dashboards need not count, and the indexes they are made by."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

FIGURES = [
    "paid_orders",
    "paid_fen",
    "distributor_orders",
    "distributor_fen",
    "first_orders",
    "completed_orders",
    "refunds",
    "refunded_fen",
    "new_members",
    "new_bindings",
    "touches",
    "new_distributors",
    "awards",
    "awards_fen",
    "clawbacks",
    "clawbacks_fen",
    "payouts",
    "payouts_fen",
]
STANDING = ("commission_pending_fen", "commission_available_fen", "clawback_debt_fen")

INDEXES = {
    "ix_orders_completed": ("orders", "completed_at", ""),
    "ix_touches_occurred": ("touches", "occurred_at", ""),
    "ix_distributors_approved": ("distributors", "approved_at", ""),
    "ix_awards_created": ("awards", "created_at", ""),
    "ix_award_reversals_created": ("award_reversals", "created_at", ""),
    "ix_payouts_ended": ("payouts", "ended_at", ""),
    "ix_orders_to_hand_over": ("orders", "store_id, id", "state = 'paid'"),
    "ix_inbox_notices_outcome": ("inbox_notices", "outcome", ""),
    "ix_refunds_waiting": ("refunds", "state, id", "state IN ('requested', 'abnormal')"),
    "ix_distributors_applied": ("distributors", "member_id", "standing = 'applied'"),
    "ix_tasks_quarantined": ("tasks", "id", "quarantined_at IS NOT NULL"),
}
"""What the figures of a day are counted by, and what waits for a person: found without looking at
what does not."""

NOTED = (
    ("orders", "paid_at"),
    ("orders", "completed_at"),
    ("refunds", "ended_at"),
    ("members", "registered_at"),
    ("bindings", "valid_from_at"),
    ("touches", "occurred_at"),
    ("distributors", "approved_at"),
    ("awards", "created_at"),
    ("award_reversals", "created_at"),
    ("payouts", "ended_at"),
)
"""Instants that put a row into the figures of a day."""

MOVED = (
    ("members", "origin_store_id", "registered_at"),
    ("distributors", "store_id", "approved_at"),
)
"""Columns that move a row from one store's figures of that day to another's."""

LATE = "now() - interval '23 hours'"
"""What is younger falls on today or yesterday, which every refresh makes again. An hour less than
a day leaves time for a transaction that began before midnight."""


def upgrade() -> None:
    _build_indexes()
    _tables()
    op.add_column(
        "stock_levels",
        sa.Column("low_at", sa.BigInteger(), server_default=sa.text("5"), nullable=False),
    )
    op.create_check_constraint(op.f("ck_stock_levels_low_at"), "stock_levels", "low_at >= 0")
    op.create_index(
        "ix_stock_levels_low",
        "stock_levels",
        ["store_id"],
        postgresql_where=sa.text("on_hand - reserved <= low_at"),
    )
    _triggers()


def _build_indexes() -> None:
    """Build beside the traffic, before anything else, so that an interrupted run can be repeated.

    What it left half-built is dropped first.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        for name, (table, columns, where) in INDEXES.items():
            only = f" WHERE {where}" if where else ""
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {table} ({columns}){only}")
        op.execute("SET lock_timeout = '200ms'")


def _tables() -> None:
    op.create_table(
        "day_figures",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=True),
        *(
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in FIGURES
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_day_figures_store_id")),
    )
    op.create_index(
        "uq_day_figures_once",
        "day_figures",
        ["day", "store_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_index("ix_day_figures_store", "day_figures", ["store_id", "day"])
    op.create_table(
        "day_totals",
        sa.Column("day", sa.Date(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in FIGURES
        ),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_day_totals")),
    )
    op.create_table(
        "standing_figures",
        sa.Column("store_id", sa.BigInteger(), nullable=True),
        *(
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in STANDING
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_standing_figures_store_id")
        ),
    )
    op.create_index(
        "uq_standing_figures_store",
        "standing_figures",
        ["store_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "figure_refreshes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_figure_refreshes")),
    )
    op.create_table(
        "days_to_redo",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "transaction_id",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text::bigint)"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_days_to_redo")),
    )
    op.create_index("ix_days_to_redo_transaction", "days_to_redo", ["transaction_id", "day"])


def _triggers() -> None:
    """Note days in the past that something is written into, once for each transaction."""
    op.execute("""
        CREATE FUNCTION note_day_to_redo() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            instant timestamptz := (to_jsonb(NEW) ->> TG_ARGV[0])::timestamptz;
            changed date := timezone('Asia/Shanghai', instant)::date;
        BEGIN
            INSERT INTO days_to_redo (day)
            SELECT changed WHERE NOT EXISTS (
                SELECT FROM days_to_redo
                WHERE transaction_id = pg_current_xact_id()::text::bigint AND day = changed
            );
            RETURN NULL;
        END $$
    """)
    for table, column in NOTED:
        op.execute(
            f"CREATE TRIGGER {table}_{column}_put AFTER INSERT ON {table} FOR EACH ROW"
            f" WHEN (NEW.{column} < {LATE}) EXECUTE FUNCTION note_day_to_redo('{column}')"
        )
        op.execute(
            f"CREATE TRIGGER {table}_{column}_set AFTER UPDATE OF {column} ON {table} FOR EACH ROW"
            f" WHEN (NEW.{column} IS DISTINCT FROM OLD.{column} AND NEW.{column} < {LATE})"
            f" EXECUTE FUNCTION note_day_to_redo('{column}')"
        )
    for table, store, column in MOVED:
        op.execute(
            f"CREATE TRIGGER {table}_{store}_set AFTER UPDATE OF {store} ON {table} FOR EACH ROW"
            f" WHEN (NEW.{store} IS DISTINCT FROM OLD.{store} AND NEW.{column} < {LATE})"
            f" EXECUTE FUNCTION note_day_to_redo('{column}')"
        )


def downgrade() -> None:
    for table, store, _ in MOVED:
        op.execute(f"DROP TRIGGER {table}_{store}_set ON {table}")
    for table, column in NOTED:
        op.execute(f"DROP TRIGGER {table}_{column}_set ON {table}")
        op.execute(f"DROP TRIGGER {table}_{column}_put ON {table}")
    op.execute("DROP FUNCTION note_day_to_redo()")
    op.drop_index("ix_stock_levels_low", table_name="stock_levels")
    op.drop_constraint(op.f("ck_stock_levels_low_at"), "stock_levels", type_="check")
    op.drop_column("stock_levels", "low_at")
    for name, (table, _, _) in INDEXES.items():
        op.drop_index(name, table_name=table)
    for table in (
        "days_to_redo",
        "figure_refreshes",
        "standing_figures",
        "day_totals",
        "day_figures",
    ):
        op.drop_table(table)
