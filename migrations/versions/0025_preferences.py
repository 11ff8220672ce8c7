"""Settings that staff change, with their history; ways to search the audit trail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

FROZEN = "name value previous effective_at set_at set_by second_by reason"
INDEXES = {
    "ix_audit_log_at": ("audit_log", "at, id", ""),
    "ix_audit_log_actor": ("audit_log", "actor_kind, actor_id, id", ""),
    "ix_audit_log_action": ("audit_log", "action, id", ""),
    "ix_audit_log_store": ("audit_log", "store_id, id", ""),
}


def upgrade() -> None:
    _build_indexes()
    op.create_table(
        "setting_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("previous", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("second_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawal_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "jsonb_typeof(value) IN ('number', 'boolean')",
            name=op.f("ck_setting_changes_value"),
        ),
        sa.CheckConstraint(
            "effective_at >= set_at", name=op.f("ck_setting_changes_not_in_the_past")
        ),
        sa.CheckConstraint("second_by <> set_by", name=op.f("ck_setting_changes_two_people")),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_setting_changes_reason")),
        sa.CheckConstraint(
            "withdrawn_at < effective_at", name=op.f("ck_setting_changes_withdrawn_before")
        ),
        sa.CheckConstraint(
            "num_nonnulls(withdrawn_at, withdrawn_by, withdrawal_reason) IN (0, 3)",
            name=op.f("ck_setting_changes_withdrawal"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting_changes")),
    )
    op.create_index(
        "uq_setting_changes_name_effective_at",
        "setting_changes",
        ["name", "effective_at"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_index("ix_setting_changes_name_id", "setting_changes", ["name", "id"])
    _keep_history()
    _check_the_trail()


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


def _keep_history() -> None:
    """A change stays as it was set; a withdrawal is written once and stays too."""
    changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in FROZEN.split())
    op.execute(
        "CREATE TRIGGER setting_changes_rows BEFORE UPDATE ON setting_changes"
        f" FOR EACH ROW WHEN (OLD.withdrawn_at IS NOT NULL OR {changed})"
        " EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER setting_changes_deleted BEFORE DELETE ON setting_changes"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER setting_changes_truncate BEFORE TRUNCATE ON setting_changes"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _check_the_trail() -> None:
    """Looks over the trail; one at a time, and what one found stays."""
    op.create_table(
        "audit_checks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("until_id", sa.BigInteger(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("seen_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen_hash", sa.Text(), nullable=False),
        sa.Column("broken_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_broken_id", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(broken_count > 0) = (first_broken_id IS NOT NULL)",
            name=op.f("ck_audit_checks_broken"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_checks")),
    )
    op.create_index(
        "uq_audit_checks_running",
        "audit_checks",
        [sa.text("(done_at IS NULL)")],
        unique=True,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.execute(
        "CREATE TRIGGER audit_checks_rows BEFORE UPDATE ON audit_checks"
        " FOR EACH ROW WHEN (OLD.done_at IS NOT NULL) EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_checks_deleted BEFORE DELETE ON audit_checks"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_checks_truncate BEFORE TRUNCATE ON audit_checks"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "audit_log")
    op.drop_table("audit_checks")
    op.drop_table("setting_changes")
