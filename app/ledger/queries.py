"""Reading the ledger."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.ledger.models import LedgerAccount, LedgerTransfer
from app.ledger.transfers import BRAND_NAMES, Account, Name, Unit


@dataclass(frozen=True, slots=True)
class Balances:
    """What a member's commission accounts hold, in fen; the debt as a positive number."""

    pending_fen: int
    available_fen: int
    in_transit_fen: int
    debt_fen: int


def balance(session: Session, account: Account) -> int:
    """Return the balance of an account; one that was never used holds nothing.

    The brand's accounts keep no running balance: theirs is summed from their transfers.
    """
    row = session.execute(
        sa.select(LedgerAccount.id, LedgerAccount.balance).where(
            LedgerAccount.name == account.name,
            LedgerAccount.unit == account.unit,
            LedgerAccount.member_id.is_not_distinct_from(account.member_id),
        )
    ).one_or_none()
    if row is None:
        return 0
    return _summed(session, row.id) if account.name in BRAND_NAMES else row.balance or 0


def balances(session: Session, member_id: int) -> Balances:
    """Return what a member has pending, may withdraw, is being paid and owes."""
    rows = session.execute(
        sa.select(LedgerAccount.name, LedgerAccount.balance).where(
            LedgerAccount.member_id == member_id, LedgerAccount.unit == Unit.FEN
        )
    )
    held = {Name(name): amount or 0 for name, amount in rows}
    return Balances(
        pending_fen=held.get(Name.COMMISSION_PENDING, 0),
        available_fen=held.get(Name.COMMISSION_AVAILABLE, 0),
        in_transit_fen=held.get(Name.PAYOUT_IN_TRANSIT, 0),
        debt_fen=-held.get(Name.CLAWBACK_DEBT, 0),
    )


def _summed(session: Session, account_id: int) -> int:
    came, went = (
        session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(LedgerTransfer.amount), 0)).where(
                column == account_id
            )
        )
        or 0
        for column in (LedgerTransfer.target_id, LedgerTransfer.source_id)
    )
    return int(came) - int(went)
