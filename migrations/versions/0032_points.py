"""Points: lots, earnings, spends and their uses, the statement, the mall."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

SOURCES = (
    *("order", "task", "check_in", "birthday", "level", "activity"),
    *("questionnaire", "gift", "hand", "returned"),
)
KINDS = (
    *("earned", "settled", "granted", "reserved", "released", "given_back"),
    *("taken_back", "debt_filled", "expired", "adjusted"),
)
EXCHANGES = ("waiting", "handed_over", "given", "cancelled")
NEVER_CHANGED = ("point_entries", "mall_exchange_steps")
FROZEN_COLUMNS = {
    "point_lots": (
        "point_lots_origin",
        "member_id key source reason granted_points granted_at expires_at",
    ),
    "point_earnings": ("point_earnings_origin", "member_id key order_id points earned_at"),
    "point_spends": ("point_spends_origin", "member_id key order_id points reserved_at"),
    "point_uses": ("point_uses_origin", "spend_id lot_id points"),
    "mall_exchanges": (
        "mall_exchanges_origin",
        "number item_id member_id kind title points product_id is_stocked store_id created_at",
    ),
}
TABLES = (
    "mall_exchange_steps",
    "mall_exchanges",
    "mall_tallies",
    "mall_items",
    "point_entries",
    "point_uses",
    "point_spends",
    "point_earnings",
    "point_lots",
)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _number(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[int]:
    server_default = sa.text(default) if default is not None else None
    return sa.Column(name, sa.BigInteger(), server_default=server_default, nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _words(name: str, kind: str, *words: str, nullable: bool = False) -> sa.Column[str]:
    values = sa.Enum(*words, name=kind, native_enum=False, create_constraint=True, length=32)
    return sa.Column(name, values, nullable=nullable)


def _foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def _check(table: str, name: str, holds: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(holds, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    _create_lots()
    _create_earnings()
    _create_spends()
    _create_entries()
    _create_mall()
    _create_exchanges()
    _keep_history()
    _hold_lots_against_accounts()


def _create_lots() -> None:
    op.create_table(
        "point_lots",
        _id(),
        _number("member_id"),
        _text("key"),
        _words("source", "pointsource", *SOURCES),
        _text("reason", ""),
        _number("granted_points"),
        _number("left_points"),
        _number("expired_points", default="0"),
        _number("taken_points", default="0"),
        _instant("granted_at"),
        _instant("expires_at"),
        _instant("expired_at", nullable=True),
        _instant("notified_at", nullable=True),
        _check("point_lots", "granted", "granted_points BETWEEN 1 AND 1000000000"),
        _check(
            "point_lots",
            "adds_up",
            "left_points >= 0 AND expired_points >= 0 AND taken_points >= 0"
            " AND left_points + expired_points + taken_points <= granted_points",
        ),
        _check("point_lots", "expired_at", "(expired_points > 0) = (expired_at IS NOT NULL)"),
        _check("point_lots", "period", "granted_at < expires_at"),
        _foreign("point_lots", "member_id", "members.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_lots")),
        sa.UniqueConstraint("key", name=op.f("uq_point_lots_key")),
    )
    op.create_index("ix_point_lots_member", "point_lots", ["member_id", sa.text("id DESC")])
    for name, columns, where in (
        ("spendable", ["member_id", "expires_at", "id"], "left_points > 0"),
        ("running_out", ["expires_at", "id"], "left_points > 0"),
        ("to_notify", ["expires_at", "id"], "left_points > 0 AND notified_at IS NULL"),
    ):
        op.create_index(
            f"ix_point_lots_{name}", "point_lots", columns, postgresql_where=sa.text(where)
        )


def _create_earnings() -> None:
    op.create_table(
        "point_earnings",
        _id(),
        _number("member_id"),
        _text("key"),
        _number("order_id", nullable=True),
        _number("points"),
        _number("taken_points", default="0"),
        _number("forgiven_points", default="0"),
        _words("state", "earningstate", "pending", "settled"),
        _instant("earned_at"),
        _instant("settled_at", nullable=True),
        _number("lot_id", nullable=True),
        _check("point_earnings", "points", "points BETWEEN 1 AND 1000000000"),
        _check(
            "point_earnings",
            "taken",
            "forgiven_points >= 0 AND forgiven_points <= taken_points AND taken_points <= points",
        ),
        _check("point_earnings", "settled", "(state = 'settled') = (settled_at IS NOT NULL)"),
        _check("point_earnings", "lot", "lot_id IS NULL OR state = 'settled'"),
        _foreign("point_earnings", "member_id", "members.id"),
        _foreign("point_earnings", "order_id", "orders.id"),
        _foreign("point_earnings", "lot_id", "point_lots.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_earnings")),
        sa.UniqueConstraint("key", name=op.f("uq_point_earnings_key")),
    )
    op.create_index("ix_point_earnings_member", "point_earnings", ["member_id", sa.text("id DESC")])
    op.create_index(op.f("ix_point_earnings_order_id"), "point_earnings", ["order_id"])
    op.create_index(op.f("ix_point_earnings_lot_id"), "point_earnings", ["lot_id"])


def _create_spends() -> None:
    op.create_table(
        "point_spends",
        _id(),
        _number("member_id"),
        _text("key"),
        _number("order_id", nullable=True),
        _number("points"),
        _number("given_back_points", default="0"),
        _words("state", "spendstate", "reserved", "spent", "released"),
        _instant("reserved_at"),
        _instant("ended_at", nullable=True),
        _check("point_spends", "points", "points BETWEEN 1 AND 1000000000"),
        _check(
            "point_spends",
            "given_back",
            "given_back_points BETWEEN 0 AND points AND (given_back_points = 0 OR state = 'spent')",
        ),
        _check("point_spends", "ended", "(state = 'reserved') = (ended_at IS NULL)"),
        _foreign("point_spends", "member_id", "members.id"),
        _foreign("point_spends", "order_id", "orders.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_spends")),
        sa.UniqueConstraint("key", name=op.f("uq_point_spends_key")),
        sa.UniqueConstraint("order_id", name=op.f("uq_point_spends_order_id")),
    )
    op.create_index("ix_point_spends_member", "point_spends", ["member_id", sa.text("id DESC")])
    op.create_index(
        "ix_point_spends_reserved",
        "point_spends",
        ["reserved_at"],
        postgresql_where=sa.text("state = 'reserved'"),
    )
    op.create_table(
        "point_uses",
        _number("spend_id"),
        _number("lot_id"),
        _number("points"),
        _number("returned_points", default="0"),
        _number("renewed_points", default="0"),
        _check("point_uses", "points", "points > 0"),
        _check(
            "point_uses",
            "returned",
            "returned_points >= 0 AND renewed_points >= 0"
            " AND returned_points + renewed_points <= points",
        ),
        _foreign("point_uses", "spend_id", "point_spends.id"),
        _foreign("point_uses", "lot_id", "point_lots.id"),
        sa.PrimaryKeyConstraint("spend_id", "lot_id", name=op.f("pk_point_uses")),
    )
    op.create_index(op.f("ix_point_uses_lot_id"), "point_uses", ["lot_id"])


def _create_entries() -> None:
    op.create_table(
        "point_entries",
        _id(),
        _number("member_id"),
        _text("key"),
        _words("kind", "entrykind", *KINDS),
        _words("source", "pointsource", *SOURCES, nullable=True),
        _number("available_change", default="0"),
        _number("pending_change", default="0"),
        _number("debt_change", default="0"),
        _number("order_id", nullable=True),
        _text("reason", ""),
        _text("actor"),
        _instant("at"),
        _check(
            "point_entries",
            "moves",
            "available_change <> 0 OR pending_change <> 0 OR debt_change <> 0",
        ),
        _foreign("point_entries", "member_id", "members.id"),
        _foreign("point_entries", "order_id", "orders.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_entries")),
        sa.UniqueConstraint("member_id", "key", name=op.f("uq_point_entries_member_id_key")),
    )
    op.create_index("ix_point_entries_member", "point_entries", ["member_id", sa.text("id DESC")])
    op.create_index("ix_point_entries_at", "point_entries", ["at", "id"])
    op.create_index(op.f("ix_point_entries_order_id"), "point_entries", ["order_id"])


def _create_mall() -> None:
    op.create_table(
        "mall_items",
        _id(),
        _words("kind", "exchangekind", "product", "coupon"),
        _text("title"),
        _text("title_en", ""),
        _text("description", ""),
        _number("points"),
        _number("product_id", nullable=True),
        _number("template_id", nullable=True),
        sa.Column("store_ids", sa.ARRAY(sa.BigInteger()), nullable=True),
        _number("stock"),
        _number("exchanged", default="0"),
        _number("limit_per_member", nullable=True),
        sa.Column("is_published", sa.Boolean(), server_default=sa.false(), nullable=False),
        _instant("created_at"),
        _check("mall_items", "title", "char_length(title) BETWEEN 1 AND 60"),
        _check("mall_items", "points", "points BETWEEN 1 AND 10000000"),
        _check("mall_items", "never_oversold", "exchanged >= 0 AND exchanged <= stock"),
        _check("mall_items", "limit_per_member", "limit_per_member >= 1"),
        _check("mall_items", "stores", "store_ids IS NULL OR cardinality(store_ids) > 0"),
        _check(
            "mall_items",
            "what",
            "(kind = 'product') = (product_id IS NOT NULL)"
            " AND (kind = 'coupon') = (template_id IS NOT NULL)",
        ),
        _foreign("mall_items", "product_id", "products.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mall_items")),
    )
    op.create_index(op.f("ix_mall_items_product_id"), "mall_items", ["product_id"])
    op.create_index(
        "ix_mall_items_published", "mall_items", ["id"], postgresql_where=sa.text("is_published")
    )
    op.create_table(
        "mall_tallies",
        _number("item_id"),
        _number("member_id"),
        _number("taken"),
        _check("mall_tallies", "taken", "taken >= 0"),
        _foreign("mall_tallies", "item_id", "mall_items.id"),
        _foreign("mall_tallies", "member_id", "members.id"),
        sa.PrimaryKeyConstraint("item_id", "member_id", name=op.f("pk_mall_tallies")),
    )
    op.create_index(op.f("ix_mall_tallies_member_id"), "mall_tallies", ["member_id"])


def _create_exchanges() -> None:
    op.create_table(
        "mall_exchanges",
        _id(),
        sa.Column("number", sa.String(32), nullable=False),
        _number("item_id"),
        _number("member_id"),
        _words("kind", "exchangekind", "product", "coupon"),
        _text("title"),
        _number("points"),
        _number("product_id", nullable=True),
        sa.Column("is_stocked", sa.Boolean(), nullable=False),
        _number("store_id", nullable=True),
        _number("coupon_id", nullable=True),
        _words("state", "exchangestate", *EXCHANGES),
        _instant("created_at"),
        _instant("ended_at", nullable=True),
        _check("mall_exchanges", "points", "points > 0"),
        _check("mall_exchanges", "store", "(kind = 'product') = (store_id IS NOT NULL)"),
        _check("mall_exchanges", "ended", "(state = 'waiting') = (ended_at IS NULL)"),
        _check("mall_exchanges", "coupon", "(state = 'given') = (coupon_id IS NOT NULL)"),
        _foreign("mall_exchanges", "item_id", "mall_items.id"),
        _foreign("mall_exchanges", "member_id", "members.id"),
        _foreign("mall_exchanges", "product_id", "products.id"),
        _foreign("mall_exchanges", "store_id", "stores.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mall_exchanges")),
        sa.UniqueConstraint("number", name=op.f("uq_mall_exchanges_number")),
    )
    for name in ("member", "store", "item"):
        op.create_index(
            f"ix_mall_exchanges_{name}", "mall_exchanges", [f"{name}_id", sa.text("id DESC")]
        )
    op.create_index(op.f("ix_mall_exchanges_product_id"), "mall_exchanges", ["product_id"])
    op.create_table(
        "mall_exchange_steps",
        _id(),
        _number("exchange_id"),
        _words("to_state", "exchangestate", *EXCHANGES),
        _instant("at"),
        _text("actor"),
        _number("store_id", nullable=True),
        _text("reason", ""),
        _foreign("mall_exchange_steps", "exchange_id", "mall_exchanges.id"),
        _foreign("mall_exchange_steps", "store_id", "stores.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mall_exchange_steps")),
    )
    op.create_index(
        op.f("ix_mall_exchange_steps_exchange_id"), "mall_exchange_steps", ["exchange_id"]
    )


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


def _hold_lots_against_accounts() -> None:
    """Let no transaction end in which a member's lots and the ledger's account disagree (B32).

    The ledger's side is looked at for every movement of an account. On the side of lots, expiry is
    left out: it moves many lots of a member at once, and the account's own check sees them all.
    """
    op.execute("""
        CREATE FUNCTION points_match_lots() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            held bigint;
            lots bigint;
        BEGIN
            SELECT coalesce(max(balance), 0) INTO held FROM ledger_accounts
            WHERE name = 'points_available' AND unit = 'point' AND member_id = NEW.member_id;
            SELECT coalesce(sum(left_points), 0) INTO lots FROM point_lots
            WHERE member_id = NEW.member_id AND left_points > 0;
            IF held <> lots THEN
                RAISE EXCEPTION 'member % has % points, but lots of %', NEW.member_id, held, lots
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute(
        "CREATE CONSTRAINT TRIGGER points_match_lots AFTER UPDATE ON ledger_accounts"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        " WHEN (NEW.name = 'points_available' AND OLD.balance IS DISTINCT FROM NEW.balance)"
        " EXECUTE FUNCTION points_match_lots()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER lots_match_points AFTER INSERT ON point_lots"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION points_match_lots()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER lots_still_match_points AFTER UPDATE ON point_lots"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        " WHEN (OLD.left_points <> NEW.left_points AND OLD.expired_points = NEW.expired_points)"
        " EXECUTE FUNCTION points_match_lots()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER points_match_lots ON ledger_accounts")
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION points_match_lots()")
