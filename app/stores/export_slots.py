"""One file at a time for each person: who holds the slot, and when it is given to somebody else.

A row instead of a lock, because a file takes minutes and no transaction may stay open so long.
Whoever stops without saying so, such as a server that was switched off, loses it after a while.
"""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.stores.view_models import ExportSlot

LOST_AFTER: Final = timedelta(minutes=2)
"""A file that did not grow for so long is not on its way any more."""


def take(session: Session, staff_id: int, *, token: str, now: datetime) -> bool:
    """Take somebody's slot for a file; False where another file of theirs is on its way."""
    values = {"token": token, "began_at": now, "seen_at": now}
    claim = (
        insert(ExportSlot)
        .values(staff_id=staff_id, **values)
        .on_conflict_do_update(
            index_elements=[ExportSlot.staff_id],
            set_=values,
            where=ExportSlot.seen_at < now - LOST_AFTER,
        )
        .returning(ExportSlot.staff_id)
    )
    return session.scalar(claim) is not None


def keep(session: Session, staff_id: int, *, token: str, now: datetime) -> None:
    """Tell that a file grows; nothing where it lost its slot."""
    session.execute(
        sa.update(ExportSlot)
        .where(ExportSlot.staff_id == staff_id, ExportSlot.token == token)
        .values(seen_at=now)
    )


def leave(session: Session, staff_id: int, *, token: str) -> None:
    """Give the slot back; nothing where it was lost."""
    session.execute(
        sa.delete(ExportSlot).where(ExportSlot.staff_id == staff_id, ExportSlot.token == token)
    )
