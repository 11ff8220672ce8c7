"""Levels under fire: two runs at once move everybody once, and a warning ends in one way."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.distribution import levels, monitor, retention, warnings
from app.distribution.models import LevelPeriod
from app.distribution.plan_records import LevelWarning
from app.kernel.audit import Actor
from app.kernel.db import atomic, retrying
from app.members.models import Distributor, TeamStop
from app.orders.states import OrderState
from app.settings import Settings
from tests.factories.orders import make_order
from tests.factories.payouts import make_award
from tests.factories.people import make_distributor
from tests.factories.plans import make_plan
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
DAY = timedelta(days=1)
REVIEW = datetime(2026, 3, 1, tzinfo=UTC)
MONTHLY = {"retention": {"every": "MONTH", "share_bp": 5_000, "grace_days": 10}}


def test_runs_over_everybody_at_once_lift_each_once(
    app: Flask, session: Session, now: datetime
) -> None:
    make_plan(session)
    people = [make_distributor(session) for _ in range(12)]
    for one in people:
        make_order(session, owner=one, price_fen=500_000, state=OrderState.SETTLED, now=now - DAY)
    session.commit()

    def run(at: datetime) -> Callable[[], int]:
        return lambda: levels.evaluate_everybody(now=at)

    rises = at_once(app, *(run(now + n * DAY / 100) for n in range(4)))

    assert sum(int(one) for one in rises) == 12
    moved = session.scalars(sa.select(LevelPeriod.member_id).where(LevelPeriod.level == 2)).all()
    assert sorted(moved) == sorted(one.member_id for one in people)
    assert broken(session, "B28", "B28w") == []


def test_reviews_at_once_warn_each_once(app: Flask, session: Session) -> None:
    make_plan(session, levels=MONTHLY)
    for _ in range(10):
        make_distributor(session, level=2)
    session.commit()

    warned = at_once(app, *[lambda: retention.review_levels(now=REVIEW)] * 4)

    assert sum(int(one) for one in warned) == 10
    assert session.scalar(sa.select(sa.func.count()).select_from(LevelWarning)) == 10


def test_a_warning_that_ends_while_its_holder_rises_and_staff_lift_it_ends_once(
    app: Flask, session: Session
) -> None:
    make_plan(session, levels=MONTHLY)
    people = [make_distributor(session, level=2) for _ in range(8)]
    session.commit()
    retention.review_levels(now=REVIEW)
    end = REVIEW + 11 * DAY
    for one in people:
        for _ in range(10):
            make_order(session, owner=one, price_fen=200_000, state=OrderState.SETTLED, now=end)
    ids = list(session.scalars(sa.select(LevelWarning.id)))
    session.commit()

    def lift() -> int:
        done = 0
        for warning_id in ids:
            with atomic() as own:
                try:
                    warnings.lift_warning(
                        own, warning_id, actor=Actor("staff", 1), reason="race", now=end
                    )
                    done += 1
                except warnings.WarningNotOpen:
                    continue
        return done

    at_once(
        app,
        lambda: retention.end_warnings(now=end),
        lambda: retrying(lambda: levels.evaluate_everybody(now=end)),
        lift,
    )

    session.rollback()
    still_open = sa.select(LevelWarning.id).where(LevelWarning.ended_at.is_(None))
    assert session.scalars(still_open).all() == []
    assert broken(session, "B28", "B28w") == []
    falls = session.scalars(sa.select(LevelPeriod).where(LevelPeriod.cause == "downgrade")).all()
    lost = session.scalars(sa.select(LevelWarning).where(LevelWarning.outcome == "lost")).all()
    assert {one.member_id for one in falls} == {one.member_id for one in lost}
    levels_now = set(session.scalars(sa.select(Distributor.level)))
    assert levels_now <= {1, 2, 3}


def test_watches_at_once_stop_a_team_once(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    top = make_distributor(session)
    middle = make_distributor(session, recommender=top)
    low = [make_distributor(session, recommender=middle) for _ in range(28)]
    for one in (top, middle, *low):
        make_award(session, one, 1_000)
    session.commit()

    stopped = at_once(app, *[lambda: monitor.watch_trees(settings=settings, now=now)] * 4)

    assert sum(int(one) for one in stopped) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(TeamStop)) == 1
