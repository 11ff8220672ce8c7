"""Activities: what they offer, what members took, groups and bargains."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

NEVER_CHANGED = ("activity_steps", "bargain_cuts")
FROZEN_COLUMNS = {
    "activities": ("activities_origin", "kind created_by created_at"),
    "activity_entries": (
        "activity_entries_origin",
        ("activity_id item_id member_id store_id quantity regular_fen is_newcomer created_at"),
    ),
    "buying_groups": (
        "buying_groups_origin",
        "code activity_id item_id store_id leader_id size opened_at expires_at",
    ),
    "group_seats": ("group_seats_origin", "group_id number member_id entry_id order_id at"),
    "bargains": (
        "bargains_origin",
        (
            "code activity_id item_id entry_id member_id store_id start_fen floor_fen parts seed"
            " commitment begun_at expires_at"
        ),
    ),
}
TABLES = (
    "bargain_cuts",
    "bargains",
    "group_seats",
    "buying_groups",
    "activity_days",
    "activity_tallies",
    "activity_entries",
    "activity_steps",
    "activity_items",
    "activities",
)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _number(
    name: str, *, nullable: bool = False, server_default: sa.TextClause | None = None
) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=server_default)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _choice(name: str, kind: str, *words: str) -> sa.Column[str]:
    values = sa.Enum(*words, name=kind, native_enum=False, create_constraint=True, length=32)
    return sa.Column(name, values, nullable=False)


def _check(table: str, name: str, holds: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(holds, name=op.f(f"ck_{table}_{name}"))


def _foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    _activities()
    _activity_items()
    _activity_steps()
    _activity_entries()
    _activity_tallies()
    _activity_days()
    _buying_groups()
    _group_seats()
    _bargains()
    _bargain_cuts()
    _keep_history()


def _keep_history() -> None:
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
        of = ", ".join(columns.split())
        changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in columns.split())
        op.execute(
            f"CREATE TRIGGER {trigger} BEFORE UPDATE OF {of} ON {table}"
            f" FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION refuse_change()"
        )


def _activities() -> None:
    op.create_table(
        "activities",
        _id(),
        _choice(
            "kind",
            "activitykind",
            "flash_sale",
            "group_buy",
            "bargain",
            "lucky_draw",
            "check_in",
            "invite_rounds",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        _choice("state", "activitystate", "draft", "scheduled", "running", "ended", "cancelled"),
        _instant("starts_at"),
        _instant("ends_at"),
        sa.Column("store_ids", sa.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("rules", postgresql.JSONB(none_as_null=True), nullable=False),
        _number("limit_per_member", nullable=True),
        _number("limit_total", nullable=True),
        _number("taken", server_default=sa.text("0")),
        sa.Column("pays_commission", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        _instant("created_at"),
        _check("activities", "name", "char_length(name) BETWEEN 1 AND 60"),
        _check("activities", "limit_per_member", "limit_per_member >= 1"),
        _check("activities", "limit_total", "limit_total >= 1"),
        _check("activities", "period", "starts_at < ends_at"),
        _check("activities", "stores", "store_ids IS NULL OR cardinality(store_ids) > 0"),
        _check(
            "activities",
            "never_above",
            "taken >= 0 AND (limit_total IS NULL OR taken <= limit_total)",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
    )
    op.create_index(
        "ix_activities_by_clock",
        "activities",
        ["starts_at"],
        postgresql_where=sa.text("state IN ('scheduled', 'running')"),
    )
    op.create_index("ix_activities_state", "activities", ["state", sa.text("id DESC")])


def _activity_items() -> None:
    op.create_table(
        "activity_items",
        _id(),
        _number("activity_id"),
        _number("product_id"),
        _number("price_fen"),
        _number("stock"),
        _number("sold", server_default=sa.text("0")),
        _check("activity_items", "price", "price_fen BETWEEN 1 AND 100000000"),
        _check("activity_items", "never_oversold", "sold >= 0 AND sold <= stock"),
        _foreign("activity_items", "activity_id", "activities.id"),
        _foreign("activity_items", "product_id", "products.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_items")),
        sa.UniqueConstraint(
            "activity_id", "product_id", name=op.f("uq_activity_items_activity_id_product_id")
        ),
    )
    op.create_index(op.f("ix_activity_items_product_id"), "activity_items", ["product_id"])


def _activity_steps() -> None:
    op.create_table(
        "activity_steps",
        _id(),
        _number("activity_id"),
        _choice("event", "activityevent", "schedule", "start", "end", "cancel"),
        _choice("to_state", "activitystate", "draft", "scheduled", "running", "ended", "cancelled"),
        _instant("at"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _foreign("activity_steps", "activity_id", "activities.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_steps")),
    )
    op.create_index(op.f("ix_activity_steps_activity_id"), "activity_steps", ["activity_id"])


def _activity_entries() -> None:
    op.create_table(
        "activity_entries",
        _id(),
        _number("activity_id"),
        _number("item_id", nullable=True),
        _number("member_id"),
        _number("store_id", nullable=True),
        _number("order_id", nullable=True),
        _number("quantity"),
        _number("regular_fen", nullable=True),
        _number("price_fen", nullable=True),
        sa.Column("is_newcomer", sa.Boolean(), nullable=False),
        _choice("state", "entrystate", "held", "kept", "released"),
        _instant("created_at"),
        _instant("released_at", nullable=True),
        _check("activity_entries", "released", "(state = 'released') = (released_at IS NOT NULL)"),
        _check("activity_entries", "quantity", "quantity >= 1"),
        _foreign("activity_entries", "activity_id", "activities.id"),
        _foreign("activity_entries", "item_id", "activity_items.id"),
        _foreign("activity_entries", "member_id", "members.id"),
        _foreign("activity_entries", "order_id", "orders.id"),
        _foreign("activity_entries", "store_id", "stores.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_entries")),
    )
    op.create_index(
        "ix_activity_entries_activity", "activity_entries", ["activity_id", sa.text("id DESC")]
    )
    op.create_index(op.f("ix_activity_entries_item_id"), "activity_entries", ["item_id"])
    op.create_index(
        "ix_activity_entries_member", "activity_entries", ["member_id", sa.text("id DESC")]
    )
    op.create_index(
        "uq_activity_entries_order",
        "activity_entries",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )


def _activity_tallies() -> None:
    op.create_table(
        "activity_tallies",
        _number("activity_id"),
        _number("member_id"),
        _number("taken"),
        _check("activity_tallies", "taken", "taken >= 0"),
        _foreign("activity_tallies", "activity_id", "activities.id"),
        _foreign("activity_tallies", "member_id", "members.id"),
        sa.PrimaryKeyConstraint("activity_id", "member_id", name=op.f("pk_activity_tallies")),
    )
    op.create_index(op.f("ix_activity_tallies_member_id"), "activity_tallies", ["member_id"])


def _activity_days() -> None:
    op.create_table(
        "activity_days",
        _number("activity_id"),
        _number("member_id"),
        sa.Column("day", sa.Date(), nullable=False),
        _number("acts"),
        _check("activity_days", "acts", "acts >= 1"),
        _foreign("activity_days", "activity_id", "activities.id"),
        _foreign("activity_days", "member_id", "members.id"),
        sa.PrimaryKeyConstraint("activity_id", "member_id", "day", name=op.f("pk_activity_days")),
    )
    op.create_index(op.f("ix_activity_days_member_id"), "activity_days", ["member_id"])


def _buying_groups() -> None:
    op.create_table(
        "buying_groups",
        _id(),
        sa.Column("code", sa.String(length=32), nullable=False),
        _number("activity_id"),
        _number("item_id"),
        _number("store_id"),
        _number("leader_id"),
        _number("size"),
        _choice("state", "groupstate", "open", "complete", "failed"),
        _instant("opened_at"),
        _instant("expires_at"),
        _instant("ended_at", nullable=True),
        _check("buying_groups", "ended", "(state = 'open') = (ended_at IS NULL)"),
        _check("buying_groups", "size", "size BETWEEN 2 AND 100"),
        _foreign("buying_groups", "activity_id", "activities.id"),
        _foreign("buying_groups", "item_id", "activity_items.id"),
        _foreign("buying_groups", "leader_id", "members.id"),
        _foreign("buying_groups", "store_id", "stores.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buying_groups")),
        sa.UniqueConstraint("code", name=op.f("uq_buying_groups_code")),
    )
    op.create_index(
        "ix_buying_groups_activity", "buying_groups", ["activity_id", sa.text("id DESC")]
    )
    op.create_index(
        "ix_buying_groups_due",
        "buying_groups",
        ["expires_at"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(op.f("ix_buying_groups_leader_id"), "buying_groups", ["leader_id"])
    op.create_index(op.f("ix_buying_groups_store_id"), "buying_groups", ["store_id"])
    op.create_index(
        "uq_buying_groups_open",
        "buying_groups",
        ["item_id", "leader_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )


def _group_seats() -> None:
    op.create_table(
        "group_seats",
        _id(),
        _number("group_id"),
        _number("number"),
        _number("member_id"),
        _number("entry_id"),
        _number("order_id"),
        _choice("state", "seatstate", "held", "paid", "left"),
        _instant("at"),
        _instant("left_at", nullable=True),
        _check("group_seats", "number", "number >= 1"),
        _foreign("group_seats", "entry_id", "activity_entries.id"),
        _foreign("group_seats", "group_id", "buying_groups.id"),
        _foreign("group_seats", "member_id", "members.id"),
        _foreign("group_seats", "order_id", "orders.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_seats")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_group_seats_entry_id")),
        sa.UniqueConstraint("order_id", name=op.f("uq_group_seats_order_id")),
    )
    op.create_index(op.f("ix_group_seats_group_id"), "group_seats", ["group_id"])
    op.create_index(op.f("ix_group_seats_member_id"), "group_seats", ["member_id"])
    op.create_index(
        "uq_group_seats_member",
        "group_seats",
        ["group_id", "member_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'left'"),
    )
    op.create_index(
        "uq_group_seats_number",
        "group_seats",
        ["group_id", "number"],
        unique=True,
        postgresql_where=sa.text("state <> 'left'"),
    )


def _bargains() -> None:
    op.create_table(
        "bargains",
        _id(),
        sa.Column("code", sa.String(length=32), nullable=False),
        _number("activity_id"),
        _number("item_id"),
        _number("entry_id"),
        _number("member_id"),
        _number("store_id"),
        _number("order_id", nullable=True),
        _choice("state", "bargainstate", "open", "ordered", "bought", "expired"),
        _number("start_fen"),
        _number("floor_fen"),
        _number("parts"),
        _number("parts_cut", server_default=sa.text("0")),
        _number("cut_fen", server_default=sa.text("0")),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        _instant("begun_at"),
        _instant("expires_at"),
        _instant("ended_at", nullable=True),
        _check("bargains", "ended", "(state IN ('bought', 'expired')) = (ended_at IS NOT NULL)"),
        _check("bargains", "ordered", "(state IN ('ordered', 'bought')) = (order_id IS NOT NULL)"),
        _check("bargains", "prices", "floor_fen >= 1 AND floor_fen < start_fen"),
        _check(
            "bargains",
            "cut",
            "parts_cut BETWEEN 0 AND parts AND cut_fen >= 0 AND cut_fen <= start_fen - floor_fen AND (parts_cut = parts) = (cut_fen = start_fen - floor_fen)",
        ),
        _foreign("bargains", "activity_id", "activities.id"),
        _foreign("bargains", "entry_id", "activity_entries.id"),
        _foreign("bargains", "item_id", "activity_items.id"),
        _foreign("bargains", "member_id", "members.id"),
        _foreign("bargains", "order_id", "orders.id"),
        _foreign("bargains", "store_id", "stores.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bargains")),
        sa.UniqueConstraint("code", name=op.f("uq_bargains_code")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_bargains_entry_id")),
        sa.UniqueConstraint("order_id", name=op.f("uq_bargains_order_id")),
    )
    op.create_index("ix_bargains_activity", "bargains", ["activity_id", sa.text("id DESC")])
    op.create_index(
        "ix_bargains_due", "bargains", ["expires_at"], postgresql_where=sa.text("state = 'open'")
    )
    op.create_index(op.f("ix_bargains_member_id"), "bargains", ["member_id"])
    op.create_index(op.f("ix_bargains_store_id"), "bargains", ["store_id"])
    op.create_index(
        "uq_bargains_live",
        "bargains",
        ["item_id", "member_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('open', 'ordered')"),
    )


def _bargain_cuts() -> None:
    op.create_table(
        "bargain_cuts",
        _id(),
        _number("bargain_id"),
        _number("helper_id"),
        _number("first_part"),
        _number("parts"),
        _number("amount_fen"),
        sa.Column("is_newcomer", sa.Boolean(), nullable=False),
        _instant("at"),
        _check("bargain_cuts", "amounts", "first_part >= 0 AND parts >= 1 AND amount_fen >= 1"),
        _foreign("bargain_cuts", "bargain_id", "bargains.id"),
        _foreign("bargain_cuts", "helper_id", "members.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bargain_cuts")),
        sa.UniqueConstraint(
            "bargain_id", "first_part", name=op.f("uq_bargain_cuts_bargain_id_first_part")
        ),
        sa.UniqueConstraint(
            "bargain_id", "helper_id", name=op.f("uq_bargain_cuts_bargain_id_helper_id")
        ),
    )
    op.create_index(op.f("ix_bargain_cuts_helper_id"), "bargain_cuts", ["helper_id"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
