"""Months closed one after the other: what one brings to several, and what must not be lost."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import jobs, months, shareholders
from app.distribution.models import Award, LevelPeriod
from app.distribution.month_books import bounds, month_of
from app.distribution.months import Due, EarlierMonthOpen, MonthNotOver
from app.distribution.plan_records import ClosedMonth
from app.distribution.replay.months import replay_months
from app.distribution.replay.report import Report, Span
from app.kernel.audit import SYSTEM
from app.kernel.db import database_now
from app.ledger.queries import balances
from app.members.models import Distributor
from app.orders.states import OrderState
from app.plans import publishing
from app.plans.models import PlanVersion
from tests.factories.orders import make_order
from tests.factories.people import make_distributor, make_store
from tests.factories.plans import make_plan

FEBRUARY = datetime.fromisoformat("2026-02-03T04:00:00+00:00")
MARCH = datetime.fromisoformat("2026-03-15T04:00:00+00:00")
APRIL = datetime.fromisoformat("2026-04-02T04:00:00+00:00")
MAY = datetime.fromisoformat("2026-05-02T04:00:00+00:00")
LADDER = {"rungs": [{"from_fen": 100, "rate_bp": 1_000}], "max_depth": 2}


def sell(
    session: Session, version: PlanVersion, owner: Distributor, *, fen: int, at: datetime = MARCH
) -> None:
    make_order(
        session,
        price_fen=fen,
        state=OrderState.SETTLED,
        owner=owner,
        plan_version_id=version.id,
        now=at,
    )


def promoted(session: Session, recommender: Distributor, *, at: datetime) -> Distributor:
    """Somebody who rose to the second level at an instant."""
    person = make_distributor(session, recommender=recommender)
    person.level = 2
    session.add(
        LevelPeriod(
            member_id=person.member_id,
            level=2,
            from_at=at,
            cause="upgrade",
            facts={},
            actor="system",
        )
    )
    session.flush()
    return person


def ladder_plan(session: Session, *, at: datetime = MARCH - timedelta(days=10)) -> PlanVersion:
    return make_plan(session, model="CHANNEL_TEAM_LADDER", ladder=LADDER, at=at)


def test_whoever_recommended_several_promoted_people_is_paid_for_each(session: Session) -> None:
    incentives = {"ladder": None, "cultivation": {"rate_bp": 100, "months": 6, "from_level": 2}}
    version = make_plan(session, incentives=incentives, at=MARCH - timedelta(days=10))
    recommender = make_distributor(session)
    for fen in (100_000, 300_000):
        sell(session, version, promoted(session, recommender, at=FEBRUARY), fen=fen)
    session.commit()

    closed = months.close(Due(version.plan_id, "2026-03"), actor=SYSTEM, now=APRIL)

    awards = session.execute(
        sa.select(Award.kind, Award.beneficiary_id, Award.amount_fen)
        .where(Award.closed_month_id == closed.id)
        .order_by(Award.amount_fen)
    ).all()
    assert [tuple(one) for one in awards] == [
        ("CULTIVATION", recommender.member_id, 1_000),
        ("CULTIVATION", recommender.member_id, 3_000),
    ]
    assert closed.awarded_fen == 4_000
    assert balances(session, recommender.member_id).pending_fen == 4_000
    report = Report()
    list(replay_months(session, Span(APRIL, APRIL + timedelta(days=1)), report))
    assert report.differences == []


def test_months_are_closed_in_their_order(session: Session) -> None:
    version = ladder_plan(session, at=FEBRUARY)
    sell(session, version, make_distributor(session), fen=10_000)
    session.commit()

    with pytest.raises(EarlierMonthOpen) as refused:
        months.close(Due(version.plan_id, "2026-03"), actor=SYSTEM, now=APRIL)

    assert refused.value.month == "2026-02"
    assert session.scalars(sa.select(ClosedMonth.month)).all() == []
    months.close(Due(version.plan_id, "2026-02"), actor=SYSTEM, now=APRIL)
    closed = months.close(Due(version.plan_id, "2026-03"), actor=SYSTEM, now=APRIL)
    assert (closed.net_fen, closed.awarded_fen) == (10_000, 1_000)


def test_a_month_waits_for_what_had_begun_in_its_last_moment(session: Session) -> None:
    version = ladder_plan(session)
    due, over = Due(version.plan_id, "2026-03"), bounds("2026-03")[1]
    session.commit()

    with pytest.raises(MonthNotOver):
        months.close(due, actor=SYSTEM, now=over + timedelta(seconds=1))

    sell(session, version, make_distributor(session), fen=10_000, at=over - timedelta(seconds=1))
    session.commit()
    closed = months.close(due, actor=SYSTEM, now=over + months.QUIET)
    assert (closed.net_fen, closed.awarded_fen) == (10_000, 1_000)


def test_a_version_that_was_ended_before_it_began_closes_no_month(session: Session) -> None:
    version = ladder_plan(session)
    dear = LADDER | {"rungs": [{"from_fen": 100, "rate_bp": 2_000}]}
    later = make_plan(
        session, model="CHANNEL_TEAM_LADDER", ladder=dear, plan_id=version.plan_id, at=MARCH
    )
    publishing.retire(session, later.id, actor=SYSTEM, now=MARCH - timedelta(days=1))
    sell(session, version, make_distributor(session), fen=10_000)
    session.commit()

    closed = months.close(Due(version.plan_id, "2026-03"), actor=SYSTEM, now=APRIL)

    assert (closed.plan_version_id, closed.awarded_fen) == (version.id, 1_000)
    assert months.due_months(session, now=MAY) == []


def test_a_month_that_cannot_be_closed_holds_up_none_of_the_others(session: Session) -> None:
    broken, sound = make_store(session), make_store(session)
    session.commit()
    now = database_now()
    begins_at = bounds(month_of(now - timedelta(days=40)))[0]
    make_plan(session, model="SHARING_SHAREHOLDERS")
    session.commit()
    for store in (broken, sound):
        shareholders.grant(
            store.id, make_distributor(session).member_id, level=1, actor=SYSTEM, now=begins_at
        )
    session.execute(
        sa.text(
            'UPDATE plan_places SET facts = facts || \'{"until": "junk"}\' WHERE number = :store'
        ),
        {"store": broken.id},
    )
    session.commit()
    waiting = [one for one in months.due_months(session, now=now) if one.store_id == sound.id]

    assert jobs.close_months() == len(waiting) > 0

    stores = session.scalars(sa.select(ClosedMonth.store_id).distinct()).all()
    assert stores == [sound.id]
    left = {one.store_id for one in months.due_months(session, now=now)}
    assert left == {broken.id}
