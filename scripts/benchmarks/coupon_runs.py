"""Claim, or let coupons expire beside claims, inside the application.

`claim PROCESSES THREADS SECONDS` claims one coupon by members drawn at random, in processes that
begin together once all are ready. `update PROCESSES THREADS SECONDS` lets as many run nothing but
the conditional update of one row, each in a transaction, by the bare driver. `expire` runs the job
while a thread claims. All write what it came to to stdout as JSON.
"""

import json
import multiprocessing
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Final

import psycopg
from flask import Flask

from app.coupons import services
from app.coupons.jobs import expire_coupons
from app.factory import create_app
from app.kernel.db import atomic, database_now, db
from app.settings import Settings

HOT: Final = 1
"""The template that is claimed."""
START_SECONDS: Final = 60
Run = Callable[[Barrier, "Queue[float]", int, float, int], None]
"""What a process does: when to begin, where to tell, in how many threads, how long, its number."""


class Claimer(threading.Thread):
    """Claims for one member after another until it is stopped."""

    def __init__(self, app: Flask, members: int, seed: int) -> None:
        super().__init__()
        self.app = app
        self.members = members
        self.drawn = random.Random(seed)  # noqa: S311 - a benchmark draws the same members
        self.stopped = threading.Event()
        self.waits: list[float] = []

    def run(self) -> None:
        """Claim, and note how long each claim took."""
        with self.app.app_context():
            now = database_now()
            while not self.stopped.is_set():
                member_id = 1 + self.drawn.randrange(self.members)
                started = time.perf_counter()
                with atomic() as session:
                    services.claim(session, HOT, member_id=member_id, now=now)
                self.waits.append(time.perf_counter() - started)
            db.session.remove()


class Updater(threading.Thread):
    """Takes from the same row again and again, by the bare driver, until it is stopped."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.stopped = threading.Event()
        self.waits: list[float] = []

    def run(self) -> None:
        """Update, and note how long each transaction took."""
        statement = (
            "UPDATE coupon_stocks SET issued = issued + 1"
            " WHERE template_id = %s AND slot = 0 AND issued < stock RETURNING issued"
        )
        with psycopg.connect(self.url) as connection:
            while not self.stopped.is_set():
                started = time.perf_counter()
                connection.execute(statement, [HOT], prepare=True)
                connection.commit()
                self.waits.append(time.perf_counter() - started)


def _rate(act: Run, processes: int, threads: int, seconds: float) -> None:
    """Let several processes act for so long, and print how often a second that was done."""
    context = multiprocessing.get_context("spawn")
    ready, counts = context.Barrier(processes), context.Queue()
    runs = [
        context.Process(target=act, args=(ready, counts, threads, seconds, number))
        for number in range(processes)
    ]
    for run in runs:
        run.start()
    per_second = sum(counts.get(timeout=START_SECONDS + 10 * seconds) for _ in runs)
    for run in runs:
        run.join()
    print(json.dumps({"per_second": per_second}))


def _claim_here(
    ready: Barrier, counts: "Queue[float]", threads: int, seconds: float, number: int
) -> None:
    app = create_app(Settings.from_env())
    with app.app_context():
        members = _members()
        claimers = [Claimer(app, members, number * threads + each) for each in range(threads)]
        counts.put(_counted(claimers, ready, seconds))
        db.engine.dispose()


def _update_here(
    ready: Barrier, counts: "Queue[float]", threads: int, seconds: float, _number: int
) -> None:
    url = Settings.from_env().database_url.replace("postgresql+psycopg", "postgresql")
    counts.put(_counted([Updater(url) for _ in range(threads)], ready, seconds))


def _counted(workers: Sequence[Claimer | Updater], ready: Barrier, seconds: float) -> float:
    """Return how often a second threads act, once every process is ready."""
    for one in workers:
        one.start()
    while any(not one.waits for one in workers):
        time.sleep(0.01)
    ready.wait(START_SECONDS)
    before, started = sum(len(one.waits) for one in workers), time.perf_counter()
    time.sleep(seconds)
    after, lasted = sum(len(one.waits) for one in workers), time.perf_counter() - started
    for one in workers:
        one.stopped.set()
    for one in workers:
        one.join()
    return (after - before) / lasted


def _members() -> int:
    found = int(db.session.execute(db.text("SELECT max(id) FROM members")).scalar_one())
    db.session.rollback()
    return found


def _expire(app: Flask, members: int) -> None:
    claimer = Claimer(app, members, 7)
    claimer.start()
    started = time.perf_counter()
    coupons = expire_coupons()
    seconds = time.perf_counter() - started
    claimer.stopped.set()
    claimer.join()
    found = {
        "coupons": coupons,
        "seconds": seconds,
        "claims": len(claimer.waits),
        "longest": max(claimer.waits),
        "median": statistics.median(claimer.waits),
    }
    print(json.dumps(found))


RATES: Final[dict[str, Run]] = {"claim": _claim_here, "update": _update_here}


def main(arguments: list[str]) -> None:
    """Do what was asked for."""
    if arguments[0] in RATES:
        act = RATES[arguments[0]]
        _rate(act, int(arguments[1]), int(arguments[2]), float(arguments[3]))
        return
    app = create_app(Settings.from_env())
    with app.app_context():
        _expire(app, _members())
        db.engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1:])
