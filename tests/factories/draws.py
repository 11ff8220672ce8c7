"""Lucky draws with prizes, check-ins and rounds of invitations for tests."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from app.activities import draws, services
from app.activities.models import Activity
from app.activities.prize_specs import PrizeSpec
from app.activities.states import ActivityEvent, ActivityKind, ActivityState
from app.kernel.audit import SYSTEM
from app.loyalty.rewards import Reward
from tests.factories.activities import make_activity

HOUR: Final = timedelta(hours=1)
MASK: Final = PrizeSpec(title="Mask", chance_ppm=300_000, stock=2)
POINTS: Final = PrizeSpec(
    title="20 points", chance_ppm=400_000, stock=1_000, reward=Reward.points(20)
)


def make_draw(
    session: Session,
    *,
    prizes: Sequence[PrizeSpec] = (MASK, POINTS),
    now: datetime,
    **facts: Any,
) -> Activity:
    """A draw that is running since an hour ago, committed to as staff do it."""
    facts.setdefault("rules", {"draws_a_day": 100, "free_a_day": 100})
    activity = make_activity(
        session,
        ActivityKind.LUCKY_DRAW,
        state=ActivityState.DRAFT,
        starts_at=now + HOUR,
        ends_at=now + 1_000 * HOUR,
        **facts,
    )
    draws.put_prizes(session, activity.id, prizes, actor=SYSTEM, now=now)
    for event in (ActivityEvent.SCHEDULE, ActivityEvent.START):
        services.decide(session, activity.id, event, actor=SYSTEM, now=now)
    activity.starts_at = now - HOUR
    session.flush()
    return activity


def end(session: Session, activity: Activity, *, now: datetime) -> None:
    """End an activity by hand."""
    services.decide(session, activity.id, ActivityEvent.END, actor=SYSTEM, now=now)
