"""Imports in the background: checking files, writing their rows, forgetting old ones."""

from typing import Final

from app.imports import running, services
from app.kernel.db import atomic, database_now
from app.kernel.jobs import job

TIMEOUT_SECONDS: Final = 2 * 3600


@job("run_imports", timeout_seconds=TIMEOUT_SECONDS)
def run_imports() -> int:
    """Check and write every run that waits; return how many were taken up."""
    return running.work()


@job("forget_imports")
def forget_imports() -> int:
    """Call off runs that nobody began and forget the values of old ones; return how many."""
    now = database_now()
    count = 0
    while True:
        with atomic() as session:
            touched = services.forget(session, now=now)
        count += touched
        if touched == 0:
            return count
