"""What draws, check-ins and rounds of invitations brought: people, points and new customers.

They sell nothing, so their figures are not those of `numbers`: nothing here is money, and what is
handed over in a store has no price that the house knows. Check-ins and rounds happen in no store,
so staff of some stores see those of the customers whom their stores know, as in the lists beside
them. A draw is open to everybody, as its proof is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.activities.draw_models import CheckIn, DrawPrize, DrawTicket, InvitedFriend, InviteRound
from app.activities.states import InviteState, TicketState
from app.loyalty.models import RewardKind

Only: TypeAlias = Callable[[InstrumentedAttribute[int]], ColumnElement[bool]]
"""Whose acts count: given the column of the member, what must hold of it."""


def everybody(_member_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Count everybody's acts."""
    return sa.true()


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawNumbers:
    """A lucky draw so far. Points taken are what draws cost, points given what they won."""

    draws: int
    people: int
    prizes_won: int
    to_hand_over: int
    points_taken: int
    points_given: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInNumbers:
    """A check-in so far; `longest` is the most days in a row that anybody has."""

    visits: int
    people: int
    longest: int
    points_given: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteNumbers:
    """Rounds so far, and the new customers they brought; those counted are part of those here."""

    rounds: int
    rounds_open: int
    rounds_complete: int
    people: int
    friends_accepted: int
    friends_arrived: int
    friends_counted: int


def draw_numbers(session: Session, activity_id: int) -> DrawNumbers:
    """Return what a lucky draw brought."""
    row = session.execute(
        sa.select(
            sa.func.count(DrawTicket.id),
            sa.func.count(sa.distinct(DrawTicket.member_id)),
            sa.func.count(DrawTicket.prize_id),
            sa.func.count(DrawTicket.id).filter(DrawTicket.state == TicketState.WAITING),
            sa.func.coalesce(sa.func.sum(DrawTicket.points), 0),
        ).where(DrawTicket.activity_id == activity_id)
    ).one()
    amount = sa.cast(DrawPrize.reward["amount"].astext, sa.BigInteger)
    points = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(DrawPrize.given * amount), 0)).where(
            DrawPrize.activity_id == activity_id,
            DrawPrize.reward["kind"].astext == RewardKind.POINTS.value,
        )
    )
    return DrawNumbers(
        draws=row[0],
        people=row[1],
        prizes_won=row[2],
        to_hand_over=row[3],
        points_taken=int(row[4]),
        points_given=int(points or 0),
    )


def check_in_numbers(
    session: Session, activity_id: int, *, only: Only = everybody
) -> CheckInNumbers:
    """Return what a check-in brought."""
    row = session.execute(
        sa.select(
            sa.func.count(CheckIn.id),
            sa.func.count(sa.distinct(CheckIn.member_id)),
            sa.func.coalesce(sa.func.max(CheckIn.streak), 0),
            sa.func.coalesce(sa.func.sum(CheckIn.points), 0),
        ).where(CheckIn.activity_id == activity_id, only(CheckIn.member_id))
    ).one()
    return CheckInNumbers(visits=row[0], people=row[1], longest=row[2], points_given=int(row[3]))


def invite_numbers(session: Session, activity_id: int, *, only: Only = everybody) -> InviteNumbers:
    """Return what rounds of invitations brought."""
    rounds = session.execute(
        sa.select(
            sa.func.count(InviteRound.id),
            sa.func.count(InviteRound.id).filter(InviteRound.state == InviteState.OPEN),
            sa.func.count(InviteRound.id).filter(InviteRound.state == InviteState.COMPLETE),
            sa.func.count(sa.distinct(InviteRound.member_id)),
        ).where(InviteRound.activity_id == activity_id, only(InviteRound.member_id))
    ).one()
    friends = session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count(InvitedFriend.arrived_at),
            sa.func.count().filter(InvitedFriend.is_counted),
        )
        .join(InviteRound, InviteRound.id == InvitedFriend.round_id)
        .where(InvitedFriend.activity_id == activity_id, only(InviteRound.member_id))
    ).one()
    return InviteNumbers(
        rounds=rounds[0],
        rounds_open=rounds[1],
        rounds_complete=rounds[2],
        people=rounds[3],
        friends_accepted=friends[0],
        friends_arrived=friends[1],
        friends_counted=friends[2],
    )
