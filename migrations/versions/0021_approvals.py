"""What one person asks for and another decides; disputes about who owns a customer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

NEVER_CHANGED = ("approval_steps", "dispute_steps", "evidence_files")
FROZEN_COLUMNS = {
    "approvals": (
        "approvals_request",
        (
            "kind subject_type subject_id subject_key store_id payload facts reason asked_by_id"
            " asked_at expires_at"
        ),
    ),
    "ownership_disputes": (
        "ownership_disputes_claim",
        "customer_id claimant_id claimant_store_id about_at claim facts opened_by opened_at",
    ),
}


def choice(kind: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=kind, native_enum=False, create_constraint=True, length=32)


APPROVAL_STATES = ("requested", "approved", "refused", "withdrawn", "expired", "void")
DISPUTE_STATES = ("open", "upheld", "dismissed", "withdrawn")


def upgrade() -> None:
    _approvals()
    _disputes()
    for table in NEVER_CHANGED:
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


def _approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject_type", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("subject_key", sa.Text(), server_default="", nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=True),
        sa.Column("payload", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("facts", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("facts_found", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", choice("approvalstate", *APPROVAL_STATES), nullable=False),
        sa.Column("asked_by_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("decision_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("decided_by_id <> asked_by_id", name=op.f("ck_approvals_two_people")),
        sa.CheckConstraint(
            "(decided_by_id IS NOT NULL) = (state IN ('approved', 'refused'))",
            name=op.f("ck_approvals_decided"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state = 'requested')", name=op.f("ck_approvals_ended")
        ),
        sa.CheckConstraint(
            "facts_found IS NULL OR state = 'void'", name=op.f("ck_approvals_found")
        ),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_approvals_reason")),
        sa.CheckConstraint("expires_at > asked_at", name=op.f("ck_approvals_period")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_approvals_store_id")),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["staff.id"], name=op.f("fk_approvals_asked_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["staff.id"], name=op.f("fk_approvals_decided_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    op.create_index(
        "uq_approvals_open",
        "approvals",
        ["kind", "subject_id", "subject_key"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_index("ix_approvals_subject", "approvals", ["subject_type", "subject_id"])
    op.create_index(
        "ix_approvals_waiting",
        "approvals",
        ["expires_at"],
        postgresql_where=sa.text("state = 'requested'"),
    )
    for name in ("store_id", "asked_by_id", "decided_by_id"):
        op.create_index(op.f(f"ix_approvals_{name}"), "approvals", [name])
    op.create_table(
        "approval_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("approval_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "event",
            choice("approvalevent", "ask", "approve", "refuse", "withdraw", "expire", "void"),
            nullable=False,
        ),
        sa.Column("to_state", choice("approvalstate", *APPROVAL_STATES), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approvals.id"], name=op.f("fk_approval_steps_approval_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_steps")),
    )
    op.create_index(op.f("ix_approval_steps_approval_id"), "approval_steps", ["approval_id"])


def _disputes() -> None:
    op.create_table(
        "ownership_disputes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("claimant_id", sa.BigInteger(), nullable=True),
        sa.Column("claimant_store_id", sa.BigInteger(), nullable=True),
        sa.Column("about_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("state", choice("disputestate", *DISPUTE_STATES), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decision_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(claimant_id IS NULL) <> (claimant_store_id IS NULL)",
            name=op.f("ck_ownership_disputes_claimant"),
        ),
        sa.CheckConstraint(
            "claimant_id <> customer_id", name=op.f("ck_ownership_disputes_not_self")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state = 'open')", name=op.f("ck_ownership_disputes_ended")
        ),
        sa.CheckConstraint(
            "(decided_by IS NULL) = (state = 'open')", name=op.f("ck_ownership_disputes_decided")
        ),
        sa.CheckConstraint(
            "state = 'open' OR btrim(decision_reason) <> ''",
            name=op.f("ck_ownership_disputes_reason"),
        ),
        sa.CheckConstraint("about_at <= opened_at", name=op.f("ck_ownership_disputes_moment")),
        sa.CheckConstraint(
            "char_length(claim) BETWEEN 10 AND 2000 AND claim = btrim(claim)",
            name=op.f("ck_ownership_disputes_claim"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["members.id"], name=op.f("fk_ownership_disputes_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["claimant_id"],
            ["distributors.member_id"],
            name=op.f("fk_ownership_disputes_claimant_id"),
        ),
        sa.ForeignKeyConstraint(
            ["claimant_store_id"],
            ["stores.id"],
            name=op.f("fk_ownership_disputes_claimant_store_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ownership_disputes")),
    )
    op.create_index(
        "uq_ownership_disputes_open",
        "ownership_disputes",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_ownership_disputes_claimant",
        "ownership_disputes",
        ["claimant_id", sa.literal_column("id DESC")],
    )
    for name in ("customer_id", "claimant_store_id"):
        op.create_index(op.f(f"ix_ownership_disputes_{name}"), "ownership_disputes", [name])
    _dispute_rows()


def _dispute_rows() -> None:
    op.create_table(
        "dispute_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dispute_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "event", choice("disputeevent", "open", "uphold", "dismiss", "withdraw"), nullable=False
        ),
        sa.Column("to_state", choice("disputestate", *DISPUTE_STATES), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["ownership_disputes.id"], name=op.f("fk_dispute_steps_dispute_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute_steps")),
    )
    op.create_index(op.f("ix_dispute_steps_dispute_id"), "dispute_steps", ["dispute_id"])
    op.create_table(
        "evidence_files",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dispute_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=16), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("place BETWEEN 1 AND 5", name=op.f("ck_evidence_files_place")),
        sa.CheckConstraint(
            "media_type IN ('image/jpeg', 'image/png', 'image/webp')",
            name=op.f("ck_evidence_files_media_type"),
        ),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_evidence_files_sha256")),
        sa.CheckConstraint(
            "octet_length(content) BETWEEN 1 AND 10485760", name=op.f("ck_evidence_files_size")
        ),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["ownership_disputes.id"], name=op.f("fk_evidence_files_dispute_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_files")),
        sa.UniqueConstraint("dispute_id", "place", name=op.f("uq_evidence_files_dispute_id_place")),
        sa.UniqueConstraint(
            "dispute_id", "sha256", name=op.f("uq_evidence_files_dispute_id_sha256")
        ),
    )


def downgrade() -> None:
    for table, (trigger, _) in FROZEN_COLUMNS.items():
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    for table in NEVER_CHANGED:
        op.execute(f"DROP TRIGGER {table}_truncate ON {table}")
        op.execute(f"DROP TRIGGER {table}_rows ON {table}")
    for table in (
        "evidence_files",
        "dispute_steps",
        "ownership_disputes",
        "approval_steps",
        "approvals",
    ):
        op.drop_table(table)
