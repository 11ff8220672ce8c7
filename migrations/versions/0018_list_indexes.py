"""Indexes that keep lists of millions of rows quick, and which stores know which members.

What is written from here on ties itself; 0028 ties what was there before, without keeping writers
out meanwhile as the triggers of this transaction do.

A list shows 25 rows out of millions: each order it can have, each rare value it can be narrowed to
and each scope needs an index that finds them without looking at the rest. Indexes are built beside
the traffic and before anything else, so that an interrupted run can be repeated: what it left
half-built is dropped first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_members_registered": ("members", "registered_at, id", ""),
    "ix_members_first_paid": ("members", "first_paid_at, id", ""),
    "ix_members_grams": ("members", "", ""),
    "ix_orders_paid": ("orders", "paid_at, id", ""),
    "ix_orders_created": ("orders", "created_at, id", ""),
    "ix_orders_payable": ("orders", "payable_fen, id", ""),
    "ix_orders_owner": ("orders", "owner_id, id DESC", "owner_id IS NOT NULL"),
    "ix_orders_state": ("orders", "state, id DESC", "state <> 'settled'"),
    "ix_awards_state": ("awards", "state, id DESC", "state NOT IN ('matured', 'withdrawn')"),
    "ix_bindings_state": ("bindings", "state, id DESC", ""),
    "ix_refunds_state": ("refunds", "state, id DESC", "state <> 'succeeded'"),
    "ix_payouts_state": ("payouts", "state, id DESC", "state <> 'succeeded'"),
    "ix_ledger_entries_occurred": ("ledger_entries", "occurred_at, id", ""),
}
REPLACED = {
    "ix_members_registered": ("members", ["registered_at"]),
    "ix_orders_paid": ("orders", ["paid_at"]),
}

UNEVEN = (("orders", "store_id"), ("members", "origin_store_id"), ("member_stores", "store_id"))
"""Stores differ by orders of magnitude: the planner has to know each, not the hundred largest."""

GRAMS = """
    CREATE OR REPLACE FUNCTION name_grams(name text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT coalesce(array_agg(DISTINCT substr(lower(name), place, size)), '{}')
        FROM generate_series(1, length(name)) place, generate_series(1, 2) size
        WHERE place + size - 1 <= length(name)
    $$
"""
"""Every letter and every pair of letters: Chinese names are too short for trigrams."""

TIES = """
    SELECT origin_store_id AS store_id, id AS member_id FROM members
    WHERE origin_store_id IS NOT NULL {of_member}
    UNION SELECT store_id, member_id FROM orders WHERE true {of_order}
    UNION SELECT coalesce(b.owner_store_id, d.store_id), b.customer_id
    FROM bindings b LEFT JOIN distributors d ON d.member_id = b.owner_id
    WHERE coalesce(b.owner_store_id, d.store_id) IS NOT NULL {of_binding}
    UNION SELECT store_id, member_id FROM distributors
    WHERE store_id IS NOT NULL {of_distributor}
"""
TIES_OF_ONE = TIES.format(
    of_member="AND id = whom",
    of_order="AND member_id = whom",
    of_binding="AND b.customer_id = whom",
    of_distributor="AND member_id = whom",
)

FUNCTIONS = (
    f"""
    CREATE FUNCTION tie_again(whom bigint) RETURNS void LANGUAGE sql AS $$
        WITH now_tied AS ({TIES_OF_ONE}),
        gone AS (DELETE FROM member_stores m WHERE m.member_id = whom
            AND NOT EXISTS (SELECT 1 FROM now_tied n WHERE n.store_id = m.store_id))
        INSERT INTO member_stores (store_id, member_id) SELECT store_id, member_id FROM now_tied
        ON CONFLICT DO NOTHING
    $$
    """,
    """
    CREATE FUNCTION tie_by_origin() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            PERFORM tie_again(NEW.id);
        ELSE
            INSERT INTO member_stores (store_id, member_id) VALUES (NEW.origin_store_id, NEW.id)
            ON CONFLICT DO NOTHING;
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION tie_by_order() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO member_stores (store_id, member_id) VALUES (NEW.store_id, NEW.member_id)
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION tie_by_binding() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO member_stores (store_id, member_id)
        SELECT store_id, NEW.customer_id FROM (
            SELECT coalesce(NEW.owner_store_id,
                (SELECT store_id FROM distributors WHERE member_id = NEW.owner_id)) AS store_id
        ) owner WHERE store_id IS NOT NULL
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION tie_by_distributor() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM tie_again(NEW.member_id);
        IF TG_OP = 'UPDATE' THEN
            PERFORM tie_again(customer_id)
            FROM (SELECT DISTINCT customer_id FROM bindings WHERE owner_id = NEW.member_id
                ORDER BY customer_id) customers;
        END IF;
        RETURN NULL;
    END $$
    """,
)
TRIGGERS = (
    (
        "members_tie",
        "INSERT ON members",
        "NEW.origin_store_id IS NOT NULL",
        "tie_by_origin",
    ),
    (
        "members_tie_again",
        "UPDATE OF origin_store_id ON members",
        "OLD.origin_store_id IS DISTINCT FROM NEW.origin_store_id",
        "tie_by_origin",
    ),
    ("orders_tie", "INSERT ON orders", "true", "tie_by_order"),
    ("bindings_tie", "INSERT ON bindings", "true", "tie_by_binding"),
    (
        "distributors_tie",
        "INSERT ON distributors",
        "NEW.store_id IS NOT NULL",
        "tie_by_distributor",
    ),
    (
        "distributors_tie_again",
        "UPDATE OF store_id ON distributors",
        "OLD.store_id IS DISTINCT FROM NEW.store_id",
        "tie_by_distributor",
    ),
)


def upgrade() -> None:
    _build_indexes()
    op.create_table(
        "member_stores",
        sa.Column("store_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_member_stores_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_member_stores_store_id")
        ),
        sa.PrimaryKeyConstraint("store_id", "member_id", name=op.f("pk_member_stores")),
    )
    for function in FUNCTIONS:
        op.execute(function)
    for name, event, condition, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} FOR EACH ROW WHEN ({condition})"
            f" EXECUTE FUNCTION {function}()"
        )
    op.create_index("ix_member_stores_member", "member_stores", ["member_id", "store_id"])
    for table, column in UNEVEN:
        op.execute(f"ALTER TABLE {table} ALTER {column} SET STATISTICS 1000")


def _build_indexes() -> None:
    with op.get_context().autocommit_block():
        op.execute(GRAMS)
        op.execute("SET lock_timeout = 0")
        for name, (table, columns, where) in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            what = f"({columns})" if columns else "USING gin (name_grams(nickname))"
            only = f" WHERE {where}" if where else ""
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {table} {what}{only}")
        op.execute("SET lock_timeout = '200ms'")


def downgrade() -> None:
    for table, column in UNEVEN[:-1]:
        op.execute(f"ALTER TABLE {table} ALTER {column} SET STATISTICS -1")
    for name, (table, _, _) in reversed(INDEXES.items()):
        op.drop_index(name, table_name=table)
    for name, (table, columns) in REPLACED.items():
        op.create_index(name, table, columns)
    for name, event, _, _ in reversed(TRIGGERS):
        op.execute(f"DROP TRIGGER {name} ON {event.rpartition(' ')[2]}")
    for function in ("distributor", "binding", "order", "origin"):
        op.execute(f"DROP FUNCTION tie_by_{function}()")
    op.execute("DROP FUNCTION tie_again(bigint)")
    op.drop_table("member_stores")
    op.execute("DROP FUNCTION name_grams(text)")
