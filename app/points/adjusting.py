"""Points that staff give or take by hand: with a reason, in the trail, from a number on by two.

What one person gave a member within a day counts together, so that many small gifts are no way
around the second person.
"""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.counter.duty import require_somebody_else
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.ids import random_text
from app.ledger.transfers import Transfer
from app.members.errors import MemberNotFound
from app.members.models import Member
from app.points import earning, lots
from app.points.accounts import ISSUED, Fact, available, book, lock
from app.points.errors import PointsInvalid, PointsNeedSecond, PointsReasonMissing, PointsShort
from app.points.models import PointEntry
from app.points.states import EntryKind, PointSource

ADJUST_MAX: Final = 1_000_000
REASON_MAX: Final = 500
TOGETHER: Final = timedelta(days=1)


def adjust(  # noqa: PLR0913 - one decision: about whom, how many, by whom, why, when
    session: Session,
    member_id: int,
    points: int,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    second: Actor | None = None,
) -> None:
    """Give a member points, or take some where `points` is below zero; what is taken runs out next.

    Raises `MemberNotFound`, `PointsInvalid`, `PointsReasonMissing`, `PointsNeedSecond`,
    `OwnAccount` for their own points, and `PointsShort` where more would be taken than there is:
    no debt is made by hand.
    """
    reason = require_adjustable(session, member_id, points, reason=reason, now=now)
    for one in (actor, second):
        if one is not None:
            require_somebody_else(session, one, member_id)
    before = lock(session, member_id).available
    in_all = points if points < 0 else points + _given_lately(session, member_id, actor, now=now)
    if needs_second(in_all) and second is None:
        raise PointsNeedSecond(settings().points_adjust_second_points)
    key = f"hand:{random_text(16)}"
    if points > 0:
        earning.grant(
            session,
            member_id,
            points,
            key=key,
            source=PointSource.HAND,
            reason=reason,
            now=now,
            actor=actor,
        )
    else:
        _take(session, member_id, -points, key=key, reason=reason, actor=actor, now=now)
    change = Change(
        before={"points": before},
        after={"points": lock(session, member_id).available, "changed_by": points}
        | ({"second_actor": str(second)} if second else {}),
        reason=reason,
    )
    subject = Subject("member", member_id, session.get_one(Member, member_id).origin_store_id)
    audit.record(session, actor, "points_adjusted", subject, change, now=now)


def require_adjustable(
    session: Session, member_id: int, points: int, *, reason: str, now: datetime
) -> str:
    """Raise what `adjust` would raise, but for a missing second person; return the reason."""
    if session.get(Member, member_id) is None:
        raise MemberNotFound
    if not 1 <= abs(points) <= ADJUST_MAX:
        raise PointsInvalid
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_MAX:
        raise PointsReasonMissing
    if points < 0:
        free = lots.spendable(session, member_id, now=now)
        if free < -points:
            raise PointsShort(free)
    return reason


def needs_second(points: int) -> bool:
    """Tell whether so many points take two people."""
    return abs(points) >= settings().points_adjust_second_points


def by_hand(session: Session, member_id: int) -> int:
    """Return what staff gave a member by hand in all, less what they took."""
    return int(
        session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(PointEntry.available_change), 0)).where(
                PointEntry.member_id == member_id,
                sa.or_(
                    PointEntry.source == PointSource.HAND, PointEntry.kind == EntryKind.ADJUSTED
                ),
            )
        )
        or 0
    )


def _given_lately(session: Session, member_id: int, actor: Actor, *, now: datetime) -> int:
    """Return what the same person gave a member within a day; the accounts are locked."""
    return int(
        session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(PointEntry.available_change), 0)).where(
                PointEntry.member_id == member_id,
                PointEntry.source == PointSource.HAND,
                PointEntry.actor == str(actor),
                PointEntry.at > now - TOGETHER,
            )
        )
        or 0
    )


def _take(  # noqa: PLR0913 - one decision: of whom, how many, by whom, why, when
    session: Session,
    member_id: int,
    points: int,
    *,
    key: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    taken = lots.take(session, lots.to_spend(session, member_id, now=now), points)
    if taken < points:
        raise PointsShort(taken)
    fact = Fact(
        member_id=member_id,
        key=f"points-adjusted:{key}",
        kind=EntryKind.ADJUSTED,
        reason=reason,
        actor=actor,
    )
    book(session, fact, Transfer(available(member_id), ISSUED, points), now=now)
