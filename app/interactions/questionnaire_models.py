"""Questionnaires: their versions and what people answered."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.interactions.states import QuestionnaireState
from app.kernel.db import Base, Id


class Questionnaire(Base):
    """Questions to customers; the draft of the next version stands in the row itself.

    `code` is in its link. With a segment only its customers may answer.
    """

    __tablename__ = "questionnaires"
    __table_args__ = (
        sa.CheckConstraint("char_length(title) BETWEEN 1 AND 60", name="title"),
        sa.CheckConstraint("(state = 'draft') = (version = 0)", name="published"),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    segment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("segments.id"))
    state: Mapped[QuestionnaireState]
    questions: Mapped[list[Any]]
    reward: Mapped[dict[str, Any] | None]
    version: Mapped[int] = mapped_column(server_default=sa.text("0"))
    """The number of the version in force; none before the first is published."""
    created_by_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    def __str__(self) -> str:
        return self.title


class QuestionnaireVersion(Base):
    """What was asked, as it was published. Never changed."""

    __tablename__ = "questionnaire_versions"
    __table_args__ = (sa.UniqueConstraint("questionnaire_id", "number"),)

    id: Mapped[Id]
    questionnaire_id: Mapped[int] = mapped_column(sa.ForeignKey("questionnaires.id"))
    number: Mapped[int]
    questions: Mapped[list[Any]]
    published_at: Mapped[datetime]
    published_by_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))


class QuestionnaireAnswer(Base):
    """What one customer answered; once for each questionnaire. An erasure empties it."""

    __tablename__ = "questionnaire_answers"
    __table_args__ = (
        sa.UniqueConstraint("questionnaire_id", "member_id"),
        sa.Index("ix_questionnaire_answers_member", "member_id"),
        sa.Index("ix_questionnaire_answers_version", "version_id", "id"),
    )

    id: Mapped[Id]
    questionnaire_id: Mapped[int] = mapped_column(sa.ForeignKey("questionnaires.id"))
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("questionnaire_versions.id"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    answers: Mapped[dict[str, Any]]
    """The number of each question to what was chosen or written."""
    answered_at: Mapped[datetime]
