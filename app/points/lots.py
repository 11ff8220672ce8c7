"""What comes into lots and goes out of them. The member's accounts must be locked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.ledger.transfers import Transfer
from app.points.accounts import Fact, available, book, debt
from app.points.models import PointLot
from app.points.states import EntryKind, PointSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the points of a new lot come from, and how long they are good."""

    key: str
    source: PointSource
    reason: str = ""
    valid_seconds: int


def spendable(session: Session, member_id: int, *, now: datetime) -> int:
    """Return how many points a member can spend: those of lots that are not over."""
    return int(
        session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(PointLot.left_points), 0)).where(
                PointLot.member_id == member_id,
                PointLot.left_points > 0,
                PointLot.expires_at > now,
            )
        )
        or 0
    )


def add(
    session: Session, member_id: int, points: int, origin: Origin, *, now: datetime
) -> PointLot:
    """Open a lot. The caller moves the same points into the member's account."""
    lot = PointLot(
        member_id=member_id,
        key=origin.key,
        source=origin.source,
        reason=origin.reason,
        granted_points=points,
        left_points=points,
        expired_points=0,
        taken_points=0,
        granted_at=now,
        expires_at=now + timedelta(seconds=origin.valid_seconds),
    )
    session.add(lot)
    session.flush()
    return lot


def to_spend(session: Session, member_id: int, *, now: datetime) -> Sequence[PointLot]:
    """Return the lots a spend takes from, in its order: what runs out first goes first."""
    return _lots(session, member_id, PointLot.expires_at > now)


def to_take(session: Session, member_id: int) -> Sequence[PointLot]:
    """Return every lot that holds something, those among them that are just over."""
    return _lots(session, member_id)


def _lots(
    session: Session, member_id: int, *conditions: sa.ColumnElement[bool]
) -> Sequence[PointLot]:
    return session.scalars(
        sa.select(PointLot)
        .where(PointLot.member_id == member_id, PointLot.left_points > 0, *conditions)
        .order_by(PointLot.expires_at, PointLot.id)
        .execution_options(populate_existing=True)
    ).all()


def take(session: Session, lots: Sequence[PointLot], points: int) -> int:
    """Take up to so many points out of lots for good, in their order; return how many it was."""
    wanted = points
    for lot in lots:
        part = min(wanted, lot.left_points)
        lot.left_points -= part
        lot.taken_points += part
        wanted -= part
    session.flush()
    return points - wanted


def fill_debt(
    session: Session, member_id: int, debt_points: int, *, cause: str, now: datetime
) -> None:
    """Pay what a member owes out of what just came in; `cause` is the key of that."""
    if not debt_points:
        return
    taken = take(session, to_take(session, member_id), debt_points)
    if taken:
        fact = Fact(member_id=member_id, key=f"{cause}:debt", kind=EntryKind.DEBT_FILLED)
        moved = Transfer(available(member_id), debt(member_id), taken)
        book(session, fact, moved, now=now)
