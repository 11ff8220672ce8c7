"""Lucky draws with their prizes and tickets, check-ins, and rounds of invitations."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.activities.states import InviteState, TicketState
from app.kernel.db import Base, Id

CHANCE_WHOLE_PPM = 1_000_000


class LuckyDraw(Base):
    """What a draw is decided by, and how many tickets were drawn.

    `commitment` is the digest of the seed and is shown from the start. The seed is sealed until the
    draw is over; from then on `seed` shows it, and anybody can compute every ticket again.
    """

    __tablename__ = "lucky_draws"
    __table_args__ = (
        sa.CheckConstraint("tickets >= 0", name="tickets"),
        sa.CheckConstraint("(seed IS NULL) = (revealed_at IS NULL)", name="revealed"),
    )

    activity_id: Mapped[int] = mapped_column(
        sa.ForeignKey("activities.id"), primary_key=True, autoincrement=False
    )
    seed_sealed: Mapped[str]
    commitment: Mapped[str] = mapped_column(sa.String(64))
    tickets: Mapped[int] = mapped_column(server_default=sa.text("0"))
    committed_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    seed: Mapped[str | None]
    revealed_at: Mapped[datetime | None]


class DrawPrize(Base):
    """One prize: how often it is drawn, of a million, how many there are, and what it is.

    `reward` is what members are given at once (`loyalty.rewards.Reward`); without one it is handed
    over in a store. What is drawn after the last piece is gone wins nothing.
    """

    __tablename__ = "draw_prizes"
    __table_args__ = (
        sa.CheckConstraint("char_length(title) BETWEEN 1 AND 40", name="title"),
        sa.CheckConstraint(f"chance_ppm BETWEEN 1 AND {CHANCE_WHOLE_PPM}", name="chance"),
        sa.CheckConstraint("given >= 0 AND given <= stock", name="never_above"),
        sa.UniqueConstraint("activity_id", "place"),
    )

    id: Mapped[Id]
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activities.id"))
    place: Mapped[int]
    """The order in which chances are laid side by side."""
    title: Mapped[str]
    chance_ppm: Mapped[int]
    stock: Mapped[int]
    given: Mapped[int] = mapped_column(server_default=sa.text("0"))
    reward: Mapped[dict[str, Any] | None]

    def __str__(self) -> str:
        return self.title


class DrawTicket(Base):
    """One draw of one member, decided by the seed and its number.

    `drawn_id` is what the seed says, `prize_id` what was won: nothing where none was left. Tickets
    of a draw are numbered without gaps, in the order in which prizes were taken.
    """

    __tablename__ = "draw_tickets"
    __table_args__ = (
        sa.UniqueConstraint("activity_id", "number"),
        sa.CheckConstraint("number >= 1", name="number"),
        sa.CheckConstraint("points >= 0", name="points"),
        sa.CheckConstraint("prize_id IS NULL OR prize_id = drawn_id", name="won_what_was_drawn"),
        sa.CheckConstraint("(prize_id IS NULL) = (state = 'nothing')", name="won"),
        sa.CheckConstraint("(state = 'handed_over') = (handed_over_at IS NOT NULL)", name="ended"),
        sa.CheckConstraint(
            "(handed_over_at IS NULL) = (handed_over_by IS NULL)", name="handed_over_whole"
        ),
        sa.Index("ix_draw_tickets_member", "member_id", sa.text("id DESC")),
        sa.Index("ix_draw_tickets_waiting", "id", postgresql_where=sa.text("state = 'waiting'")),
    )

    id: Mapped[Id]
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activities.id"))
    number: Mapped[int]
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("activity_entries.id"), unique=True)
    points: Mapped[int]
    """How many points it cost."""
    drawn_id: Mapped[int | None] = mapped_column(sa.ForeignKey("draw_prizes.id"))
    prize_id: Mapped[int | None] = mapped_column(sa.ForeignKey("draw_prizes.id"), index=True)
    state: Mapped[TicketState]
    at: Mapped[datetime]
    handed_over_at: Mapped[datetime | None]
    handed_over_by: Mapped[str | None]
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    """Where it was handed over."""


class CheckIn(Base):
    """That a member came by on a business day, and the how manieth day in a row. Never changed."""

    __tablename__ = "check_ins"
    __table_args__ = (
        sa.UniqueConstraint("activity_id", "member_id", "day"),
        sa.CheckConstraint("streak >= 1", name="streak"),
        sa.CheckConstraint("points >= 0", name="points"),
        sa.Index("ix_check_ins_member", "member_id", sa.text("day DESC")),
    )

    id: Mapped[Id]
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activities.id"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    day: Mapped[date]
    streak: Mapped[int]
    points: Mapped[int]
    at: Mapped[datetime]


class InviteRound(Base):
    """A member invites friends until `expires_at`; so many who come bring a reward.

    `code` is what an invitation carries. One round of a member is open at a time; the next number
    follows when it is over.
    """

    __tablename__ = "invite_rounds"
    __table_args__ = (
        sa.UniqueConstraint("activity_id", "member_id", "number"),
        sa.CheckConstraint("number >= 1", name="number"),
        sa.CheckConstraint("needed >= 1", name="needed"),
        sa.CheckConstraint("arrived >= 0 AND arrived <= needed", name="arrived"),
        sa.CheckConstraint("(state = 'complete') = (arrived = needed)", name="complete"),
        sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
        sa.Index(
            "uq_invite_rounds_open",
            "activity_id",
            "member_id",
            unique=True,
            postgresql_where=sa.text("state = 'open'"),
        ),
        sa.Index("ix_invite_rounds_due", "expires_at", postgresql_where=sa.text("state = 'open'")),
        sa.Index("ix_invite_rounds_member", "member_id", sa.text("id DESC")),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(22), unique=True)
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activities.id"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("activity_entries.id"), unique=True)
    number: Mapped[int]
    needed: Mapped[int]
    arrived: Mapped[int] = mapped_column(server_default=sa.text("0"))
    state: Mapped[InviteState]
    begun_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class InvitedFriend(Base):
    """A new customer who accepted an invitation; each counts once in an activity.

    `arrived_at` is when they did what counts; `is_counted` tells whether the round was still open.
    """

    __tablename__ = "invited_friends"
    __table_args__ = (
        sa.CheckConstraint("(arrived_at IS NULL) <= (is_counted = false)", name="counted"),
        sa.Index("ix_invited_friends_round", "round_id", "accepted_at"),
        sa.Index(
            "ix_invited_friends_waiting",
            "friend_id",
            postgresql_where=sa.text("arrived_at IS NULL"),
        ),
    )

    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activities.id"), primary_key=True)
    friend_id: Mapped[int] = mapped_column(
        sa.ForeignKey("members.id"), primary_key=True, index=True
    )
    round_id: Mapped[int] = mapped_column(sa.ForeignKey("invite_rounds.id"))
    accepted_at: Mapped[datetime]
    arrived_at: Mapped[datetime | None]
    is_counted: Mapped[bool] = mapped_column(server_default=sa.false())
