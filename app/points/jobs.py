"""Work on points in the background."""

from app.access import settings
from app.kernel.db import atomic, database_now
from app.kernel.jobs import job
from app.points import expiring
from app.points.expiring import Place


@job("expire_points", timeout_seconds=600)
def expire_points() -> int:
    """Let what is over run out, batch by batch; return how many lots it was."""
    now = database_now()
    total = 0
    place: Place | None = None
    while True:
        with atomic() as session:
            batch = expiring.expire_batch(session, after=place, now=now)
        total += batch.lots
        if batch.place is None:
            return total
        place = batch.place


@job("tell_of_expiring_points")
def tell_of_expiring_points() -> int:
    """Tell members of points that run out soon; return how many lots it was."""
    now, notice_seconds = database_now(), settings().points_notice_seconds
    total = 0
    while True:
        with atomic() as session:
            count = expiring.notify_batch(session, notice_seconds=notice_seconds, now=now)
        total += count
        if not count:
            return total
