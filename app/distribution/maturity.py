"""Releasing awards whose waiting time is over. Debts are filled first.

Locks are taken in one order everywhere: awards by id, then ledger accounts by id.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import Award, AwardState, RefundDecision
from app.kernel.db import atomic
from app.ledger import services as ledger
from app.ledger.transfers import Account, available, credit, debt, pending
from app.orders.models import Refund
from app.orders.states import RefundState

MATURE_BATCH_MAX: Final = 2_000
_NOT_COMING: Final = (RefundState.FAILED, RefundState.REJECTED)


def mature_due(*, now: datetime) -> int:
    """Release one batch of awards that are due; return how many.

    An award whose order has a refund under way, or one not taken back yet, waits for its end: only
    what will stay is released.
    """
    with atomic() as session:
        due = _lock_due(session, now=now)
        if due:
            _release(session, due, now=now)
        return len(due)


def _lock_due(session: Session, *, now: datetime) -> Sequence[Any]:
    refund_open = (
        sa.select(Refund.id)
        .where(
            Refund.order_id == Award.order_id,
            Refund.state.not_in(_NOT_COMING),
            ~sa.exists().where(RefundDecision.refund_id == Refund.id),
        )
        .exists()
    )
    return session.execute(
        sa.select(
            Award.id,
            Award.beneficiary_id,
            (Award.amount_fen - Award.reversed_fen).label("net_fen"),
        )
        .where(Award.state == AwardState.FROZEN, Award.matures_at <= now, ~refund_open)
        .order_by(Award.id)
        .limit(MATURE_BATCH_MAX)
        .with_for_update(of=Award, skip_locked=True)
    ).all()


def _release(session: Session, due: Sequence[Any], *, now: datetime) -> None:
    members = {row.beneficiary_id for row in due}
    accounts: set[Account] = {
        account(one) for one in members for account in (pending, available, debt)
    }
    held = ledger.lock_balances(session, accounts)
    owed = {one: -held[debt(one)] for one in members}
    entries = []
    for row in due:
        member_id = row.beneficiary_id
        transfers = credit(member_id, pending(member_id), row.net_fen, debt_fen=owed[member_id])
        owed[member_id] -= min(owed[member_id], row.net_fen)
        entries.append(ledger.Entry(f"commission-matured:{row.id}", tuple(transfers)))
    session.execute(
        sa.update(Award)
        .where(Award.id.in_([row.id for row in due]))
        .values(state=AwardState.MATURED, matured_at=now)
        .execution_options(synchronize_session=False)
    )
    ledger.post_many(session, entries, now=now)
