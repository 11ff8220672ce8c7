"""Points that come in: pending by a purchase, settled after its window, granted for other things.

What a refund takes back comes from what is pending; after that from the lot the purchase made,
then from what runs out first, and in the end it is a debt that later points fill. What had run out
unspent is not taken a second time.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.kernel.audit import SYSTEM, Actor
from app.ledger.transfers import Transfer
from app.points import lots
from app.points.accounts import ISSUED, Fact, available, book, debt, lock, pending
from app.points.errors import PointsInvalid
from app.points.lots import Origin
from app.points.models import PointEarning, PointLot
from app.points.states import EarningState, EntryKind, PointSource

POINTS_MAX = 1_000_000_000


def earn_pending(
    session: Session,
    member_id: int,
    points: int,
    *,
    key: str,
    now: datetime,
    order_id: int | None = None,
) -> bool:
    """Note the points of a purchase, which can still be refunded; once by `key`.

    Nothing happens for 0 points. Return whether they are new.
    """
    if points <= 0:
        return False
    lock(session, member_id)
    if find(session, key) is not None:
        return False
    session.add(
        PointEarning(
            member_id=member_id,
            key=key,
            order_id=order_id,
            points=_checked(points),
            taken_points=0,
            forgiven_points=0,
            state=EarningState.PENDING,
            earned_at=now,
        )
    )
    session.flush()
    fact = Fact(
        member_id=member_id,
        key=f"points-earned:{key}",
        kind=EntryKind.EARNED,
        source=PointSource.ORDER,
        order_id=order_id,
    )
    return book(session, fact, Transfer(ISSUED, pending(member_id), points), now=now)


def settle(session: Session, key: str, *, now: datetime) -> int:
    """Let a member spend what a purchase brought and refunds have left; return how many.

    Return 0, and change nothing, the second time, or where `key` brought nothing.
    """
    earning = _locked(session, key)
    if earning is None or earning.state is not EarningState.PENDING:
        return 0
    earning.state, earning.settled_at = EarningState.SETTLED, now
    left = earning.points - earning.taken_points
    if not left:
        session.flush()
        return 0
    owed = lock(session, earning.member_id).debt
    origin = Origin(
        key=f"points-settled:{key}",
        source=PointSource.ORDER,
        valid_seconds=settings().points_valid_seconds,
    )
    lot = lots.add(session, earning.member_id, left, origin, now=now)
    earning.lot_id = lot.id
    session.flush()
    fact = _fact(earning, origin.key, EntryKind.SETTLED)
    moved = Transfer(pending(earning.member_id), available(earning.member_id), left)
    book(session, fact, moved, now=now)
    lots.fill_debt(session, earning.member_id, owed, cause=fact.key, now=now)
    return left


def take_back(session: Session, key: str, points: int, *, now: datetime) -> int:
    """Take back what a purchase brought until `points` in all are taken; return how many now.

    `points` counts over all refunds of the purchase so far, so that repeating it, or a refund that
    is worked off late, changes nothing.
    """
    earning = _locked(session, key)
    if earning is None:
        return 0
    more = min(points, earning.points) - earning.taken_points
    if more <= 0:
        return 0
    earning.taken_points += more
    fact = _fact(earning, f"points-taken-back:{key}:{earning.taken_points}", EntryKind.TAKEN_BACK)
    if earning.state is EarningState.PENDING:
        session.flush()
        book(session, fact, Transfer(pending(earning.member_id), ISSUED, more), now=now)
    else:
        transfers = _take_from_lots(session, earning, more)
        if transfers:
            book(session, fact, *transfers, now=now)
    return more


def grant(  # noqa: PLR0913 - the facts of one gift, all by keyword
    session: Session,
    member_id: int,
    points: int,
    *,
    key: str,
    source: PointSource,
    reason: str,
    now: datetime,
    actor: Actor = SYSTEM,
) -> bool:
    """Give a member points that they can spend at once; once by `key`.

    Return whether they are new. What they owe is filled first. Raises `PointsInvalid`.
    """
    _checked(points)
    owed = lock(session, member_id).debt
    fact = Fact(
        member_id=member_id,
        key=f"points-granted:{key}",
        kind=EntryKind.GRANTED,
        source=source,
        reason=reason,
        actor=actor,
    )
    if not book(session, fact, Transfer(ISSUED, available(member_id), points), now=now):
        return False
    origin = Origin(
        key=fact.key,
        source=source,
        reason=reason,
        valid_seconds=settings().points_valid_seconds,
    )
    lots.add(session, member_id, points, origin, now=now)
    lots.fill_debt(session, member_id, owed, cause=fact.key, now=now)
    return True


def find(session: Session, key: str) -> PointEarning | None:
    """Return what a purchase brought, as it stands now."""
    return session.scalar(
        sa.select(PointEarning)
        .where(PointEarning.key == key)
        .execution_options(populate_existing=True)
    )


def _locked(session: Session, key: str) -> PointEarning | None:
    """Lock the accounts of whoever earned, then read the earning again."""
    earning = find(session, key)
    if earning is None:
        return None
    lock(session, earning.member_id)
    return find(session, key)


def _take_from_lots(session: Session, earning: PointEarning, points: int) -> list[Transfer]:
    member_id, taken = earning.member_id, 0
    if earning.lot_id is not None:
        own = session.get_one(PointLot, earning.lot_id, populate_existing=True)
        taken = lots.take(session, [own], points)
        forgiven = min(points - taken, own.expired_points - earning.forgiven_points)
        earning.forgiven_points += forgiven
        points -= forgiven
        session.flush()
    taken += lots.take(session, lots.to_take(session, member_id), points - taken)
    parts = [(available(member_id), taken), (debt(member_id), points - taken)]
    return [Transfer(source, ISSUED, part) for source, part in parts if part]


def _fact(earning: PointEarning, key: str, kind: EntryKind) -> Fact:
    return Fact(
        member_id=earning.member_id,
        key=key,
        kind=kind,
        source=PointSource.ORDER,
        order_id=earning.order_id,
    )


def _checked(points: int) -> int:
    if not 1 <= points <= POINTS_MAX:
        raise PointsInvalid
    return points
