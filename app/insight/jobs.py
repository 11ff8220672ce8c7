"""Work of insight in the background."""

from app.insight import refreshing
from app.kernel.db import atomic, database_now
from app.kernel.jobs import job


@job("refresh_figures", timeout_seconds=600)
def refresh_figures() -> int:
    """Make the figures of recent and of changed days again; return how many days.

    Where nothing was ever made from the beginning, as after an update, that follows at once.
    """
    now = database_now()
    with atomic() as session:
        days = refreshing.refresh(session, now=now)
        is_whole = refreshing.is_whole(session)
    return days if is_whole else days + refreshing.rebuild(days=refreshing.BACK_DAYS, now=now)


@job("reconcile_figures", timeout_seconds=1800)
def reconcile_figures() -> int:
    """Make all figures of the last thirteen months again, for what no trigger notes."""
    return refreshing.rebuild(days=refreshing.BACK_DAYS, now=database_now())
