"""What staff keep about a customer: notes, tags and what is still to be done."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id

NOTE_LENGTH_MAX: Final = 2_000
TAG_LENGTH_MAX: Final = 20
WHAT_LENGTH_MAX: Final = 300


class MemberNote(Base):
    """What a member of staff wrote about a customer. Never edited; its author may strike it out."""

    __tablename__ = "member_notes"
    __table_args__ = (
        sa.CheckConstraint(f"char_length(text) BETWEEN 1 AND {NOTE_LENGTH_MAX}", name="text"),
        sa.Index("ix_member_notes_member", "member_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    text: Mapped[str]
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    written_at: Mapped[datetime]
    struck_at: Mapped[datetime | None]


class Tag(Base):
    """A word that the brand's staff put on customers. A retired one stays where it was put."""

    __tablename__ = "tags"
    __table_args__ = (
        sa.CheckConstraint(f"char_length(name) BETWEEN 1 AND {TAG_LENGTH_MAX}", name="name"),
        sa.Index("uq_tags_name", sa.text("lower(name)"), unique=True),
    )

    id: Mapped[Id]
    name: Mapped[str]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    def __str__(self) -> str:
        return self.name


class MemberTag(Base):
    """That a customer bears a tag, since when and by whom."""

    __tablename__ = "member_tags"
    __table_args__ = (
        sa.PrimaryKeyConstraint("member_id", "tag_id"),
        sa.Index("ix_member_tags_tag", "tag_id", sa.text("member_id DESC")),
    )

    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    tag_id: Mapped[int] = mapped_column(sa.ForeignKey("tags.id"))
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    tagged_at: Mapped[datetime]


class FollowUpState(StrEnum):
    """Whether something is still to be done about a customer."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class FollowUp(Base):
    """Something to be done about a customer by a day, by one of staff or by anybody of a store."""

    __tablename__ = "follow_ups"
    __table_args__ = (
        sa.CheckConstraint(f"char_length(what) BETWEEN 1 AND {WHAT_LENGTH_MAX}", name="what"),
        sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by_id IS NULL)", name="ended_whole"),
        sa.CheckConstraint("assignee_id IS NOT NULL OR store_id IS NOT NULL", name="whose"),
        sa.Index("ix_follow_ups_member", "member_id", sa.text("id DESC")),
        sa.Index(
            "ix_follow_ups_open",
            "due_on",
            "id",
            postgresql_where=sa.text("state = 'open'"),
        ),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    what: Mapped[str]
    due_on: Mapped[date]
    assignee_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    state: Mapped[FollowUpState]
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    note: Mapped[str] = mapped_column(server_default="")
    """How it went, or why it was called off."""
