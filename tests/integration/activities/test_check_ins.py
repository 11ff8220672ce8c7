from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import check_ins
from app.activities.draw_models import CheckIn
from app.activities.errors import ActivityNotFound, ActivityNotOpen
from app.activities.models import Activity, ActivityEntry
from app.activities.states import ActivityKind, ActivityState
from app.points.queries import held
from tests.factories.activities import make_activity
from tests.factories.people import make_member

DAY = timedelta(days=1)
FIRST = datetime(2026, 3, 1, 4, tzinfo=UTC)
"""Noon in Shanghai."""
RULES = {"points_a_day": 2, "streak_days": 3, "streak_points": 10}


@pytest.fixture
def activity(session: Session) -> Activity:
    return make_activity(
        session, ActivityKind.CHECK_IN, rules=RULES, starts_at=FIRST - DAY, ends_at=FIRST + 90 * DAY
    )


def test_days_in_a_row_bring_more_again_and_again(session: Session, activity: Activity) -> None:
    person = make_member(session)

    stood = [
        check_ins.check_in(session, activity.id, member_id=person.id, now=FIRST + day * DAY)
        for day in range(6)
    ]

    assert [one.points for one in stood] == [2, 2, 12, 2, 2, 12]
    assert [one.streak for one in stood] == [1, 2, 3, 4, 5, 6]
    assert [one.days_to_bonus for one in stood] == [2, 1, 3, 2, 1, 3]
    assert held(session, person.id).available == 32


def test_a_second_visit_on_a_day_brings_nothing_and_is_told_the_same(
    session: Session, activity: Activity
) -> None:
    person = make_member(session)
    first = check_ins.check_in(session, activity.id, member_id=person.id, now=FIRST)

    again = check_ins.check_in(
        session, activity.id, member_id=person.id, now=FIRST + timedelta(hours=9)
    )

    assert (first.is_new, again.is_new) == (True, False)
    assert (again.streak, again.points, again.has_checked_in) == (1, 2, True)
    assert held(session, person.id).available == 2
    assert session.scalar(sa.select(sa.func.count()).select_from(ActivityEntry)) == 1


def test_the_day_is_the_one_of_the_shops(session: Session, activity: Activity) -> None:
    person = make_member(session)
    before_midnight = datetime(2026, 3, 1, 15, 59, tzinfo=UTC)
    check_ins.check_in(session, activity.id, member_id=person.id, now=before_midnight)

    after = check_ins.check_in(
        session, activity.id, member_id=person.id, now=before_midnight + timedelta(minutes=2)
    )

    assert (after.is_new, after.streak) == (True, 2)


def test_who_misses_a_day_begins_again(session: Session, activity: Activity) -> None:
    person = make_member(session)
    for day in (0, 1):
        check_ins.check_in(session, activity.id, member_id=person.id, now=FIRST + day * DAY)

    before = check_ins.attendance(session, activity.id, member_id=person.id, now=FIRST + 3 * DAY)
    after = check_ins.check_in(session, activity.id, member_id=person.id, now=FIRST + 3 * DAY)

    assert (before.has_checked_in, before.streak, before.points) == (False, 0, 2)
    assert (after.streak, after.points) == (1, 2)
    days = check_ins.days_of(session, activity.id, member_id=person.id, since=(FIRST - DAY).date())
    assert [one.day.day for one in days] == [1, 2, 4]


def test_nobody_checks_in_where_nothing_is_open(session: Session, activity: Activity) -> None:
    person = make_member(session)
    sale = make_activity(session, ActivityKind.FLASH_SALE)
    draft = make_activity(session, ActivityKind.CHECK_IN, state=ActivityState.DRAFT)

    with pytest.raises(ActivityNotOpen):
        check_ins.check_in(session, activity.id, member_id=person.id, now=FIRST + 100 * DAY)
    for other in (sale, draft):
        with pytest.raises(ActivityNotFound):
            check_ins.check_in(session, other.id, member_id=person.id, now=FIRST)

    assert session.scalars(sa.select(CheckIn)).all() == []
    assert held(session, person.id).available == 0
