"""Payouts, their bills and allocations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payouts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("payee_openid", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "approved_once",
                "approved",
                "succeeded",
                "partly_succeeded",
                "failed",
                "rejected",
                "cancelled",
                name="payoutstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("needs_second_approval", sa.Boolean(), nullable=False),
        sa.Column("first_approver_id", sa.BigInteger(), nullable=True),
        sa.Column("second_approver_id", sa.BigInteger(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payouts_amount")),
        sa.CheckConstraint(
            "first_approver_id <> second_approver_id", name=op.f("ck_payouts_two_people")
        ),
        sa.CheckConstraint(
            "approved_at IS NULL OR (first_approver_id IS NOT NULL"
            " AND (second_approver_id IS NOT NULL OR NOT needs_second_approval))",
            name=op.f("ck_payouts_approved_by_enough"),
        ),
        sa.CheckConstraint(
            "(approved_at IS NULL) = (state IN"
            " ('requested', 'approved_once', 'rejected', 'cancelled'))",
            name=op.f("ck_payouts_approved"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state IN ('requested', 'approved_once', 'approved'))",
            name=op.f("ck_payouts_ended"),
        ),
        sa.ForeignKeyConstraint(
            ["first_approver_id"], ["staff.id"], name=op.f("fk_payouts_first_approver_id")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["distributors.member_id"], name=op.f("fk_payouts_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["second_approver_id"], ["staff.id"], name=op.f("fk_payouts_second_approver_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
        sa.UniqueConstraint("number", name=op.f("uq_payouts_number")),
    )
    op.create_index(
        "ix_payouts_member", "payouts", ["member_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_index(
        "ix_payouts_to_approve",
        "payouts",
        ["requested_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('requested', 'approved_once')"),
    )
    op.create_table(
        "payout_bills",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("payout_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("payee_openid", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "created",
                "sending",
                "accepted",
                "waiting_user",
                "transferring",
                "cancelling",
                "succeeded",
                "failed",
                "cancelled",
                name="billstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("package_info", sa.Text(), nullable=True),
        sa.Column("wechat_bill_number", sa.Text(), nullable=True),
        sa.Column("fail_reason", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "state = 'created'"
            " OR (due_at IS NULL) = (state IN ('succeeded', 'failed', 'cancelled'))",
            name=op.f("ck_payout_bills_due"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state NOT IN ('succeeded', 'failed', 'cancelled'))",
            name=op.f("ck_payout_bills_ended"),
        ),
        sa.CheckConstraint("number ~ '^[0-9A-Za-z]{6,32}$'", name=op.f("ck_payout_bills_number")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payout_bills_amount")),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_payout_bills_payout_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_bills")),
        sa.UniqueConstraint("number", name=op.f("uq_payout_bills_number")),
        sa.UniqueConstraint("wechat_bill_number", name=op.f("uq_payout_bills_wechat_bill_number")),
    )
    op.create_index(
        "ix_payout_bills_due",
        "payout_bills",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_payout_bills_member_day", "payout_bills", ["payee_openid", "sent_at"], unique=False
    )
    op.create_index(op.f("ix_payout_bills_payout_id"), "payout_bills", ["payout_id"], unique=False)
    op.create_index("ix_payout_bills_sent", "payout_bills", ["sent_at"], unique=False)
    op.create_table(
        "payout_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("payout_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "event",
            sa.Enum(
                "approve_once",
                "approve",
                "reject",
                "cancel",
                "succeed",
                "succeed_partly",
                "fail",
                name="payoutevent",
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
                "approved_once",
                "approved",
                "succeeded",
                "partly_succeeded",
                "failed",
                "rejected",
                "cancelled",
                name="payoutstate",
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
            ["payout_id"], ["payouts.id"], name=op.f("fk_payout_steps_payout_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_steps")),
    )
    op.create_index(op.f("ix_payout_steps_payout_id"), "payout_steps", ["payout_id"], unique=False)
    op.create_table(
        "bill_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("bill_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "event",
            sa.Enum(
                "send",
                "drop",
                "accept",
                "offer",
                "take",
                "ask_cancel",
                "succeed",
                "fail",
                "cancel",
                name="billevent",
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
                "sending",
                "accepted",
                "waiting_user",
                "transferring",
                "cancelling",
                "succeeded",
                "failed",
                "cancelled",
                name="billstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bill_id"], ["payout_bills.id"], name=op.f("fk_bill_steps_bill_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_steps")),
    )
    op.create_index(op.f("ix_bill_steps_bill_id"), "bill_steps", ["bill_id"], unique=False)
    op.create_table(
        "payout_allocations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("payout_id", sa.BigInteger(), nullable=False),
        sa.Column("award_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("released_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payout_allocations_amount")),
        sa.CheckConstraint(
            "released_fen >= 0 AND released_fen <= amount_fen",
            name=op.f("ck_payout_allocations_released"),
        ),
        sa.ForeignKeyConstraint(
            ["award_id"], ["awards.id"], name=op.f("fk_payout_allocations_award_id")
        ),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_payout_allocations_payout_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_allocations")),
        sa.UniqueConstraint(
            "payout_id", "award_id", name=op.f("uq_payout_allocations_payout_id_award_id")
        ),
    )
    op.create_index(
        op.f("ix_payout_allocations_award_id"), "payout_allocations", ["award_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_payout_allocations_award_id"), table_name="payout_allocations")
    op.drop_table("payout_allocations")
    op.drop_index(op.f("ix_bill_steps_bill_id"), table_name="bill_steps")
    op.drop_table("bill_steps")
    op.drop_index(op.f("ix_payout_steps_payout_id"), table_name="payout_steps")
    op.drop_table("payout_steps")
    op.drop_index("ix_payout_bills_sent", table_name="payout_bills")
    op.drop_index(op.f("ix_payout_bills_payout_id"), table_name="payout_bills")
    op.drop_index("ix_payout_bills_member_day", table_name="payout_bills")
    op.drop_index(
        "ix_payout_bills_due",
        table_name="payout_bills",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.drop_table("payout_bills")
    op.drop_index(
        "ix_payouts_to_approve",
        table_name="payouts",
        postgresql_where=sa.text("state IN ('requested', 'approved_once')"),
    )
    op.drop_index("ix_payouts_member", table_name="payouts")
    op.drop_table("payouts")
