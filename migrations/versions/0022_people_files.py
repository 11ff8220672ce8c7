"""Notes, tags, follow-ups and risk flags about people."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = ("payout_holds", "risk_flags", "follow_ups", "member_tags", "tags", "member_notes")

INDEXES = {
    "ix_bindings_owner_begun": ("bindings", "owner_id, valid_from_at", ""),
    "ix_bindings_begun": ("bindings", "valid_from_at", ""),
    "ix_orders_owner_paid": ("orders", "owner_id, paid_at", "paid_at IS NOT NULL"),
    "ix_refunds_ended": ("refunds", "ended_at", "ended_at IS NOT NULL"),
    "ix_distributor_steps_at": ("distributor_steps", "at", ""),
}


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _words(name: str, kind: str, *words: str) -> sa.Column[str]:
    values = sa.Enum(*words, name=kind, native_enum=False, create_constraint=True, length=32)
    return sa.Column(name, values, nullable=False)


def _foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    _build_indexes()
    _create_notes()
    _create_tags()
    _create_follow_ups()
    _create_flags()


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


def _create_notes() -> None:
    op.create_table(
        "member_notes",
        _id(),
        _number("member_id"),
        sa.Column("text", sa.Text(), nullable=False),
        _number("author_id"),
        _instant("written_at"),
        _instant("struck_at", nullable=True),
        sa.CheckConstraint(
            "char_length(text) BETWEEN 1 AND 2000", name=op.f("ck_member_notes_text")
        ),
        _foreign("member_notes", "member_id", "members.id"),
        _foreign("member_notes", "author_id", "staff.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_notes")),
    )
    op.create_index("ix_member_notes_member", "member_notes", ["member_id", sa.text("id DESC")])
    op.execute(
        "CREATE TRIGGER member_notes_words BEFORE UPDATE ON member_notes FOR EACH ROW"
        " WHEN (OLD.text IS DISTINCT FROM NEW.text OR OLD.member_id IS DISTINCT FROM NEW.member_id"
        " OR OLD.author_id IS DISTINCT FROM NEW.author_id"
        " OR OLD.written_at IS DISTINCT FROM NEW.written_at"
        " OR (OLD.struck_at IS NOT NULL AND OLD.struck_at IS DISTINCT FROM NEW.struck_at))"
        " EXECUTE FUNCTION refuse_change()"
    )


def _create_tags() -> None:
    op.create_table(
        "tags",
        _id(),
        sa.Column("name", sa.Text(), nullable=False),
        _instant("created_at"),
        _instant("retired_at", nullable=True),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 20", name=op.f("ck_tags_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
    )
    op.create_index("uq_tags_name", "tags", [sa.text("lower(name)")], unique=True)
    op.create_table(
        "member_tags",
        _number("member_id"),
        _number("tag_id"),
        _number("staff_id"),
        _instant("tagged_at"),
        _foreign("member_tags", "member_id", "members.id"),
        _foreign("member_tags", "tag_id", "tags.id"),
        _foreign("member_tags", "staff_id", "staff.id"),
        sa.PrimaryKeyConstraint("member_id", "tag_id", name=op.f("pk_member_tags")),
    )
    op.create_index("ix_member_tags_tag", "member_tags", ["tag_id", sa.text("member_id DESC")])


def _create_follow_ups() -> None:
    op.create_table(
        "follow_ups",
        _id(),
        _number("member_id"),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        _number("assignee_id", nullable=True),
        _number("store_id", nullable=True),
        _words("state", "followupstate", "open", "done", "cancelled"),
        _number("author_id"),
        _instant("created_at"),
        _instant("ended_at", nullable=True),
        _number("ended_by_id", nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("char_length(what) BETWEEN 1 AND 300", name=op.f("ck_follow_ups_what")),
        sa.CheckConstraint(
            "(state = 'open') = (ended_at IS NULL)", name=op.f("ck_follow_ups_ended")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by_id IS NULL)", name=op.f("ck_follow_ups_ended_whole")
        ),
        sa.CheckConstraint(
            "assignee_id IS NOT NULL OR store_id IS NOT NULL", name=op.f("ck_follow_ups_whose")
        ),
        _foreign("follow_ups", "member_id", "members.id"),
        _foreign("follow_ups", "assignee_id", "staff.id"),
        _foreign("follow_ups", "store_id", "stores.id"),
        _foreign("follow_ups", "author_id", "staff.id"),
        _foreign("follow_ups", "ended_by_id", "staff.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_ups")),
    )
    op.create_index("ix_follow_ups_member", "follow_ups", ["member_id", sa.text("id DESC")])
    op.create_index(op.f("ix_follow_ups_assignee_id"), "follow_ups", ["assignee_id"])
    op.create_index(op.f("ix_follow_ups_store_id"), "follow_ups", ["store_id"])
    op.create_index(
        "ix_follow_ups_open",
        "follow_ups",
        ["due_on", "id"],
        postgresql_where=sa.text("state = 'open'"),
    )


def _create_flags() -> None:
    kinds = (
        *("shared_identity", "bind_rate", "refund_rate", "unpaid_device"),
        *("pair", "frozen_above", "by_hand"),
    )
    op.create_table(
        "risk_flags",
        _id(),
        _number("distributor_id"),
        _words("kind", "riskkind", *kinds),
        sa.Column(
            "evidence",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
        ),
        sa.Column("holds_payouts", sa.Boolean(), nullable=False),
        _words("state", "flagstate", "open", "confirmed", "released", "expired"),
        _instant("raised_at"),
        sa.Column("raised_by", sa.Text(), nullable=False),
        _instant("expires_at"),
        _instant("decided_at", nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL)", name=op.f("ck_risk_flags_decided")
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decided_by IS NULL)",
            name=op.f("ck_risk_flags_decided_whole"),
        ),
        sa.CheckConstraint("raised_at <= expires_at", name=op.f("ck_risk_flags_period")),
        _foreign("risk_flags", "distributor_id", "distributors.member_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_flags")),
    )
    op.create_index(
        "uq_risk_flags_open",
        "risk_flags",
        ["distributor_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_risk_flags_distributor", "risk_flags", ["distributor_id", sa.text("id DESC")]
    )
    op.create_index(
        "ix_risk_flags_expiring",
        "risk_flags",
        ["expires_at"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "payout_holds",
        _id(),
        _number("member_id"),
        sa.Column("cause", sa.Text(), nullable=False),
        _instant("placed_at"),
        _instant("lifted_at", nullable=True),
        _foreign("payout_holds", "member_id", "distributors.member_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_holds")),
        sa.UniqueConstraint("cause", name=op.f("uq_payout_holds_cause")),
    )
    op.create_index(
        "ix_payout_holds_standing",
        "payout_holds",
        ["member_id"],
        postgresql_where=sa.text("lifted_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_distributor_steps_at", table_name="distributor_steps")
    op.drop_index("ix_refunds_ended", table_name="refunds")
    op.drop_index("ix_orders_owner_paid", table_name="orders")
    op.drop_index("ix_bindings_begun", table_name="bindings")
    op.drop_index("ix_bindings_owner_begun", table_name="bindings")
    for table in TABLES:
        op.drop_table(table)
