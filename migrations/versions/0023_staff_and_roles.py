"""Roles of one's own, regions as scope, sessions of staff, and more about each of them."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BUILT_IN = "'owner', 'operations', 'finance', 'store_manager', 'front_desk', 'auditor'"
ENDS = "signed_out ended ended_by_others password reset disabled left replaced"


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    _roles()
    _people()
    _sessions()


def _roles() -> None:
    op.add_column(
        "roles",
        sa.Column("permissions", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.add_column(
        "roles",
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.create_check_constraint(op.f("ck_roles_name"), "roles", "length(name) BETWEEN 1 AND 40")
    op.create_check_constraint(
        op.f("ck_roles_built_in"),
        "roles",
        f"name NOT IN ({BUILT_IN}) OR (permissions = '{{}}' AND is_active)",
    )
    op.create_index("uq_roles_name_lower", "roles", [sa.text("lower(name)")], unique=True)


def _people() -> None:
    op.create_table(
        "staff_regions",
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"], ["regions.id"], name=op.f("fk_staff_regions_region_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_regions_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", "region_id", name=op.f("pk_staff_regions")),
    )
    op.create_index(op.f("ix_staff_regions_region_id"), "staff_regions", ["region_id"])
    for column in (
        sa.Column("phone_sealed", sa.Text(), nullable=True),
        sa.Column("phone_hash", sa.Text(), nullable=True),
        sa.Column("job_title", sa.Text(), server_default="", nullable=False),
        sa.Column("employed_from_on", sa.Date(), nullable=True),
        sa.Column("employed_until_on", sa.Date(), nullable=True),
        sa.Column("notes", sa.Text(), server_default="", nullable=False),
        sa.Column("lock_outs", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    ):
        op.add_column("staff", column)
    op.create_unique_constraint(op.f("uq_staff_phone_hash"), "staff", ["phone_hash"])
    op.create_check_constraint(
        op.f("ck_staff_phone"), "staff", "(phone_sealed IS NULL) = (phone_hash IS NULL)"
    )
    op.create_check_constraint(
        op.f("ck_staff_employment"), "staff", "employed_until_on >= employed_from_on"
    )


def _sessions() -> None:
    op.create_table(
        "staff_sessions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), server_default="", nullable=False),
        sa.Column("browser", sa.Text(), server_default="", nullable=False),
        sa.Column("is_new_device", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        moment("created_at"),
        moment("last_seen_at"),
        moment("expires_at"),
        moment("ended_at", nullable=True),
        sa.Column(
            "end_reason",
            sa.Enum(
                *ENDS.split(),
                name="sessionend",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (end_reason IS NULL)", name=op.f("ck_staff_sessions_end")
        ),
        sa.CheckConstraint(
            "last_seen_at >= created_at AND expires_at > created_at",
            name=op.f("ck_staff_sessions_order"),
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_sessions_staff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_sessions_token_hash")),
    )
    for column in ("staff_id", "expires_at"):
        op.create_index(op.f(f"ix_staff_sessions_{column}"), "staff_sessions", [column])
    op.create_table(
        "staff_passwords",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        moment("set_at"),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_passwords_staff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_passwords")),
    )
    op.create_index(op.f("ix_staff_passwords_staff_id"), "staff_passwords", ["staff_id"])


def downgrade() -> None:
    op.drop_table("staff_passwords")
    op.drop_table("staff_sessions")
    op.drop_constraint(op.f("ck_staff_employment"), "staff")
    op.drop_constraint(op.f("ck_staff_phone"), "staff")
    op.drop_constraint(op.f("uq_staff_phone_hash"), "staff")
    for name in (
        "lock_outs",
        "notes",
        "employed_until_on",
        "employed_from_on",
        "job_title",
        "phone_hash",
        "phone_sealed",
    ):
        op.drop_column("staff", name)
    op.drop_table("staff_regions")
    op.drop_index("uq_roles_name_lower", table_name="roles")
    op.drop_constraint(op.f("ck_roles_built_in"), "roles")
    op.drop_constraint(op.f("ck_roles_name"), "roles")
    op.drop_column("roles", "is_active")
    op.drop_column("roles", "permissions")
