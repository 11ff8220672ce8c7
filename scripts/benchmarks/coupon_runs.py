"""Claim, or let coupons expire beside claims, inside the application.

`claim PROCESSES THREADS SECONDS` claims one coupon by members drawn at random, in processes that
begin together once all are ready. `update PROCESSES SECONDS` lets as many run nothing but the
conditional update of the same row, each in a transaction, by the bare driver. `expire` runs the job
while a thread claims. All write what it came to to stdout as JSON.
"""

import json
import multiprocessing
import random
import statistics
import sys
import threading
import time
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


def _claim(processes: int, threads: int, seconds: float) -> None:
    """Let several processes claim for so long, and print how many claims a second that made."""
    context = multiprocessing.get_context("spawn")
    ready, counts = context.Barrier(processes), context.Queue()
    runs = [
        context.Process(target=_claim_here, args=(ready, counts, threads, seconds, number))
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
    """Claim by several threads once every process is ready, and hand over the rate."""
    app = create_app(Settings.from_env())
    with app.app_context():
        members = _members()
        claimers = [Claimer(app, members, number * threads + each) for each in range(threads)]
        for one in claimers:
            one.start()
        while any(not one.waits for one in claimers):
            time.sleep(0.01)
        ready.wait(START_SECONDS)
        before, started = sum(len(one.waits) for one in claimers), time.perf_counter()
        time.sleep(seconds)
        after, lasted = sum(len(one.waits) for one in claimers), time.perf_counter() - started
        for one in claimers:
            one.stopped.set()
        for one in claimers:
            one.join()
        counts.put((after - before) / lasted)
        db.engine.dispose()


def _update(processes: int, seconds: float) -> None:
    """Let several processes take from the stock of the hot template by the bare driver."""
    context = multiprocessing.get_context("spawn")
    ready, counts = context.Barrier(processes), context.Queue()
    runs = [
        context.Process(target=_update_here, args=(ready, counts, seconds))
        for _ in range(processes)
    ]
    for run in runs:
        run.start()
    per_second = sum(counts.get(timeout=START_SECONDS + 10 * seconds) for _ in runs)
    for run in runs:
        run.join()
    print(json.dumps({"per_second": per_second}))


def _update_here(ready: Barrier, counts: "Queue[float]", seconds: float) -> None:
    url = Settings.from_env().database_url.replace("postgresql+psycopg", "postgresql")
    statement = (
        "UPDATE coupon_templates SET issued = issued + 1"
        " WHERE id = %s AND issued < stock RETURNING issued"
    )
    with psycopg.connect(url) as connection:
        ready.wait(START_SECONDS)
        count, started = 0, time.perf_counter()
        while (lasted := time.perf_counter() - started) < seconds:
            connection.execute(statement, [HOT], prepare=True)
            connection.commit()
            count += 1
        counts.put(count / lasted)


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


def main(arguments: list[str]) -> None:
    """Do what was asked for."""
    if arguments[0] == "claim":
        _claim(int(arguments[1]), int(arguments[2]), float(arguments[3]))
        return
    if arguments[0] == "update":
        _update(int(arguments[1]), float(arguments[2]))
        return
    app = create_app(Settings.from_env())
    with app.app_context():
        _expire(app, _members())
        db.engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1:])
