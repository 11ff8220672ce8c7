"""What a report of WeChat's means for a bill, without touching the database.

A report may be about something other than the bill it names: another amount, another payee. Such a
report changes nothing and is said out loud, because either our books or theirs are wrong.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.payouts.models import PayoutBill
from app.payouts.states import FINAL_BILL_STATES, BillEvent, BillState, after_bill
from app.wechat.values import FINAL_TRANSFER_STATES, TransferReport, TransferState

EVENT_OF: Final[Mapping[TransferState, BillEvent]] = {
    TransferState.ACCEPTED: BillEvent.ACCEPT,
    TransferState.PROCESSING: BillEvent.ACCEPT,
    TransferState.WAIT_USER_CONFIRM: BillEvent.OFFER,
    TransferState.TRANSFERRING: BillEvent.TAKE,
    TransferState.SUCCESS: BillEvent.SUCCEED,
    TransferState.FAIL: BillEvent.FAIL,
    TransferState.CANCELING: BillEvent.ASK_CANCEL,
    TransferState.CANCELLED: BillEvent.CANCEL,
}
"""WeChat's own states. Those missing here are states of what we know, not of the transfer."""

END_OF: Final[Mapping[TransferState, BillState]] = {
    TransferState.SUCCESS: BillState.SUCCEEDED,
    TransferState.FAIL: BillState.FAILED,
    TransferState.CANCELLED: BillState.CANCELLED,
}
CANCELLABLE: Final = frozenset(
    {TransferState.ACCEPTED, TransferState.PROCESSING, TransferState.WAIT_USER_CONFIRM}
)


class Contradiction(StrEnum):
    """Where a report and a bill cannot both be right."""

    NUMBER = "number"
    AMOUNT = "amount"
    PAYEE = "payee"
    WECHAT_NUMBER = "wechat_number"
    NEVER_SENT = "never_sent"
    GIVEN_BACK = "given_back"
    """WeChat knows a bill whose money we gave back because WeChat had refused it."""
    OTHER_END = "other_end"


def contradiction(bill: PayoutBill, report: TransferReport) -> Contradiction | None:
    """Return why a report cannot be about this bill as we know it, or None where it can."""
    if report.out_bill_no != bill.number:
        return Contradiction.NUMBER
    if report.state not in EVENT_OF:
        return None
    if report.amount_fen not in {None, bill.amount_fen}:
        return Contradiction.AMOUNT
    if report.openid not in {None, bill.payee_openid}:
        return Contradiction.PAYEE
    return _contradicts_life(bill, report)


def _contradicts_life(bill: PayoutBill, report: TransferReport) -> Contradiction | None:
    if bill.state is BillState.CREATED:
        return Contradiction.NEVER_SENT
    known = bill.wechat_bill_number
    if known is None and bill.state in {BillState.FAILED, BillState.CANCELLED}:
        return Contradiction.GIVEN_BACK
    if known is not None and report.transfer_bill_no not in {None, known}:
        return Contradiction.WECHAT_NUMBER
    is_end = bill.state in FINAL_BILL_STATES and report.state in FINAL_TRANSFER_STATES
    if is_end and END_OF[report.state] is not bill.state:
        return Contradiction.OTHER_END
    return None


def news(bill: PayoutBill, report: TransferReport) -> BillEvent | None:
    """Return what a report lets happen to a bill; None where it says nothing new, or is late."""
    event = EVENT_OF.get(report.state)
    if event is None or after_bill(bill.state, event) is None:
        return None
    return event
