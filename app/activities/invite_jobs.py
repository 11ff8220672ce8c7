"""Counting invited friends who did what counts. Each job may run any number of times."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.activities import invites
from app.guest_cards.models import GuestCard
from app.kernel import outbox
from app.kernel.batches import work_off
from app.kernel.jobs import job
from app.kernel.outbox import Task
from app.orders.models import Order
from app.orders.states import OrderState

SETTLED: Final = "count_invited_buyers"
USED: Final = "count_invited_guests"
BATCH: Final = 50


@job(SETTLED)
def count_invited_buyers() -> int:
    """Let friends arrive whose order has outlived its after-sale window with enough left in it."""
    return work_off(SETTLED, _settled, limit=BATCH)


@job(USED)
def count_invited_guests() -> int:
    """Let friends arrive who used a guest card."""
    return work_off(USED, _used, limit=BATCH)


def _settled(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    wanted = [task.subject_id for task in tasks]
    kept = sa.select(Order.member_id).where(
        Order.id.in_(wanted),
        Order.state == OrderState.SETTLED,
        Order.paid_fen - Order.refunded_fen >= settings().kept_order_fen,
    )
    for member_id in sorted(set(session.scalars(kept))):
        invites.arrived(session, member_id, "first_order_kept", now=now)
    outbox.finish(session, tasks)


def _used(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    wanted = [task.subject_id for task in tasks]
    guests = sa.select(GuestCard.member_id).where(
        GuestCard.id.in_(wanted), GuestCard.first_used_at.is_not(None)
    )
    for member_id in sorted({one for one in session.scalars(guests) if one is not None}):
        invites.arrived(session, member_id, "card_used", now=now)
    outbox.finish(session, tasks)
