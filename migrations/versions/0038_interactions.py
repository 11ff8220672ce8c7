"""Reviews, questionnaires, messages, segments, campaigns and care."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

TABLES = (
    "review_pictures",
    "reviews",
    "questionnaire_answers",
    "questionnaire_versions",
    "messages",
    "campaign_steps",
    "campaign_recipients",
    "questionnaires",
    "message_permissions",
    "care_marks",
    "campaigns",
    "segments",
    "care_rules",
    "message_templates",
)
FROZEN = ("campaign_steps", "questionnaire_versions")


def upgrade() -> None:
    _create_message_templates()
    _create_care_rules()
    _create_segments()
    _create_campaigns()
    _create_care_marks()
    _create_message_permissions()
    _create_questionnaires()
    _create_campaign_recipients()
    _create_campaign_steps()
    _create_messages()
    _create_questionnaire_versions()
    _create_questionnaire_answers()
    _create_reviews()
    _create_review_pictures()
    for table in FROZEN:
        op.execute(
            f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW"
            " EXECUTE FUNCTION refuse_change()"
        )


def _create_message_templates() -> None:
    op.create_table(
        "message_templates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("wechat_template_id", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "fields", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("key ~ '^[a-z][a-z_]{1,39}$'", name=op.f("ck_message_templates_key")),
        sa.CheckConstraint(
            "wechat_template_id ~ '^[0-9A-Za-z_-]{20,64}$'",
            name=op.f("ck_message_templates_wechat"),
        ),
        sa.CheckConstraint(
            "char_length(name) BETWEEN 1 AND 40", name=op.f("ck_message_templates_name")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_templates")),
        sa.UniqueConstraint("key", name=op.f("uq_message_templates_key")),
    )


def _create_care_rules() -> None:
    op.create_table(
        "care_rules",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "birthday",
                "sleeping",
                name="carekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=True),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "reward", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("follow_up", sa.Text(), server_default="", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind = 'birthday' AND days BETWEEN 0 AND 30 OR kind = 'sleeping' AND days BETWEEN 7 AND 730",
            name=op.f("ck_care_rules_days"),
        ),
        sa.CheckConstraint("char_length(follow_up) <= 300", name=op.f("ck_care_rules_follow_up")),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 40", name=op.f("ck_care_rules_name")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff.id"], name=op.f("fk_care_rules_created_by_id")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_care_rules_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_rules")),
    )
    op.create_index(op.f("ix_care_rules_store_id"), "care_rules", ["store_id"], unique=False)


def _create_segments() -> None:
    op.create_table(
        "segments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "rule", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 40", name=op.f("ck_segments_name")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff.id"], name=op.f("fk_segments_created_by_id")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_segments_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
    )
    op.create_index(op.f("ix_segments_store_id"), "segments", ["store_id"], unique=False)


def _create_campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=True),
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "checked",
                "sending",
                "paused",
                "done",
                "cancelled",
                name="campaignstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("template_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "values", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("page", sa.Text(), server_default="", nullable=False),
        sa.Column("coupon_template_id", sa.BigInteger(), nullable=True),
        sa.Column("control_bp", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=True),
        sa.Column("cursor_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_by_id", sa.BigInteger(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(sent_by_id IS NULL) = (state IN ('draft', 'checked')) OR state = 'cancelled'",
            name=op.f("ck_campaigns_sent_by"),
        ),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 40", name=op.f("ck_campaigns_name")),
        sa.CheckConstraint("control_bp BETWEEN 0 AND 5000", name=op.f("ck_campaigns_control")),
        sa.CheckConstraint(
            "template_id IS NOT NULL OR coupon_template_id IS NOT NULL",
            name=op.f("ck_campaigns_something"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff.id"], name=op.f("fk_campaigns_created_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name=op.f("fk_campaigns_segment_id")
        ),
        sa.ForeignKeyConstraint(["sent_by_id"], ["staff.id"], name=op.f("fk_campaigns_sent_by_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_campaigns_store_id")),
        sa.ForeignKeyConstraint(
            ["template_id"], ["message_templates.id"], name=op.f("fk_campaigns_template_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index(op.f("ix_campaigns_segment_id"), "campaigns", ["segment_id"], unique=False)
    op.create_index(
        "ix_campaigns_sending",
        "campaigns",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index(op.f("ix_campaigns_store_id"), "campaigns", ["store_id"], unique=False)


def _create_care_marks() -> None:
    op.create_table(
        "care_marks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_care_marks_member_id")
        ),
        sa.ForeignKeyConstraint(["rule_id"], ["care_rules.id"], name=op.f("fk_care_marks_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_marks")),
        sa.UniqueConstraint(
            "rule_id",
            "member_id",
            "occasion",
            name=op.f("uq_care_marks_rule_id_member_id_occasion"),
        ),
    )
    op.create_index("ix_care_marks_member", "care_marks", ["member_id"], unique=False)
    op.create_index(
        "ix_care_marks_open",
        "care_marks",
        ["id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )


def _create_message_permissions() -> None:
    op.create_table(
        "message_permissions",
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wechat_template_id", sa.Text(), nullable=False),
        sa.Column("left", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint('"left" >= 0', name=op.f("ck_message_permissions_left")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_message_permissions_member_id")
        ),
        sa.PrimaryKeyConstraint(
            "member_id", "wechat_template_id", name=op.f("pk_message_permissions")
        ),
    )


def _create_questionnaires() -> None:
    op.create_table(
        "questionnaires",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=True),
        sa.Column("segment_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "published",
                "ended",
                name="questionnairestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "questions", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "reward", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'draft') = (version = 0)", name=op.f("ck_questionnaires_published")
        ),
        sa.CheckConstraint(
            "char_length(title) BETWEEN 1 AND 60", name=op.f("ck_questionnaires_title")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff.id"], name=op.f("fk_questionnaires_created_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name=op.f("fk_questionnaires_segment_id")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_questionnaires_store_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questionnaires")),
        sa.UniqueConstraint("code", name=op.f("uq_questionnaires_code")),
    )
    op.create_index(
        op.f("ix_questionnaires_store_id"), "questionnaires", ["store_id"], unique=False
    )


def _create_campaign_recipients() -> None:
    op.create_table(
        "campaign_recipients",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("is_control", sa.Boolean(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coupon_note", sa.Text(), server_default="", nullable=False),
        sa.Column("clicked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "NOT is_control OR coupon_note = ''", name=op.f("ck_campaign_recipients_control")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_recipients_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_campaign_recipients_member_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "member_id", name=op.f("pk_campaign_recipients")),
    )
    op.create_index(
        "ix_campaign_recipients_coupons",
        "campaign_recipients",
        ["campaign_id", "member_id"],
        unique=False,
        postgresql_where=sa.text("coupon_note = 'due'"),
    )
    op.create_index(
        "ix_campaign_recipients_member",
        "campaign_recipients",
        ["member_id", "campaign_id"],
        unique=False,
    )


def _create_campaign_steps() -> None:
    op.create_table(
        "campaign_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "event",
            sa.Enum(
                "edit",
                "check",
                "send",
                "pause",
                "resume",
                "finish",
                "cancel",
                name="campaignevent",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "to_state",
            sa.Enum(
                "draft",
                "checked",
                "sending",
                "paused",
                "done",
                "cancelled",
                name="campaignstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_steps_campaign_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_steps")),
    )
    op.create_index(
        op.f("ix_campaign_steps_campaign_id"), "campaign_steps", ["campaign_id"], unique=False
    )


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("template_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "purpose",
            sa.Enum(
                "service",
                "marketing",
                name="messagepurpose",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "data", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("page", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "sending",
                "sent",
                "no_permission",
                "invalid",
                "unknown",
                "dropped",
                name="messagestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "drop_reason",
            sa.Enum(
                "no_consent",
                "too_late",
                "called_off",
                "member_gone",
                "unfit",
                "switched_off",
                name="dropreason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("wechat_code", sa.BigInteger(), nullable=True),
        sa.Column("wechat_field", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(due_at IS NULL) = (state NOT IN ('waiting', 'sending'))", name=op.f("ck_messages_due")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state IN ('waiting', 'sending'))", name=op.f("ck_messages_ended")
        ),
        sa.CheckConstraint(
            "(state = 'dropped') = (drop_reason IS NOT NULL)", name=op.f("ck_messages_dropped")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_messages_attempts")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_messages_campaign_id")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_messages_member_id")),
        sa.ForeignKeyConstraint(
            ["template_id"], ["message_templates.id"], name=op.f("fk_messages_template_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("key", name=op.f("uq_messages_key")),
    )
    op.create_index(
        "ix_messages_campaign",
        "messages",
        ["campaign_id", "state"],
        unique=False,
        postgresql_where=sa.text("campaign_id IS NOT NULL"),
    )
    op.create_index(
        "ix_messages_due",
        "messages",
        ["due_at", "id"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_messages_member", "messages", ["member_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_index("ix_messages_member_sent", "messages", ["member_id", "sent_at"], unique=False)
    op.create_index(op.f("ix_messages_template_id"), "messages", ["template_id"], unique=False)


def _create_questionnaire_versions() -> None:
    op.create_table(
        "questionnaire_versions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("questionnaire_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column(
            "questions", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["published_by_id"],
            ["staff.id"],
            name=op.f("fk_questionnaire_versions_published_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["questionnaire_id"],
            ["questionnaires.id"],
            name=op.f("fk_questionnaire_versions_questionnaire_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questionnaire_versions")),
        sa.UniqueConstraint(
            "questionnaire_id",
            "number",
            name=op.f("uq_questionnaire_versions_questionnaire_id_number"),
        ),
    )


def _create_questionnaire_answers() -> None:
    op.create_table(
        "questionnaire_answers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("questionnaire_id", sa.BigInteger(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "answers", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_questionnaire_answers_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["questionnaire_id"],
            ["questionnaires.id"],
            name=op.f("fk_questionnaire_answers_questionnaire_id"),
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["questionnaire_versions.id"],
            name=op.f("fk_questionnaire_answers_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questionnaire_answers")),
        sa.UniqueConstraint(
            "questionnaire_id",
            "member_id",
            name=op.f("uq_questionnaire_answers_questionnaire_id_member_id"),
        ),
    )
    op.create_index(
        "ix_questionnaire_answers_member", "questionnaire_answers", ["member_id"], unique=False
    )
    op.create_index(
        "ix_questionnaire_answers_version",
        "questionnaire_answers",
        ["version_id", "id"],
        unique=False,
    )


def _create_reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=False),
        sa.Column("stars", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "shown",
                "hidden",
                name="reviewstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("wechat_label", sa.BigInteger(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply", sa.Text(), server_default="", nullable=False),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replied_by_id", sa.BigInteger(), nullable=True),
        sa.Column("hidden_reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("(reply = '') = (replied_at IS NULL)", name=op.f("ck_reviews_replied")),
        sa.CheckConstraint(
            "(state = 'hidden') = (hidden_reason <> '')", name=op.f("ck_reviews_hidden")
        ),
        sa.CheckConstraint(
            "(replied_at IS NULL) = (replied_by_id IS NULL)", name=op.f("ck_reviews_replied_whole")
        ),
        sa.CheckConstraint("char_length(reply) <= 500", name=op.f("ck_reviews_reply")),
        sa.CheckConstraint("char_length(text) <= 500", name=op.f("ck_reviews_text")),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_reviews_stars")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_reviews_member_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_reviews_order_id")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_reviews_order_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_reviews_product_id")
        ),
        sa.ForeignKeyConstraint(
            ["replied_by_id"], ["staff.id"], name=op.f("fk_reviews_replied_by_id")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_reviews_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("order_line_id", name=op.f("uq_reviews_order_line_id")),
    )
    op.create_index(
        "ix_reviews_member", "reviews", ["member_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_index(op.f("ix_reviews_order_id"), "reviews", ["order_id"], unique=False)
    op.create_index(
        "ix_reviews_product_shown",
        "reviews",
        ["product_id", sa.literal_column("id DESC")],
        unique=False,
        postgresql_include=["stars"],
        postgresql_where=sa.text("state = 'shown'"),
    )
    op.create_index(
        "ix_reviews_store", "reviews", ["store_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_index(
        "ix_reviews_store_shown",
        "reviews",
        ["store_id", sa.literal_column("id DESC")],
        unique=False,
        postgresql_include=["stars"],
        postgresql_where=sa.text("state = 'shown'"),
    )
    op.create_index(
        "ix_reviews_waiting",
        "reviews",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )


def _create_review_pictures() -> None:
    op.create_table(
        "review_pictures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("review_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("position BETWEEN 1 AND 6", name=op.f("ck_review_pictures_position")),
        sa.ForeignKeyConstraint(
            ["review_id"], ["reviews.id"], name=op.f("fk_review_pictures_review_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_pictures")),
        sa.UniqueConstraint(
            "review_id", "position", name=op.f("uq_review_pictures_review_id_position")
        ),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
