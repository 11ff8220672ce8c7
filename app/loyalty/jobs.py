"""Work of loyalty in the background. Every job finds its own work and may run twice."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.kernel import outbox
from app.kernel.batches import work_off
from app.kernel.db import database_now
from app.kernel.jobs import job
from app.kernel.outbox import Task
from app.loyalty import occasions, purchases
from app.orders.models import Order, Refund

BATCH_MAX: Final = 50


@job("promise_rewards")
def promise_rewards() -> int:
    """Promise points for paid orders, and grant the levels they pay for."""
    return work_off("promise_rewards", promise, limit=BATCH_MAX)


@job("settle_rewards")
def settle_rewards() -> int:
    """Give the points and the growth of settled orders, and what first orders fulfil."""
    return work_off("settle_rewards", settle, limit=BATCH_MAX)


@job("take_back_rewards")
def take_back_rewards() -> int:
    """Take back what refunds take back of points, growth and levels."""
    return work_off("take_back_rewards", take_back, limit=BATCH_MAX)


@job("give_upgrade_gifts")
def give_upgrade_gifts() -> int:
    """Give what reaching a level brings."""
    return work_off("give_upgrade_gifts", each(occasions.give_upgrade_gift), limit=BATCH_MAX)


@job("look_at_members")
def look_at_members() -> int:
    """Count what members told of themselves for their tasks."""
    return work_off("look_at_members", each(occasions.look_at_member), limit=BATCH_MAX)


@job("celebrate_birthdays", timeout_seconds=1800)
def celebrate_birthdays() -> int:
    """Give what birthdays bring."""
    return occasions.celebrate(now=database_now())


def each(
    act: Callable[..., None],
) -> Callable[[Session, Sequence[Task], datetime], None]:
    """Make a set of tasks of what is done for one subject."""

    def process(session: Session, tasks: Sequence[Task], now: datetime) -> None:
        for subject_id in sorted({task.subject_id for task in tasks}):
            act(session, subject_id, now=now)
        outbox.finish(session, tasks)

    return process


def promise(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Work off payments."""
    _bring_into_line(session, [task.subject_id for task in tasks], now=now)
    outbox.finish(session, tasks)


def settle(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Work off settlements."""
    kept_fen = settings().kept_order_fen
    for order_id in _bring_into_line(session, [task.subject_id for task in tasks], now=now):
        occasions.look_at_settled(session, order_id, kept_fen=kept_fen, now=now)
    outbox.finish(session, tasks)


def take_back(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Work off refunds."""
    refunded = session.scalars(
        sa.select(Refund.order_id).where(Refund.id.in_([task.subject_id for task in tasks]))
    ).all()
    _bring_into_line(session, refunded, now=now)
    outbox.finish(session, tasks)


def _bring_into_line(session: Session, order_ids: Sequence[int], *, now: datetime) -> Sequence[int]:
    """Go through orders member by member, everywhere in one order, so that nobody waits in a ring.

    Return their ids in that order.
    """
    ordered = session.scalars(
        sa.select(Order.id).where(Order.id.in_(order_ids)).order_by(Order.member_id, Order.id)
    ).all()
    for order_id in ordered:
        purchases.bring_into_line(session, order_id, settings=settings(), now=now)
    return ordered
