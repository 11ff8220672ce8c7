"""Coupons: templates, codes, each coupon and its steps."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

TABLES = (
    "coupon_push_members",
    "coupon_pushes",
    "coupon_steps",
    "coupons",
    "coupon_holdings",
    "coupon_stocks",
    "coupon_templates",
)
PROMISED = (
    "kind amount_fen percent_bp most_fen threshold_fen store_ids product_ids is_stackable"
    " is_given_back per_member valid_from_at valid_until_at valid_seconds created_at"
)
FROZEN = {
    "coupon_templates": ("coupon_templates_promise", PROMISED, "keep_coupon_promise"),
    "coupons": (
        "coupons_origin",
        "template_id member_id seq channel source key claimed_at valid_from_at",
        "refuse_change",
    ),
    "coupon_pushes": (
        "coupon_pushes_request",
        "template_id title begun_at begun_by",
        "refuse_change",
    ),
    "coupon_push_members": ("coupon_push_members_address", "push_id member_id", "refuse_change"),
}
STATES = ("unused", "reserved", "used", "expired", "revoked")
EVENTS = (
    *("claim", "reserve", "release", "use", "redeem"),
    *("give_back", "expire", "revoke"),
)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True)


def _number(name: str, target: str = "", *, nullable: bool = False) -> sa.Column[int]:
    keys = [sa.ForeignKey(target)] if target else []
    return sa.Column(name, sa.BigInteger(), *keys, autoincrement=False, nullable=nullable)


def _template() -> sa.Column[int]:
    key = sa.ForeignKey("coupon_templates.id", deferrable=True, initially="DEFERRED")
    return sa.Column("template_id", sa.BigInteger(), key, autoincrement=False, nullable=False)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _text(name: str, *, default: str | None = None, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _flag(name: str, *, default: bool) -> sa.Column[bool]:
    value = sa.true() if default else sa.false()
    return sa.Column(name, sa.Boolean(), server_default=value, nullable=False)


def _ids(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.ARRAY(sa.BigInteger()), nullable=True)


def _words(name: str, kind: str, *words: str, nullable: bool = False) -> sa.Column[str]:
    values = sa.Enum(*words, name=kind, native_enum=False, create_constraint=True, length=32)
    return sa.Column(name, values, nullable=nullable)


def upgrade() -> None:
    _create_templates()
    _create_stocks()
    _create_holdings()
    _create_coupons()
    _create_steps()
    _create_pushes()
    _add_up_stocks()
    _keep_promises()
    for table, (trigger, columns, function) in FROZEN.items():
        of = ", ".join(columns.split())
        changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in columns.split())
        op.execute(
            f"CREATE TRIGGER {trigger} BEFORE UPDATE OF {of} ON {table}"
            f" FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION {function}()"
        )
    op.execute(
        "CREATE TRIGGER coupon_steps_rows BEFORE UPDATE OR DELETE ON coupon_steps"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER coupon_steps_truncate BEFORE TRUNCATE ON coupon_steps"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _create_templates() -> None:
    op.create_table(
        "coupon_templates",
        _id(),
        _words("kind", "couponkind", "amount_off", "percent_off", "exchange"),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("title_en", sa.String(80), server_default="", nullable=False),
        _text("terms", default=""),
        _number("amount_fen", nullable=True),
        _number("percent_bp", nullable=True),
        _number("most_fen", nullable=True),
        _count("threshold_fen"),
        _ids("store_ids"),
        _ids("product_ids"),
        _flag("is_stackable", default=False),
        _flag("is_given_back", default=True),
        _number("per_member"),
        _number("stock"),
        sa.Column("ways", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("code", sa.Text(), unique=True),
        _instant("claim_from_at"),
        _instant("claim_until_at"),
        _instant("valid_from_at", nullable=True),
        _instant("valid_until_at", nullable=True),
        _number("valid_seconds", nullable=True),
        _instant("created_at"),
        _instant("ended_at", nullable=True),
        sa.CheckConstraint(
            "(kind = 'amount_off') = (amount_fen IS NOT NULL)"
            " AND (kind = 'percent_off') = (percent_bp IS NOT NULL)"
            " AND (most_fen IS NULL OR kind = 'percent_off')",
            name="kind_whole",
        ),
        sa.CheckConstraint(
            "amount_fen BETWEEN 1 AND 100000000 AND percent_bp BETWEEN 1 AND 10000"
            " AND most_fen BETWEEN 1 AND 100000000",
            name="amounts",
        ),
        sa.CheckConstraint(
            "kind <> 'exchange' OR product_ids IS NOT NULL AND cardinality(product_ids) = 1",
            name="exchange",
        ),
        sa.CheckConstraint("threshold_fen BETWEEN 0 AND 1000000000", name="threshold"),
        sa.CheckConstraint(
            "cardinality(store_ids) > 0 AND cardinality(product_ids) > 0", name="not_empty"
        ),
        sa.CheckConstraint("stock BETWEEN 0 AND 10000000", name="stock"),
        sa.CheckConstraint("per_member BETWEEN 1 AND 1000", name="per_member"),
        sa.CheckConstraint("claim_from_at < claim_until_at", name="claim_window"),
        sa.CheckConstraint(
            "(valid_seconds IS NULL) = (valid_until_at IS NOT NULL)"
            " AND (valid_from_at IS NULL) = (valid_until_at IS NULL)"
            " AND valid_from_at < valid_until_at AND valid_seconds > 0",
            name="validity",
        ),
        sa.CheckConstraint(
            "ways <@ ARRAY['centre', 'code', 'push', 'staff']"
            " AND ('code' = ANY (ways)) <= (code IS NOT NULL)",
            name="ways",
        ),
    )
    op.create_index(
        "ix_coupon_templates_centre",
        "coupon_templates",
        [sa.text("id DESC")],
        postgresql_where=sa.text("ended_at IS NULL AND 'centre' = ANY (ways)"),
    )


def _create_stocks() -> None:
    """Rows lie far apart, so that their many updates find room on their page."""
    op.create_table(
        "coupon_stocks",
        _number("template_id", "coupon_templates.id"),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        _number("stock"),
        _number("issued"),
        sa.CheckConstraint("slot BETWEEN 0 AND 15", name="slot"),
        sa.CheckConstraint("issued BETWEEN 0 AND stock", name="never_above_stock"),
        sa.PrimaryKeyConstraint("template_id", "slot"),
        postgresql_with={"fillfactor": 10},
    )


def _add_up_stocks() -> None:
    """Let no transaction end in which the parts of a template's stock are not its stock (B29).

    What is given out changes no stock, so that claims are not looked at.
    """
    op.execute("""
        CREATE FUNCTION coupon_stock_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            template bigint := to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END)
                ->> TG_ARGV[0];
            said bigint;
            held bigint;
        BEGIN
            SELECT stock INTO said FROM coupon_templates WHERE id = template;
            SELECT coalesce(sum(stock), 0) INTO held FROM coupon_stocks
            WHERE template_id = template;
            IF said <> held THEN
                RAISE EXCEPTION 'template % has % coupons, but % in its slots',
                    template, said, held USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL;
        END $$
    """)
    for table, events, column in (
        ("coupon_templates", "INSERT OR UPDATE OF stock", "id"),
        ("coupon_stocks", "INSERT OR DELETE OR UPDATE OF stock, template_id", "template_id"),
    ):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_add_up AFTER {events} ON {table}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            f" EXECUTE FUNCTION coupon_stock_adds_up('{column}')"
        )


def _keep_promises() -> None:
    """Refuse to change what coupons promise once one was given out, or is being given out (B29)."""
    op.execute("""
        CREATE FUNCTION keep_coupon_promise() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM coupon_stocks WHERE template_id = OLD.id ORDER BY slot FOR UPDATE;
            IF EXISTS (SELECT FROM coupon_stocks WHERE template_id = OLD.id AND issued > 0) THEN
                RAISE EXCEPTION 'coupons of template % were given out; their promise stays', OLD.id
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
    """)


def _create_holdings() -> None:
    op.create_table(
        "coupon_holdings",
        _template(),
        _number("member_id", "members.id"),
        _number("issued"),
        sa.CheckConstraint("issued > 0", name="issued"),
        sa.PrimaryKeyConstraint("template_id", "member_id"),
    )
    op.create_index("ix_coupon_holdings_member_id", "coupon_holdings", ["member_id"])


def _create_coupons() -> None:
    op.create_table(
        "coupons",
        _id(),
        _template(),
        _number("member_id", "members.id"),
        _number("seq"),
        _words("state", "couponstate", *STATES),
        _words("channel", "couponchannel", "centre", "code", "push", "staff", "reward"),
        _text("source", default=""),
        _text("key", nullable=True),
        _instant("claimed_at"),
        _instant("valid_from_at"),
        _instant("valid_until_at"),
        _instant("extended_at", nullable=True),
        _number("order_id", "orders.id", nullable=True),
        _instant("reserved_until_at", nullable=True),
        _number("amount_fen", nullable=True),
        _instant("used_at", nullable=True),
        _number("store_id", "stores.id", nullable=True),
        sa.UniqueConstraint("template_id", "member_id", "seq"),
        sa.CheckConstraint("seq > 0", name="seq"),
        sa.CheckConstraint("valid_from_at < valid_until_at", name="validity"),
        sa.CheckConstraint(
            "CASE state WHEN 'reserved' THEN order_id IS NOT NULL AND store_id IS NULL"
            " WHEN 'used' THEN (order_id IS NULL) <> (store_id IS NULL)"
            " ELSE order_id IS NULL AND store_id IS NULL END",
            name="where_used",
        ),
        sa.CheckConstraint("(state = 'used') = (used_at IS NOT NULL)", name="used_at"),
        sa.CheckConstraint("(order_id IS NULL) = (amount_fen IS NULL)", name="amount_whole"),
        sa.CheckConstraint("amount_fen > 0", name="amount"),
        sa.CheckConstraint(
            "(state = 'reserved') = (reserved_until_at IS NOT NULL)", name="reserved_until_at"
        ),
    )
    op.create_index("ix_coupons_member", "coupons", ["member_id", sa.text("id DESC")])
    op.create_index(
        "uq_coupons_key",
        "coupons",
        ["key"],
        unique=True,
        postgresql_where=sa.text("key IS NOT NULL"),
    )
    op.create_index(
        "ix_coupons_order",
        "coupons",
        ["order_id"],
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_index(
        "ix_coupons_expiring",
        "coupons",
        ["valid_until_at", "id"],
        postgresql_where=sa.text("state = 'unused'"),
    )


def _create_steps() -> None:
    op.create_table(
        "coupon_steps",
        _id(),
        _number("coupon_id", "coupons.id"),
        _words("event", "couponevent", *EVENTS),
        _words("to_state", "couponstate", *STATES),
        _instant("at"),
        _text("actor"),
        _number("order_id", nullable=True),
        _number("store_id", nullable=True),
        _text("note", default=""),
    )
    op.create_index("ix_coupon_steps_coupon_id", "coupon_steps", ["coupon_id"])


def _create_pushes() -> None:
    op.create_table(
        "coupon_pushes",
        _id(),
        _number("template_id", "coupon_templates.id"),
        sa.Column("title", sa.String(80), nullable=False),
        _words("state", "pushstate", "running", "done", "stopped"),
        _number("people"),
        _count("given"),
        _count("passed_over"),
        _instant("begun_at"),
        _text("begun_by"),
        _instant("ended_at", nullable=True),
        sa.CheckConstraint("(state = 'running') = (ended_at IS NULL)", name="ended"),
        sa.CheckConstraint("given >= 0 AND given + passed_over <= people", name="numbers"),
    )
    op.create_index(
        "ix_coupon_pushes_running",
        "coupon_pushes",
        ["id"],
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "ix_coupon_pushes_template", "coupon_pushes", ["template_id", sa.text("id DESC")]
    )
    op.create_table(
        "coupon_push_members",
        _number("push_id", "coupon_pushes.id"),
        _number("member_id", "members.id"),
        _words("outcome", "pushoutcome", "given", "limit", "gone", nullable=True),
        sa.PrimaryKeyConstraint("push_id", "member_id"),
    )
    op.create_index(
        "ix_coupon_push_members_waiting",
        "coupon_push_members",
        ["push_id", "member_id"],
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.create_index("ix_coupon_push_members_member_id", "coupon_push_members", ["member_id"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION coupon_stock_adds_up()")
    op.execute("DROP FUNCTION keep_coupon_promise()")
