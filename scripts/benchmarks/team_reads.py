"""Time the queries of "my team" inside the application, in a process of its own.

Reads member numbers as JSON from stdin and writes the milliseconds of each kind of read.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy.orm import Session

from app.factory import create_app
from app.kernel.db import begin_reading, db, end_reading
from app.members import queries
from app.settings import Settings

PAGE_ROWS: Final = 21
"""A page of twenty, and one more to know whether there is a next."""

Read = Callable[[Session, int], object]

READS: Final[dict[str, Read]] = {
    "tier 1": lambda session, one: queries.team_page(
        session, one, tier=1, after_id=None, limit=PAGE_ROWS
    ),
    "tier 2": lambda session, one: queries.team_page(
        session, one, tier=2, after_id=None, limit=PAGE_ROWS
    ),
    "counts": queries.team_counts,
}


def took(read: Read, member_id: int) -> float:
    """Return the milliseconds of one read, with its connection taken and given back."""
    started = time.perf_counter()
    begin_reading()
    read(db.session(), member_id)
    end_reading()
    return 1000 * (time.perf_counter() - started)


def measure(members: Sequence[int]) -> dict[str, list[float]]:
    """Return the milliseconds of every read; the members are asked about in turn."""
    return {name: [took(read, one) for one in members] for name, read in READS.items()}


if __name__ == "__main__":
    asked: list[int] = json.load(sys.stdin)
    with create_app(Settings.from_env()).app_context():
        measure(asked[-50:])
        print(json.dumps(measure(asked)))
        db.engine.dispose()
