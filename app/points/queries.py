"""Reading points: what a member has, what of it runs out next, and how it came to be so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.ledger.models import LedgerAccount
from app.ledger.transfers import Name, Unit
from app.points import lots
from app.points.accounts import Held
from app.points.models import PointEntry, PointLot


@dataclass(frozen=True, slots=True)
class RunningOut:
    """Points of a member that run out together."""

    points: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Balance:
    """What a member has: can spend, has pending, has set aside, owes, and loses next."""

    available: int
    pending: int
    reserved: int
    debt: int
    next: RunningOut | None


def held(session: Session, member_id: int) -> Held:
    """Return what the ledger says of a member's points."""
    rows = session.execute(
        sa.select(LedgerAccount.name, LedgerAccount.balance).where(
            LedgerAccount.member_id == member_id, LedgerAccount.unit == Unit.POINT
        )
    )
    found = {Name(name): amount or 0 for name, amount in rows}
    return Held(
        pending=found.get(Name.POINTS_PENDING, 0),
        available=found.get(Name.POINTS_AVAILABLE, 0),
        reserved=found.get(Name.POINTS_RESERVED, 0),
        debt=-found.get(Name.POINTS_DEBT, 0),
    )


def balance_of(session: Session, member_id: int, *, now: datetime) -> Balance:
    """Return what a member has now; points that are just over are not counted any more."""
    found = held(session, member_id)
    return Balance(
        available=lots.spendable(session, member_id, now=now),
        pending=found.pending,
        reserved=found.reserved,
        debt=found.debt,
        next=next(iter(running_out(session, member_id, now=now)), None),
    )


def running_out(
    session: Session, member_id: int, *, now: datetime, until: datetime | None = None
) -> list[RunningOut]:
    """Return what a member loses when, the next first, those of one instant together."""
    wanted = (
        sa.select(sa.func.sum(PointLot.left_points), PointLot.expires_at)
        .where(
            PointLot.member_id == member_id,
            PointLot.left_points > 0,
            PointLot.expires_at > now,
        )
        .group_by(PointLot.expires_at)
        .order_by(PointLot.expires_at)
    )
    if until is not None:
        wanted = wanted.where(PointLot.expires_at <= until)
    return [RunningOut(int(points), at) for points, at in session.execute(wanted)]


def statement_page(
    session: Session, member_id: int, *, after_id: int | None, limit: int
) -> Sequence[PointEntry]:
    """Return one page of a member's statement, the newest first, from below `after_id` on."""
    wanted = sa.select(PointEntry).where(PointEntry.member_id == member_id)
    if after_id is not None:
        wanted = wanted.where(PointEntry.id < after_id)
    return session.scalars(wanted.order_by(PointEntry.id.desc()).limit(limit)).all()
