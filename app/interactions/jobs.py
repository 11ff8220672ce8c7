"""Work of interactions in the background. Every job finds its own work and may run twice."""

from functools import partial

import structlog

from app.access import settings
from app.interactions import campaigns, care, sending
from app.kernel.db import atomic, database_now, retrying
from app.kernel.jobs import job

log = structlog.get_logger()


@job("send_messages", timeout_seconds=600)
def send_messages() -> int:
    """Send the messages that are due, one by one; several workers may do so side by side."""
    total = 0
    while True:
        found, errand = sending.begin_next(settings=settings(), now=database_now())
        if not found:
            return total
        total += 1
        if errand is not None:
            outcome = sending.carry_out(errand)
            sending.conclude(errand, outcome, now=database_now())
            log.info("message_sent", message_id=errand.message_id, state=outcome.state)


@job("run_campaigns", timeout_seconds=600)
def run_campaigns() -> int:
    """Take up the next people of every campaign that goes out; return how many batches."""
    with atomic() as session:
        waiting = campaigns.under_way(session)
    total = 0
    for campaign_id in waiting:
        while campaigns.take_up(campaign_id, now=database_now()):
            total += 1
        while campaigns.give_coupons(campaign_id, now=database_now()):
            total += 1
    return total


@job("find_care", timeout_seconds=600)
def find_care() -> int:
    """Mark whom the rules of care are about today; return how many are new."""
    with atomic() as session:
        rule_ids = [one.id for one in care.rules_at_work(session)]
    return sum(retrying(partial(_find, one)) for one in rule_ids)


@job("give_care", timeout_seconds=600)
def give_care() -> int:
    """Do what the rules of care say for everybody marked; return how many."""
    total = 0
    while care.work_off_next(now=database_now()):
        total += 1
    return total


def _find(rule_id: int) -> int:
    total, now = 0, database_now()
    while True:
        with atomic() as session:
            found = care.find(session, care.locked(session, rule_id), now=now)
        total += found
        if found < care.FOUND_MAX:
            return total
