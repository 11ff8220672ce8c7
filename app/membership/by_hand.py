"""Levels that staff set, and levels that members buy."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.counter.duty import require_somebody_else
from app.kernel.audit import Actor, Change, Subject, record
from app.membership import holding
from app.membership.errors import (
    HoldingPeriodInvalid,
    LevelNotFound,
    LevelRetired,
    ReasonMissing,
)
from app.membership.models import LevelHolding
from app.membership.queries import LevelTerms, levels_at, standing_of
from app.membership.states import Basis, MoveCause

LONGEST: Final = timedelta(days=3_650)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelWish:
    """What staff set: the level, until when, and why."""

    level_id: int
    until_at: datetime
    reason: str


def set_level(
    session: Session, member_id: int, wish: LevelWish, *, actor: Actor, now: datetime
) -> LevelHolding:
    """Set the level of a member until an instant; with a reason, on record.

    Above what growth deserves it stands beside it, and growth may lift the member further. Below,
    it ends what growth had reached and keeps growth from lifting until it ends. What was bought
    stays bought. Raises `OwnAccount` for their own.
    """
    require_somebody_else(session, actor, member_id)
    reason = wish.reason.strip()
    if not reason:
        raise ReasonMissing
    if not now < wish.until_at <= now + LONGEST:
        raise HoldingPeriodInvalid
    row = holding.lock(session, member_id)
    levels = levels_at(session, at=now)
    target = _usable(levels, wish.level_id)
    before = standing_of(session, member_id, at=now)
    earlier = holding.open_by_hand(session, member_id)
    if earlier is not None:
        holding.end(session, earlier, at=now)
    by_growth = holding.open_by_growth(session, member_id)
    is_cap = target.rank < holding.grown_rank(session, member_id, levels, now=now)
    if is_cap and by_growth is not None:
        holding.end(session, by_growth, at=now)
    held = LevelHolding(
        member_id=member_id,
        level_id=wish.level_id,
        basis=Basis.HAND,
        is_cap=is_cap,
        from_at=now,
        until_at=wish.until_at,
        actor=str(actor),
        reason=reason,
    )
    session.add(held)
    session.flush()
    holding.regain(session, row, now=now)
    holding.conclude(session, row, MoveCause.HAND, now=now, actor=actor, reason=reason)
    change = Change(
        before={"level": before.name},
        after={"level": target.version.name, "until_at": wish.until_at.isoformat()},
        reason=reason,
    )
    record(session, actor, "membership_level_given", Subject("member", member_id), change, now=now)
    return held


def leave_to_growth(
    session: Session, member_id: int, *, reason: str, actor: Actor, now: datetime
) -> None:
    """End what staff had set for a member: growth decides again. Raises `LevelNotFound`."""
    if not reason.strip():
        raise ReasonMissing
    row = holding.lock(session, member_id)
    held = holding.open_by_hand(session, member_id)
    if held is None:
        raise LevelNotFound
    before = standing_of(session, member_id, at=now)
    holding.end(session, held, at=now)
    holding.regain(session, row, now=now)
    holding.conclude(
        session, row, MoveCause.HAND_ENDED, now=now, actor=actor, reason=reason.strip()
    )
    after = standing_of(session, member_id, at=now)
    change = Change(
        before={"level": before.name}, after={"level": after.name}, reason=reason.strip()
    )
    record(session, actor, "membership_level_freed", Subject("member", member_id), change, now=now)


def grant_paid(
    session: Session, member_id: int, level_id: int, *, order_id: int, days: int, now: datetime
) -> bool:
    """Let a member hold a level that an order paid for; once for the order.

    What is bought while an earlier purchase runs follows it. Return whether it is new.
    """
    row = holding.lock(session, member_id)
    bought = session.scalars(
        sa.select(LevelHolding).where(
            LevelHolding.member_id == member_id,
            LevelHolding.level_id == level_id,
            LevelHolding.basis == Basis.PAID,
        )
    ).all()
    if any(one.order_id == order_id for one in bought):
        return False
    from_at = max([now, *(one.until_at for one in bought if one.ended_at is None)])
    session.add(
        LevelHolding(
            member_id=member_id,
            level_id=level_id,
            basis=Basis.PAID,
            order_id=order_id,
            from_at=from_at,
            until_at=from_at + timedelta(days=days),
            actor=holding.NOBODY,
        )
    )
    holding.conclude(session, row, MoveCause.PAID, now=now)
    return True


def end_paid(
    session: Session, member_id: int, level_id: int, *, order_id: int, now: datetime
) -> None:
    """End what an order paid for, because it was refunded; what was bought after moves forward."""
    shorten_paid(session, member_id, level_id, order_id=order_id, days=0, now=now)


def shorten_paid(
    session: Session, member_id: int, level_id: int, *, order_id: int, days: int, now: datetime
) -> None:
    """Let what an order paid for last only so many days, because the rest was refunded.

    What was bought after moves forward. It never becomes longer; repeating it changes nothing.
    """
    row = holding.lock(session, member_id)
    held = session.scalar(
        sa.select(LevelHolding).where(
            LevelHolding.order_id == order_id,
            LevelHolding.level_id == level_id,
            LevelHolding.ended_at.is_(None),
        )
    )
    if held is None:
        return
    until_at, before = held.from_at + timedelta(days=days), held.until_at
    if days and until_at >= before:
        return
    if until_at > max(now, held.from_at):
        held.until_at = until_at
    else:
        until_at = max(now, held.from_at)
        holding.end(session, held, at=now)
    session.flush()
    gap = before - until_at
    if gap > timedelta(0):
        session.execute(
            sa.update(LevelHolding)
            .where(
                LevelHolding.member_id == member_id,
                LevelHolding.level_id == level_id,
                LevelHolding.basis == Basis.PAID,
                LevelHolding.ended_at.is_(None),
                LevelHolding.from_at >= before,
            )
            .values(from_at=LevelHolding.from_at - gap, until_at=LevelHolding.until_at - gap)
            .execution_options(synchronize_session="fetch")
        )
    holding.conclude(session, row, MoveCause.PAID_ENDED, now=now)


def _usable(levels: tuple[LevelTerms, ...], level_id: int) -> LevelTerms:
    found = next((one for one in levels if one.level_id == level_id), None)
    if found is None:
        raise LevelNotFound
    if found.version.is_retired:
        raise LevelRetired
    return found
