"""What refunds take back: exactly, at the rate of the award, before and after it was paid out.

Locks are taken in one order everywhere: awards by id, then ledger accounts by id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from app.distribution.models import (
    Award,
    AwardReversal,
    AwardState,
    RefundDecision,
)
from app.distribution.settlement import WAIT_FOR_DECISION, undecided_though_counting
from app.engines.reversals import AwardNet, Reversal, reverse
from app.kernel import outbox
from app.kernel.outbox import Task
from app.ledger import services as ledger
from app.ledger.transfers import COMMISSION_EXPENSE, Transfer, available, claw_back, debt, pending
from app.orders.models import OrderLine, Refund, RefundLine
from app.orders.states import RefundState

UNMATURED: Final = frozenset({AwardState.PENDING, AwardState.FROZEN})


@dataclass(frozen=True, slots=True)
class SucceededRefund:
    """A refund that has reached its customer."""

    id: int
    order_id: int


def claw_back_refunds(session: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Take back what refunds take back, each refund once, in the order of their success.

    A refund whose order counts and has not been decided yet waits for that; what comes to count
    only later will be decided on what is left.
    """
    refunds = _succeeded(session, [task.subject_id for task in tasks])
    undecided = undecided_though_counting(session, {refund.order_id for refund in refunds})
    for refund in refunds:
        if refund.order_id not in undecided:
            _claw_back(session, refund, now=now)
    waiting = {refund.id for refund in refunds if refund.order_id in undecided}
    outbox.finish(session, [task for task in tasks if task.subject_id not in waiting])
    outbox.defer(
        session,
        [task for task in tasks if task.subject_id in waiting],
        until=now + WAIT_FOR_DECISION,
    )


def _succeeded(session: Session, refund_ids: Sequence[int]) -> list[SucceededRefund]:
    rows = session.execute(
        sa.select(Refund.id, Refund.order_id)
        .where(Refund.id.in_(refund_ids), Refund.state == RefundState.SUCCEEDED)
        .order_by(Refund.ended_at, Refund.id)
    )
    return [SucceededRefund(row.id, row.order_id) for row in rows]


def _claw_back(session: Session, refund: SucceededRefund, *, now: datetime) -> None:
    awards = {award.id: award for award in _lock_awards(session, refund.order_id)}
    if not _claim(session, refund, now=now):
        return
    remaining_fen = _remaining_after(session, refund.id)
    reversals = [
        reversal
        for award in awards.values()
        if award.order_line_id in remaining_fen
        for reversal in _reverse(award, remaining_fen[award.order_line_id])
    ]
    if reversals:
        _record(session, refund, reversals, awards, now=now)


def _lock_awards(session: Session, order_id: int) -> Sequence[Award]:
    """Lock an order's awards against maturity, payouts and other refunds."""
    return session.scalars(
        sa.select(Award)
        .where(Award.order_id == order_id)
        .order_by(Award.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _claim(session: Session, refund: SucceededRefund, *, now: datetime) -> bool:
    claimed = session.scalar(
        insert(RefundDecision)
        .values(refund_id=refund.id, order_id=refund.order_id, decided_at=now)
        .on_conflict_do_nothing()
        .returning(RefundDecision.refund_id)
    )
    return claimed is not None


def _reverse(award: Award, remaining_fen: int) -> tuple[Reversal, ...]:
    """Return how an award falls, given what is left of its line.

    Its base may be less than the line: what was refunded before it counted is not in it.
    """
    assert award.order_line_id is not None, "awards of a month are never taken back"
    net = AwardNet(
        award.id,
        award.order_line_id,
        award.base_fen,
        award.rate_bp,
        award.amount_fen - award.reversed_fen,
        award.amount_fen,
    )
    gone_fen = max(award.base_fen - remaining_fen, 0)
    return reverse([net], {award.order_line_id: gone_fen})


def _remaining_after(session: Session, refund_id: int) -> dict[int, int]:
    """Return what is left of each line after this refund and all before it.

    Refunds are ordered by the instant of their success. One that is worked off late sees less than
    its successors did, and changes nothing: they have taken its share already.
    """
    this = aliased(Refund)
    lines = sa.select(RefundLine.order_line_id).where(RefundLine.refund_id == refund_id)
    rows = session.execute(
        sa.select(RefundLine.order_line_id, OrderLine.net_fen - sa.func.sum(RefundLine.amount_fen))
        .join(Refund, Refund.id == RefundLine.refund_id)
        .join(OrderLine, OrderLine.id == RefundLine.order_line_id)
        .join(this, this.id == refund_id)
        .where(
            RefundLine.order_line_id.in_(lines),
            Refund.state == RefundState.SUCCEEDED,
            sa.tuple_(Refund.ended_at, Refund.id) <= sa.tuple_(this.ended_at, this.id),
        )
        .group_by(RefundLine.order_line_id, OrderLine.net_fen)
    )
    return {int(line_id): int(amount) for line_id, amount in rows}


def _record(
    session: Session,
    refund: SucceededRefund,
    reversals: Sequence[Reversal],
    awards: dict[int, Award],
    *,
    now: datetime,
) -> None:
    matured_members = {
        awards[one.award_id].beneficiary_id
        for one in reversals
        if awards[one.award_id].state not in UNMATURED
    }
    touched = {awards[one.award_id].beneficiary_id for one in reversals}
    accounts = {pending(one) for one in touched}
    accounts |= {account(one) for one in matured_members for account in (available, debt)}
    held = ledger.lock_balances(session, accounts)
    free = {one: held[available(one)] for one in matured_members}
    transfers: list[Transfer] = []
    for one in reversals:
        award = awards[one.award_id]
        transfers += _take_back(award, one.delta_fen, free)
        award.reversed_fen += one.delta_fen
        if award.reversed_fen == award.amount_fen:
            award.state = AwardState.VOID if award.state in UNMATURED else AwardState.REVERSED
    session.execute(sa.insert(AwardReversal), [_row(refund.id, one, now) for one in reversals])
    session.flush()
    ledger.post(session, f"commission-clawed-back:{refund.id}", transfers, now=now)


def _take_back(award: Award, amount_fen: int, free: dict[int, int]) -> list[Transfer]:
    """Take from pending what has not matured; else from what is available, and the rest as debt."""
    member_id = award.beneficiary_id
    if award.state in UNMATURED:
        return [Transfer(pending(member_id), COMMISSION_EXPENSE, amount_fen)]
    taken = claw_back(member_id, amount_fen, available_fen=free[member_id])
    free[member_id] -= min(free[member_id], amount_fen)
    return taken


def _row(refund_id: int, one: Reversal, now: datetime) -> dict[str, Any]:
    return {
        "award_id": one.award_id,
        "refund_id": refund_id,
        "amount_fen": one.delta_fen,
        "explanation": one.explanation,
        "created_at": now,
    }
