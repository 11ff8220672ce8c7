"""What relay, workers and scheduler would have done by a moment of the demo's past."""

import contextlib
from datetime import datetime
from typing import Final

from app.distribution import (
    clawback,
    levels,
    maturity,
    months,
    reacting,
    settlement,
    shareholders,
)
from app.kernel import outbox
from app.kernel.audit import SYSTEM
from app.kernel.batches import Process
from app.kernel.db import atomic
from app.kernel.errors import DomainError
from app.loyalty import jobs as loyalty
from app.loyalty import occasions
from app.orders import services as orders
from app.reactions import TASKS

JOBS: Final[tuple[tuple[str, Process], ...]] = (
    ("look_at_members", loyalty.each(occasions.look_at_member)),
    ("promise_rewards", loyalty.promise),
    ("settle_rewards", loyalty.settle),
    ("take_back_rewards", loyalty.take_back),
    ("give_upgrade_gifts", loyalty.each(occasions.give_upgrade_gift)),
    ("begin_levels", levels.begin_levels),
    ("seat_everybody", reacting.seat_everybody),
    ("note_joined", reacting.note_joined),
    ("award_orders", settlement.award_orders),
    ("freeze_awards", settlement.freeze_awards),
    ("claw_back_refunds", clawback.claw_back_refunds),
    ("evaluate_levels", levels.evaluate_owners),
)


def work_off(now: datetime) -> None:
    """Do what is due by now."""
    with atomic() as session:
        outbox.relay(session, TASKS, now=now)
    for _ in range(2):
        for job, process in JOBS:
            with atomic() as session:
                tasks = outbox.claim(session, job, limit=1_000, now=now)
                process(session, tasks, now)
        orders.settle_due(now=now)
        maturity.mature_due(now=now)
        with atomic() as session:
            outbox.relay(session, TASKS, now=now)
    _give_seats(now)
    _close_months(now)


def _give_seats(now: datetime) -> None:
    with atomic() as session:
        stores = shareholders.stores_to_look_at(session, now=now)
    for plan_id, store_id in stores:
        shareholders.allot(plan_id, store_id, now=now)


def _close_months(now: datetime) -> None:
    """Close every month that is over; one that has nothing to close is left alone."""
    with atomic() as session:
        waiting = months.due_months(session, now=now)
    for due in waiting:
        with contextlib.suppress(DomainError):
            months.close(due, actor=SYSTEM, now=now)
