"""What was given to members, and why."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

TABLES = (
    "birthday_runs",
    "task_marks",
    "task_progress",
    "member_tasks",
    "order_rewards",
    "given_rewards",
)
BIRTHDAY = "(EXTRACT(month FROM birthday_on)), (EXTRACT(day FROM birthday_on)), id"


def _number(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[int]:
    told = sa.text(default) if default else None
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=told)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


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
    _index_birthdays()
    _create_rewards()
    _create_order_rewards()
    _create_tasks()
    op.create_table(
        "birthday_runs",
        sa.Column("day", sa.Date(), nullable=False),
        _instant("at"),
        _number("members"),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_birthday_runs")),
    )
    op.execute(
        "CREATE TRIGGER task_marks_rows BEFORE UPDATE OR DELETE ON task_marks"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER task_marks_truncate BEFORE TRUNCATE ON task_marks"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER order_rewards_promise BEFORE UPDATE ON order_rewards FOR EACH ROW"
        " WHEN (OLD.member_id IS DISTINCT FROM NEW.member_id"
        " OR OLD.base_fen IS DISTINCT FROM NEW.base_fen OR OLD.points IS DISTINCT FROM NEW.points"
        " OR OLD.growth IS DISTINCT FROM NEW.growth OR OLD.rule IS DISTINCT FROM NEW.rule)"
        " EXECUTE FUNCTION refuse_change()"
    )


def _index_birthdays() -> None:
    """Build beside the traffic; what an interrupted run left half-built is dropped first."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_members_birthday")
        op.execute(
            f"CREATE INDEX CONCURRENTLY ix_members_birthday ON members ({BIRTHDAY})"
            " WHERE birthday_on IS NOT NULL"
        )
        op.execute("SET lock_timeout = '200ms'")


def _create_rewards() -> None:
    name = "given_rewards"
    sources = (
        *("upgrade", "birthday", "task", "activity", "check_in"),
        *("draw", "invite", "interaction", "plan", "hand"),
    )
    op.create_table(
        name,
        _id(),
        _text("key"),
        _number("member_id"),
        _words("kind", "rewardkind", "coupon", "points", "growth"),
        _number("template_id", nullable=True),
        _number("amount"),
        _words("source", "rewardsource", *sources),
        _words("state", "rewardstate", "given", "refused"),
        _text("refusal", ""),
        _instant("asked_at"),
        _instant("given_at", nullable=True),
        _check(name, "amount", "amount > 0"),
        _check(name, "template", "(kind = 'coupon') = (template_id IS NOT NULL)"),
        _check(name, "given", "(state = 'given') = (given_at IS NOT NULL)"),
        _check(name, "refusal", "(state = 'refused') = (refusal <> '')"),
        _foreign(name, "member_id", "members.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("key", name=op.f(f"uq_{name}_key")),
    )
    op.create_index(f"ix_{name}_member", name, ["member_id", sa.text("id DESC")])
    op.create_index(f"ix_{name}_asked", name, ["asked_at", "id"])
    op.create_index(
        f"ix_{name}_refused", name, ["id"], postgresql_where=sa.text("state = 'refused'")
    )


def _create_order_rewards() -> None:
    name = "order_rewards"
    op.create_table(
        name,
        _number("order_id"),
        _number("member_id"),
        _number("base_fen"),
        _number("gone_fen", default="0"),
        _number("points"),
        _number("points_taken", default="0"),
        _number("growth"),
        _number("growth_taken", default="0"),
        _facts("rule"),
        _instant("promised_at"),
        _instant("settled_at", nullable=True),
        _check(name, "gone", "gone_fen BETWEEN 0 AND base_fen"),
        _check(name, "points", "points_taken BETWEEN 0 AND points"),
        _check(name, "growth", "growth_taken BETWEEN 0 AND growth"),
        _foreign(name, "order_id", "orders.id"),
        _foreign(name, "member_id", "members.id"),
        sa.PrimaryKeyConstraint("order_id", name=op.f(f"pk_{name}")),
    )
    op.create_index(f"ix_{name}_member", name, ["member_id", sa.text("order_id DESC")])


def _create_tasks() -> None:
    kinds = ("join", "bind_phone", "complete_profile", "first_order", "bring_a_friend", "follow")
    op.create_table(
        "member_tasks",
        _id(),
        _words("kind", "taskkind", *kinds),
        _text("title"),
        _text("title_en", ""),
        _text("description", ""),
        _number("target", default="1"),
        _facts("rewards"),
        _instant("starts_at"),
        _instant("ends_at", nullable=True),
        _instant("created_at"),
        _check("member_tasks", "target", "target BETWEEN 1 AND 1000"),
        _check("member_tasks", "title", "char_length(title) BETWEEN 1 AND 40"),
        _check("member_tasks", "period", "ends_at > starts_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_tasks")),
    )
    op.create_index("ix_member_tasks_kind", "member_tasks", ["kind", "starts_at"])
    op.create_table(
        "task_progress",
        _number("task_id"),
        _number("member_id"),
        _number("count", default="0"),
        _instant("done_at", nullable=True),
        _check("task_progress", "count", "count >= 0"),
        _foreign("task_progress", "task_id", "member_tasks.id"),
        _foreign("task_progress", "member_id", "members.id"),
        sa.PrimaryKeyConstraint("task_id", "member_id", name=op.f("pk_task_progress")),
    )
    op.create_index("ix_task_progress_member", "task_progress", ["member_id"])
    op.create_table(
        "task_marks",
        _number("task_id"),
        _number("member_id"),
        _text("fact"),
        _instant("at"),
        _text("actor"),
        sa.ForeignKeyConstraint(
            ["task_id", "member_id"],
            ["task_progress.task_id", "task_progress.member_id"],
            name=op.f("fk_task_marks_task_id_member_id"),
        ),
        sa.PrimaryKeyConstraint("task_id", "member_id", "fact", name=op.f("pk_task_marks")),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.drop_index("ix_members_birthday", table_name="members")
