"""Guest cards: templates, quotas, cards, bookings, uses; and who had them before an erasure."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

APPEND_ONLY = ("guest_card_steps", "guest_card_uses")
FROZEN_COLUMNS = {
    "guest_cards": (
        "token template_id quota_id giver_id giver_store_id share_code_id title face_value_fen"
        " cost_fen settle_price_fen store_ids valid_days ends_at is_new_only shared_at"
        " share_until_at"
    ),
    "guest_card_items": "card_id product_id title granted",
    "guest_card_bookings": "card_id template_id member_id store_id from_at until_at booked_at",
    "guest_card_conversions": "card_id order_id store_id paid_fen paid_at",
}
INDEXES = (
    "ix_guest_card_quotas_template_id ON guest_card_quotas (template_id)",
    "ix_guest_cards_device ON guest_cards (device_hash) WHERE device_hash IS NOT NULL",
    "ix_guest_cards_giver ON guest_cards (giver_id, id DESC)",
    "ix_guest_cards_giver_store ON guest_cards (giver_store_id, id DESC)",
    "ix_guest_cards_held ON guest_cards (expires_at) WHERE state = 'claimed'",
    "ix_guest_cards_member ON guest_cards (member_id, id DESC)",
    "ix_guest_cards_quota_id ON guest_cards (quota_id)",
    "ix_guest_cards_share_code_id ON guest_cards (share_code_id)",
    "ix_guest_cards_shared_at ON guest_cards (shared_at, id)",
    "ix_guest_cards_touch_id ON guest_cards (touch_id)",
    "ix_guest_cards_unclaimed ON guest_cards (share_until_at) WHERE state = 'shared'",
    "uq_guest_cards_one_each ON guest_cards (template_id, member_id) WHERE member_id IS NOT NULL",
    "ix_guest_card_steps_card_id ON guest_card_steps (card_id)",
    "ix_guest_card_items_product_id ON guest_card_items (product_id)",
    "ix_guest_card_bookings_card ON guest_card_bookings (card_id, id)",
    "ix_guest_card_bookings_due ON guest_card_bookings (until_at) WHERE state = 'booked'",
    "ix_guest_card_bookings_member ON guest_card_bookings (member_id, id)",
    "ix_guest_card_bookings_store ON guest_card_bookings (store_id, from_at)",
    "ix_guest_card_bookings_template_id ON guest_card_bookings (template_id)",
    "uq_guest_card_bookings_live ON guest_card_bookings (card_id) WHERE state = 'booked'",
    "ix_guest_card_slots_store_id ON guest_card_slots (store_id)",
    "ix_guest_card_uses_card ON guest_card_uses (card_id, id)",
    "ix_guest_card_uses_member ON guest_card_uses (member_id, at)",
    (
        "ix_guest_card_uses_payer ON guest_card_uses (payer_store_id, at)"
        " WHERE payer_store_id IS NOT NULL"
    ),
    "ix_guest_card_uses_staff ON guest_card_uses (staff_id, at)",
    "ix_guest_card_uses_store ON guest_card_uses (store_id, at)",
    "ix_guest_card_uses_word ON guest_card_uses (at) WHERE NOT is_by_code",
    "ix_guest_card_conversions_store_id ON guest_card_conversions (store_id)",
    "ix_former_customers_mark ON former_customers (mark)",
    "ix_former_customers_until ON former_customers (until_at)",
)
"""Unique those whose name says so."""
TABLES = (
    "former_customers guest_card_conversions guest_card_uses guest_card_slots guest_card_bookings"
    " guest_card_items guest_card_steps guest_cards guest_card_quotas guest_card_level_quotas"
    " guest_card_template_services guest_card_templates"
)
TIED = """
    SELECT origin_store_id AS store_id, id AS member_id FROM members
    WHERE origin_store_id IS NOT NULL AND id = whom
    UNION SELECT store_id, member_id FROM orders WHERE member_id = whom
    UNION SELECT coalesce(b.owner_store_id, d.store_id), b.customer_id
    FROM bindings b LEFT JOIN distributors d ON d.member_id = b.owner_id
    WHERE coalesce(b.owner_store_id, d.store_id) IS NOT NULL AND b.customer_id = whom
    UNION SELECT store_id, member_id FROM distributors
    WHERE store_id IS NOT NULL AND member_id = whom
    UNION SELECT store_id, whom FROM historic_orders WHERE member_id = whom
    UNION SELECT h.store_id, whom FROM historic_orders h
    JOIN expected_members e ON e.id = h.expected_member_id WHERE e.claimed_by_id = whom
"""
BY_CARDS = """
    UNION SELECT store_id, whom FROM guest_card_bookings WHERE member_id = whom
    UNION SELECT store_id, whom FROM guest_card_uses WHERE member_id = whom
"""
TIE_AGAIN = """
    CREATE OR REPLACE FUNCTION tie_again(whom bigint) RETURNS void LANGUAGE sql AS $$
        WITH now_tied AS ({tied}),
        gone AS (DELETE FROM member_stores m WHERE m.member_id = whom
            AND NOT EXISTS (SELECT 1 FROM now_tied n WHERE n.store_id = m.store_id))
        INSERT INTO member_stores (store_id, member_id) SELECT store_id, member_id FROM now_tied
        ON CONFLICT DO NOTHING
    $$
"""


STATES = "shared claimed booked used returned expired revoked"
EVENTS = "claim book unbook use use_up return expire revoke"
BOOKING_STATES = "booked kept cancelled no_show"


def _check(name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=name)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True)


def _number(name: str, target: str = "", *, nullable: bool = False) -> sa.Column[int]:
    keys = [sa.ForeignKey(target)] if target else []
    return sa.Column(name, sa.BigInteger(), *keys, autoincrement=False, nullable=nullable)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _text(
    name: str, *, nullable: bool = False, server_default: str | None = None
) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=server_default, nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _words(name: str, kind: str, words: str) -> sa.Column[str]:
    values = sa.Enum(
        *words.split(), name=kind, native_enum=False, create_constraint=True, length=32
    )
    return sa.Column(name, values, nullable=False)


def upgrade() -> None:
    _create_templates()
    _create_template_services()
    _create_level_quotas()
    _create_quotas()
    _create_cards()
    _create_steps()
    _create_items()
    _create_bookings()
    _create_slots()
    _create_uses()
    _create_conversions()
    _create_former_customers()
    for index in INDEXES:
        op.execute(f"CREATE {'UNIQUE ' if index.startswith('uq_') else ''}INDEX {index}")
    _keep_what_was_recorded()
    _tie_customers_to_stores()


def downgrade() -> None:
    op.execute(TIE_AGAIN.format(tied=TIED))
    for table in TABLES.split():
        op.drop_table(table)


def _keep_what_was_recorded() -> None:
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table, columns in FROZEN_COLUMNS.items():
        of = ", ".join(columns.split())
        changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in columns.split())
        op.execute(
            f"CREATE TRIGGER {table}_facts BEFORE UPDATE OF {of} ON {table}"
            f" FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION refuse_change()"
        )


def _tie_customers_to_stores() -> None:
    """Let a store know whoever booked there or used a card there."""
    op.execute(TIE_AGAIN.format(tied=f"{TIED} {BY_CARDS}"))
    for table in ("guest_card_bookings", "guest_card_uses"):
        op.execute(
            f"CREATE TRIGGER {table}_tie AFTER INSERT ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION tie_by_order()"
        )


def _create_templates() -> None:
    op.create_table(
        "guest_card_templates",
        _id(),
        _text("name"),
        _text("description", server_default=""),
        _number("face_value_fen"),
        _count("cost_fen"),
        _count("settle_price_fen"),
        sa.Column("store_ids", sa.ARRAY(sa.BigInteger()), nullable=True),
        _number("valid_days"),
        _instant("ends_at", nullable=True),
        sa.Column("is_new_only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        _number("slot_minutes", nullable=True),
        _number("slot_capacity", nullable=True),
        _count("reward_points"),
        _number("reward_coupon_template_id", nullable=True),
        _instant("created_at"),
        _instant("ended_at", nullable=True),
        _check("some_store", "store_ids <> '{}'"),
        _check("slots_whole", "(slot_minutes IS NULL) = (slot_capacity IS NULL)"),
        _check("name", "char_length(name) BETWEEN 1 AND 40"),
        _check(
            "amounts",
            "face_value_fen BETWEEN 1 AND 100000000 AND cost_fen BETWEEN 0 AND 100000000"
            " AND settle_price_fen BETWEEN 0 AND 100000000",
        ),
        _check("reward_points", "reward_points BETWEEN 0 AND 100000"),
        _check("slots", "slot_minutes BETWEEN 10 AND 480 AND slot_capacity BETWEEN 1 AND 99"),
        _check("valid_days", "valid_days BETWEEN 1 AND 366"),
    )


def _create_template_services() -> None:
    op.create_table(
        "guest_card_template_services",
        _number("template_id", "guest_card_templates.id"),
        _number("product_id", "products.id"),
        _number("count"),
        _check("count", "count BETWEEN 1 AND 99"),
        sa.PrimaryKeyConstraint("template_id", "product_id"),
    )


def _create_level_quotas() -> None:
    op.create_table(
        "guest_card_level_quotas",
        _number("template_id", "guest_card_templates.id"),
        _number("level"),
        _number("count"),
        _check("count", "count BETWEEN 0 AND 999"),
        _check("level", "level BETWEEN 1 AND 9"),
        sa.PrimaryKeyConstraint("template_id", "level"),
    )


def _create_quotas() -> None:
    op.create_table(
        "guest_card_quotas",
        _id(),
        _number("template_id", "guest_card_templates.id"),
        _number("giver_id", "distributors.member_id"),
        sa.Column("month_on", sa.Date(), nullable=False),
        _number("granted"),
        _count("taken"),
        _check("month_on", "extract(day FROM month_on) = 1"),
        _check("never_above", "taken >= 0 AND taken <= granted"),
        sa.UniqueConstraint("giver_id", "template_id", "month_on"),
    )


def _create_cards() -> None:
    op.create_table(
        "guest_cards",
        _id(),
        sa.Column("token", sa.String(length=22), nullable=False),
        _number("template_id", "guest_card_templates.id"),
        _number("quota_id", "guest_card_quotas.id"),
        _number("giver_id", "distributors.member_id"),
        _number("giver_store_id", "stores.id", nullable=True),
        _number("share_code_id", "share_codes.id"),
        _words("state", "cardstate", STATES),
        _text("title"),
        _number("face_value_fen"),
        _number("cost_fen"),
        _number("settle_price_fen"),
        sa.Column("store_ids", sa.ARRAY(sa.BigInteger()), nullable=True),
        _number("valid_days"),
        _instant("ends_at", nullable=True),
        sa.Column("is_new_only", sa.Boolean(), nullable=False),
        _instant("shared_at"),
        _instant("share_until_at"),
        _number("member_id", "members.id", nullable=True),
        _instant("claimed_at", nullable=True),
        _instant("expires_at", nullable=True),
        sa.Column("is_new", sa.Boolean(), nullable=True),
        _text("device_hash", nullable=True),
        _number("touch_id", "touches.id", nullable=True),
        _instant("first_used_at", nullable=True),
        _instant("over_at", nullable=True),
        _check("claimed", "(state IN ('claimed', 'booked', 'used')) <= (claimed_at IS NOT NULL)"),
        _check("unclaimed", "(state IN ('shared', 'returned')) <= (claimed_at IS NULL)"),
        _check(
            "over",
            "(state IN ('used', 'returned', 'expired', 'revoked')) = (over_at IS NOT NULL)",
        ),
        _check("token", "token ~ '^[0-9A-Za-z]{22}$'"),
        _check(
            "claimed_whole",
            "(member_id IS NULL) = (claimed_at IS NULL)"
            " AND (claimed_at IS NULL) = (expires_at IS NULL)",
        ),
        _check("not_own", "member_id <> giver_id"),
        sa.UniqueConstraint("token"),
    )


def _create_steps() -> None:
    op.create_table(
        "guest_card_steps",
        _id(),
        _number("card_id", "guest_cards.id"),
        _words("event", "cardevent", EVENTS),
        _words("to_state", "cardstate", STATES),
        _instant("at"),
        _text("actor"),
        _text("reason", server_default=""),
    )


def _create_items() -> None:
    op.create_table(
        "guest_card_items",
        _id(),
        _number("card_id", "guest_cards.id"),
        _number("product_id", "products.id"),
        _text("title"),
        _number("granted"),
        _number("remaining"),
        _count("used"),
        _count("voided"),
        _check("not_negative", "remaining >= 0 AND used >= 0 AND voided >= 0"),
        _check("all_told", "used + remaining + voided = granted"),
        sa.UniqueConstraint("card_id", "product_id"),
    )


def _create_bookings() -> None:
    op.create_table(
        "guest_card_bookings",
        _id(),
        _number("card_id", "guest_cards.id"),
        _number("template_id", "guest_card_templates.id"),
        _number("member_id", "members.id"),
        _number("store_id", "stores.id"),
        _instant("from_at"),
        _instant("until_at"),
        _words("state", "bookingstate", BOOKING_STATES),
        _instant("booked_at"),
        _instant("ended_at", nullable=True),
        _text("ended_by", nullable=True),
        _check("ended", "(state = 'booked') = (ended_at IS NULL)"),
        _check("slot", "from_at < until_at"),
    )


def _create_slots() -> None:
    op.create_table(
        "guest_card_slots",
        _number("template_id", "guest_card_templates.id"),
        _number("store_id", "stores.id"),
        _instant("from_at"),
        _number("taken"),
        _check("taken", "taken >= 0 AND taken <= 99"),
        sa.PrimaryKeyConstraint("template_id", "store_id", "from_at"),
    )


def _create_uses() -> None:
    op.create_table(
        "guest_card_uses",
        _id(),
        _number("item_id", "guest_card_items.id"),
        _number("number"),
        _number("card_id", "guest_cards.id"),
        _number("member_id", "members.id"),
        _number("store_id", "stores.id"),
        _number("staff_id", "staff.id"),
        _number("staff_member_id", "members.id", nullable=True),
        sa.Column("store_ids", sa.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("is_by_code", sa.Boolean(), nullable=False),
        _number("cost_fen"),
        _number("payer_store_id", "stores.id", nullable=True),
        _number("settle_fen"),
        _instant("at"),
        _check("number", "number >= 1"),
        _check(
            "settlement",
            "settle_fen >= 0 AND (payer_store_id IS NOT NULL OR settle_fen = 0)"
            " AND payer_store_id <> store_id",
        ),
        _check("not_own", "staff_member_id <> member_id"),
        _check("assigned", "store_ids IS NULL OR store_id = ANY (store_ids)"),
        sa.UniqueConstraint("item_id", "number"),
    )


def _create_conversions() -> None:
    op.create_table(
        "guest_card_conversions",
        _number("card_id", "guest_cards.id"),
        _number("order_id"),
        _number("store_id", "stores.id"),
        _number("paid_fen"),
        _count("refunded_fen"),
        _instant("paid_at"),
        _check("paid", "paid_fen > 0"),
        _check("refunded", "refunded_fen BETWEEN 0 AND paid_fen"),
        sa.PrimaryKeyConstraint("card_id"),
        sa.UniqueConstraint("order_id"),
    )


def _create_former_customers() -> None:
    """What recognises an erased customer for a while: hashes, and what they may not have twice."""
    op.create_table(
        "former_customers",
        _id(),
        _text("mark"),
        _instant("first_paid_at", nullable=True),
        sa.Column("card_template_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("has_used_card", sa.Boolean(), nullable=False),
        _number("card_claims"),
        _instant("until_at"),
        _check("mark", "mark ~ '^[0-9a-f]{64}$'"),
        _check("card_claims", "card_claims >= 0"),
    )
