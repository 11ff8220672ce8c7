"""How work reaches the background.

A job is a plain function without parameters that finds its own work in PostgreSQL: tasks of the
outbox, or rows that are due. Ringing it twice, or not at all for a while, changes nothing but the
moment. So Redis holds no truth, and losing it loses no work.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

QUEUE: Final = "tuoke"
RING_BUCKET_SECONDS: Final = 5
_JOBS: dict[str, "Job"] = {}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """A function together with the name it is rung by."""

    name: str
    run: Callable[[], int]
    timeout_seconds: int

    def __call__(self) -> int:
        """Run the job here and now; return how much it did."""
        return self.run()


def job(name: str, *, timeout_seconds: int = 120) -> Callable[[Callable[[], int]], Job]:
    """Make a function a job, known by `name` to reactions, schedule and workers."""

    def wrap(run: Callable[[], int]) -> Job:
        if name in _JOBS and _JOBS[name].run is not run:
            raise ValueError(f"two jobs are called {name}")
        _JOBS[name] = Job(name, run, timeout_seconds)
        return _JOBS[name]

    return wrap


def by_name(name: str) -> Job:
    """Return the job of that name."""
    return _JOBS[name]


def names() -> list[str]:
    """Return the name of every job, sorted."""
    return sorted(_JOBS)


def run_by_name(name: str) -> int:
    """Run a job; this is what a worker calls."""
    return by_name(name)()


def ring(connection: Redis, name: str, *, bucket: int, copies: int = 1) -> None:
    """Wake up to `copies` workers for a job; quietly do nothing where they are awake already.

    `bucket` (the epoch divided by `RING_BUCKET_SECONDS`) is part of the id, so that a worker that
    died with the bell in its hand silences it for a few seconds only. A Redis that is down is
    logged and passed over: the next tick rings again.
    """
    queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
    for copy in range(copies):
        try:
            queue.enqueue_call(
                "app.kernel.jobs.run_by_name",
                args=(name,),
                timeout=by_name(name).timeout_seconds,
                result_ttl=0,
                failure_ttl=3600,
                ttl=600,
                job_id=f"{name}-{bucket}-{copy}",
                unique=True,
            )
        except DuplicateJobError:
            continue
        except RedisError as error:
            log.warning("bell_out_of_order", job=name, error=type(error).__name__)
            return
