"""Rounds of invitations (三三裂变): bring so many new customers in time, and be rewarded.

A friend accepts an invitation and counts when their first order has outlived its after-sale window,
or when they have used a guest card, as the rules say. A head that merely signed up brings nothing:
that would reward recruiting (禁止传销条例 art. 7), and it would be farmed. Rewards are points or a
coupon and go to one person only; nothing is handed up. Who counts and for whom is frozen when the
invitation is accepted. It changes nothing about whose customer the friend is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.activities import entries, queries, sweeping
from app.activities.contract import Kind
from app.activities.draw_errors import InviteNotFound, InviteOver, InviteOwn, InviteTaken
from app.activities.draw_models import InvitedFriend, InviteRound
from app.activities.entries import Taking
from app.activities.errors import ActivityInvalid, ActivityNotFound, NewcomersOnly
from app.activities.models import Activity
from app.activities.rules import Rules
from app.activities.states import ActivityKind, ActivityState, InviteState
from app.coupons.models import CouponTemplate
from app.kernel.i18n import N_
from app.kernel.ids import random_text
from app.kernel.outbox import emit
from app.loyalty import rewards
from app.loyalty.models import RewardSource
from app.loyalty.rewards import Reward
from app.members.queries import household_of

CODE_LENGTH: Final = 22
DAY_SECONDS: Final = 86_400


class InviteRules(Rules):
    """How many friends in how long bring what."""

    friends: Annotated[
        int,
        Field(
            ge=1,
            le=99,
            title=N_("Friends in a round"),
            description=N_("How many new customers complete a round."),
        ),
    ] = 3
    days: Annotated[
        int,
        Field(
            ge=1,
            le=90,
            title=N_("Days for a round"),
            description=N_("How long a round stays open."),
        ),
    ] = 30
    counts_when: Annotated[
        Literal["first_order_kept", "card_used"],
        Field(
            title=N_("A friend counts when"),
            description=N_("What a friend does so that they count; signing up is not enough."),
        ),
    ] = "first_order_kept"
    reward_points: Annotated[
        int,
        Field(
            ge=0,
            le=100_000,
            title=N_("Points for a round"),
            description=N_("What whoever invited is given for each complete round."),
        ),
    ] = 300
    reward_coupon_id: Annotated[
        int,
        Field(
            ge=0,
            title=N_("Coupon for a round"),
            description=N_("Which coupon a complete round brings; none where it is left open."),
        ),
    ] = 0
    friend_points: Annotated[
        int,
        Field(
            ge=0,
            le=100_000,
            title=N_("Points for the friend"),
            description=N_("What a friend is given when they count."),
        ),
    ] = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A round as somebody sees it who was invited."""

    round: InviteRound
    activity: Activity
    is_open: bool


def begin(session: Session, activity_id: int, *, member_id: int, now: datetime) -> InviteRound:
    """Open a member's next round, or return the one that is open.

    Raises `ActivityNotFound`, `ActivityNotOpen`, `ActivityLimitReached`, `ActivitySoldOut`.
    """
    activity = _activity(session, activity_id)
    queries.require_open(activity, store_id=None, now=now)
    rules = InviteRules.model_validate(activity.rules)
    _one_at_a_time(session, activity_id, member_id)
    _expire_of(session, activity_id, member_id, now=now)
    standing = _open_round(session, activity_id, member_id)
    if standing is not None:
        return standing
    taking = Taking(activity=activity, member_id=member_id)
    entries.begin(session, taking)
    entry = entries.finish(session, taking, now=now)
    entries.keep(session, [entry.id])
    number = 1 + (
        session.scalar(
            sa.select(sa.func.max(InviteRound.number)).where(
                InviteRound.activity_id == activity_id, InviteRound.member_id == member_id
            )
        )
        or 0
    )
    row = InviteRound(
        code=random_text(CODE_LENGTH),
        activity_id=activity_id,
        member_id=member_id,
        entry_id=entry.id,
        number=number,
        needed=rules.friends,
        arrived=0,
        state=InviteState.OPEN,
        begun_at=now,
        expires_at=now + timedelta(seconds=rules.days * DAY_SECONDS),
    )
    session.add(row)
    session.flush()
    return row


def look(session: Session, code: str, *, now: datetime) -> Invitation:
    """Return what an invitation is about. Raises `InviteNotFound`."""
    row = _by_code(session, code)
    activity = session.get_one(Activity, row.activity_id, populate_existing=True)
    return Invitation(round=row, activity=activity, is_open=_takes(row, activity, now=now))


def accept(session: Session, code: str, *, friend_id: int, now: datetime) -> InvitedFriend:
    """Accept an invitation; again, for the same round, it returns what stands.

    Raises `InviteNotFound`, `InviteOver`, `InviteOwn`, `NewcomersOnly`, `InviteTaken`.
    """
    row = _by_code(session, code)
    standing = session.get(InvitedFriend, (row.activity_id, friend_id), populate_existing=True)
    if standing is not None and standing.round_id == row.id:
        return standing
    activity = session.get_one(Activity, row.activity_id, populate_existing=True)
    if not _takes(row, activity, now=now):
        raise InviteOver
    if friend_id == row.member_id or household_of(session, friend_id, {row.member_id}):
        raise InviteOwn
    if not entries.is_newcomer(session, friend_id):
        raise NewcomersOnly
    session.execute(
        insert(InvitedFriend)
        .values(
            activity_id=row.activity_id,
            friend_id=friend_id,
            round_id=row.id,
            accepted_at=now,
            is_counted=False,
        )
        .on_conflict_do_nothing()
    )
    accepted = session.get_one(InvitedFriend, (row.activity_id, friend_id), populate_existing=True)
    if accepted.round_id != row.id:
        raise InviteTaken
    return accepted


def arrived(session: Session, friend_id: int, how: str, *, now: datetime) -> int:
    """Count a friend who did `how` in every activity that waits for it; return how many did.

    Repeat it freely: each friend arrives once in an activity.
    """
    waiting = session.scalars(
        sa.select(InvitedFriend)
        .join(Activity, Activity.id == InvitedFriend.activity_id)
        .where(
            InvitedFriend.friend_id == friend_id,
            InvitedFriend.arrived_at.is_(None),
            Activity.rules["counts_when"].astext == how,
        )
        .order_by(InvitedFriend.activity_id)
    ).all()
    return sum(_count(session, one.activity_id, friend_id, now=now) for one in waiting)


def rounds_of(
    session: Session, member_id: int, *, after_id: int | None = None, limit: int
) -> Sequence[InviteRound]:
    """Return a member's rounds, the newest first."""
    wanted = (
        sa.select(InviteRound)
        .where(InviteRound.member_id == member_id)
        .order_by(InviteRound.id.desc())
        .limit(limit)
    )
    if after_id is not None:
        wanted = wanted.where(InviteRound.id < after_id)
    return session.scalars(wanted).all()


def count_open(session: Session, member_id: int, *, now: datetime) -> int:
    """Count a member's rounds that still take friends."""
    wanted = sa.select(sa.func.count()).where(
        InviteRound.member_id == member_id,
        InviteRound.state == InviteState.OPEN,
        InviteRound.expires_at > now,
    )
    return session.scalar(wanted) or 0


def friends_of(session: Session, round_id: int) -> Sequence[InvitedFriend]:
    """Return who accepted an invitation of a round, the first first."""
    return session.scalars(
        sa.select(InvitedFriend)
        .where(InvitedFriend.round_id == round_id)
        .order_by(InvitedFriend.accepted_at, InvitedFriend.friend_id)
    ).all()


def _count(session: Session, activity_id: int, friend_id: int, *, now: datetime) -> bool:
    """Let one friend arrive, under the lock of their round; complete it where it is enough."""
    which = (activity_id, friend_id)
    round_id = session.get_one(InvitedFriend, which).round_id
    row = session.get_one(InviteRound, round_id, with_for_update=True, populate_existing=True)
    friend = session.get_one(InvitedFriend, which, with_for_update=True, populate_existing=True)
    if friend.arrived_at is not None:
        return False
    activity = session.get_one(Activity, activity_id, populate_existing=True)
    friend.arrived_at = now
    is_cancelled = activity.state is ActivityState.CANCELLED
    friend.is_counted = row.state is InviteState.OPEN and now < row.expires_at and not is_cancelled
    if friend.is_counted:
        rules = InviteRules.model_validate(activity.rules)
        row.arrived += 1
        if row.arrived == row.needed:
            row.state, row.ended_at = InviteState.COMPLETE, now
        session.flush()
        _reward(session, row, friend_id, rules, now=now)
    session.flush()
    return friend.is_counted


def _reward(
    session: Session, row: InviteRound, friend_id: int, rules: InviteRules, *, now: datetime
) -> None:
    """Give the friend theirs, and whoever invited theirs where the round is complete by it."""
    if rules.friend_points:
        rewards.give(
            session,
            friend_id,
            Reward.points(rules.friend_points),
            key=f"invited:{row.activity_id}:{friend_id}",
            source=RewardSource.INVITE,
            now=now,
        )
    if row.state is InviteState.COMPLETE:
        rewards.give_all(
            session,
            row.member_id,
            promised(rules),
            key=f"invite_round:{row.id}",
            source=RewardSource.INVITE,
            now=now,
        )
        emit(session, "invite_round_complete", row.id, now=now)


def promised(rules: InviteRules) -> list[Reward]:
    """Return what a complete round brings."""
    found = [Reward.points(rules.reward_points)] if rules.reward_points else []
    return found + ([Reward.coupon(rules.reward_coupon_id)] if rules.reward_coupon_id else [])


def _takes(row: InviteRound, activity: Activity, *, now: datetime) -> bool:
    return (
        row.state is InviteState.OPEN
        and now < row.expires_at
        and activity.state is not ActivityState.CANCELLED
    )


def _by_code(session: Session, code: str) -> InviteRound:
    row = session.scalar(
        sa.select(InviteRound)
        .where(InviteRound.code == code)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise InviteNotFound
    return row


def _open_round(session: Session, activity_id: int, member_id: int) -> InviteRound | None:
    return session.scalar(
        sa.select(InviteRound).where(
            InviteRound.activity_id == activity_id,
            InviteRound.member_id == member_id,
            InviteRound.state == InviteState.OPEN,
        )
    )


def _expire_of(session: Session, activity_id: int, member_id: int, *, now: datetime) -> None:
    """End a round of a member whose time is over, where the clock's job was not faster."""
    session.execute(
        sa.update(InviteRound)
        .where(
            InviteRound.activity_id == activity_id,
            InviteRound.member_id == member_id,
            InviteRound.state == InviteState.OPEN,
            InviteRound.expires_at <= now,
        )
        .values(state=InviteState.EXPIRED, ended_at=now)
        .execution_options(synchronize_session=False)
    )


def _one_at_a_time(session: Session, activity_id: int, member_id: int) -> None:
    """Let a member's own requests to begin wait for each other: the second finds the first's."""
    name = f"invite:{activity_id}:{member_id}"
    lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 11))
    session.execute(sa.select(lock))


def _activity(session: Session, activity_id: int) -> Activity:
    activity = session.get(Activity, activity_id, populate_existing=True)
    is_seen = activity is not None and activity.state is not ActivityState.DRAFT
    if activity is None or activity.kind is not ActivityKind.INVITE_ROUNDS or not is_seen:
        raise ActivityNotFound
    return activity


def _check(session: Session, _activity: Activity, rules: InviteRules) -> None:
    if not promised(rules):
        raise ActivityInvalid("reward")
    if rules.reward_coupon_id and session.get(CouponTemplate, rules.reward_coupon_id) is None:
        raise ActivityInvalid("reward")


def _sweep(now: datetime) -> int:
    """End rounds whose time is over."""
    due = (
        sa.select(InviteRound.id)
        .where(InviteRound.state == InviteState.OPEN, InviteRound.expires_at <= now)
        .order_by(InviteRound.expires_at)
    )

    def expire(session: Session, round_id: int) -> None:
        row = session.get_one(InviteRound, round_id, with_for_update=True, populate_existing=True)
        if row.state is InviteState.OPEN:
            row.state, row.ended_at = InviteState.EXPIRED, now

    return sweeping.each(due, expire)


KIND: Final = Kind(
    code=ActivityKind.INVITE_ROUNDS,
    title=N_("Rounds of invitations"),
    about=N_("Bring so many new customers in time, and be rewarded."),
    counts=N_("rounds"),
    rules=InviteRules,
    sells=False,
    check=_check,
    sweep=_sweep,
)
