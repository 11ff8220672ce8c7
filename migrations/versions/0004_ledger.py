"""The ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "transaction_id",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text::bigint)"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_entries_key")),
    )
    op.create_index(
        "ix_ledger_entries_transaction", "ledger_entries", ["transaction_id"], unique=False
    )
    op.create_table(
        "ledger_seals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("below_transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_count", sa.BigInteger(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_seals")),
        sa.UniqueConstraint(
            "below_transaction_id", name=op.f("uq_ledger_seals_below_transaction_id")
        ),
        sa.UniqueConstraint("previous_hash", name=op.f("uq_ledger_seals_previous_hash")),
    )
    op.create_table(
        "ledger_accounts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "name",
            sa.Enum(
                "commission_expense",
                "wechat_paid_out",
                "commission_pending",
                "commission_available",
                "payout_in_transit",
                "clawback_debt",
                name="name",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "unit",
            sa.Enum(
                "fen", "point", name="unit", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("member_id", sa.BigInteger(), nullable=True),
        sa.Column("balance", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "balance <= 0 OR name <> 'clawback_debt'",
            name=op.f("ck_ledger_accounts_debt_not_positive"),
        ),
        sa.CheckConstraint(
            "balance >= 0 OR name = 'clawback_debt'", name=op.f("ck_ledger_accounts_not_overdrawn")
        ),
        sa.CheckConstraint(
            "(balance IS NULL) = (member_id IS NULL)",
            name=op.f("ck_ledger_accounts_who_keeps_balance"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_ledger_accounts_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_accounts")),
        sa.UniqueConstraint(
            "name",
            "unit",
            "member_id",
            name=op.f("uq_ledger_accounts_name_unit_member_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_ledger_accounts_member", "ledger_accounts", ["member_id"], unique=False)
    op.create_table(
        "ledger_transfers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "amount > 0 AND amount <= 1000000000", name=op.f("ck_ledger_transfers_amount")
        ),
        sa.CheckConstraint("source_id <> target_id", name=op.f("ck_ledger_transfers_two_accounts")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["ledger_entries.id"], name=op.f("fk_ledger_transfers_entry_id")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["ledger_accounts.id"], name=op.f("fk_ledger_transfers_source_id")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["ledger_accounts.id"], name=op.f("fk_ledger_transfers_target_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transfers")),
    )
    op.create_index(
        op.f("ix_ledger_transfers_entry_id"), "ledger_transfers", ["entry_id"], unique=False
    )
    op.create_index(
        "ix_ledger_transfers_source", "ledger_transfers", ["source_id", "id"], unique=False
    )
    op.create_index(
        "ix_ledger_transfers_target", "ledger_transfers", ["target_id", "id"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_ledger_transfers_target", table_name="ledger_transfers")
    op.drop_index("ix_ledger_transfers_source", table_name="ledger_transfers")
    op.drop_index(op.f("ix_ledger_transfers_entry_id"), table_name="ledger_transfers")
    op.drop_table("ledger_transfers")
    op.drop_index("ix_ledger_accounts_member", table_name="ledger_accounts")
    op.drop_table("ledger_accounts")
    op.drop_table("ledger_seals")
    op.drop_index("ix_ledger_entries_transaction", table_name="ledger_entries")
    op.drop_table("ledger_entries")
