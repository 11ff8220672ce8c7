"""Several plans at once, each where its scope says; awards by the month and of fixed amounts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


OLD_STATES = "('draft', 'submitted', 'published', 'retired')"
STATES = "('draft', 'checked', 'simulated', 'submitted', 'approved', 'published', 'retired')"

GRANT = (
    "order_id order_line_id plan_version_id beneficiary_id kind seat base_fen rate_bp amount_fen"
    " explanation"
)

FROZEN_VERSION = (
    "(OLD.state IN ('published', 'retired') AND (OLD.rules IS DISTINCT FROM NEW.rules"
    " OR OLD.plan_id IS DISTINCT FROM NEW.plan_id OR OLD.number IS DISTINCT FROM NEW.number"
    " OR OLD.effective_from_at IS DISTINCT FROM NEW.effective_from_at"
    " OR OLD.approver_id IS DISTINCT FROM NEW.approver_id))"
)
FROZEN_SINCE_SUBMITTED = (
    "(OLD.state IN ('submitted', 'approved', 'published', 'retired')"
    " AND (OLD.rules IS DISTINCT FROM NEW.rules OR OLD.scope IS DISTINCT FROM NEW.scope"
    " OR OLD.revision IS DISTINCT FROM NEW.revision OR OLD.plan_id IS DISTINCT FROM NEW.plan_id"
    " OR OLD.number IS DISTINCT FROM NEW.number))"
    " OR (OLD.state IN ('published', 'retired')"
    " AND (OLD.effective_from_at IS DISTINCT FROM NEW.effective_from_at"
    " OR OLD.approver_id IS DISTINCT FROM NEW.approver_id))"
)


def upgrade() -> None:
    _plan_versions()
    _awards()
    op.drop_constraint(op.f("pk_order_decisions"), "order_decisions", type_="primary")
    op.create_index(
        "uq_order_decisions_once",
        "order_decisions",
        ["order_id", "plan_version_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )


def _plan_versions() -> None:
    op.add_column(
        "plan_versions",
        sa.Column("revision", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
    )
    op.add_column(
        "plan_versions",
        sa.Column(
            "scope",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column(
        "plan_versions", sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.drop_constraint(op.f("ck_plan_versions_planversionstate"), "plan_versions", type_="check")
    op.create_check_constraint("planversionstate", "plan_versions", f"state IN {STATES}")
    op.create_check_constraint(
        "ends_after_beginning", "plan_versions", "effective_until_at >= effective_from_at"
    )
    op.drop_constraint("ex_plan_versions_one_in_force", "plan_versions")
    _one_in_force("plan_id WITH =, ")
    op.execute(
        "INSERT INTO plan_scopes (version_id, store_ids, product_ids, during)"
        " SELECT id, '(,)', '(,)', tstzrange(effective_from_at, effective_until_at)"
        " FROM plan_versions WHERE effective_from_at IS NOT NULL"
    )
    op.execute("DROP TRIGGER plan_versions_published ON plan_versions")
    op.execute(
        "CREATE TRIGGER plan_versions_published BEFORE UPDATE ON plan_versions FOR EACH ROW"
        f" WHEN ({FROZEN_SINCE_SUBMITTED}) EXECUTE FUNCTION refuse_change()"
    )


def _one_in_force(each: str) -> None:
    op.execute(
        "ALTER TABLE plan_versions ADD CONSTRAINT ex_plan_versions_one_in_force EXCLUDE USING gist"
        f" ({each}tstzrange(effective_from_at, effective_until_at) WITH &&)"
        " WHERE (effective_from_at IS NOT NULL)"
    )


def _awards() -> None:
    for table in ("awards", "award_refusals"):
        op.add_column(table, sa.Column("closed_month_id", sa.BigInteger(), nullable=True))
        op.alter_column(table, "order_id", nullable=True)
        op.create_foreign_key(
            op.f(f"fk_{table}_closed_month_id"), table, "closed_months", ["closed_month_id"], ["id"]
        )
    op.alter_column("awards", "order_line_id", nullable=True)
    op.alter_column("awards", "rate_bp", nullable=True)
    op.create_index("ix_award_refusals_closed_month_id", "award_refusals", ["closed_month_id"])
    op.create_unique_constraint(
        op.f("uq_awards_closed_month_id_kind_beneficiary_id"),
        "awards",
        ["closed_month_id", "kind", "beneficiary_id"],
    )
    op.drop_constraint(op.f("ck_awards_amount"), "awards", type_="check")
    _check(
        "amount",
        "amount_fen > 0 AND amount_fen <= base_fen"
        " AND (rate_bp IS NULL OR amount_fen = base_fen * rate_bp / 10000)",
    )
    _check(
        "cause",
        "(order_id IS NULL) = (order_line_id IS NULL)"
        " AND (order_id IS NULL) <> (closed_month_id IS NULL)",
    )
    _freeze_grant(GRANT + " closed_month_id")


def _check(name: str, condition: str) -> None:
    """Add a check without holding writers up while the rows that are there are looked at."""
    op.execute(f"ALTER TABLE awards ADD CONSTRAINT ck_awards_{name} CHECK ({condition}) NOT VALID")
    op.execute(f"ALTER TABLE awards VALIDATE CONSTRAINT ck_awards_{name}")


def _freeze_grant(columns: str) -> None:
    changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in columns.split())
    op.execute("DROP TRIGGER awards_grant ON awards")
    op.execute(
        "CREATE TRIGGER awards_grant BEFORE UPDATE ON awards"
        f" FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_index("uq_order_decisions_once", table_name="order_decisions")
    op.create_primary_key("pk_order_decisions", "order_decisions", ["order_id"])
    _freeze_grant(GRANT)
    op.drop_constraint(op.f("ck_awards_cause"), "awards", type_="check")
    op.drop_constraint(op.f("ck_awards_amount"), "awards", type_="check")
    _check("amount", "amount_fen > 0 AND amount_fen = base_fen * rate_bp / 10000")
    op.drop_index("ix_award_refusals_closed_month_id", table_name="award_refusals")
    op.drop_constraint(
        op.f("uq_awards_closed_month_id_kind_beneficiary_id"), "awards", type_="unique"
    )
    for table in ("awards", "award_refusals"):
        op.drop_constraint(op.f(f"fk_{table}_closed_month_id"), table, type_="foreignkey")
        op.drop_column(table, "closed_month_id")
        op.alter_column(table, "order_id", nullable=False)
    op.alter_column("awards", "order_line_id", nullable=False)
    op.alter_column("awards", "rate_bp", nullable=False)
    op.execute("DROP TRIGGER plan_versions_published ON plan_versions")
    op.execute(
        "CREATE TRIGGER plan_versions_published BEFORE UPDATE ON plan_versions FOR EACH ROW"
        f" WHEN ({FROZEN_VERSION}) EXECUTE FUNCTION refuse_change()"
    )
    op.drop_constraint(
        op.f("ck_plan_versions_ends_after_beginning"), "plan_versions", type_="check"
    )
    op.drop_constraint("ex_plan_versions_one_in_force", "plan_versions")
    _one_in_force("")
    op.drop_constraint(op.f("ck_plan_versions_planversionstate"), "plan_versions", type_="check")
    op.create_check_constraint("planversionstate", "plan_versions", f"state IN {OLD_STATES}")
    for name in ("approved_at", "scope", "revision"):
        op.drop_column("plan_versions", name)
