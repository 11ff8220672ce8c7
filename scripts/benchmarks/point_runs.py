"""Let lots run out inside the application while a thread spends, and print how long both took.

Writes to stdout as JSON: the seconds of the job and its lots, the spends beside it, and the longest
and the median of them in seconds.
"""

import json
import random
import statistics
import threading
import time
from typing import Final

from flask import Flask

from app.factory import create_app
from app.kernel.db import atomic, database_now, db
from app.points import spending
from app.points.jobs import expire_points
from app.settings import Settings

SPENT: Final = 5
"""Points of each spend; every member has more that are good."""


class Spender(threading.Thread):
    """Sets points of one member after another aside and lets them go, until it is stopped."""

    def __init__(self, app: Flask, members: int) -> None:
        super().__init__()
        self.app = app
        self.members = members
        self.stopped = threading.Event()
        self.waits: list[float] = []

    def run(self) -> None:
        """Spend and release, and note how long each spend took."""
        drawn = random.Random(7)  # noqa: S311 - a benchmark draws the same members each time
        with self.app.app_context():
            number = 0
            while not self.stopped.is_set():
                number += 1
                self._spend(f"bench:{number}", 1 + drawn.randrange(self.members))

    def _spend(self, key: str, member_id: int) -> None:
        now = database_now()
        started = time.perf_counter()
        with atomic() as session:
            spending.hold(session, key, SPENT, member_id=member_id, now=now)
        self.waits.append(time.perf_counter() - started)
        with atomic() as session:
            spending.let_go(session, key, now=now)


def main() -> None:
    """Run both and print how long they took."""
    app = create_app(Settings.from_env())
    with app.app_context():
        found = db.session.execute(db.text("SELECT max(member_id) FROM point_lots"))
        spender = Spender(app, int(found.scalar_one()))
        db.session.rollback()
        spender.start()
        started = time.perf_counter()
        lots = expire_points()
        seconds = time.perf_counter() - started
        spender.stopped.set()
        spender.join()
        print(
            json.dumps(
                {
                    "lots": lots,
                    "seconds": seconds,
                    "spends": len(spender.waits),
                    "longest": max(spender.waits),
                    "median": statistics.median(spender.waits),
                }
            )
        )
        db.engine.dispose()


if __name__ == "__main__":
    main()
