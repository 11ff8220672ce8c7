"""Draws, check-ins and invitations of the demo: all three run, each with people in it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import check_ins, draws, invites, services
from app.activities.models import Activity
from app.activities.prize_specs import PrizeSpec
from app.activities.services import ActivitySpec
from app.activities.states import ActivityEvent, ActivityKind
from app.kernel.audit import Actor
from app.kernel.db import atomic, database_now
from app.loyalty.rewards import Reward
from app.members.models import Member
from app.stores.models import Staff

DAY: Final = timedelta(days=1)
PRIZES: Final = (
    PrizeSpec(title="肩颈护理一次", chance_ppm=20_000, stock=5),
    PrizeSpec(title="面膜一盒", chance_ppm=180_000, stock=40),
    PrizeSpec(title="50 积分", chance_ppm=300_000, stock=500, reward=Reward.points(50)),
)
PLAYERS: Final = 6
DRAWS_EACH: Final = 2
STREAKS: Final = (7, 4, 2, 1)
"""How many days in a row the first customers have come by, today included."""
FRIENDS: Final = 3
ARRIVED: Final = 2


def load_draws() -> Iterator[str]:
    """Run a draw, a check-in and rounds of invitations, once; yield what to tell the reader."""
    now = database_now()
    with atomic() as session:
        seen = sa.select(Activity.id).where(Activity.kind == ActivityKind.LUCKY_DRAW).limit(1)
        if session.scalar(seen) is not None:
            return
        staff_id = session.scalar(sa.select(Staff.id).where(Staff.email == "ops@demo.tuoke"))
        people = session.scalars(
            sa.select(Member.id)
            .where(Member.first_paid_at.is_not(None))
            .order_by(Member.id)
            .limit(PLAYERS)
        ).all()
        if staff_id is None or len(people) < PLAYERS:
            return
        actor = Actor("staff", staff_id)
        _draw(session, people, actor=actor, now=now)
        _visit(session, people, actor=actor, now=now)
        _invite(session, people[0], actor=actor, now=now)
    yield "draws: a lucky draw, a daily check-in and a round of invitations are under way"


def _draw(session: Session, people: Sequence[int], *, actor: Actor, now: datetime) -> None:
    rules = {"draws_a_day": 5, "free_a_day": DRAWS_EACH, "points_a_draw": 20}
    activity_id = _opened(
        session, ActivityKind.LUCKY_DRAW, "幸运大转盘", rules, actor=actor, now=now
    )
    for _ in range(DRAWS_EACH):
        for member_id in people:
            draws.draw(session, activity_id, member_id=member_id, now=now)


def _visit(session: Session, people: Sequence[int], *, actor: Actor, now: datetime) -> None:
    begins = now - max(STREAKS) * DAY
    rules = {"points_a_day": 2, "streak_days": 7, "streak_points": 20}
    activity_id = _opened(
        session, ActivityKind.CHECK_IN, "每日签到", rules, actor=actor, now=begins
    )
    for member_id, streak in zip(people, STREAKS, strict=False):
        for days_ago in reversed(range(streak)):
            at = now - days_ago * DAY
            check_ins.check_in(session, activity_id, member_id=member_id, now=at)


def _invite(session: Session, host_id: int, *, actor: Actor, now: datetime) -> None:
    """A round half full: some friends accepted, fewer of them did what counts."""
    rules = {"friends": 3, "days": 30, "reward_points": 300, "friend_points": 50}
    kind = ActivityKind.INVITE_ROUNDS
    activity_id = _opened(session, kind, "三人同行邀好友", rules, actor=actor, now=now)
    friends = session.scalars(
        sa.select(Member.id)
        .where(Member.first_paid_at.is_(None), Member.deleted_at.is_(None), Member.id != host_id)
        .order_by(Member.id)
        .limit(FRIENDS)
    ).all()
    row = invites.begin(session, activity_id, member_id=host_id, now=now)
    for friend_id in friends:
        invites.accept(session, row.code, friend_id=friend_id, now=now)
    for friend_id in friends[:ARRIVED]:
        invites.arrived(session, friend_id, "first_order_kept", now=now)


def _opened(
    session: Session,
    kind: ActivityKind,
    name: str,
    rules: dict[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> int:
    """Set an activity up that runs from `now` on, and return its number."""
    spec = ActivitySpec(
        kind=kind, name=name, starts_at=now + DAY, ends_at=now + 30 * DAY, rules=rules
    )
    activity = services.put_activity(session, spec, actor=actor, now=now)
    if kind is ActivityKind.LUCKY_DRAW:
        draws.put_prizes(session, activity.id, PRIZES, actor=actor, now=now)
    for event in (ActivityEvent.SCHEDULE, ActivityEvent.START):
        services.decide(session, activity.id, event, actor=actor, now=now)
    return activity.id
