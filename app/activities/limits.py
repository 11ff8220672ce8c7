"""Counting what is taken, so that limits and stocks are exact under any load.

Each count is one conditional UPDATE that takes or refuses; nobody reads first and writes later.
Whoever takes several counts does so in one order - the member's own, an item's, the activity's -
and gives back in the same, so that two never wait for each other in a circle. The row that all
want comes as late as possible: from it to the commit others wait.
"""

from collections import Counter
from collections.abc import Collection
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.activities.errors import ActivityLimitReached, ActivitySoldOut, DayLimitReached
from app.activities.models import Activity, ActivityDay, ActivityItem, ActivityTally


def take_own(
    session: Session, activity_id: int, member_id: int, *, count: int, limit: int | None
) -> None:
    """Count against what one member may take; raises `ActivityLimitReached`."""
    if limit is not None and count > limit:
        raise ActivityLimitReached(limit)
    within = sa.true() if limit is None else ActivityTally.taken + count <= limit
    taken = session.scalar(
        insert(ActivityTally)
        .values(activity_id=activity_id, member_id=member_id, taken=count)
        .on_conflict_do_update(
            index_elements=["activity_id", "member_id"],
            set_={"taken": ActivityTally.taken + count},
            where=within,
        )
        .returning(ActivityTally.taken)
    )
    if taken is None:
        assert limit is not None, "without a limit nothing is refused"
        raise ActivityLimitReached(limit)


def take_item(session: Session, item_id: int, *, count: int) -> None:
    """Count against the stock of an item; raises `ActivitySoldOut`."""
    _take(
        session,
        sa.update(ActivityItem)
        .where(ActivityItem.id == item_id, ActivityItem.sold + count <= ActivityItem.stock)
        .values(sold=ActivityItem.sold + count)
        .returning(ActivityItem.id),
    )


def take_total(session: Session, activity_id: int, *, count: int, limit: int | None) -> None:
    """Count against what all may take, where there is a limit; raises `ActivitySoldOut`."""
    if limit is None:
        return
    _take(
        session,
        sa.update(Activity)
        .where(Activity.id == activity_id, Activity.taken + count <= Activity.limit_total)
        .values(taken=Activity.taken + count)
        .returning(Activity.id),
    )


def take_day(session: Session, activity_id: int, member_id: int, *, day: date, limit: int) -> None:
    """Count one act of a member on a business day; raises `DayLimitReached`."""
    acts = session.scalar(
        insert(ActivityDay)
        .values(activity_id=activity_id, member_id=member_id, day=day, acts=1)
        .on_conflict_do_update(
            index_elements=["activity_id", "member_id", "day"],
            set_={"acts": ActivityDay.acts + 1},
            where=ActivityDay.acts + 1 <= limit,
        )
        .returning(ActivityDay.acts)
    )
    if acts is None:
        raise DayLimitReached(limit)


def give_back(session: Session, taken: Collection[tuple[int, int, int | None, int]]) -> None:
    """Give back (activity, member, item, count); the caller sees to it that each is, once."""
    own: Counter[tuple[int, int]] = Counter()
    items: Counter[int] = Counter()
    totals: Counter[int] = Counter()
    for activity_id, member_id, item_id, count in taken:
        own[activity_id, member_id] += count
        totals[activity_id] += count
        if item_id is not None:
            items[item_id] += count
    for (activity_id, member_id), count in sorted(own.items()):
        theirs = (ActivityTally.activity_id == activity_id, ActivityTally.member_id == member_id)
        _give(session, sa.update(ActivityTally).where(*theirs), taken=ActivityTally.taken - count)
    for item_id, count in sorted(items.items()):
        change = sa.update(ActivityItem).where(ActivityItem.id == item_id)
        _give(session, change, sold=ActivityItem.sold - count)
    for activity_id, count in sorted(totals.items()):
        limited = (Activity.id == activity_id, Activity.limit_total.is_not(None))
        _give(session, sa.update(Activity).where(*limited), taken=Activity.taken - count)


def _give(session: Session, change: sa.Update, **values: sa.ColumnElement[int]) -> None:
    session.execute(change.values(**values).execution_options(synchronize_session=False))


def _take(session: Session, change: sa.sql.dml.ReturningUpdate[tuple[int]]) -> None:
    if session.scalar(change.execution_options(synchronize_session=False)) is None:
        raise ActivitySoldOut
