"""What was given to members, what their orders promised them, and the tasks they can do."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id


class RewardKind(StrEnum):
    """What can be given."""

    COUPON = "coupon"
    POINTS = "points"
    GROWTH = "growth"


class RewardSource(StrEnum):
    """What it is given for."""

    UPGRADE = "upgrade"
    BIRTHDAY = "birthday"
    TASK = "task"
    ACTIVITY = "activity"
    CHECK_IN = "check_in"
    DRAW = "draw"
    INVITE = "invite"
    INTERACTION = "interaction"
    PLAN = "plan"
    """A gift that a plan of distribution granted."""
    HAND = "hand"


class RewardState(StrEnum):
    """Whether a reward was given, or refused until somebody tries again."""

    GIVEN = "given"
    REFUSED = "refused"


class GivenReward(Base):
    """One reward for one fact, named by `key`; so it is given once, however often it is asked.

    Where it cannot be given, as a coupon of which none is left, that is kept with the reason, and
    can be tried again.
    """

    __tablename__ = "given_rewards"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount"),
        sa.CheckConstraint("(kind = 'coupon') = (template_id IS NOT NULL)", name="template"),
        sa.CheckConstraint("(state = 'given') = (given_at IS NOT NULL)", name="given"),
        sa.CheckConstraint("(state = 'refused') = (refusal <> '')", name="refusal"),
        sa.Index("ix_given_rewards_member", "member_id", sa.text("id DESC")),
        sa.Index("ix_given_rewards_asked", "asked_at", "id"),
        sa.Index("ix_given_rewards_refused", "id", postgresql_where=sa.text("state = 'refused'")),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    kind: Mapped[RewardKind]
    template_id: Mapped[int | None]
    """The coupon's template; templates lie in another slice, whose key is not ours."""
    amount: Mapped[int]
    """How many coupons, points, or how much growth."""
    source: Mapped[RewardSource]
    state: Mapped[RewardState]
    refusal: Mapped[str] = mapped_column(server_default="")
    """The stable code of the error that refused it."""
    asked_at: Mapped[datetime]
    given_at: Mapped[datetime | None]


class OrderReward(Base):
    """What an order promises its buyer, frozen when it was paid, and how much of it was taken back.

    `base_fen` is what was paid for goods and services in money; `gone_fen` of it went back. What is
    taken back is always the share of all that went back, rounded down, so that refunds in any
    number of parts take the same.
    """

    __tablename__ = "order_rewards"
    __table_args__ = (
        sa.CheckConstraint("gone_fen BETWEEN 0 AND base_fen", name="gone"),
        sa.CheckConstraint("points_taken BETWEEN 0 AND points", name="points"),
        sa.CheckConstraint("growth_taken BETWEEN 0 AND growth", name="growth"),
        sa.Index("ix_order_rewards_member", "member_id", sa.text("order_id DESC")),
    )

    order_id: Mapped[int] = mapped_column(
        sa.ForeignKey("orders.id"), primary_key=True, autoincrement=False
    )
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    base_fen: Mapped[int]
    gone_fen: Mapped[int] = mapped_column(server_default=sa.text("0"))
    points: Mapped[int]
    points_taken: Mapped[int] = mapped_column(server_default=sa.text("0"))
    growth: Mapped[int]
    growth_taken: Mapped[int] = mapped_column(server_default=sa.text("0"))
    rule: Mapped[dict[str, Any]]
    """The level, its multiplier and the rates, as they were when it was paid."""
    promised_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class TaskKind(StrEnum):
    """What a member does to fulfil a task."""

    JOIN = "join"
    """Sign in for the first time: the gift for newcomers."""
    BIND_PHONE = "bind_phone"
    COMPLETE_PROFILE = "complete_profile"
    FIRST_ORDER = "first_order"
    """A first order of one's own whose after-sale window has closed."""
    BRING_A_FRIEND = "bring_a_friend"
    """So many customers of one's own who bought and kept what they bought."""
    FOLLOW = "follow"
    """Follow the brand's account; staff say that somebody does."""


class MemberTask(Base):
    """A task that members can fulfil once, and what it brings."""

    __tablename__ = "member_tasks"
    __table_args__ = (
        sa.CheckConstraint("target BETWEEN 1 AND 1000", name="target"),
        sa.CheckConstraint("char_length(title) BETWEEN 1 AND 40", name="title"),
        sa.CheckConstraint("ends_at > starts_at", name="period"),
        sa.Index("ix_member_tasks_kind", "kind", "starts_at"),
    )

    id: Mapped[Id]
    kind: Mapped[TaskKind]
    title: Mapped[str]
    title_en: Mapped[str] = mapped_column(server_default="")
    description: Mapped[str] = mapped_column(server_default="")
    target: Mapped[int] = mapped_column(server_default=sa.text("1"))
    rewards: Mapped[list[Any]]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    """When it was ended, or will be."""
    created_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.title


class TaskProgress(Base):
    """How far a member is with a task; once it is done, nothing more comes of it."""

    __tablename__ = "task_progress"
    __table_args__ = (
        sa.PrimaryKeyConstraint("task_id", "member_id"),
        sa.CheckConstraint("count >= 0", name="count"),
        sa.Index("ix_task_progress_member", "member_id"),
    )

    task_id: Mapped[int] = mapped_column(sa.ForeignKey("member_tasks.id"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    count: Mapped[int] = mapped_column(server_default=sa.text("0"))
    done_at: Mapped[datetime | None]


class TaskMark(Base):
    """One fact that counted for a task, such as one friend; it counts once. Never changed."""

    __tablename__ = "task_marks"
    __table_args__ = (
        sa.PrimaryKeyConstraint("task_id", "member_id", "fact"),
        sa.ForeignKeyConstraint(
            ["task_id", "member_id"], ["task_progress.task_id", "task_progress.member_id"]
        ),
    )

    task_id: Mapped[int]
    member_id: Mapped[int]
    fact: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]


class BirthdayRun(Base):
    """A business day whose birthdays were looked at."""

    __tablename__ = "birthday_runs"

    day: Mapped[date] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    members: Mapped[int]
