"""Templates of messages, what customers allowed, and every message to be sent or sent."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.interactions.states import DropReason, MessagePurpose, MessageState
from app.kernel.db import Base, Id


class MessageTemplate(Base):
    """What the brand says on an occasion: a template at WeChat and what fills its fields.

    `fields` maps the template's fields to the names of our values, such as {"thing1": "title"}.
    An occasion without a template in use is not written about.
    """

    __tablename__ = "message_templates"
    __table_args__ = (
        sa.CheckConstraint("key ~ '^[a-z][a-z_]{1,39}$'", name="key"),
        sa.CheckConstraint("wechat_template_id ~ '^[0-9A-Za-z_-]{20,64}$'", name="wechat"),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 40", name="name"),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    wechat_template_id: Mapped[str]
    page: Mapped[str] = mapped_column(server_default="")
    fields: Mapped[dict[str, Any]]
    is_active: Mapped[bool] = mapped_column(server_default=sa.true())
    updated_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.name


class MessagePermission(Base):
    """How many messages of a WeChat template a customer still allows, as far as we know.

    One for each tap that the mini-program reported, less those sent; WeChat alone knows for sure.
    """

    __tablename__ = "message_permissions"
    __table_args__ = (sa.CheckConstraint('"left" >= 0', name="left"),)

    member_id: Mapped[int] = mapped_column(
        sa.ForeignKey("members.id"), primary_key=True, autoincrement=False
    )
    wechat_template_id: Mapped[str] = mapped_column(primary_key=True)
    left: Mapped[int]
    asked_at: Mapped[datetime]
    """When the customer last answered the question, whichever way."""


class Message(Base):
    """One message to one customer, written in the transaction of what caused it.

    `key` names the occasion, so that it is written about once. `data` is what is sent, cut to
    WeChat's limits; an erasure empties it. `due_at` is NULL at the end.
    """

    __tablename__ = "messages"
    __table_args__ = (
        sa.CheckConstraint("(due_at IS NULL) = (state NOT IN ('waiting', 'sending'))", name="due"),
        sa.CheckConstraint("(ended_at IS NULL) = (state IN ('waiting', 'sending'))", name="ended"),
        sa.CheckConstraint("(state = 'dropped') = (drop_reason IS NOT NULL)", name="dropped"),
        sa.CheckConstraint("attempts >= 0", name="attempts"),
        sa.Index("ix_messages_due", "due_at", "id", postgresql_where=sa.text("due_at IS NOT NULL")),
        sa.Index("ix_messages_member", "member_id", sa.text("id DESC")),
        sa.Index("ix_messages_member_sent", "member_id", "sent_at"),
        sa.Index(
            "ix_messages_campaign",
            "campaign_id",
            "state",
            postgresql_where=sa.text("campaign_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    template_id: Mapped[int] = mapped_column(sa.ForeignKey("message_templates.id"), index=True)
    campaign_id: Mapped[int | None] = mapped_column(sa.ForeignKey("campaigns.id"))
    purpose: Mapped[MessagePurpose]
    data: Mapped[dict[str, Any]]
    page: Mapped[str] = mapped_column(server_default="")
    state: Mapped[MessageState]
    drop_reason: Mapped[DropReason | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """Nobody wants to read it later than this."""
    due_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    """When WeChat was called for it."""
    ended_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=sa.text("0"))
    wechat_code: Mapped[int | None]
    wechat_field: Mapped[str | None]
