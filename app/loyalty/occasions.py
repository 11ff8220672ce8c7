"""What happens to members without an order: they join, rise, have a birthday, fulfil tasks."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.kernel.clock import business_day
from app.kernel.db import atomic
from app.loyalty import tasks
from app.loyalty.models import BirthdayRun, RewardSource, TaskKind, TaskProgress
from app.loyalty.rewards import give_all, rewards_of
from app.members.models import Member
from app.membership.models import LevelMove, LevelVersion
from app.membership.queries import levels_at, standing_of
from app.orders.models import Order

BIRTHDAY_BATCH_MAX: Final = 200
CATCH_UP_DAYS: Final = 7
"""How many missed days of birthdays are made good."""
_FEBRUARY: Final = 2


def give_upgrade_gift(session: Session, move_id: int, *, now: datetime) -> None:
    """Give what reaching a level brings: once for each level in a calendar year of the brand."""
    move = session.get_one(LevelMove, move_id)
    version = _version_at(session, move.to_level_id, at=move.at)
    if version is None:
        return
    year = business_day(move.at).year
    give_all(
        session,
        move.member_id,
        rewards_of(version.upgrade_gift),
        key=f"upgrade:{move.member_id}:{version.level_id}:{year}",
        source=RewardSource.UPGRADE,
        now=now,
    )


def look_at_member(session: Session, member_id: int, *, now: datetime) -> None:
    """Count what a member has done by now for tasks that can be read off their file."""
    member = session.get(Member, member_id)
    if member is None or member.deleted_at is not None:
        return
    tasks.note(session, TaskKind.JOIN, member_id, "joined", at=member.registered_at, now=now)
    if member.nickname and member.birthday_on is not None:
        tasks.note(session, TaskKind.COMPLETE_PROFILE, member_id, "complete", at=now, now=now)
    if member.phone_hash is not None:
        for task in tasks.running(session, TaskKind.BIND_PHONE, at=now):
            if not _done_with_phone(session, task.id, member):
                tasks.count(session, task, member_id, "bound", now=now)


def look_at_settled(session: Session, order_id: int, *, kept_fen: int, now: datetime) -> None:
    """Count a first settled order for its buyer, and for whoever brought them.

    An order of which less than `kept_fen` was kept counts for nobody: a purchase that goes back
    but for a coin is none.
    """
    order = session.get_one(Order, order_id, populate_existing=True)
    if order.settled_at is None or order.paid_fen - order.refunded_fen < kept_fen:
        return
    if not _is_first(session, order, kept_fen=kept_fen):
        return
    fact = f"order:{order.id}"
    tasks.note(session, TaskKind.FIRST_ORDER, order.member_id, fact, at=order.settled_at, now=now)
    if order.owner_id is not None and order.owner_id != order.member_id:
        tasks.note(
            session,
            TaskKind.BRING_A_FRIEND,
            order.owner_id,
            f"friend:{order.member_id}",
            at=order.settled_at,
            now=now,
        )


def celebrate(*, now: datetime) -> int:
    """Give what a birthday brings, once a year, by the brand's calendar; return how many members.

    Whoever was born on 29 February has their birthday on the 28th in a year without. Days that
    were missed are made good, up to a week.
    """
    count = 0
    with atomic() as session:
        days = _days_to_do(session, business_day(now))
    for day in days:
        done = _celebrate_day(day, now=now)
        with atomic() as session:
            session.execute(
                insert(BirthdayRun).values(day=day, at=now, members=done).on_conflict_do_nothing()
            )
        count += done
    return count


def birthdays_of(day: date) -> list[tuple[int, int]]:
    """Return the dates of birth, as month and day, that are celebrated on a day.

    >>> birthdays_of(date(2026, 2, 28)), birthdays_of(date(2028, 2, 28))
    ([(2, 28), (2, 29)], [(2, 28)])
    """
    dates = [(day.month, day.day)]
    if dates == [(_FEBRUARY, 28)] and (day + timedelta(days=1)).month != _FEBRUARY:
        dates.append((_FEBRUARY, 29))
    return dates


def _days_to_do(session: Session, today: date) -> list[date]:
    last = session.scalar(sa.select(sa.func.max(BirthdayRun.day)))
    first = today if last is None else max(last, today - timedelta(days=CATCH_UP_DAYS))
    first = first if last is None else first + timedelta(days=1)
    return [first + timedelta(days=number) for number in range((today - first).days + 1)]


def _celebrate_day(day: date, *, now: datetime) -> int:
    count, after_id = 0, 0
    while True:
        with atomic() as session:
            members = _born_on(session, day, after_id)
            gifts = {
                one.level_id: rewards_of(one.version.birthday_gift)
                for one in levels_at(session, at=now)
            }
            for member_id in members:
                held = standing_of(session, member_id, at=now)
                given = give_all(
                    session,
                    member_id,
                    gifts.get(held.level_id or 0, []),
                    key=f"birthday:{member_id}:{day.year}",
                    source=RewardSource.BIRTHDAY,
                    now=now,
                )
                count += bool(given)
        if len(members) < BIRTHDAY_BATCH_MAX:
            return count
        after_id = members[-1]


def _born_on(session: Session, day: date, after_id: int) -> Sequence[int]:
    month, number = (sa.extract(part, Member.birthday_on) for part in ("month", "day"))
    return session.scalars(
        sa.select(Member.id)
        .where(
            sa.or_(*(sa.and_(month == of[0], number == of[1]) for of in birthdays_of(day))),
            Member.birthday_on.is_not(None),
            Member.deleted_at.is_(None),
            Member.id > after_id,
        )
        .order_by(Member.id)
        .limit(BIRTHDAY_BATCH_MAX)
    ).all()


def _version_at(session: Session, level_id: int | None, *, at: datetime) -> LevelVersion | None:
    return next(
        (one.version for one in levels_at(session, at=at) if one.level_id == level_id), None
    )


def _done_with_phone(session: Session, task_id: int, member: Member) -> bool:
    """Tell whether somebody else has done a task with this phone: it counts for one of them."""
    found = session.scalar(
        sa.select(TaskProgress.member_id)
        .join(Member, Member.id == TaskProgress.member_id)
        .where(
            TaskProgress.task_id == task_id,
            TaskProgress.member_id != member.id,
            TaskProgress.done_at.is_not(None),
            Member.phone_hash == member.phone_hash,
        )
        .limit(1)
    )
    return found is not None


def _is_first(session: Session, order: Order, *, kept_fen: int) -> bool:
    """Tell whether an order is the first that its buyer paid and kept, former systems included."""
    earlier = session.scalar(
        sa.select(Order.id)
        .where(
            Order.member_id == order.member_id,
            Order.id != order.id,
            Order.paid_fen - Order.refunded_fen >= kept_fen,
            sa.tuple_(Order.settled_at, Order.id)
            < sa.tuple_(sa.literal(order.settled_at), sa.literal(order.id)),
        )
        .limit(1)
    )
    own_since = session.scalar(
        sa.select(sa.func.min(Order.paid_at)).where(Order.member_id == order.member_id)
    )
    first_paid_at = session.scalar(
        sa.select(Member.first_paid_at).where(Member.id == order.member_id)
    )
    is_known = first_paid_at is not None and own_since is not None and first_paid_at < own_since
    return earlier is None and not is_known
