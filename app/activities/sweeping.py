"""Doing what time makes due, piece by piece, so that one that fails holds up no other."""

from collections.abc import Callable
from functools import partial
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.kernel.db import atomic, retrying

PIECES_MAX: Final = 1_000

log = structlog.get_logger()


def each(due: sa.Select[int], act: Callable[[Session, int], object]) -> int:
    """Act on every row that a query names, each in a transaction of its own; return how many.

    `act` locks the row and looks again: another worker may have been faster. What fails is logged
    and due again at the next sweep.
    """
    with atomic() as session:
        found = session.scalars(due.limit(PIECES_MAX)).all()
    count = 0
    for row_id in found:
        try:
            retrying(partial(_one, act, row_id))
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must go on
            log.warning("activity_piece_failed", row_id=row_id, error=type(error).__name__)
            continue
        count += 1
    return count


def _one(act: Callable[[Session, int], object], row_id: int) -> None:
    with atomic() as session:
        act(session, row_id)
