"""Ending requests that nobody decided."""

from app.approvals import services
from app.kernel.db import atomic, database_now
from app.kernel.jobs import job


@job("expire_approvals")
def expire_approvals() -> int:
    """End requests past their time and those of disabled staff, batch by batch; return how many."""
    total = 0
    while True:
        now = database_now()
        with atomic() as session:
            count = services.end_overdue(session, now=now)
        total += count
        if count == 0:
            return total
