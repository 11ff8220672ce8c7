"""Work on coupons that waits for time. Each job may run anywhere, any number of times."""

from typing import Final

from app.coupons import lapsing, pushing
from app.kernel.db import atomic, database_now
from app.kernel.jobs import job

BATCHES_MAX: Final = 1_000


@job("expire_coupons", timeout_seconds=600)
def expire_coupons() -> int:
    """Expire coupons whose time is over."""
    count = 0
    for _ in range(BATCHES_MAX):
        now = database_now()
        with atomic() as session:
            expired = lapsing.expire_due(session, now=now)
        if expired == 0:
            break
        count += expired
    return count


@job("push_coupons", timeout_seconds=600)
def push_coupons() -> int:
    """Give coupons to the members of pushes that run."""
    count = 0
    for _ in range(BATCHES_MAX):
        reached = pushing.work_off(now=database_now())
        if reached == 0:
            break
        count += reached
    return count
