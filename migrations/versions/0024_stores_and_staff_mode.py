"""What a store is, and staff in the mini-program."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

STATES = ("open", "paused", "closed")
PROOFS = ("pickup_code", "staff_word")
APPEND_ONLY = ("store_steps", "handovers", "spent_pickup_codes")
TEXTS = ("city", "district", "phone")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _words(name: str, kind: str, words: tuple[str, ...]) -> sa.Column[str]:
    values = sa.Enum(*words, name=kind, native_enum=False, create_constraint=True, length=32)
    return sa.Column(name, values, nullable=False)


def _foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    _widen_stores()
    _create_store_steps()
    _create_bindings()
    _create_handovers()
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _widen_stores() -> None:
    op.add_column("stores", _text("code", nullable=True))
    for name in TEXTS:
        op.add_column("stores", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("stores", _number("latitude_udeg", nullable=True))
    op.add_column("stores", _number("longitude_udeg", nullable=True))
    op.add_column(
        "stores",
        sa.Column(
            "opening_hours",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
        ),
    )
    op.add_column(
        "stores", sa.Column("state", sa.String(32), server_default="open", nullable=False)
    )
    op.execute("UPDATE stores SET state = 'paused' WHERE NOT is_open")
    op.execute("UPDATE stores SET code = 'S' || lpad(id::text, greatest(3, length(id::text)), '0')")
    op.drop_column("stores", "is_open")
    op.create_unique_constraint(op.f("uq_stores_code"), "stores", ["code"])
    op.create_check_constraint("storestate", "stores", "state IN ('open', 'paused', 'closed')")
    op.create_check_constraint("code", "stores", "code ~ '^[0-9A-Z]{2,12}$'")
    op.create_check_constraint(
        "coordinates",
        "stores",
        "latitude_udeg BETWEEN -90000000 AND 90000000"
        " AND longitude_udeg BETWEEN -180000000 AND 180000000",
    )
    op.create_check_constraint(
        "coordinates_both", "stores", "(latitude_udeg IS NULL) = (longitude_udeg IS NULL)"
    )


def _create_store_steps() -> None:
    op.create_table(
        "store_steps",
        _id(),
        _number("store_id"),
        _words("to_state", "storestate", STATES),
        _instant("at"),
        _text("actor"),
        _text("reason"),
        _foreign("store_steps", "store_id", "stores.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_steps")),
    )
    op.create_index(op.f("ix_store_steps_store_id"), "store_steps", ["store_id"])


def _create_bindings() -> None:
    op.create_table(
        "staff_bindings",
        _id(),
        _number("staff_id"),
        _number("member_id"),
        _instant("bound_at"),
        _instant("ended_at", nullable=True),
        _text("ended_by", nullable=True),
        sa.CheckConstraint("bound_at <= ended_at", name=op.f("ck_staff_bindings_period")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_staff_bindings_ended_whole")
        ),
        _foreign("staff_bindings", "staff_id", "staff.id"),
        _foreign("staff_bindings", "member_id", "members.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_bindings")),
    )
    for name, column in (("staff", "staff_id"), ("member", "member_id")):
        op.create_index(
            f"uq_staff_bindings_{name}",
            "staff_bindings",
            [column],
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
        )
    op.create_index(
        "ix_staff_bindings_staff_id", "staff_bindings", ["staff_id", sa.text("id DESC")]
    )
    op.create_index(op.f("ix_staff_bindings_member_id"), "staff_bindings", ["member_id"])
    op.create_table(
        "staff_binding_codes",
        _number("staff_id"),
        sa.Column("code_hash", sa.String(64), nullable=False),
        _instant("made_at"),
        _instant("expires_at"),
        _number("binding_id", nullable=True),
        _foreign("staff_binding_codes", "staff_id", "staff.id"),
        _foreign("staff_binding_codes", "binding_id", "staff_bindings.id"),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff_binding_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_staff_binding_codes_code_hash")),
    )


def _create_handovers() -> None:
    op.create_table(
        "handovers",
        _id(),
        _number("order_id"),
        _number("store_id"),
        _number("staff_id"),
        _number("staff_member_id", nullable=True),
        sa.Column("store_ids", sa.ARRAY(sa.BigInteger()), nullable=True),
        _words("proof", "handoverproof", PROOFS),
        _instant("at"),
        sa.CheckConstraint(
            "store_ids IS NULL OR store_id = ANY (store_ids)", name=op.f("ck_handovers_assigned")
        ),
        _foreign("handovers", "order_id", "orders.id"),
        _foreign("handovers", "store_id", "stores.id"),
        _foreign("handovers", "staff_id", "staff.id"),
        _foreign("handovers", "staff_member_id", "members.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handovers")),
        sa.UniqueConstraint("order_id", name=op.f("uq_handovers_order_id")),
    )
    op.create_index("ix_handovers_staff", "handovers", ["staff_id", "at"])
    op.create_index(op.f("ix_handovers_store_id"), "handovers", ["store_id"])
    op.create_table(
        "spent_pickup_codes",
        sa.Column("nonce", sa.String(16), nullable=False),
        _number("member_id"),
        _text("subject"),
        _instant("spent_at"),
        _text("spent_by"),
        _foreign("spent_pickup_codes", "member_id", "members.id"),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_spent_pickup_codes")),
    )


def downgrade() -> None:
    for table in ("spent_pickup_codes", "handovers", "staff_binding_codes"):
        op.drop_table(table)
    for table in ("staff_bindings", "store_steps"):
        op.drop_table(table)
    op.add_column(
        "stores",
        sa.Column("is_open", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.execute("UPDATE stores SET is_open = (state = 'open')")
    for name in ("coordinates_both", "coordinates", "code", "storestate"):
        op.drop_constraint(op.f(f"ck_stores_{name}"), "stores", type_="check")
    op.drop_constraint(op.f("uq_stores_code"), "stores", type_="unique")
    for name in ("state", "opening_hours", "longitude_udeg", "latitude_udeg", *TEXTS, "code"):
        op.drop_column("stores", name)
