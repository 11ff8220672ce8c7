"""Membership levels, growth and what they bring."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

NEVER_CHANGED = ("membership_level_versions", "growth_entries", "level_moves")
TABLES = (
    "level_moves",
    "level_holdings",
    "growth_entries",
    "memberships",
    "membership_level_versions",
    "membership_levels",
)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _facts(name: str) -> sa.Column[object]:
    kind = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    return sa.Column(name, kind, nullable=False)


def _words(name: str, kind: str, *words: str) -> sa.Column[str]:
    values = sa.Enum(*words, name=kind, native_enum=False, create_constraint=True, length=32)
    return sa.Column(name, values, nullable=False)


def _foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    _create_levels()
    _create_memberships()
    _create_growth()
    _create_holdings()
    _create_moves()
    for table in NEVER_CHANGED:
        op.execute(
            f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _create_levels() -> None:
    op.create_table(
        "membership_levels",
        _id(),
        _number("rank"),
        _instant("created_at"),
        _instant("evaluate_asked_at", nullable=True),
        _instant("evaluated_at", nullable=True),
        _check("membership_levels", "rank", "rank BETWEEN 1 AND 99"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership_levels")),
        sa.UniqueConstraint("rank", name=op.f("uq_membership_levels_rank")),
    )
    name = "membership_level_versions"
    op.create_table(
        name,
        _id(),
        _number("level_id"),
        _text("name"),
        _text("name_en", ""),
        _number("growth_at_least", nullable=True),
        _number("discount_bp"),
        _number("points_multiplier_bp"),
        _text("benefits", ""),
        _text("benefits_en", ""),
        _facts("upgrade_gift"),
        _facts("birthday_gift"),
        _facts("excluded_product_ids"),
        _number("paid_product_id", nullable=True),
        _number("paid_days", nullable=True),
        sa.Column("is_retired", sa.Boolean(), server_default=sa.false(), nullable=False),
        _instant("from_at"),
        _text("actor"),
        _text("reason"),
        _check(name, "growth", "growth_at_least >= 0"),
        _check(name, "discount", "discount_bp BETWEEN 1 AND 10000"),
        _check(name, "multiplier", "points_multiplier_bp BETWEEN 0 AND 100000"),
        _check(name, "name", "char_length(name) BETWEEN 1 AND 20"),
        _check(name, "paid_whole", "(paid_product_id IS NULL) = (paid_days IS NULL)"),
        _check(name, "paid_days", "paid_days BETWEEN 1 AND 3650"),
        _foreign(name, "level_id", "membership_levels.id"),
        _foreign(name, "paid_product_id", "products.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    op.create_index(f"ix_{name}_level", name, ["level_id", sa.text("id DESC")])


def _create_memberships() -> None:
    op.create_table(
        "memberships",
        _number("member_id"),
        sa.Column("growth", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _number("level_id", nullable=True),
        _foreign("memberships", "member_id", "members.id"),
        _foreign("memberships", "level_id", "membership_levels.id"),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_memberships")),
    )
    op.create_index("ix_memberships_level", "memberships", ["level_id", "member_id"])
    op.create_index("ix_memberships_growth", "memberships", ["growth", "member_id"])


def _create_growth() -> None:
    name = "growth_entries"
    op.create_table(
        name,
        _id(),
        _text("key"),
        _number("member_id"),
        _number("amount"),
        _words("source", "growthsource", "order", "refund", "reward", "hand"),
        _number("order_id", nullable=True),
        _instant("counts_at"),
        _instant("at"),
        _text("actor"),
        _text("reason", ""),
        _check(name, "amount", "amount <> 0"),
        _foreign(name, "member_id", "members.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("key", name=op.f(f"uq_{name}_key")),
    )
    op.create_index(f"ix_{name}_member", name, ["member_id", sa.text("id DESC")])
    op.create_index(
        f"ix_{name}_window", name, ["member_id", "counts_at"], postgresql_include=["amount"]
    )
    op.create_index(f"ix_{name}_order", name, ["order_id"])


def _create_holdings() -> None:
    name = "level_holdings"
    op.create_table(
        name,
        _id(),
        _number("member_id"),
        _number("level_id"),
        _words("basis", "basis", "growth", "paid", "hand"),
        _number("growth_needed", nullable=True),
        _number("order_id", nullable=True),
        sa.Column("is_cap", sa.Boolean(), server_default=sa.false(), nullable=False),
        _instant("from_at"),
        _instant("until_at"),
        _instant("ended_at", nullable=True),
        _instant("warned_at", nullable=True),
        _text("actor"),
        _text("reason", ""),
        _check(name, "period", "until_at > from_at"),
        _check(name, "ended", "ended_at >= from_at"),
        _check(name, "needed", "(basis = 'growth') = (growth_needed IS NOT NULL)"),
        _check(name, "order", "(basis = 'paid') = (order_id IS NOT NULL)"),
        _foreign(name, "member_id", "members.id"),
        _foreign(name, "level_id", "membership_levels.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("order_id", "level_id", name=op.f(f"uq_{name}_order_id_level_id")),
    )
    op.create_index(
        f"uq_{name}_open",
        name,
        ["member_id", "basis"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL AND basis <> 'paid'"),
    )
    op.create_index(f"ix_{name}_member", name, ["member_id", sa.text("id DESC")])
    op.create_index(
        f"ix_{name}_until", name, ["until_at"], postgresql_where=sa.text("ended_at IS NULL")
    )


def _create_moves() -> None:
    name = "level_moves"
    op.create_table(
        name,
        _id(),
        _number("member_id"),
        _number("from_level_id", nullable=True),
        _number("to_level_id", nullable=True),
        _words(
            "cause",
            "movecause",
            *("reached", "not_kept", "taken_back", "paid", "paid_ended", "hand", "hand_ended"),
        ),
        _number("growth"),
        _instant("at"),
        _text("actor"),
        _text("reason", ""),
        _check(name, "moves", "from_level_id IS DISTINCT FROM to_level_id"),
        _foreign(name, "member_id", "members.id"),
        _foreign(name, "from_level_id", "membership_levels.id"),
        _foreign(name, "to_level_id", "membership_levels.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    op.create_index(f"ix_{name}_member", name, ["member_id", sa.text("id DESC")])
    op.create_index(f"ix_{name}_at", name, ["at", "id"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
