"""Work of distribution in the background. Every job finds its own work and may run twice."""

from functools import partial
from typing import Final

import structlog

from app.access import settings
from app.distribution import (
    clawback,
    levels,
    maturity,
    monitor,
    months,
    reacting,
    retention,
    settlement,
    shareholders,
)
from app.kernel.audit import SYSTEM
from app.kernel.batches import work_off
from app.kernel.db import atomic, database_now, retrying
from app.kernel.jobs import job

log = structlog.get_logger()

AWARD_BATCH_MAX: Final = 250
CLAWBACK_BATCH_MAX: Final = 50
FREEZE_BATCH_MAX: Final = 250


@job("award_orders")
def award_orders() -> int:
    """Decide on paid orders and record what they bring; return how many tasks were taken up."""
    return work_off("award_orders", settlement.award_orders, limit=AWARD_BATCH_MAX)


@job("freeze_awards")
def freeze_awards() -> int:
    """Start the waiting time of the awards of received orders."""
    return work_off("freeze_awards", settlement.freeze_awards, limit=FREEZE_BATCH_MAX)


@job("claw_back_refunds")
def claw_back_refunds() -> int:
    """Take back what refunds take back."""
    return work_off("claw_back_refunds", clawback.claw_back_refunds, limit=CLAWBACK_BATCH_MAX)


@job("note_refunds")
def note_refunds() -> int:
    """Tell plans with places of refunds."""
    return work_off("note_refunds", reacting.note_refunds, limit=CLAWBACK_BATCH_MAX)


@job("note_joined")
def note_joined() -> int:
    """Tell plans with places of newcomers to the team."""
    return work_off("note_joined", reacting.note_joined, limit=AWARD_BATCH_MAX)


@job("seat_everybody")
def seat_everybody() -> int:
    """Give distributors their places in plans that have come into force."""
    return work_off("seat_everybody", reacting.seat_everybody, limit=1)


@job("close_months", timeout_seconds=1800)
def close_months() -> int:
    """Close every month that is over, one plan and store at a time; return how many.

    One that cannot be closed holds up none of the others; it is tried again the next day.
    """
    now = database_now()
    with atomic() as session:
        waiting = months.due_months(session, now=now)
    closed = 0
    for due in waiting:
        try:
            retrying(partial(months.close, due, actor=SYSTEM, now=now))
            closed += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must go on
            told = (due.plan_id, due.store_id, due.month)
            log.error("month_not_closed", due=told, error=type(error).__name__)  # noqa: TRY400 - a traceback tells values
    return closed


@job("allot_seats")
def allot_seats() -> int:
    """End terms of shareholders and give free seats to those who wait; return how many changed."""
    now = database_now()
    with atomic() as session:
        stores = shareholders.stores_to_look_at(session, now=now)
    return sum(shareholders.allot(plan_id, store_id, now=now) for plan_id, store_id in stores)


@job("mature_awards")
def mature_awards() -> int:
    """Release awards whose waiting time is over, batch by batch."""
    total = 0
    while count := maturity.mature_due(now=database_now()):
        total += count
    return total


@job("evaluate_levels")
def evaluate_levels() -> int:
    """Evaluate the levels of those whose customers' orders were settled."""
    return work_off("evaluate_levels", levels.evaluate_owners, limit=AWARD_BATCH_MAX)


@job("begin_levels")
def begin_levels() -> int:
    """Open the level history of new distributors."""
    return work_off("begin_levels", levels.begin_levels, limit=AWARD_BATCH_MAX)


@job("evaluate_all_levels", timeout_seconds=1800)
def evaluate_all_levels() -> int:
    """Evaluate every active distributor, in sets; the nightly safety net. Return the rises."""
    return levels.evaluate_everybody(now=database_now())


@job("review_levels", timeout_seconds=1800)
def review_levels() -> int:
    """Warn whoever did not earn their level again in the period that is over."""
    return retention.review_levels(now=database_now())


@job("end_level_warnings", timeout_seconds=1800)
def end_level_warnings() -> int:
    """End warnings that were made good, and lower those whose time of grace is over."""
    return retention.end_warnings(now=database_now())


@job("watch_trees", timeout_seconds=1800)
def watch_trees() -> int:
    """Stop teams that have grown past the line of the law."""
    return monitor.watch_trees(settings=settings(), now=database_now())
