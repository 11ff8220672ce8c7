"""The watch: what the rules make of what distributors did of late, and what nobody decided."""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.kernel.db import atomic, take_time
from app.risk import services
from app.risk.gathering import active_owners, below_frozen, figures_of
from app.risk.rules import Thresholds, suspicions
from app.settings import Settings

LOOK_BACK: Final = timedelta(hours=26)
"""Who did something within this is looked at; longer than a day, so that a late run misses none."""
SET_SIZE: Final = 200
EXPIRED_MAX: Final = 200
_WATCH_LOCK: Final = 7_310_022

log = structlog.get_logger()


def thresholds(settings: Settings) -> Thresholds:
    """Return from where on figures are suspicious at this brand."""
    return Thresholds(
        binds_hour=settings.risk_binds_hour,
        binds_day=settings.risk_binds_day,
        shared_people=settings.risk_shared_people,
        unpaid_device_people=settings.risk_unpaid_device_people,
        refund_bp=settings.risk_refund_bp,
        refund_orders_min=settings.risk_refund_orders_min,
        pair_orders=settings.risk_pair_orders,
    )


def watch_risk(*, settings: Settings, now: datetime) -> int:
    """Judge everybody who did something of late, a set at a time; return how many flags are new.

    One run at a time; a second one does nothing. Flags that nobody decided in time end first.
    """
    raised = 0
    with atomic() as session:
        owner_ids = active_owners(session, since=now - LOOK_BACK, now=now)
    _expire(now)
    sets = [owner_ids[at : at + SET_SIZE] for at in range(0, len(owner_ids), SET_SIZE)]
    for part in [*sets, None]:
        with atomic() as session:
            if not session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_WATCH_LOCK))):
                return raised
            raised += _judge(session, part, settings=settings, now=now)
    if raised:
        log.warning("risk_flags_raised", count=raised)
    return raised


def _judge(
    session: Session, owner_ids: list[int] | None, *, settings: Settings, now: datetime
) -> int:
    """Judge a set of distributors; None stands for the teams of those frozen of late."""
    take_time(session)
    lately = now - LOOK_BACK
    if owner_ids is None:
        figures = list(below_frozen(session, since=lately, now=now))
        found = suspicions(figures, thresholds(settings))
    else:
        since = now - timedelta(seconds=settings.risk_window_seconds)
        seen = figures_of(session, owner_ids, lately=lately, since=since, now=now)
        found = suspicions(seen, thresholds(settings))
    return services.note(session, found, settings=settings, now=now)


def _expire(now: datetime) -> None:
    while True:
        with atomic() as session:
            ended = services.expire_due(session, now=now, limit=EXPIRED_MAX)
        if ended < EXPIRED_MAX:
            return
