"""Who holds which level: reaching, keeping, losing, buying and setting by hand.

All of it is decided under the lock of the member's `Membership` row. A level by growth is kept for
a year after it was reached, whatever the growth does meanwhile; only what refunds take back of the
growth that reached it ends it earlier. At the end of the year the growth of that year decides.
Growth only ever lifts in between. What is set by hand or bought stands beside it, and the best
counts, but for a level set by hand below what growth deserves: growth does not lift that.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM, Actor
from app.kernel.outbox import emit
from app.membership.models import LevelHolding, LevelMove, Membership
from app.membership.queries import LevelTerms, base, growth_between, held_at, levels_at
from app.membership.rules import Step, deserved
from app.membership.states import YEAR, Basis, MoveCause

NOBODY: Final = str(SYSTEM)


def lock(session: Session, member_id: int) -> Membership:
    """Return the row of a member's membership, opened where there is none, locked."""
    session.execute(
        insert(Membership).values(member_id=member_id, growth=0).on_conflict_do_nothing()
    )
    return session.scalars(
        sa.select(Membership)
        .where(Membership.member_id == member_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def steps_of(levels: Sequence[LevelTerms]) -> list[Step]:
    """Return the levels that growth reaches, as the rules see them."""
    return [
        Step(one.rank, one.level_id, one.version.growth_at_least or 0)
        for one in levels
        if one.is_reached_by_growth
    ]


def lift(session: Session, row: Membership, *, now: datetime) -> None:
    """Let a member rise to what the growth of the last year deserves; the row is locked."""
    levels = levels_at(session, at=now)
    _lift(session, row, levels, now=now)
    conclude(session, row, MoveCause.REACHED, now=now)


def drop_unearned(session: Session, row: Membership, *, now: datetime) -> None:
    """End a level whose growth was taken back, and hold what is deserved without; row locked.

    What counts is the growth from a year before the level was reached until now, so that what has
    come since makes up for what has gone.
    """
    held = open_by_growth(session, row.member_id)
    if held is not None:
        since_at = held.from_at - YEAR
        growth = growth_between(session, row.member_id, since_at=since_at, until_at=now)
        assert held.growth_needed is not None, "what rests on growth says how much"
        if growth < held.growth_needed:
            _end(session, held, at=now)
            _lift(session, row, levels_at(session, at=now), now=now)
    conclude(session, row, MoveCause.TAKEN_BACK, now=now)


def end_due(session: Session, member_id: int, *, now: datetime) -> None:
    """End whatever of a member's holdings is over; look again at what the year's growth deserves.

    Repeating it changes nothing.
    """
    row = lock(session, member_id)
    due = session.scalars(
        sa.select(LevelHolding)
        .where(
            LevelHolding.member_id == member_id,
            LevelHolding.ended_at.is_(None),
            LevelHolding.until_at <= now,
        )
        .order_by(LevelHolding.id)
    ).all()
    for held in due:
        _end(session, held, at=now if held.basis is Basis.GROWTH else held.until_at)
    if not due:
        return
    _lift(session, row, levels_at(session, at=now), now=now)
    causes = {
        Basis.GROWTH: MoveCause.NOT_KEPT,
        Basis.PAID: MoveCause.PAID_ENDED,
        Basis.HAND: MoveCause.HAND_ENDED,
    }
    conclude(session, row, causes[due[0].basis], now=now)


def conclude(
    session: Session,
    row: Membership,
    cause: MoveCause,
    *,
    now: datetime,
    actor: Actor = SYSTEM,
    reason: str = "",
) -> None:
    """Write down the level that counts now, with its history, where it became another.

    Whoever rose is told of by the event `level_raised`, whose subject is the move.
    """
    session.flush()
    levels = levels_at(session, at=now)
    ground = base(levels)
    ground_id = ground.level_id if ground else None
    held = held_at(session, row.member_id, at=now)
    best = max((one for one in levels if one.level_id in held), key=_rank, default=None)
    level_id = best.level_id if best and best.level_id != ground_id else None
    if level_id == row.level_id:
        return
    ranks = {one.level_id: one.rank for one in levels}
    move = LevelMove(
        member_id=row.member_id,
        from_level_id=row.level_id,
        to_level_id=level_id,
        cause=cause,
        growth=row.growth,
        at=now,
        actor=str(actor),
        reason=reason,
    )
    session.add(move)
    session.flush()
    is_rise = ranks.get(level_id or 0, 0) > ranks.get(row.level_id or 0, 0)
    row.level_id = level_id
    if is_rise:
        emit(session, "level_raised", move.id, now=now)
    session.flush()


def open_by_growth(session: Session, member_id: int) -> LevelHolding | None:
    """Return what a member holds by growth at present."""
    return _open(session, member_id, Basis.GROWTH)


def open_by_hand(session: Session, member_id: int) -> LevelHolding | None:
    """Return what staff set for a member and nobody has ended."""
    return _open(session, member_id, Basis.HAND)


def grown_rank(
    session: Session, member_id: int, levels: Sequence[LevelTerms], *, now: datetime
) -> int:
    """Return the rank that growth alone gives a member: what it reached, or deserves by now."""
    ranks = {one.level_id: one.rank for one in levels}
    held, ground = open_by_growth(session, member_id), base(levels)
    growth = growth_between(session, member_id, since_at=now - YEAR, until_at=now)
    target = deserved(steps_of(levels), growth)
    return max(
        ranks[held.level_id] if held else 0,
        target.rank if target else 0,
        ground.rank if ground else 0,
    )


def regain(session: Session, row: Membership, *, now: datetime) -> None:
    """Let growth lift a member whose row is locked; whoever calls concludes and says why."""
    _lift(session, row, levels_at(session, at=now), now=now)


def end(session: Session, held: LevelHolding, *, at: datetime) -> None:
    """End a holding of a member whose row is locked."""
    _end(session, held, at=at)


def _lift(
    session: Session, row: Membership, levels: Sequence[LevelTerms], *, now: datetime
) -> None:
    by_hand = open_by_hand(session, row.member_id)
    if by_hand is not None and by_hand.is_cap and by_hand.until_at > now:
        return
    growth = growth_between(session, row.member_id, since_at=now - YEAR, until_at=now)
    target = deserved(steps_of(levels), growth)
    held = open_by_growth(session, row.member_id)
    ranks = {one.level_id: one.rank for one in levels}
    if target is None or (held is not None and target.rank <= ranks[held.level_id]):
        return
    if held is not None:
        _end(session, held, at=now)
    session.add(
        LevelHolding(
            member_id=row.member_id,
            level_id=target.level_id,
            basis=Basis.GROWTH,
            growth_needed=target.growth_at_least,
            from_at=now,
            until_at=now + YEAR,
            actor=NOBODY,
        )
    )
    session.flush()


def _open(session: Session, member_id: int, basis: Basis) -> LevelHolding | None:
    return session.scalar(
        sa.select(LevelHolding).where(
            LevelHolding.member_id == member_id,
            LevelHolding.basis == basis,
            LevelHolding.ended_at.is_(None),
        )
    )


def _end(session: Session, held: LevelHolding, *, at: datetime) -> None:
    held.ended_at = max(at, held.from_at)
    session.flush()


def _rank(terms: LevelTerms) -> int:
    return terms.rank
