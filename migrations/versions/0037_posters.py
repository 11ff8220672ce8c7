"""Posters, avatars and the words of a shared page."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

TABLES = ("doubtful_nicknames", "member_avatars", "poster_versions", "poster_templates")


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _words(name: str, kind: str, *words: str) -> sa.Column[str]:
    values = sa.Enum(*words, name=kind, native_enum=False, create_constraint=True, length=32)
    return sa.Column(name, values, nullable=False)


def upgrade() -> None:
    _create_templates()
    _create_versions()
    _create_avatars()


def _create_templates() -> None:
    op.create_table(
        "poster_templates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _words("kind", "posterkind", "personal", "product", "guest_card", "activity"),
        _words("state", "posterstate", "draft", "published", "retired"),
        sa.Column("store_ids", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("page", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("published_version", sa.BigInteger(), nullable=True),
        _instant("created_at"),
        _instant("changed_at"),
        sa.CheckConstraint(
            "char_length(name) BETWEEN 1 AND 40", name=op.f("ck_poster_templates_name")
        ),
        sa.CheckConstraint(
            "store_ids IS NULL OR cardinality(store_ids) > 0",
            name=op.f("ck_poster_templates_stores"),
        ),
        sa.CheckConstraint("page IS NULL OR page <> ''", name=op.f("ck_poster_templates_page")),
        sa.CheckConstraint(
            "published_version BETWEEN 1 AND version AND version >= 1",
            name=op.f("ck_poster_templates_versions"),
        ),
        sa.CheckConstraint(
            "state = 'draft' OR published_version IS NOT NULL",
            name=op.f("ck_poster_templates_published_whole"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poster_templates")),
    )
    op.create_index("ix_poster_templates_state", "poster_templates", ["state", sa.text("id DESC")])


def _create_versions() -> None:
    op.create_table(
        "poster_versions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("template_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("layout", postgresql.JSONB(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.Column("picture_sha256", sa.String(64), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        _instant("created_at"),
        sa.CheckConstraint("version >= 1", name=op.f("ck_poster_versions_version")),
        sa.CheckConstraint(
            "picture_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_poster_versions_picture_sha256")
        ),
        sa.CheckConstraint("height BETWEEN 375 AND 1500", name=op.f("ck_poster_versions_height")),
        sa.CheckConstraint(
            "octet_length(picture) BETWEEN 1 AND 2097152",
            name=op.f("ck_poster_versions_picture"),
        ),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["poster_templates.id"],
            name=op.f("fk_poster_versions_template_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poster_versions")),
        sa.UniqueConstraint(
            "template_id", "version", name=op.f("uq_poster_versions_template_id_version")
        ),
    )
    op.execute(
        "CREATE TRIGGER poster_versions_rows BEFORE UPDATE OR DELETE ON poster_versions"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER poster_versions_truncate BEFORE TRUNCATE ON poster_versions"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _create_avatars() -> None:
    op.create_table(
        "member_avatars",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        _instant("changed_at"),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_member_avatars_sha256")),
        sa.CheckConstraint(
            "octet_length(content) BETWEEN 1 AND 262144", name=op.f("ck_member_avatars_size")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_member_avatars_member_id")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_member_avatars")),
    )
    op.create_table(
        "doubtful_nicknames",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _instant("found_at"),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_doubtful_nicknames_member_id")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_doubtful_nicknames")),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
