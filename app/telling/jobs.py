"""Jobs that turn what happened into messages; one for each event of the table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.interactions import messages
from app.kernel import outbox
from app.kernel.batches import work_off
from app.kernel.db import atomic, database_now
from app.kernel.jobs import Job, job
from app.kernel.outbox import Task
from app.telling.events import TELLERS, Teller, Told
from app.telling.soon import LOOKS

BATCH_MAX: Final = 100


def tell(session: Session, found: Iterable[Told], *, now: datetime) -> int:
    """Have messages written; return how many are new."""
    return sum(
        messages.notify(session, one.member_id, one.occasion, one.values, key=one.key, now=now)
        for one in found
    )


def _process(teller: Teller) -> Callable[[Session, Sequence[Task], datetime], None]:
    def process(session: Session, tasks: Sequence[Task], now: datetime) -> None:
        for task in tasks:
            tell(session, teller(session, task.subject_id), now=now)
        outbox.finish(session, tasks)

    return process


def _job(event: str, teller: Teller) -> Job:
    name = f"tell_{event}"
    process = _process(teller)
    return job(name)(lambda: work_off(name, process, limit=BATCH_MAX))


JOBS: Final[Mapping[str, str]] = {
    event: _job(event, teller).name for event, teller in TELLERS.items()
}
"""Event to the job that tells customers of it."""


@job("tell_what_is_near")
def tell_what_is_near() -> int:
    """Remind of visits and coupons that are near; return how many messages are new."""
    now = database_now()
    total = 0
    for occasion, look in LOOKS.items():
        with atomic() as session:
            if messages.template_of(session, occasion) is not None:
                total += tell(session, look(session, now=now), now=now)
    return total
