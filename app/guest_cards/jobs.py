"""Work on guest cards that waits for time. Each job may run anywhere, any number of times."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.access import settings
from app.guest_cards import booking, ending
from app.kernel.db import atomic, database_now, retrying
from app.kernel.jobs import job

BATCH: Final = 500
BATCHES_MAX: Final = 200


@job("lapse_card_shares")
def lapse_card_shares() -> int:
    """Bring cards that nobody claimed in time back to the quotas they came from."""
    return _in_batches(lambda session, now: ending.lapse(session, now=now, limit=BATCH))


@job("note_missed_bookings")
def note_missed_bookings() -> int:
    """Note of bookings that are long over that nobody came."""
    return _in_batches(
        lambda session, now: booking.miss_due(session, settings=settings(), now=now, limit=BATCH)
    )


@job("expire_guest_cards")
def expire_guest_cards() -> int:
    """End cards whose time is over."""
    return _in_batches(lambda session, now: ending.expire(session, now=now, limit=BATCH))


def _in_batches(act: Callable[[Session, datetime], int]) -> int:
    count = 0
    for _ in range(BATCHES_MAX):
        done = retrying(lambda: _once(act))
        count += done
        if done < BATCH:
            break
    return count


def _once(act: Callable[[Session, datetime], int]) -> int:
    now = database_now()
    with atomic() as session:
        return act(session, now)
