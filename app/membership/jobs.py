"""Work on membership in the background. Every job finds its own work and may run twice."""

from app.kernel.db import database_now
from app.kernel.jobs import job
from app.membership import reviewing


@job("end_levels", timeout_seconds=600)
def end_levels() -> int:
    """End levels whose time is over; keep, raise or lower by the growth of the year."""
    total = 0
    while count := reviewing.end_due(now=database_now()):
        total += count
    return total


@job("warn_of_levels", timeout_seconds=1800)
def warn_of_levels() -> int:
    """Tell of levels that end soon and will not be kept."""
    return reviewing.warn_due(now=database_now())


@job("raise_everybody", timeout_seconds=1800)
def raise_everybody() -> int:
    """Lift everybody by new rules, where staff asked for it."""
    return reviewing.raise_everybody(now=database_now())
