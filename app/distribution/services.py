"""What payouts do with awards: take them up, give them back, mark them paid.

Every function joins its caller's transaction. Locks are taken in one order everywhere: awards by
id, then ledger accounts by id. So call `allocate` and `release` before the ledger is touched.
"""

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import Award, AwardState


def allocate(session: Session, member_id: int, amount_fen: int) -> list[tuple[int, int]]:
    """Take up matured awards for a payout, oldest first; return (award, fen) summing to the amount.

    Where less than the amount is free, take up nothing and return an empty list.
    """
    assert amount_fen > 0
    rows = session.execute(
        sa.select(
            Award.id,
            (Award.amount_fen - Award.reversed_fen - Award.allocated_fen).label("free_fen"),
        )
        .where(
            Award.beneficiary_id == member_id,
            Award.state == AwardState.MATURED,
            Award.amount_fen - Award.reversed_fen > Award.allocated_fen,
        )
        .order_by(Award.id)
        .with_for_update()
    )
    taken: list[tuple[int, int]] = []
    missing_fen = amount_fen
    for award_id, free_fen in rows:
        part = min(int(free_fen), missing_fen)
        taken.append((int(award_id), part))
        missing_fen -= part
        if missing_fen == 0:
            break
    if missing_fen:
        return []
    _add(session, dict(taken), sign=1)
    return taken


def release(session: Session, parts: Mapping[int, int]) -> None:
    """Give back what a payout that did not happen had taken up, by award."""
    _lock(session, parts)
    _add(session, parts, sign=-1)
    session.execute(
        sa.update(Award)
        .where(
            Award.id.in_(list(parts)),
            Award.state == AwardState.WITHDRAWN,
            Award.allocated_fen < Award.amount_fen - Award.reversed_fen,
        )
        .values(state=AwardState.MATURED)
        .execution_options(synchronize_session=False)
    )


def mark_withdrawn(session: Session, award_ids: Collection[int]) -> None:
    """Mark awards of a payout that succeeded as paid out, where nothing of them is left."""
    if not award_ids:
        return
    _lock(session, award_ids)
    session.execute(
        sa.update(Award)
        .where(
            Award.id.in_(award_ids),
            Award.state == AwardState.MATURED,
            Award.allocated_fen >= Award.amount_fen - Award.reversed_fen,
        )
        .values(state=AwardState.WITHDRAWN)
        .execution_options(synchronize_session=False)
    )


def _lock(session: Session, award_ids: Collection[int]) -> None:
    session.execute(
        sa.select(Award.id)
        .where(Award.id.in_(list(award_ids)))
        .order_by(Award.id)
        .with_for_update()
    )


def _add(session: Session, parts: Mapping[int, int], *, sign: int) -> None:
    pairs = sa.select(
        sa.func.unnest(sa.literal(list(parts), sa.ARRAY(sa.BigInteger))).label("id"),
        sa.func.unnest(
            sa.literal([sign * fen for fen in parts.values()], sa.ARRAY(sa.BigInteger))
        ).label("change"),
    ).subquery()
    session.execute(
        sa.update(Award)
        .where(Award.id == pairs.c.id)
        .values(allocated_fen=Award.allocated_fen + pairs.c.change)
        .execution_options(synchronize_session=False)
    )
