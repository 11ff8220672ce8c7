"""What was recorded stays: triggers that refuse changes of history and of published facts.

The application role has no right to change these tables either; the triggers also stop a
migration or a person with more rights from doing it by mistake. Whoever goes further, and switches
triggers off, is found by the hash chains.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "ledger_entries",
    "ledger_transfers",
    "ledger_seals",
    "audit_log",
    "touches",
    "inbox_notices",
    "distributor_steps",
    "binding_steps",
    "order_steps",
    "refund_steps",
    "refund_lines",
    "payout_steps",
    "bill_steps",
    "stock_movements",
    "award_refusals",
    "award_reversals",
    "order_decisions",
    "refund_decisions",
)

FROZEN_COLUMNS = {
    "orders": (
        "orders_snapshot",
        (
            "number member_id store_id goods_fen discount_fen shipping_fen payable_fen owner_id"
            " binding_id created_at"
        ),
    ),
    "order_lines": (
        "order_lines_snapshot",
        "order_id product_id unit_price_fen quantity net_fen is_distributable plan_version_id",
    ),
    "awards": (
        "awards_grant",
        (
            "order_id order_line_id plan_version_id beneficiary_id kind seat base_fen rate_bp"
            " amount_fen explanation"
        ),
    ),
    "payouts": (
        "payouts_request",
        "number member_id amount_fen payee_openid needs_second_approval requested_at",
    ),
    "payout_bills": ("payout_bills_request", "number payout_id amount_fen payee_openid"),
    "refunds": ("refunds_request", "number order_id amount_fen requested_at"),
    "ledger_accounts": ("ledger_accounts_address", "name unit member_id"),
}


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
    """)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table, (trigger, columns) in FROZEN_COLUMNS.items():
        changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in columns.split())
        op.execute(
            f"CREATE TRIGGER {trigger} BEFORE UPDATE ON {table}"
            f" FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER orders_upline BEFORE UPDATE ON orders FOR EACH ROW"
        " WHEN (OLD.upline IS NOT NULL AND OLD.upline IS DISTINCT FROM NEW.upline)"
        " EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER plan_versions_published BEFORE UPDATE ON plan_versions FOR EACH ROW"
        " WHEN (OLD.state IN ('published', 'retired') AND (OLD.rules IS DISTINCT FROM NEW.rules"
        " OR OLD.plan_id IS DISTINCT FROM NEW.plan_id OR OLD.number IS DISTINCT FROM NEW.number"
        " OR OLD.effective_from_at IS DISTINCT FROM NEW.effective_from_at"
        " OR OLD.approver_id IS DISTINCT FROM NEW.approver_id))"
        " EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER plan_versions_published ON plan_versions")
    op.execute("DROP TRIGGER orders_upline ON orders")
    for table, (trigger, _) in FROZEN_COLUMNS.items():
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER {table}_truncate ON {table}")
        op.execute(f"DROP TRIGGER {table}_rows ON {table}")
    op.execute("DROP FUNCTION refuse_change()")
