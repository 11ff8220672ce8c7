"""The one way to lock payouts and bills, in one order everywhere.

Distributor, payout, its bills, awards by id, ledger accounts by id. Whoever needs several of them
takes them in this order, so that transactions wait for each other but never in a circle.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.payouts.errors import PayoutNotFound
from app.payouts.models import Payout, PayoutBill


def lock_payout(session: Session, payout_id: int) -> Payout:
    """Lock a payout against every other decision about it; its bills are loaded, not locked."""
    payout = session.scalar(
        sa.select(Payout)
        .where(Payout.id == payout_id)
        .options(selectinload(Payout.bills))
        .with_for_update(of=Payout)
        .execution_options(populate_existing=True)
    )
    if payout is None:
        raise PayoutNotFound
    return payout


def lock_bill(session: Session, bill_id: int) -> PayoutBill:
    """Lock a bill together with its payout, against other reports and the next try."""
    payout_id = session.scalar(sa.select(PayoutBill.payout_id).where(PayoutBill.id == bill_id))
    if payout_id is None:
        raise PayoutNotFound
    payout = lock_payout(session, payout_id)
    bill = session.get_one(PayoutBill, bill_id, with_for_update=True, populate_existing=True)
    assert bill.payout is payout, "from here on the bill holds on to its locked payout"
    return bill
