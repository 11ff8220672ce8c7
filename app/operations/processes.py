"""The long-running processes beside the web: relay, scheduler, worker.

None of them holds truth. The relay turns facts into tasks and rings; the scheduler rings by the
clock; workers do what PostgreSQL says is due. Two of each do no harm.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Event

import structlog
from croniter import croniter
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from app.access import redis, settings
from app.kernel import jobs, outbox
from app.kernel.clock import SHANGHAI, utc_now
from app.kernel.db import atomic, database_now, end_reading
from app.reactions import TASKS, jobs_after
from app.schedule import CRON, EVERY_SWEEP

log = structlog.get_logger()

BACK_OFF_SECONDS = 2.0
TASKS_PER_WORKER = 500


def relay_once() -> int:
    """Turn waiting facts into tasks and ring for all work that is due; return the kinds of fact."""
    now = database_now()
    with atomic() as session:
        events = outbox.relay(session, TASKS, now=now)
        due = outbox.backlog(session, now=now)
    copies = {name: 1 + count // TASKS_PER_WORKER for name, count in due.items()}
    for name in sorted(jobs_after(events) | due.keys()):
        _ring(name, now, copies=min(copies.get(name, 1), settings().worker_count))
    return len(events)


def relay() -> None:
    """Relay until told to stop."""
    with _until_told() as stop:
        while not stop.is_set():
            busy = _guarded(relay_once)
            stop.wait(0 if busy else settings().relay_seconds)


def scheduler() -> None:
    """Ring by the clock until told to stop."""
    with _until_told() as stop:
        last = utc_now()
        while not stop.is_set():
            now = utc_now()
            for name in [*EVERY_SWEEP, *_cron_between(last, now)]:
                _ring(name, now)
            last = now
            stop.wait(settings().sweep_seconds)


def worker() -> None:
    """Work until told to stop. The application is loaded before the fork, so a job costs 20 ms."""
    connection = redis()
    queue = Queue(jobs.QUEUE, connection=connection, serializer=JSONSerializer)
    end_reading()
    while True:
        try:
            Worker(
                [queue],
                connection=connection,
                serializer=JSONSerializer,
                worker_ttl=60,
                maintenance_interval=30,
            ).work(logging_level="WARNING")
        except RedisError as error:
            log.warning("doorbell_lost", error=type(error).__name__)
            time.sleep(BACK_OFF_SECONDS)
        else:
            return


def _ring(name: str, now: datetime, *, copies: int = 1) -> None:
    bucket = int(now.timestamp()) // jobs.RING_BUCKET_SECONDS
    jobs.ring(redis(), name, bucket=bucket, copies=copies)


def _cron_between(start: datetime, end: datetime) -> Iterator[str]:
    """Yield the jobs whose next time after `start` is not after `end`."""
    for name, line in CRON.items():
        following = croniter(line, start.astimezone(SHANGHAI)).get_next(datetime)
        if following <= end:
            yield name


def _guarded(act: Callable[[], int]) -> int:
    """Run one round; a database that is away is waited for."""
    try:
        return act()
    except SQLAlchemyError as error:
        log.warning("database_lost", error=type(error).__name__)
        time.sleep(BACK_OFF_SECONDS)
        return 0
    finally:
        end_reading()


@contextmanager
def _until_told() -> Iterator[Event]:
    """Give an event that SIGTERM and SIGINT set."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    yield stop
