"""Daily check-in (签到): points for coming by, and more for days in a row.

A day is a business day in Shanghai. Who misses one begins again; a second visit on a day changes
nothing and is told the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Final

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.activities import entries, queries
from app.activities.contract import Kind
from app.activities.draw_models import CheckIn
from app.activities.entries import Taking
from app.activities.errors import ActivityInvalid, ActivityNotFound
from app.activities.models import Activity
from app.activities.rules import Rules
from app.activities.states import ActivityKind, ActivityState
from app.kernel.clock import business_day
from app.kernel.i18n import N_
from app.loyalty import rewards
from app.loyalty.models import RewardSource
from app.loyalty.rewards import Reward

DAY: Final = timedelta(days=1)


class CheckInRules(Rules):
    """What coming by brings."""

    points_a_day: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            title=N_("Points a day"),
            description=N_("What each day brings."),
        ),
    ] = 1
    streak_days: Annotated[
        int,
        Field(
            ge=2,
            le=365,
            title=N_("Days in a row"),
            description=N_("How many days in a row bring the extra points, again and again."),
        ),
    ] = 7
    streak_points: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            title=N_("Extra points"),
            description=N_("What so many days in a row bring besides."),
        ),
    ] = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """How a member stands today; `is_new` says that this very visit counted."""

    day: date
    has_checked_in: bool
    streak: int
    points: int
    days_to_bonus: int
    is_new: bool = False


def points_of(rules: CheckInRules, streak: int) -> int:
    """Return what a day brings that is the how manieth in a row.

    >>> rules = CheckInRules(points_a_day=2, streak_days=3, streak_points=10)
    >>> [points_of(rules, streak) for streak in (1, 2, 3, 4, 6)]
    [2, 2, 12, 2, 12]
    """
    return rules.points_a_day + (0 if streak % rules.streak_days else rules.streak_points)


def check_in(session: Session, activity_id: int, *, member_id: int, now: datetime) -> Attendance:
    """Note that a member came by today, and give the points for it, once a day.

    Raises `ActivityNotFound`, `ActivityNotOpen`, `ActivityLimitReached`, `ActivitySoldOut`.
    """
    activity = _activity(session, activity_id)
    queries.require_open(activity, store_id=None, now=now)
    rules = CheckInRules.model_validate(activity.rules)
    day = business_day(now)
    streak = _streak_before(session, activity_id, member_id, day) + 1
    points = points_of(rules, streak)
    inserted = session.scalar(
        insert(CheckIn)
        .values(
            activity_id=activity_id,
            member_id=member_id,
            day=day,
            streak=streak,
            points=points,
            at=now,
        )
        .on_conflict_do_nothing()
        .returning(CheckIn.streak)
    )
    if inserted is None:
        return attendance(session, activity_id, member_id=member_id, now=now)
    taking = Taking(activity=activity, member_id=member_id)
    entries.begin(session, taking)
    entries.keep(session, [entries.finish(session, taking, now=now).id])
    if points:
        key = f"check_in:{activity_id}:{member_id}:{day.isoformat()}"
        rewards.give(
            session,
            member_id,
            Reward.points(points),
            key=key,
            source=RewardSource.CHECK_IN,
            now=now,
        )
    return Attendance(
        day=day,
        has_checked_in=True,
        streak=streak,
        points=points,
        days_to_bonus=_to_bonus(rules, streak),
        is_new=True,
    )


def attendance(session: Session, activity_id: int, *, member_id: int, now: datetime) -> Attendance:
    """Return how a member stands today. Raises `ActivityNotFound`."""
    activity = _activity(session, activity_id)
    rules = CheckInRules.model_validate(activity.rules)
    day = business_day(now)
    today = _on(session, activity_id, member_id, day)
    before = _streak_before(session, activity_id, member_id, day)
    streak = today.streak if today else before
    return Attendance(
        day=day,
        has_checked_in=today is not None,
        streak=streak,
        points=today.points if today else points_of(rules, before + 1),
        days_to_bonus=_to_bonus(rules, streak),
    )


def days_of(
    session: Session, activity_id: int, *, member_id: int, since: date
) -> Sequence[CheckIn]:
    """Return on which days a member came by, the first first."""
    return session.scalars(
        sa.select(CheckIn)
        .where(
            CheckIn.activity_id == activity_id,
            CheckIn.member_id == member_id,
            CheckIn.day >= since,
        )
        .order_by(CheckIn.day)
    ).all()


def _to_bonus(rules: CheckInRules, streak: int) -> int:
    return rules.streak_days - streak % rules.streak_days


def _streak_before(session: Session, activity_id: int, member_id: int, day: date) -> int:
    yesterday = _on(session, activity_id, member_id, day - DAY)
    return yesterday.streak if yesterday else 0


def _on(session: Session, activity_id: int, member_id: int, day: date) -> CheckIn | None:
    return session.scalar(
        sa.select(CheckIn).where(
            CheckIn.activity_id == activity_id,
            CheckIn.member_id == member_id,
            CheckIn.day == day,
        )
    )


def _activity(session: Session, activity_id: int) -> Activity:
    activity = session.get(Activity, activity_id, populate_existing=True)
    is_seen = activity is not None and activity.state is not ActivityState.DRAFT
    if activity is None or activity.kind is not ActivityKind.CHECK_IN or not is_seen:
        raise ActivityNotFound
    return activity


def _check(_session: Session, _activity: Activity, rules: CheckInRules) -> None:
    if not rules.points_a_day + rules.streak_points:
        raise ActivityInvalid("reward")


KIND: Final = Kind(
    code=ActivityKind.CHECK_IN,
    title=N_("Daily check-in"),
    about=N_("Points for coming by, and more for days in a row."),
    counts=N_("days"),
    rules=CheckInRules,
    sells=False,
    check=_check,
)
