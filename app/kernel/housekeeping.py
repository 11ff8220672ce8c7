"""Removing what has served its time."""

from app.kernel import idempotency
from app.kernel.db import atomic, database_now
from app.kernel.jobs import job


@job("forget_old_requests")
def forget_old_requests() -> int:
    """Remove answers to keyed requests past their time, batch by batch; return how many."""
    total = 0
    while True:
        now = database_now()
        with atomic() as session:
            count = idempotency.forget_old(session, now=now)
        total += count
        if count == 0:
            return total
