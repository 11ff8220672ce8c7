"""Requests of people about their own data, and the one way to erase what never changes.

Rows that are never changed hold a few columns that find a person. A function of the owner of the
tables erases exactly these, of somebody whose own row says that they are deleted, and nothing else:
the trigger that refuses changes compares all other columns.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

REFUSE = """
    CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
REFUSE_BUT_ERASE = """
    CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND current_setting('tuoke.erasing', true) = 'yes'
            AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
            AND to_jsonb(OLD) - '{device_hash,ip_hash,payee_openid,request}'::text[]
                = to_jsonb(NEW) - '{device_hash,ip_hash,payee_openid,request}'::text[]
        THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""
ERASE = """
    CREATE FUNCTION erase_frozen(whom bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        tombstone text := 'erased:' || whom;
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM members WHERE id = whom AND deleted_at IS NOT NULL) THEN
            RAISE EXCEPTION 'member % is not deleted', whom
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        PERFORM set_config('tuoke.erasing', 'yes', true);
        UPDATE touches SET device_hash = NULL, ip_hash = NULL WHERE member_id = whom;
        UPDATE payout_bills SET payee_openid = tombstone, request = request
                - 'user_name_sealed' || jsonb_build_object('openid', tombstone)
            WHERE payout_id IN (SELECT id FROM payouts WHERE member_id = whom);
        UPDATE payouts SET payee_openid = tombstone WHERE member_id = whom;
        PERFORM set_config('tuoke.erasing', '', true);
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "privacy_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "copy",
                "erasure",
                name="requestkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "done",
                "withdrawn",
                name="requeststate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "obstacles",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'waiting') = (ended_at IS NULL)", name=op.f("ck_privacy_requests_ended")
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (due_at IS NOT NULL)", name=op.f("ck_privacy_requests_due")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_privacy_requests_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_requests")),
    )
    op.create_index(
        "uq_privacy_requests_waiting",
        "privacy_requests",
        ["member_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_privacy_requests_due",
        "privacy_requests",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_privacy_requests_member", "privacy_requests", ["member_id", sa.text("id DESC")]
    )
    op.create_table(
        "privacy_copies",
        sa.Column("request_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["privacy_requests.id"], name=op.f("fk_privacy_copies_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_privacy_copies")),
    )
    op.create_index("ix_privacy_copies_expiring", "privacy_copies", ["expires_at"])
    op.execute(REFUSE_BUT_ERASE)
    op.execute(ERASE)


def downgrade() -> None:
    op.execute("DROP FUNCTION erase_frozen(bigint)")
    op.execute(REFUSE)
    op.drop_table("privacy_copies")
    op.drop_table("privacy_requests")
