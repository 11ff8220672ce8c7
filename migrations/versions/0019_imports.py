"""Files that staff bring in, row by row; earlier customers and their orders of former systems."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def upgrade() -> None:
    _expected_members()
    _import_runs()
    _import_rows()
    _historic_orders()


def downgrade() -> None:
    for name in ("historic_orders", "import_rows", "import_runs", "expected_members"):
        op.drop_table(name)


def _expected_members() -> None:
    op.create_table(
        "expected_members",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("phone_hash", sa.Text(), nullable=False),
        sa.Column("nickname", sa.Text(), server_default="", nullable=False),
        sa.Column("birthday_on", sa.Date(), nullable=True),
        sa.Column("origin_store_id", sa.BigInteger(), nullable=True),
        sa.Column("first_paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("old_number", sa.Text(), server_default="", nullable=False),
        sa.Column("expected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("claimed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(claimed_by_id IS NULL) = (claimed_at IS NULL)",
            name=op.f("ck_expected_members_claimed_whole"),
        ),
        sa.CheckConstraint(
            "claimed_at IS NULL OR (nickname = '' AND birthday_on IS NULL)",
            name=op.f("ck_expected_members_moved_over"),
        ),
        sa.ForeignKeyConstraint(
            ["claimed_by_id"], ["members.id"], name=op.f("fk_expected_members_claimed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["origin_store_id"], ["stores.id"], name=op.f("fk_expected_members_origin_store_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expected_members")),
        sa.UniqueConstraint("phone_hash", name=op.f("uq_expected_members_phone_hash")),
    )
    for column in ("claimed_by_id", "origin_store_id"):
        op.create_index(op.f(f"ix_expected_members_{column}"), "expected_members", [column])


def _import_runs() -> None:
    op.create_table(
        "import_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "kind",
            _choice(
                "importkind", "members", "distributors", "products", "stock", "historic_orders"
            ),
            nullable=False,
        ),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_bytes", sa.BigInteger(), nullable=False),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "state",
            _choice("importstate", "uploaded", "checked", "running", "done", "cancelled", "failed"),
            nullable=False,
        ),
        sa.Column("consent_declared", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("needs_second", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("second_staff_id", sa.BigInteger(), nullable=True),
        sa.Column("store_ids", sa.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("rows_count", sa.BigInteger(), nullable=False),
        _count("valid_count"),
        _count("wrong_count"),
        _count("done_count"),
        _count("skipped_count"),
        _count("failed_count"),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        *_run_checks(),
        sa.ForeignKeyConstraint(
            ["second_staff_id"], ["staff.id"], name=op.f("fk_import_runs_second_staff_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_import_runs_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_runs")),
    )
    op.create_index("ix_import_runs_file", "import_runs", ["file_sha256"])
    op.create_index(op.f("ix_import_runs_staff_id"), "import_runs", ["staff_id"])
    op.create_index(
        "ix_import_runs_working",
        "import_runs",
        ["id"],
        postgresql_where=sa.text("state IN ('uploaded', 'running')"),
    )


def _run_checks() -> list[sa.CheckConstraint]:
    checks = {
        "file_sha256": "file_sha256 ~ '^[0-9a-f]{64}$'",
        "not_empty": "rows_count > 0 AND jsonb_array_length(columns) > 0",
        "checked_rows": (
            "valid_count >= 0 AND wrong_count >= 0 AND valid_count + wrong_count <= rows_count"
        ),
        "written_rows": (
            "done_count >= 0 AND skipped_count >= 0 AND failed_count >= 0"
            " AND done_count + skipped_count + failed_count <= valid_count"
        ),
        "consent": "kind <> 'members' OR consent_declared",
        "two_people": "second_staff_id <> staff_id",
        "ended": "(ended_at IS NULL) = (state IN ('uploaded', 'checked', 'running'))",
        "failed": "(state = 'failed') = (error IS NOT NULL)",
        "lease": "lease_until_at IS NULL OR state IN ('uploaded', 'running')",
    }
    return [
        sa.CheckConstraint(text, name=op.f(f"ck_import_runs_{name}"))
        for name, text in checks.items()
    ]


def _import_rows() -> None:
    op.create_table(
        "import_rows",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("values_sealed", sa.Text(), nullable=True),
        sa.Column(
            "state",
            _choice("rowstate", "read", "valid", "wrong", "done", "skipped", "failed"),
            server_default="read",
            nullable=False,
        ),
        sa.Column(
            "faults",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(jsonb_array_length(faults) > 0) = (state IN ('wrong', 'failed'))",
            name=op.f("ck_import_rows_faults"),
        ),
        sa.CheckConstraint(
            "(subject_id IS NOT NULL) = (state = 'done')", name=op.f("ck_import_rows_made")
        ),
        sa.CheckConstraint(
            "values_sealed IS NOT NULL OR state NOT IN ('read', 'valid')",
            name=op.f("ck_import_rows_still_needed"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["import_runs.id"], name=op.f("fk_import_rows_run_id")),
        sa.PrimaryKeyConstraint("run_id", "line", name=op.f("pk_import_rows")),
    )
    for name, states in (("valid", "= 'valid'"), ("troubled", "IN ('wrong', 'failed')")):
        op.create_index(
            f"ix_import_rows_{name}",
            "import_rows",
            ["run_id", "line"],
            postgresql_where=sa.text(f"state {states}"),
        )


def _historic_orders() -> None:
    op.create_table(
        "historic_orders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=True),
        sa.Column("expected_member_id", sa.BigInteger(), nullable=True),
        sa.Column("store_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("import_run_id", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(member_id, expected_member_id) = 1",
            name=op.f("ck_historic_orders_one_customer"),
        ),
        sa.CheckConstraint(
            "amount_fen > 0 AND amount_fen <= 100000000", name=op.f("ck_historic_orders_amount")
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_historic_orders_{column}")
            )
            for column, table in (
                ("member_id", "members"),
                ("expected_member_id", "expected_members"),
                ("store_id", "stores"),
                ("import_run_id", "import_runs"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_historic_orders")),
        sa.UniqueConstraint("number", name=op.f("uq_historic_orders_number")),
    )
    for name, column in (
        ("member", "member_id"),
        ("expected", "expected_member_id"),
        ("store", "store_id"),
    ):
        op.create_index(
            f"ix_historic_orders_{name}",
            "historic_orders",
            [column, sa.literal_column("id DESC")],
        )
    op.create_index(op.f("ix_historic_orders_import_run_id"), "historic_orders", ["import_run_id"])
    op.execute(
        "CREATE TRIGGER historic_orders_rows BEFORE UPDATE OR DELETE ON historic_orders"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER historic_orders_truncate BEFORE TRUNCATE ON historic_orders"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
