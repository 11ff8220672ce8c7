"""Removing what has served its time."""

from app.access import settings
from app.attribution import guessing
from app.kernel.db import atomic, database_now
from app.kernel.jobs import job


@job("forget_code_misses")
def forget_code_misses() -> int:
    """Remove counters of misses that have run out, batch by batch; return how many."""
    total = 0
    while True:
        now = database_now()
        with atomic() as session:
            count = guessing.forget_misses(session, settings=settings(), now=now)
        total += count
        if count == 0:
            return total
