"""Points that pay for something: set aside, spent or let go, and given back.

What runs out first is spent first. Each lot that paid is written down, so that what comes back
comes back to where it was: with the day it ran out on before, or, where that is over, with a time
of grace, once.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.ledger.transfers import Transfer
from app.points import lots
from app.points.accounts import REDEEMED, Fact, available, book, lock, reserved
from app.points.errors import PointsShort
from app.points.lots import Origin
from app.points.models import PointLot, PointSpend, PointUse
from app.points.states import EntryKind, PointSource, SpendState


def hold(
    session: Session,
    key: str,
    points: int,
    *,
    member_id: int,
    order_id: int | None = None,
    now: datetime,
) -> PointSpend:
    """Set points aside for one thing, which `key` names; once.

    Raises `PointsShort` where the member has fewer.
    """
    lock(session, member_id)
    standing = find(session, key)
    if standing is not None:
        return standing
    from_lots = lots.to_spend(session, member_id, now=now)
    free = sum(lot.left_points for lot in from_lots)
    if free < points:
        raise PointsShort(free)
    spend = PointSpend(
        member_id=member_id,
        key=key,
        order_id=order_id,
        points=points,
        given_back_points=0,
        state=SpendState.RESERVED,
        reserved_at=now,
    )
    session.add(spend)
    session.flush()
    _use(session, spend, from_lots)
    moved = Transfer(available(member_id), reserved(member_id), points)
    book(session, _fact(spend, "reserved", EntryKind.RESERVED), moved, now=now)
    return spend


def spend_held(session: Session, key: str, *, now: datetime) -> bool:
    """Spend what is set aside; return False where nothing is, as after the first time."""
    spend = _locked(session, key)
    if spend is None or spend.state is not SpendState.RESERVED:
        return False
    spend.state, spend.ended_at = SpendState.SPENT, now
    session.flush()
    moved = Transfer(reserved(spend.member_id), REDEEMED, spend.points)
    return book(session, _fact(spend, "spent", EntryKind.RESERVED), moved, now=now)


def let_go(session: Session, key: str, *, now: datetime) -> bool:
    """Return what is set aside to its lots; False where nothing is."""
    spend = _locked(session, key)
    if spend is None or spend.state is not SpendState.RESERVED:
        return False
    spend.state, spend.ended_at = SpendState.RELEASED, now
    fact = _fact(spend, "released", EntryKind.RELEASED)
    _return(session, spend, spend.points, fact, now=now)
    moved = Transfer(reserved(spend.member_id), available(spend.member_id), spend.points)
    book(session, fact, moved, now=now)
    _fill_debt(session, spend, fact.key, now=now)
    return True


def give_back_up_to(session: Session, key: str, points: int, *, now: datetime) -> int:
    """Give spent points back, until `points` in all have come back; return how many came now.

    Repeating it, or asking for less than came back before, changes nothing.
    """
    spend = _locked(session, key)
    if spend is None or spend.state is not SpendState.SPENT:
        return 0
    more = min(points, spend.points) - spend.given_back_points
    if more <= 0:
        return 0
    spend.given_back_points += more
    fact = _fact(spend, f"given-back:{spend.given_back_points}", EntryKind.GIVEN_BACK)
    _return(session, spend, more, fact, now=now)
    moved = Transfer(REDEEMED, available(spend.member_id), more)
    book(session, fact, moved, now=now)
    _fill_debt(session, spend, fact.key, now=now)
    return more


def find(session: Session, key: str) -> PointSpend | None:
    """Return the spend of a key, as it stands now."""
    return session.scalar(
        sa.select(PointSpend).where(PointSpend.key == key).execution_options(populate_existing=True)
    )


def _locked(session: Session, key: str) -> PointSpend | None:
    """Lock the accounts of whoever spends, then read the spend again."""
    spend = find(session, key)
    if spend is None:
        return None
    lock(session, spend.member_id)
    return find(session, key)


def _use(session: Session, spend: PointSpend, from_lots: Sequence[PointLot]) -> None:
    wanted = spend.points
    for lot in from_lots:
        part = min(wanted, lot.left_points)
        if not part:
            break
        lot.left_points -= part
        wanted -= part
        session.add(
            PointUse(
                spend_id=spend.id,
                lot_id=lot.id,
                points=part,
                returned_points=0,
                renewed_points=0,
            )
        )
    assert not wanted, "the caller has looked whether there is enough"
    session.flush()


def _return(session: Session, spend: PointSpend, points: int, fact: Fact, *, now: datetime) -> None:
    """Put points back into the lots they came from, what is good longest first.

    The time of grace is given once: what had it before goes back to its own lot, and runs out.
    """
    pairs = session.execute(
        sa.select(PointUse, PointLot)
        .join(PointLot, PointLot.id == PointUse.lot_id)
        .where(PointUse.spend_id == spend.id)
        .order_by(PointLot.expires_at.desc(), PointLot.id.desc())
        .execution_options(populate_existing=True)
    )
    renewed = 0
    for use, lot in pairs:
        part = min(points, use.points - use.returned_points - use.renewed_points)
        points -= part
        if lot.expires_at > now or lot.source is PointSource.RETURNED:
            use.returned_points += part
            lot.left_points += part
        else:
            use.renewed_points += part
            renewed += part
    assert not points, "no more comes back than was spent"
    session.flush()
    if renewed:
        grace = settings().points_return_grace_seconds
        origin = Origin(key=fact.key, source=PointSource.RETURNED, valid_seconds=grace)
        lots.add(session, spend.member_id, renewed, origin, now=now)


def _fill_debt(session: Session, spend: PointSpend, cause: str, *, now: datetime) -> None:
    owed = lock(session, spend.member_id).debt
    lots.fill_debt(session, spend.member_id, owed, cause=cause, now=now)


def _fact(spend: PointSpend, what: str, kind: EntryKind) -> Fact:
    return Fact(
        member_id=spend.member_id,
        key=f"points-{what}:{spend.key}",
        kind=kind,
        order_id=spend.order_id,
    )
