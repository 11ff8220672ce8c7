"""Removing what has served its time."""

from app.kernel.db import atomic, database_now
from app.kernel.jobs import job
from app.members import former, sessions


@job("forget_ended_sessions")
def forget_ended_sessions() -> int:
    """Remove sessions that ended long ago, batch by batch; return how many."""
    total = 0
    while True:
        now = database_now()
        with atomic() as session:
            count = sessions.forget_ended_sessions(session, now=now)
        total += count
        if count == 0:
            return total


@job("forget_former_customers")
def forget_former_customers() -> int:
    """Remove what former customers are recognised by once its time is over; return how many."""
    total = 0
    while True:
        now = database_now()
        with atomic() as session:
            count = former.forget(session, now=now)
        total += count
        if count < former.FORGET_MAX:
            return total
