"""Awards, refusals, reversals and levels."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "level_periods",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column(
            "facts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("member_id"), "="),
            (sa.text("tstzrange(from_at, until_at)"), "&&"),
            using="gist",
            name="ex_level_periods_one_level_at_a_time",
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["distributors.member_id"], name=op.f("fk_level_periods_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_level_periods")),
    )
    op.create_index(
        op.f("ix_level_periods_member_id"), "level_periods", ["member_id"], unique=False
    )
    op.create_table(
        "order_decisions",
        sa.Column("order_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("plan_version_id", sa.BigInteger(), nullable=True),
        sa.Column("base_fen", sa.BigInteger(), nullable=False),
        sa.Column("awarded_fen", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_order_decisions_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["plan_version_id"],
            ["plan_versions.id"],
            name=op.f("fk_order_decisions_plan_version_id"),
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_order_decisions")),
    )
    op.create_table(
        "award_refusals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=True),
        sa.Column("plan_version_id", sa.BigInteger(), nullable=True),
        sa.Column("beneficiary_id", sa.BigInteger(), nullable=True),
        sa.Column("seat", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "explanation",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_award_refusals_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_award_refusals_order_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["plan_version_id"],
            ["plan_versions.id"],
            name=op.f("fk_award_refusals_plan_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award_refusals")),
    )
    op.create_index(
        op.f("ix_award_refusals_beneficiary_id"), "award_refusals", ["beneficiary_id"], unique=False
    )
    op.create_index(
        op.f("ix_award_refusals_order_id"), "award_refusals", ["order_id"], unique=False
    )
    op.create_table(
        "awards",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_version_id", sa.BigInteger(), nullable=False),
        sa.Column("beneficiary_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seat", sa.BigInteger(), nullable=False),
        sa.Column("base_fen", sa.BigInteger(), nullable=False),
        sa.Column("rate_bp", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reversed_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("allocated_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "frozen",
                "matured",
                "withdrawn",
                "void",
                "reversed",
                name="awardstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "explanation",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("matures_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("matured_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'frozen') <= (matures_at IS NOT NULL)", name=op.f("ck_awards_maturity")
        ),
        sa.CheckConstraint(
            "allocated_fen >= 0 AND allocated_fen <= amount_fen", name=op.f("ck_awards_allocated")
        ),
        sa.CheckConstraint(
            "amount_fen > 0 AND amount_fen = base_fen * rate_bp / 10000",
            name=op.f("ck_awards_amount"),
        ),
        sa.CheckConstraint(
            "reversed_fen >= 0 AND reversed_fen <= amount_fen", name=op.f("ck_awards_reversed")
        ),
        sa.CheckConstraint("seat BETWEEN 0 AND 2", name=op.f("ck_awards_paid_depth")),
        sa.ForeignKeyConstraint(
            ["beneficiary_id"], ["distributors.member_id"], name=op.f("fk_awards_beneficiary_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_awards_order_id")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_awards_order_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_versions.id"], name=op.f("fk_awards_plan_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_awards")),
        sa.UniqueConstraint(
            "order_line_id",
            "kind",
            "beneficiary_id",
            name=op.f("uq_awards_order_line_id_kind_beneficiary_id"),
        ),
    )
    op.create_index(
        "ix_awards_beneficiary",
        "awards",
        ["beneficiary_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(op.f("ix_awards_order_id"), "awards", ["order_id"], unique=False)
    op.create_index(
        "ix_awards_to_allocate",
        "awards",
        ["beneficiary_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'matured'"),
    )
    op.create_index(
        "ix_awards_to_mature",
        "awards",
        ["matures_at"],
        unique=False,
        postgresql_where=sa.text("state = 'frozen'"),
    )
    op.create_table(
        "refund_decisions",
        sa.Column("refund_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_refund_decisions_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refunds.id"], name=op.f("fk_refund_decisions_refund_id")
        ),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_refund_decisions")),
    )
    op.create_index(
        op.f("ix_refund_decisions_order_id"), "refund_decisions", ["order_id"], unique=False
    )
    op.create_table(
        "award_reversals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("award_id", sa.BigInteger(), nullable=False),
        sa.Column("refund_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "explanation",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_award_reversals_amount")),
        sa.ForeignKeyConstraint(
            ["award_id"], ["awards.id"], name=op.f("fk_award_reversals_award_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refunds.id"], name=op.f("fk_award_reversals_refund_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award_reversals")),
        sa.UniqueConstraint(
            "award_id", "refund_id", name=op.f("uq_award_reversals_award_id_refund_id")
        ),
    )
    op.create_index(
        op.f("ix_award_reversals_refund_id"), "award_reversals", ["refund_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_award_reversals_refund_id"), table_name="award_reversals")
    op.drop_table("award_reversals")
    op.drop_index(op.f("ix_refund_decisions_order_id"), table_name="refund_decisions")
    op.drop_table("refund_decisions")
    op.drop_index(
        "ix_awards_to_mature", table_name="awards", postgresql_where=sa.text("state = 'frozen'")
    )
    op.drop_index(
        "ix_awards_to_allocate", table_name="awards", postgresql_where=sa.text("state = 'matured'")
    )
    op.drop_index(op.f("ix_awards_order_id"), table_name="awards")
    op.drop_index("ix_awards_beneficiary", table_name="awards")
    op.drop_table("awards")
    op.drop_index(op.f("ix_award_refusals_order_id"), table_name="award_refusals")
    op.drop_index(op.f("ix_award_refusals_beneficiary_id"), table_name="award_refusals")
    op.drop_table("award_refusals")
    op.drop_table("order_decisions")
    op.drop_index(op.f("ix_level_periods_member_id"), table_name="level_periods")
    op.drop_table("level_periods")
