"""Lists as each member of staff wants them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_views",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column(
            "wish", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("is_shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 40", name=op.f("ck_saved_views_name")),
        sa.CheckConstraint("slot BETWEEN 1 AND 20", name=op.f("ck_saved_views_slot")),
        sa.CheckConstraint("jsonb_typeof(wish) = 'object'", name=op.f("ck_saved_views_wish")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_saved_views_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint(
            "staff_id", "list", "name", name=op.f("uq_saved_views_staff_id_list_name")
        ),
        sa.UniqueConstraint(
            "staff_id", "list", "slot", name=op.f("uq_saved_views_staff_id_list_slot")
        ),
    )
    op.create_index(
        "ix_saved_views_shared", "saved_views", ["list"], postgresql_where=sa.text("is_shared")
    )
    op.create_table(
        "list_choices",
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("is_dense", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("default_view_id", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_list_choices_staff_id")),
        sa.ForeignKeyConstraint(
            ["default_view_id"],
            ["saved_views.id"],
            name=op.f("fk_list_choices_default_view_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("staff_id", "list", name=op.f("pk_list_choices")),
    )
    op.create_index("ix_list_choices_default_view_id", "list_choices", ["default_view_id"])
    op.create_table(
        "export_slots",
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_export_slots_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_export_slots")),
    )


def downgrade() -> None:
    op.drop_table("export_slots")
    op.drop_table("list_choices")
    op.drop_table("saved_views")
