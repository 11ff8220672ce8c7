"""Points that run out: many lots at once, and never in the way of who spends.

A batch takes the accounts of the members whose lots are over, passing over those that somebody
else holds at the moment, and expires all that is over of theirs. It is a short transaction, so a
member who spends waits for a fraction of a second at most, and those passed over come next time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM
from app.kernel.ids import random_text
from app.kernel.outbox import emit_many
from app.ledger import services as ledger
from app.ledger.models import LedgerAccount
from app.ledger.transfers import Name, Transfer, Unit
from app.points.accounts import EXPIRED, available
from app.points.models import PointEntry, PointLot
from app.points.states import EntryKind

BATCH: Final = 2_000
"""Lots looked at in one transaction."""
NOTICES_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where the last batch ended: nothing before it is looked at again in this run."""

    expires_at: datetime
    lot_id: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch did, and where it ended; no place where nothing is left to look at."""

    lots: int
    points: int
    place: Place | None


def expire_batch(
    session: Session, *, after: Place | None = None, limit: int = BATCH, now: datetime
) -> Batch:
    """Let the lots that are over run out, those of `limit` lots' members, from a place on."""
    due = _due(session, after, limit=limit, now=now)
    if not due:
        return Batch(0, 0, None)
    place = Place(due[-1].expires_at, due[-1].id)
    members = _take(session, {row.member_id for row in due})
    over = (
        sa.select(PointLot.id, PointLot.left_points)
        .where(
            PointLot.member_id == sa.func.any(sa.literal(members, sa.ARRAY(sa.BigInteger))),
            PointLot.left_points > 0,
            PointLot.expires_at <= now,
        )
        .cte("over")
    )
    gone = (
        sa.update(PointLot)
        .where(PointLot.id == over.c.id)
        .values(
            expired_points=PointLot.expired_points + over.c.left_points,
            left_points=0,
            expired_at=now,
        )
        .returning(PointLot.member_id, over.c.left_points.label("points"))
        .cte("gone")
    )
    sums = session.execute(
        sa.select(gone.c.member_id, sa.func.sum(gone.c.points), sa.func.count())
        .group_by(gone.c.member_id)
        .order_by(gone.c.member_id)
    ).all()
    lost = {int(member_id): int(points) for member_id, points, _ in sums}
    if lost:
        _book(session, lost, now=now)
    return Batch(sum(lots for *_, lots in sums), sum(lost.values()), place)


def notify_batch(session: Session, *, notice_seconds: int, now: datetime) -> int:
    """Tell about lots that run out soon, once for each; return how many lots there were.

    Who of the members is told how is for those who listen to `points_expiring`.
    """
    soon = (
        sa.select(PointLot.id)
        .where(
            PointLot.left_points > 0,
            PointLot.notified_at.is_(None),
            PointLot.expires_at > now,
            PointLot.expires_at <= now + timedelta(seconds=notice_seconds),
        )
        .order_by(PointLot.expires_at, PointLot.id)
        .limit(NOTICES_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    told = session.scalars(
        sa.update(PointLot)
        .where(PointLot.id.in_(soon))
        .values(notified_at=now)
        .returning(PointLot.member_id)
        .execution_options(synchronize_session=False)
    ).all()
    emit_many(session, "points_expiring", sorted(set(told)), now=now)
    return len(told)


def _due(session: Session, after: Place | None, *, limit: int, now: datetime) -> Sequence[Any]:
    wanted = sa.select(PointLot.id, PointLot.member_id, PointLot.expires_at).where(
        PointLot.left_points > 0, PointLot.expires_at <= now
    )
    if after is not None:
        here = sa.tuple_(PointLot.expires_at, PointLot.id)
        wanted = wanted.where(here > sa.tuple_(sa.literal(after.expires_at), after.lot_id))
    return session.execute(wanted.order_by(PointLot.expires_at, PointLot.id).limit(limit)).all()


def _take(session: Session, members: set[int]) -> list[int]:
    """Lock the accounts of members, but for those that somebody else holds; return whose."""
    rows = session.scalars(
        sa.select(LedgerAccount.member_id)
        .where(
            LedgerAccount.name == Name.POINTS_AVAILABLE,
            LedgerAccount.unit == Unit.POINT,
            LedgerAccount.member_id
            == sa.func.any(sa.literal(sorted(members), sa.ARRAY(sa.BigInteger))),
        )
        .order_by(LedgerAccount.id)
        .with_for_update(skip_locked=True)
    )
    return [row for row in rows if row is not None]


def _book(session: Session, lost: Mapping[int, int], *, now: datetime) -> None:
    """Write what ran out into ledger and statements: one entry of the ledger for the batch."""
    key = f"points-expired:{random_text(16)}"
    moved = [Transfer(available(one), EXPIRED, points) for one, points in lost.items()]
    ledger.post(session, key, moved, now=now)
    columns = {
        "member_id": _unnest(list(lost)),
        "available_change": _unnest([-points for points in lost.values()]),
        "key": sa.literal(key),
        "kind": sa.literal(EntryKind.EXPIRED.value),
        "actor": sa.literal(str(SYSTEM)),
        "at": sa.literal(now, sa.DateTime(timezone=True)),
    }
    session.execute(sa.insert(PointEntry).from_select(list(columns), sa.select(*columns.values())))


def _unnest(values: list[int]) -> Any:
    return sa.func.unnest(sa.literal(values, sa.ARRAY(sa.BigInteger)))
