"""Doing in the background what people asked about their own data. Both may run twice."""

from typing import Final

import structlog

from app.access import settings
from app.kernel.db import atomic, database_now
from app.kernel.jobs import job
from app.privacy import services

BATCH: Final = 20
log = structlog.get_logger()


@job("answer_data_requests", timeout_seconds=600)
def answer_data_requests() -> int:
    """Make the copies and erasures that are due, each in a transaction of its own.

    One that fails is put off by an hour and holds up nobody.
    """
    count = 0
    now = database_now()
    with atomic() as session:
        ids = services.due_ids(session, now=now, limit=BATCH)
    for request_id in ids:
        now = database_now()
        try:
            with atomic() as session:
                done = services.carry_out(session, request_id, settings=settings(), now=now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must go on
            log.warning("data_request_failed", request_id=request_id, error=type(error).__name__)
            with atomic() as session:
                services.put_off(session, request_id, now=now)
            continue
        count += done is not None
    return count


@job("forget_data_copies")
def forget_data_copies() -> int:
    """Remove copies whose time is over; return how many."""
    now = database_now()
    with atomic() as session:
        return services.forget_copies(session, now=now)
