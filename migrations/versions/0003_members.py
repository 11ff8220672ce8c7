"""Members, sessions, consents and distributors."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE distributor_team_order_seq")
    op.create_table(
        "members",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("wechat_openid", sa.Text(), nullable=False),
        sa.Column("wechat_unionid", sa.Text(), nullable=True),
        sa.Column("nickname", sa.Text(), server_default="", nullable=False),
        sa.Column("phone_sealed", sa.Text(), nullable=True),
        sa.Column("phone_hash", sa.Text(), nullable=True),
        sa.Column("birthday_on", sa.Date(), nullable=True),
        sa.Column("origin_store_id", sa.BigInteger(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(phone_sealed IS NULL) = (phone_hash IS NULL)", name=op.f("ck_members_phone_whole")
        ),
        sa.ForeignKeyConstraint(
            ["origin_store_id"], ["stores.id"], name=op.f("fk_members_origin_store_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("wechat_openid", name=op.f("uq_members_wechat_openid")),
        sa.UniqueConstraint("wechat_unionid", name=op.f("uq_members_wechat_unionid")),
    )
    op.create_index(
        op.f("ix_members_origin_store_id"), "members", ["origin_store_id"], unique=False
    )
    op.create_index(op.f("ix_members_phone_hash"), "members", ["phone_hash"], unique=False)
    op.create_table(
        "consents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "service",
                "phone",
                "marketing",
                name="consentpurpose",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_consents_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(
        "uq_consents_in_force",
        "consents",
        ["member_id", "purpose"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "distributors",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "person",
                "partner",
                name="distributorkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="person",
            nullable=False,
        ),
        sa.Column(
            "standing",
            sa.Enum(
                "applied",
                "active",
                "frozen",
                "quit",
                "refused",
                name="standing",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("level", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("recommender_id", sa.BigInteger(), nullable=True),
        sa.Column("recommender_team_order", sa.BigInteger(), nullable=True),
        sa.Column("second_recommender_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "team_order",
            sa.BigInteger(),
            server_default=sa.text("nextval('distributor_team_order_seq')"),
            nullable=False,
        ),
        sa.Column("direct_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("second_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("real_name_sealed", sa.Text(), nullable=True),
        sa.Column("real_name_hash", sa.Text(), nullable=True),
        sa.Column("agreement_version", sa.Text(), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(recommender_id IS NULL) = (recommender_team_order IS NULL)",
            name=op.f("ck_distributors_recommender_whole"),
        ),
        sa.CheckConstraint(
            "second_recommender_id IS NULL OR recommender_id IS NOT NULL",
            name=op.f("ck_distributors_second_has_first"),
        ),
        sa.CheckConstraint(
            "direct_count >= 0 AND second_count >= 0", name=op.f("ck_distributors_counts")
        ),
        sa.CheckConstraint("level BETWEEN 1 AND 9", name=op.f("ck_distributors_level")),
        sa.CheckConstraint(
            "recommender_team_order < team_order", name=op.f("ck_distributors_no_cycle")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_distributors_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["recommender_id", "recommender_team_order"],
            ["distributors.member_id", "distributors.team_order"],
            name="fk_distributors_recommender",
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["second_recommender_id"],
            ["distributors.member_id"],
            name=op.f("fk_distributors_second_recommender_id"),
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_distributors_store_id")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_distributors")),
        sa.UniqueConstraint(
            "member_id", "team_order", name=op.f("uq_distributors_member_id_team_order")
        ),
        sa.UniqueConstraint("team_order", name=op.f("uq_distributors_team_order")),
    )
    op.create_index(op.f("ix_distributors_store_id"), "distributors", ["store_id"], unique=False)
    op.create_index(
        "ix_distributors_team",
        "distributors",
        ["recommender_id", sa.literal_column("member_id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_distributors_second",
        "distributors",
        ["second_recommender_id", sa.literal_column("member_id DESC")],
        unique=False,
    )
    op.create_table(
        "member_devices",
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("device_hash", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_member_devices_member_id")
        ),
        sa.PrimaryKeyConstraint("member_id", "device_hash", name=op.f("pk_member_devices")),
    )
    op.create_index(
        op.f("ix_member_devices_device_hash"), "member_devices", ["device_hash"], unique=False
    )
    op.create_table(
        "member_sessions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("device_name", sa.Text(), server_default="", nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_member_sessions_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_member_sessions_token_hash")),
    )
    op.create_index(
        op.f("ix_member_sessions_member_id"), "member_sessions", ["member_id"], unique=False
    )
    op.create_table(
        "distributor_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "from_standing",
            sa.Enum(
                "applied",
                "active",
                "frozen",
                "quit",
                "refused",
                name="standing",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "to_standing",
            sa.Enum(
                "applied",
                "active",
                "frozen",
                "quit",
                "refused",
                name="standing",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("recommender_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["distributors.member_id"], name=op.f("fk_distributor_steps_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_distributor_steps")),
    )
    op.create_index(
        op.f("ix_distributor_steps_member_id"), "distributor_steps", ["member_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_distributor_steps_member_id"), table_name="distributor_steps")
    op.drop_table("distributor_steps")
    op.drop_index(op.f("ix_member_sessions_member_id"), table_name="member_sessions")
    op.drop_table("member_sessions")
    op.drop_index(op.f("ix_member_devices_device_hash"), table_name="member_devices")
    op.drop_table("member_devices")
    op.drop_index("ix_distributors_second", table_name="distributors")
    op.drop_index("ix_distributors_team", table_name="distributors")
    op.drop_index(op.f("ix_distributors_store_id"), table_name="distributors")
    op.drop_table("distributors")
    op.drop_index(
        "uq_consents_in_force",
        table_name="consents",
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.drop_table("consents")
    op.drop_index(op.f("ix_members_phone_hash"), table_name="members")
    op.drop_index(op.f("ix_members_origin_store_id"), table_name="members")
    op.drop_table("members")
    op.execute("DROP SEQUENCE distributor_team_order_seq")
