"""Waiting for something to have happened in another process."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.02


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Return as soon as it has happened; fail where it does not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"{what} never happened"
        time.sleep(PAUSE_SECONDS)
