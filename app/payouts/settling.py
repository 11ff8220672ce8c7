"""What follows in the ledger, for the awards and for the payout when a bill has ended.

Each function joins its caller's transaction, in which the payout and its bills are locked. Awards
are touched before the ledger: see `locks` for the order.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import services as distribution
from app.distribution.models import Award, AwardState
from app.kernel.audit import SYSTEM
from app.ledger import services as ledger
from app.ledger.transfers import WECHAT_PAID_OUT, Transfer, available, credit, debt, in_transit
from app.payouts.models import Payout, PayoutAllocation, PayoutBill
from app.payouts.states import FINAL_BILL_STATES, BillEvent, BillState, PayoutEvent, PayoutState

PAID_STATES: Final = (PayoutState.SUCCEEDED, PayoutState.PARTLY_SUCCEEDED)


def end_bill(session: Session, bill: PayoutBill, reason: str | None, *, now: datetime) -> None:
    """Turn the reserve of a bill that has just reached its last state into what became of it.

    `reason` is why it was not paid. What was paid has left through WeChat. What was not goes back
    to the member, filling their debt first, and the awards it stood for may be paid by another
    payout.
    """
    assert bill.state in FINAL_BILL_STATES
    payout, is_paid = bill.payout, bill.state is BillState.SUCCEEDED
    bill.ended_at, bill.due_at = now, None
    bill.fail_reason = None if is_paid else reason
    _lock_awards(session, payout)
    if not is_paid:
        _release_awards(session, payout, bill.amount_fen)
    _end_payout(session, payout, now=now)
    if is_paid:
        transfers = [Transfer(in_transit(payout.member_id), WECHAT_PAID_OUT, bill.amount_fen)]
    else:
        transfers = _give_back(session, payout.member_id, bill.amount_fen)
    is_new = ledger.post(session, f"payout-settled:{bill.id}", transfers, now=now)
    assert is_new, "a bill ends once"


def give_back_whole(session: Session, payout: Payout, *, now: datetime) -> None:
    """Drop the unsent bills of a payout that will not happen and undo its reserve."""
    for bill in payout.bills:
        bill.advance(BillEvent.DROP, now=now)
        bill.due_at, bill.ended_at = None, now
    payout.ended_at = now
    session.flush()
    _lock_awards(session, payout)
    _release_awards(session, payout, payout.amount_fen)
    transfers = _give_back(session, payout.member_id, payout.amount_fen)
    is_new = ledger.post(session, f"payout-released:{payout.id}", transfers, now=now)
    assert is_new, "a payout is given back once"


def _give_back(session: Session, member_id: int, amount_fen: int) -> list[Transfer]:
    reserve = in_transit(member_id)
    held = ledger.lock_balances(session, [reserve, available(member_id), debt(member_id)])
    return credit(member_id, reserve, amount_fen, debt_fen=-held[debt(member_id)])


def _lock_awards(session: Session, payout: Payout) -> None:
    """Lock every award the payout pays, against refunds that take it back at this moment."""
    session.execute(
        sa.select(Award.id)
        .where(
            Award.id.in_(
                sa.select(PayoutAllocation.award_id).where(PayoutAllocation.payout_id == payout.id)
            )
        )
        .order_by(Award.id)
        .with_for_update()
    )


def _allocations(session: Session, payout: Payout) -> Sequence[PayoutAllocation]:
    return session.scalars(
        sa.select(PayoutAllocation)
        .where(PayoutAllocation.payout_id == payout.id)
        .order_by(PayoutAllocation.id.desc())
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _release_awards(session: Session, payout: Payout, amount_fen: int) -> None:
    """Release an amount from what was taken up last, so that the oldest awards are paid first."""
    parts: Counter[int] = Counter()
    rest_fen = amount_fen
    for allocation in _allocations(session, payout):
        part = min(rest_fen, allocation.amount_fen - allocation.released_fen)
        if part:
            allocation.released_fen += part
            parts[allocation.award_id] += part
            rest_fen -= part
    assert rest_fen == 0, "a payout pays exactly the awards it took up"
    session.flush()
    distribution.release(session, parts)


def _end_payout(session: Session, payout: Payout, *, now: datetime) -> None:
    """End the payout with its last bill, and mark the awards that are paid in full."""
    session.flush()
    ends = Counter(
        session.scalars(sa.select(PayoutBill.state).where(PayoutBill.payout_id == payout.id))
    )
    if not ends.keys() <= FINAL_BILL_STATES:
        return
    paid = ends[BillState.SUCCEEDED]
    event = PayoutEvent.SUCCEED_PARTLY if paid else PayoutEvent.FAIL
    if paid == ends.total():
        event = PayoutEvent.SUCCEED
    payout.advance(event, now=now, actor=str(SYSTEM))
    payout.ended_at = now
    session.flush()
    distribution.mark_withdrawn(session, _paid_in_full(session, payout))


def _paid_in_full(session: Session, payout: Payout) -> Sequence[int]:
    """Return the awards of a payout of which payouts that have ended leave nothing to pay."""
    mine = sa.select(PayoutAllocation.award_id).where(PayoutAllocation.payout_id == payout.id)
    paid_fen = sa.func.sum(PayoutAllocation.amount_fen - PayoutAllocation.released_fen)
    return session.scalars(
        sa.select(Award.id)
        .join(PayoutAllocation, PayoutAllocation.award_id == Award.id)
        .join(Payout, Payout.id == PayoutAllocation.payout_id)
        .where(Award.id.in_(mine), Award.state == AwardState.MATURED, Payout.state.in_(PAID_STATES))
        .group_by(Award.id)
        .having(paid_fen >= Award.amount_fen - Award.reversed_fen)
    ).all()
