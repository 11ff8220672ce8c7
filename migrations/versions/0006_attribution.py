"""Channels, share codes, touches and bindings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "code_misses",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("misses", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("principal", name=op.f("pk_code_misses")),
    )
    op.create_table(
        "bindings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_store_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "soft",
                "locked",
                name="bindingstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "source",
            sa.Enum(
                "staff_scan",
                "guest_card",
                "poster",
                "link",
                "search",
                name="touchsource",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("valid_from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("customer_id"), "="),
            (sa.text("tstzrange(valid_from_at, valid_until_at)"), "&&"),
            using="gist",
            name="ex_bindings_one_owner_at_a_time",
        ),
        sa.CheckConstraint(
            "(owner_id IS NULL) <> (owner_store_id IS NULL)", name=op.f("ck_bindings_one_owner")
        ),
        sa.CheckConstraint("owner_id <> customer_id", name=op.f("ck_bindings_not_self")),
        sa.CheckConstraint("valid_from_at <= valid_until_at", name=op.f("ck_bindings_period")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["members.id"], name=op.f("fk_bindings_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["distributors.member_id"], name=op.f("fk_bindings_owner_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_store_id"], ["stores.id"], name=op.f("fk_bindings_owner_store_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bindings")),
    )
    op.create_index(op.f("ix_bindings_customer_id"), "bindings", ["customer_id"], unique=False)
    op.create_index(
        "ix_bindings_owner", "bindings", ["owner_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_index(
        op.f("ix_bindings_owner_store_id"), "bindings", ["owner_store_id"], unique=False
    )
    op.create_table(
        "channels",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "personal",
                "group",
                "counter",
                "kol",
                "event",
                name="channelkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("store_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["distributors.member_id"], name=op.f("fk_channels_owner_id")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_channels_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
        sa.UniqueConstraint(
            "owner_id",
            "store_id",
            "name",
            name=op.f("uq_channels_owner_id_store_id_name"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_channels_owner_id"), "channels", ["owner_id"], unique=False)
    op.create_index(op.f("ix_channels_store_id"), "channels", ["store_id"], unique=False)
    op.create_table(
        "share_codes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=22), nullable=False),
        sa.Column("distributor_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_store_id", sa.BigInteger(), nullable=True),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("code ~ '^[0-9A-Za-z]{22}$'", name=op.f("ck_share_codes_code")),
        sa.CheckConstraint(
            "(distributor_id IS NULL) <> (owner_store_id IS NULL)",
            name=op.f("ck_share_codes_one_owner"),
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_share_codes_channel_id")
        ),
        sa.ForeignKeyConstraint(
            ["distributor_id"],
            ["distributors.member_id"],
            name=op.f("fk_share_codes_distributor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_store_id"], ["stores.id"], name=op.f("fk_share_codes_owner_store_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_share_codes_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_codes")),
        sa.UniqueConstraint("code", name=op.f("uq_share_codes_code")),
    )
    op.create_index(op.f("ix_share_codes_channel_id"), "share_codes", ["channel_id"], unique=False)
    op.create_index(
        "ix_share_codes_distributor",
        "share_codes",
        ["distributor_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        op.f("ix_share_codes_owner_store_id"), "share_codes", ["owner_store_id"], unique=False
    )
    op.create_index(
        "uq_share_codes_live",
        "share_codes",
        ["distributor_id", "owner_store_id", "channel_id", "page", "product_id"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "touches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("share_code_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "staff_scan",
                "guest_card",
                "poster",
                "link",
                "search",
                name="touchsource",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("device_hash", sa.Text(), nullable=True),
        sa.Column("ip_hash", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "bound",
                "renewed",
                "kept",
                "refused",
                name="touchoutcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("binding_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["binding_id"], ["bindings.id"], name=op.f("fk_touches_binding_id")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_touches_member_id")),
        sa.ForeignKeyConstraint(
            ["share_code_id"], ["share_codes.id"], name=op.f("fk_touches_share_code_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touches")),
    )
    op.create_index(op.f("ix_touches_binding_id"), "touches", ["binding_id"], unique=False)
    op.create_index("ix_touches_member", "touches", ["member_id", "occurred_at"], unique=False)
    op.create_index(op.f("ix_touches_share_code_id"), "touches", ["share_code_id"], unique=False)
    op.create_table(
        "binding_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("binding_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "event",
            sa.Enum(
                "bound",
                "renewed",
                "locked",
                "replaced",
                "transferred",
                "ended",
                name="bindingevent",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touch_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["binding_id"], ["bindings.id"], name=op.f("fk_binding_steps_binding_id")
        ),
        sa.ForeignKeyConstraint(
            ["touch_id"], ["touches.id"], name=op.f("fk_binding_steps_touch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_binding_steps")),
    )
    op.create_index(
        op.f("ix_binding_steps_binding_id"), "binding_steps", ["binding_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_binding_steps_binding_id"), table_name="binding_steps")
    op.drop_table("binding_steps")
    op.drop_index(op.f("ix_touches_share_code_id"), table_name="touches")
    op.drop_index("ix_touches_member", table_name="touches")
    op.drop_index(op.f("ix_touches_binding_id"), table_name="touches")
    op.drop_table("touches")
    op.drop_index(
        "uq_share_codes_live",
        table_name="share_codes",
        postgresql_where=sa.text("revoked_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.drop_index(op.f("ix_share_codes_owner_store_id"), table_name="share_codes")
    op.drop_index("ix_share_codes_distributor", table_name="share_codes")
    op.drop_index(op.f("ix_share_codes_channel_id"), table_name="share_codes")
    op.drop_table("share_codes")
    op.drop_index(op.f("ix_channels_store_id"), table_name="channels")
    op.drop_index(op.f("ix_channels_owner_id"), table_name="channels")
    op.drop_table("channels")
    op.drop_index(op.f("ix_bindings_owner_store_id"), table_name="bindings")
    op.drop_index("ix_bindings_owner", table_name="bindings")
    op.drop_index(op.f("ix_bindings_customer_id"), table_name="bindings")
    op.drop_table("bindings")
    op.drop_table("code_misses")
