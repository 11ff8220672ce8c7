"""Lucky draws, check-in, rounds of invitations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

NEVER_CHANGED = ("check_ins",)
FROZEN_COLUMNS = {
    "lucky_draws": ("lucky_draws_origin", "activity_id seed_sealed commitment committed_at"),
    "draw_tickets": (
        "draw_tickets_origin",
        "activity_id number member_id entry_id points drawn_id prize_id at",
    ),
    "invite_rounds": (
        "invite_rounds_origin",
        "code activity_id member_id entry_id number needed begun_at expires_at",
    ),
    "invited_friends": ("invited_friends_origin", "activity_id friend_id round_id accepted_at"),
}
TABLES = (
    "invited_friends",
    "invite_rounds",
    "check_ins",
    "draw_tickets",
    "draw_prizes",
    "lucky_draws",
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
    _draws()
    _tickets()
    _check_ins()
    _rounds()
    _friends()
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


def _draws() -> None:
    op.create_table(
        "lucky_draws",
        _number("activity_id"),
        sa.Column("seed_sealed", sa.Text(), nullable=False),
        sa.Column("commitment", sa.String(64), nullable=False),
        _number("tickets", server_default=sa.text("0")),
        sa.Column(
            "committed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("seed", sa.Text(), nullable=True),
        _instant("revealed_at", nullable=True),
        _check("lucky_draws", "tickets", "tickets >= 0"),
        _check("lucky_draws", "revealed", "(seed IS NULL) = (revealed_at IS NULL)"),
        _foreign("lucky_draws", "activity_id", "activities.id"),
        sa.PrimaryKeyConstraint("activity_id", name=op.f("pk_lucky_draws")),
    )
    op.create_table(
        "draw_prizes",
        _id(),
        _number("activity_id"),
        _number("place"),
        sa.Column("title", sa.Text(), nullable=False),
        _number("chance_ppm"),
        _number("stock"),
        _number("given", server_default=sa.text("0")),
        sa.Column("reward", postgresql.JSONB(none_as_null=True), nullable=True),
        _check("draw_prizes", "title", "char_length(title) BETWEEN 1 AND 40"),
        _check("draw_prizes", "chance", "chance_ppm BETWEEN 1 AND 1000000"),
        _check("draw_prizes", "never_above", "given >= 0 AND given <= stock"),
        _foreign("draw_prizes", "activity_id", "activities.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw_prizes")),
        sa.UniqueConstraint("activity_id", "place", name=op.f("uq_draw_prizes_activity_id_place")),
    )


def _tickets() -> None:
    op.create_table(
        "draw_tickets",
        _id(),
        _number("activity_id"),
        _number("number"),
        _number("member_id"),
        _number("entry_id"),
        _number("points"),
        _number("drawn_id", nullable=True),
        _number("prize_id", nullable=True),
        _choice("state", "ticketstate", "nothing", "given", "waiting", "handed_over"),
        _instant("at"),
        _instant("handed_over_at", nullable=True),
        sa.Column("handed_over_by", sa.Text(), nullable=True),
        _number("store_id", nullable=True),
        _check("draw_tickets", "number", "number >= 1"),
        _check("draw_tickets", "points", "points >= 0"),
        _check("draw_tickets", "won_what_was_drawn", "prize_id IS NULL OR prize_id = drawn_id"),
        _check("draw_tickets", "won", "(prize_id IS NULL) = (state = 'nothing')"),
        _check("draw_tickets", "ended", "(state = 'handed_over') = (handed_over_at IS NOT NULL)"),
        _check(
            "draw_tickets",
            "handed_over_whole",
            "(handed_over_at IS NULL) = (handed_over_by IS NULL)",
        ),
        _foreign("draw_tickets", "activity_id", "activities.id"),
        _foreign("draw_tickets", "member_id", "members.id"),
        _foreign("draw_tickets", "entry_id", "activity_entries.id"),
        _foreign("draw_tickets", "drawn_id", "draw_prizes.id"),
        _foreign("draw_tickets", "prize_id", "draw_prizes.id"),
        _foreign("draw_tickets", "store_id", "stores.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw_tickets")),
        sa.UniqueConstraint(
            "activity_id", "number", name=op.f("uq_draw_tickets_activity_id_number")
        ),
        sa.UniqueConstraint("entry_id", name=op.f("uq_draw_tickets_entry_id")),
    )
    op.create_index("ix_draw_tickets_member", "draw_tickets", ["member_id", sa.text("id DESC")])
    op.create_index(op.f("ix_draw_tickets_prize_id"), "draw_tickets", ["prize_id"])
    op.create_index(op.f("ix_draw_tickets_store_id"), "draw_tickets", ["store_id"])
    op.create_index(
        "ix_draw_tickets_waiting",
        "draw_tickets",
        ["id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )


def _check_ins() -> None:
    op.create_table(
        "check_ins",
        _id(),
        _number("activity_id"),
        _number("member_id"),
        sa.Column("day", sa.Date(), nullable=False),
        _number("streak"),
        _number("points"),
        _instant("at"),
        _check("check_ins", "streak", "streak >= 1"),
        _check("check_ins", "points", "points >= 0"),
        _foreign("check_ins", "activity_id", "activities.id"),
        _foreign("check_ins", "member_id", "members.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_ins")),
        sa.UniqueConstraint(
            "activity_id", "member_id", "day", name=op.f("uq_check_ins_activity_id_member_id_day")
        ),
    )
    op.create_index("ix_check_ins_member", "check_ins", ["member_id", sa.text("day DESC")])


def _rounds() -> None:
    op.create_table(
        "invite_rounds",
        _id(),
        sa.Column("code", sa.String(22), nullable=False),
        _number("activity_id"),
        _number("member_id"),
        _number("entry_id"),
        _number("number"),
        _number("needed"),
        _number("arrived", server_default=sa.text("0")),
        _choice("state", "invitestate", "open", "complete", "expired"),
        _instant("begun_at"),
        _instant("expires_at"),
        _instant("ended_at", nullable=True),
        _check("invite_rounds", "number", "number >= 1"),
        _check("invite_rounds", "needed", "needed >= 1"),
        _check("invite_rounds", "arrived", "arrived >= 0 AND arrived <= needed"),
        _check("invite_rounds", "complete", "(state = 'complete') = (arrived = needed)"),
        _check("invite_rounds", "ended", "(state = 'open') = (ended_at IS NULL)"),
        _foreign("invite_rounds", "activity_id", "activities.id"),
        _foreign("invite_rounds", "member_id", "members.id"),
        _foreign("invite_rounds", "entry_id", "activity_entries.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invite_rounds")),
        sa.UniqueConstraint("code", name=op.f("uq_invite_rounds_code")),
        sa.UniqueConstraint(
            "activity_id",
            "member_id",
            "number",
            name=op.f("uq_invite_rounds_activity_id_member_id_number"),
        ),
        sa.UniqueConstraint("entry_id", name=op.f("uq_invite_rounds_entry_id")),
    )
    op.create_index(
        "uq_invite_rounds_open",
        "invite_rounds",
        ["activity_id", "member_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_invite_rounds_due",
        "invite_rounds",
        ["expires_at"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_invite_rounds_member", "invite_rounds", ["member_id", sa.text("id DESC")])


def _friends() -> None:
    op.create_table(
        "invited_friends",
        _number("activity_id"),
        _number("friend_id"),
        _number("round_id"),
        _instant("accepted_at"),
        _instant("arrived_at", nullable=True),
        sa.Column("is_counted", sa.Boolean(), server_default=sa.false(), nullable=False),
        _check("invited_friends", "counted", "(arrived_at IS NULL) <= (is_counted = false)"),
        _foreign("invited_friends", "activity_id", "activities.id"),
        _foreign("invited_friends", "friend_id", "members.id"),
        _foreign("invited_friends", "round_id", "invite_rounds.id"),
        sa.PrimaryKeyConstraint("activity_id", "friend_id", name=op.f("pk_invited_friends")),
    )
    op.create_index(op.f("ix_invited_friends_friend_id"), "invited_friends", ["friend_id"])
    op.create_index("ix_invited_friends_round", "invited_friends", ["round_id", "accepted_at"])
    op.create_index(
        "ix_invited_friends_waiting",
        "invited_friends",
        ["friend_id"],
        postgresql_where=sa.text("arrived_at IS NULL"),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
