"""What plans keep besides awards: steps, checks, scopes, places, events, closed months, gifts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = (
    "gifts",
    "plan_events",
    "plan_places",
    "team_stops",
    "level_warnings",
    "plan_version_steps",
    "plan_simulations",
    "plan_scopes",
    "plan_confirmations",
    "plan_checks",
    "closed_months",
)
"""The newest first, so that none refers to one that is gone."""

APPEND_ONLY = (
    "plan_version_steps",
    "plan_checks",
    "plan_confirmations",
    "plan_events",
    "closed_months",
)

FROZEN_COLUMNS = {
    "plan_scopes": ("plan_scopes_place", "version_id store_ids product_ids"),
    "gifts": (
        "gifts_grant",
        "event_id plan_version_id order_id beneficiary_id kind item amount explanation created_at",
    ),
    "plan_simulations": (
        "plan_simulations_request",
        "version_id revision against_version_id kind parameters requested_at actor",
    ),
}


def upgrade() -> None:
    _of_versions()
    _of_people()
    _of_places()
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


def _of_versions() -> None:
    op.create_table(
        "closed_months",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_version_id", sa.BigInteger(), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=True),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("pool_fen", sa.BigInteger(), nullable=False),
        sa.Column("awarded_fen", sa.BigInteger(), nullable=False),
        sa.Column("carried_fen", sa.BigInteger(), nullable=False),
        sa.Column("deficit_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "inputs", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "facts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "month ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'", name=op.f("ck_closed_months_month")
        ),
        sa.CheckConstraint(
            "pool_fen >= 0 AND awarded_fen >= 0 AND carried_fen >= 0 AND deficit_fen >= 0",
            name=op.f("ck_closed_months_amounts"),
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_closed_months_plan_id")),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_versions.id"], name=op.f("fk_closed_months_plan_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_closed_months_store_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closed_months")),
    )
    op.create_index(op.f("ix_closed_months_store_id"), "closed_months", ["store_id"], unique=False)
    op.create_index(
        "uq_closed_months_once",
        "closed_months",
        ["plan_id", "store_id", "month"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "plan_checks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column(
            "findings", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("bound_bp", sa.BigInteger(), nullable=False),
        sa.Column("monthly_bp", sa.BigInteger(), nullable=False),
        sa.Column("cap_bp", sa.BigInteger(), nullable=False),
        sa.Column("is_blocked", sa.Boolean(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["plan_versions.id"], name=op.f("fk_plan_checks_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_checks")),
    )
    op.create_index(
        "ix_plan_checks_version",
        "plan_checks",
        ["version_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "plan_confirmations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column(
            "finding", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("officer_id", sa.BigInteger(), nullable=False),
        sa.Column("officer_name", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(statement) >= 10", name=op.f("ck_plan_confirmations_statement")),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["staff.id"], name=op.f("fk_plan_confirmations_officer_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["plan_versions.id"], name=op.f("fk_plan_confirmations_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_confirmations")),
        sa.UniqueConstraint(
            "version_id",
            "revision",
            "rule",
            name=op.f("uq_plan_confirmations_version_id_revision_rule"),
        ),
    )
    op.create_table(
        "plan_scopes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("store_ids", postgresql.INT8RANGE(), nullable=False),
        sa.Column("product_ids", postgresql.INT8RANGE(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("store_ids"), "&&"),
            (sa.column("product_ids"), "&&"),
            (sa.column("during"), "&&"),
            using="gist",
            name="ex_plan_scopes_apart",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["plan_versions.id"], name=op.f("fk_plan_scopes_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_scopes")),
    )
    op.create_index(op.f("ix_plan_scopes_version_id"), "plan_scopes", ["version_id"], unique=False)
    op.create_table(
        "plan_simulations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("against_version_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "orders",
                "growth",
                name="simulationkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "parameters", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "running",
                "done",
                "failed",
                name="simulationstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("progress_bp", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "result", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("lease_until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'done') = (result IS NOT NULL)", name=op.f("ck_plan_simulations_result")
        ),
        sa.CheckConstraint(
            "progress_bp BETWEEN 0 AND 10000", name=op.f("ck_plan_simulations_progress")
        ),
        sa.ForeignKeyConstraint(
            ["against_version_id"],
            ["plan_versions.id"],
            name=op.f("fk_plan_simulations_against_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["plan_versions.id"], name=op.f("fk_plan_simulations_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_simulations")),
    )
    op.create_index(
        "ix_plan_simulations_open",
        "plan_simulations",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index(
        "ix_plan_simulations_version",
        "plan_simulations",
        ["version_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "plan_version_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "event",
            sa.Enum(
                "revise",
                "check",
                "simulate",
                "submit",
                "send_back",
                "approve",
                "publish",
                "retire",
                name="planversionevent",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "to_state",
            sa.Enum(
                "draft",
                "checked",
                "simulated",
                "submitted",
                "approved",
                "published",
                "retired",
                name="planversionstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["plan_versions.id"], name=op.f("fk_plan_version_steps_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_version_steps")),
    )
    op.create_index(
        op.f("ix_plan_version_steps_version_id"), "plan_version_steps", ["version_id"], unique=False
    )


def _of_people() -> None:
    op.create_table(
        "level_warnings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("plan_version_id", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column(
            "facts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "kept",
                "lost",
                "lifted",
                name="warningoutcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (outcome IS NULL)", name=op.f("ck_level_warnings_ended")
        ),
        sa.CheckConstraint("until_at >= given_at", name=op.f("ck_level_warnings_grace")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["distributors.member_id"], name=op.f("fk_level_warnings_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["plan_version_id"],
            ["plan_versions.id"],
            name=op.f("fk_level_warnings_plan_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_level_warnings")),
    )
    op.create_index(
        op.f("ix_level_warnings_member_id"), "level_warnings", ["member_id"], unique=False
    )
    op.create_index(
        "uq_level_warnings_open",
        "level_warnings",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "team_stops",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("paid_people", sa.BigInteger(), nullable=False),
        sa.Column("tiers", sa.BigInteger(), nullable=False),
        sa.Column("stops_joining", sa.Boolean(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(lifted_at IS NULL) = (lifted_by IS NULL)", name=op.f("ck_team_stops_lifted_whole")
        ),
        sa.ForeignKeyConstraint(
            ["root_id"], ["distributors.member_id"], name=op.f("fk_team_stops_root_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_stops")),
    )
    op.create_index(op.f("ix_team_stops_root_id"), "team_stops", ["root_id"], unique=False)
    op.create_index(
        "uq_team_stops_open",
        "team_stops",
        ["root_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )


def _of_places() -> None:
    op.create_table(
        "plan_places",
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("recommender_id", sa.BigInteger(), nullable=True),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("parent_number", sa.BigInteger(), nullable=True),
        sa.Column("slot", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "facts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(parent_id IS NULL) = (parent_number IS NULL)",
            name=op.f("ck_plan_places_parent_whole"),
        ),
        sa.CheckConstraint(
            "parent_id IS NULL OR (parent_id, parent_number) <> (member_id, number)",
            name=op.f("ck_plan_places_not_own_parent"),
        ),
        sa.CheckConstraint(
            "recommender_id <> member_id", name=op.f("ck_plan_places_not_own_recommender")
        ),
        sa.CheckConstraint("slot >= 1", name=op.f("ck_plan_places_slot")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_plan_places_member_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_plan_places_order_id")),
        sa.ForeignKeyConstraint(
            ["plan_id", "parent_id", "parent_number"],
            ["plan_places.plan_id", "plan_places.member_id", "plan_places.number"],
            name="fk_plan_places_parent",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_places_plan_id")),
        sa.PrimaryKeyConstraint("plan_id", "member_id", "number", name=op.f("pk_plan_places")),
    )
    op.create_index(
        "ix_plan_places_below",
        "plan_places",
        ["plan_id", "parent_id", "parent_number"],
        unique=False,
    )
    op.create_index("ix_plan_places_member", "plan_places", ["member_id"], unique=False)
    op.create_index(
        "ix_plan_places_recommended", "plan_places", ["plan_id", "recommender_id"], unique=False
    )
    op.create_index(
        "uq_plan_places_slot",
        "plan_places",
        ["plan_id", "parent_id", "parent_number", "slot"],
        unique=True,
        postgresql_where=sa.text("slot IS NOT NULL"),
    )
    op.create_table(
        "plan_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_version_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("refund_id", sa.BigInteger(), nullable=True),
        sa.Column("member_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "inputs", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "notes", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_plan_events_member_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_plan_events_order_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_events_plan_id")),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_versions.id"], name=op.f("fk_plan_events_plan_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refunds.id"], name=op.f("fk_plan_events_refund_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_events")),
    )
    op.create_index("ix_plan_events_order", "plan_events", ["order_id"], unique=False)
    op.create_index("ix_plan_events_plan", "plan_events", ["plan_id", "id"], unique=False)
    op.create_index(
        "uq_plan_events_once",
        "plan_events",
        ["plan_id", "kind", "order_id", "refund_id", "member_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("kind <> 'directed'"),
    )
    op.create_table(
        "gifts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_version_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("beneficiary_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "due",
                "given",
                "revoked",
                name="giftstate",
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
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'due') = (ended_at IS NULL)", name=op.f("ck_gifts_ended")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_gifts_amount")),
        sa.ForeignKeyConstraint(
            ["beneficiary_id"], ["members.id"], name=op.f("fk_gifts_beneficiary_id")
        ),
        sa.ForeignKeyConstraint(["event_id"], ["plan_events.id"], name=op.f("fk_gifts_event_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_gifts_order_id")),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_versions.id"], name=op.f("fk_gifts_plan_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gifts")),
        sa.UniqueConstraint(
            "event_id", "kind", "beneficiary_id", name=op.f("uq_gifts_event_id_kind_beneficiary_id")
        ),
    )
    op.create_index(
        "ix_gifts_beneficiary",
        "gifts",
        ["beneficiary_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(op.f("ix_gifts_order_id"), "gifts", ["order_id"], unique=False)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
