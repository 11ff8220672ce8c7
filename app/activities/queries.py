"""Reading activities, and locking them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.activities.bargain_models import Bargain
from app.activities.errors import (
    ActivityItemNotFound,
    ActivityNotFound,
    ActivityNotHere,
    ActivityNotOpen,
)
from app.activities.group_models import BuyingGroup, GroupSeat
from app.activities.models import Activity, ActivityEntry, ActivityItem, ActivityStep
from app.activities.states import ActivityKind, ActivityState
from app.orders.models import Order

SHOWN_MAX = 100
TAKING = frozenset({ActivityState.SCHEDULED, ActivityState.RUNNING})
"""States in which the clock decides whether an activity is open; a job only writes it down."""


@dataclass(frozen=True, slots=True)
class Told:
    """An entry with what a member wants to know of it."""

    entry: ActivityEntry
    kind: ActivityKind
    name: str
    order_number: str | None
    group_code: str | None
    bargain_code: str | None


def is_open(activity: Activity, *, now: datetime) -> bool:
    """Tell whether an activity takes people at this instant."""
    return activity.state in TAKING and activity.starts_at <= now < activity.ends_at


def require_open(activity: Activity, *, store_id: int | None, now: datetime) -> None:
    """Raise `ActivityNotOpen` or `ActivityNotHere` where nobody can take part now, or here."""
    if not is_open(activity, now=now):
        raise ActivityNotOpen
    if store_id is not None and not is_in_store(activity, store_id):
        raise ActivityNotHere


def is_in_store(activity: Activity, store_id: int) -> bool:
    """Tell whether an activity takes place in a store."""
    return activity.store_ids is None or store_id in activity.store_ids


def touching_stores(store_ids: Collection[int] | None) -> sa.ColumnElement[bool]:
    """Return the condition that keeps activities which take place in any of these stores."""
    if store_ids is None:
        return sa.true()
    wanted = sa.cast(sorted(store_ids), sa.ARRAY(sa.BigInteger))
    return sa.or_(Activity.store_ids.is_(None), Activity.store_ids.bool_op("&&")(wanted))


def get_activity(
    session: Session, activity_id: int, *, store_ids: Collection[int] | None = None
) -> Activity:
    """Return an activity with its items; one that touches none of `store_ids` is as absent."""
    activity = session.scalar(
        sa.select(Activity)
        .where(Activity.id == activity_id, touching_stores(store_ids))
        .options(selectinload(Activity.items))
    )
    if activity is None:
        raise ActivityNotFound
    return activity


def lock_activity(session: Session, activity_id: int) -> Activity:
    """Lock an activity against others who change it; those who take part do not wait."""
    activity = session.scalar(
        sa.select(Activity)
        .where(Activity.id == activity_id)
        .options(selectinload(Activity.items))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if activity is None:
        raise ActivityNotFound
    return activity


def offered(session: Session, item_id: int, *, kind: ActivityKind) -> tuple[Activity, ActivityItem]:
    """Return an item and its activity, which has to be of this kind; drafts are as absent."""
    row = session.execute(
        sa.select(Activity, ActivityItem)
        .join(ActivityItem, ActivityItem.activity_id == Activity.id)
        .where(
            ActivityItem.id == item_id,
            Activity.kind == kind,
            Activity.state != ActivityState.DRAFT,
        )
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise ActivityItemNotFound
    return row[0], row[1]


def open_in_store(
    session: Session,
    store_id: int,
    *,
    kind: ActivityKind | None = None,
    coming_until: datetime | None = None,
    now: datetime,
) -> Sequence[Activity]:
    """Return what takes place in a store now, or begins by `coming_until`, the first to end first.

    At most `SHOWN_MAX`: a page of promotions is no catalogue.
    """
    wanted = (
        sa.select(Activity)
        .where(
            Activity.state.in_(TAKING),
            Activity.starts_at <= (coming_until or now),
            Activity.ends_at > now,
            touching_stores([store_id]),
        )
        .options(selectinload(Activity.items))
        .order_by(Activity.ends_at, Activity.id)
        .limit(SHOWN_MAX)
    )
    if kind is not None:
        wanted = wanted.where(Activity.kind == kind)
    return session.scalars(wanted).all()


def shown_activity(session: Session, activity_id: int) -> Activity:
    """Return an activity as customers may see it; a draft is as absent."""
    activity = get_activity(session, activity_id)
    if activity.state is ActivityState.DRAFT:
        raise ActivityNotFound
    return activity


def steps_of(session: Session, activity_id: int) -> Sequence[ActivityStep]:
    """Return what happened to an activity, oldest first."""
    return session.scalars(
        sa.select(ActivityStep)
        .where(ActivityStep.activity_id == activity_id)
        .order_by(ActivityStep.id)
    ).all()


def told_of_member(
    session: Session, member_id: int, *, after_id: int | None = None, limit: int
) -> Sequence[Told]:
    """Return what a member took part in, the newest first, from below `after_id` on."""
    wanted = (
        sa.select(
            ActivityEntry,
            Activity.kind,
            Activity.name,
            Order.number,
            BuyingGroup.code,
            Bargain.code,
        )
        .join(Activity, Activity.id == ActivityEntry.activity_id)
        .outerjoin(Order, Order.id == ActivityEntry.order_id)
        .outerjoin(GroupSeat, GroupSeat.entry_id == ActivityEntry.id)
        .outerjoin(BuyingGroup, BuyingGroup.id == GroupSeat.group_id)
        .outerjoin(Bargain, Bargain.entry_id == ActivityEntry.id)
        .where(ActivityEntry.member_id == member_id)
        .order_by(ActivityEntry.id.desc())
        .limit(limit)
    )
    if after_id is not None:
        wanted = wanted.where(ActivityEntry.id < after_id)
    return [Told(*row) for row in session.execute(wanted)]


def entry_of_order(session: Session, order_id: int) -> ActivityEntry | None:
    """Return what an order pays for, where it belongs to an activity."""
    return session.scalar(
        sa.select(ActivityEntry)
        .where(ActivityEntry.order_id == order_id)
        .execution_options(populate_existing=True)
    )
