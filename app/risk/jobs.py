"""Looking for suspicious patterns in the background. It may run twice."""

from app.access import settings
from app.kernel.db import database_now
from app.kernel.jobs import job
from app.risk import watching


@job("watch_risk", timeout_seconds=600)
def watch_risk() -> int:
    """Raise flags on what looks like fraud, end those nobody decided; return how many are new."""
    return watching.watch_risk(settings=settings(), now=database_now())
