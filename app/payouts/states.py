"""The lives of a payout and of the bills it is sent in, each as one table.

A payout is what a distributor asks for and the brand approves; a bill is one transfer at WeChat,
at most as large as WeChat allows, under a number that never changes.

    requested ─ approve_once ▶ approved_once ─ approve ▶ approved ─ succeed ▶ succeeded
        ├─ approve ──────────────────────────────────────▶ ├─ succeed_partly ▶ partly_succeeded
        ├─ reject ▶ rejected   (also from approved_once)    └─ fail ▶ failed
        └─ cancel ▶ cancelled  (also from approved_once)

    created ─ send ▶ sending ─ accept ▶ accepted ─ offer ▶ waiting_user ─ take ▶ transferring
       └─ drop ▶ cancelled        └ each may also jump ahead, and end: succeed | fail | cancelled
    accepted, waiting_user ─ ask_cancel ▶ cancelling ─▶ cancelled | succeed | fail

A bill stays `sending` while WeChat has not said what became of it. Not knowing is no failure: it
is asked about again, and never sent under another number. Only WeChat's word ends a bill; our own
clock never does, though WeChat gives a person 24 hours to confirm.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from typing import Final


class PayoutState(StrEnum):
    """Where a payout stands."""

    REQUESTED = "requested"
    APPROVED_ONCE = "approved_once"
    APPROVED = "approved"
    SUCCEEDED = "succeeded"
    PARTLY_SUCCEEDED = "partly_succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class PayoutEvent(StrEnum):
    """What can happen to a payout."""

    APPROVE_ONCE = "approve_once"
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    SUCCEED = "succeed"
    SUCCEED_PARTLY = "succeed_partly"
    FAIL = "fail"


PAYOUT_TRANSITIONS: Final[Mapping[tuple[PayoutState, PayoutEvent], PayoutState]] = {
    (PayoutState.REQUESTED, PayoutEvent.APPROVE_ONCE): PayoutState.APPROVED_ONCE,
    (PayoutState.REQUESTED, PayoutEvent.APPROVE): PayoutState.APPROVED,
    (PayoutState.REQUESTED, PayoutEvent.REJECT): PayoutState.REJECTED,
    (PayoutState.REQUESTED, PayoutEvent.CANCEL): PayoutState.CANCELLED,
    (PayoutState.APPROVED_ONCE, PayoutEvent.APPROVE): PayoutState.APPROVED,
    (PayoutState.APPROVED_ONCE, PayoutEvent.REJECT): PayoutState.REJECTED,
    (PayoutState.APPROVED_ONCE, PayoutEvent.CANCEL): PayoutState.CANCELLED,
    (PayoutState.APPROVED, PayoutEvent.SUCCEED): PayoutState.SUCCEEDED,
    (PayoutState.APPROVED, PayoutEvent.SUCCEED_PARTLY): PayoutState.PARTLY_SUCCEEDED,
    (PayoutState.APPROVED, PayoutEvent.FAIL): PayoutState.FAILED,
}
FINAL_PAYOUT_STATES: Final = frozenset(
    {
        PayoutState.SUCCEEDED,
        PayoutState.PARTLY_SUCCEEDED,
        PayoutState.FAILED,
        PayoutState.REJECTED,
        PayoutState.CANCELLED,
    }
)


class BillState(StrEnum):
    """Where a bill stands."""

    CREATED = "created"
    SENDING = "sending"
    ACCEPTED = "accepted"
    WAITING_USER = "waiting_user"
    TRANSFERRING = "transferring"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BillEvent(StrEnum):
    """What can happen to a bill."""

    SEND = "send"
    DROP = "drop"
    ACCEPT = "accept"
    OFFER = "offer"
    TAKE = "take"
    ASK_CANCEL = "ask_cancel"
    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"


_AT_WECHAT: Final = (
    BillState.SENDING,
    BillState.ACCEPTED,
    BillState.WAITING_USER,
    BillState.TRANSFERRING,
    BillState.CANCELLING,
)
_ENDS: Final = {
    BillEvent.SUCCEED: BillState.SUCCEEDED,
    BillEvent.FAIL: BillState.FAILED,
    BillEvent.CANCEL: BillState.CANCELLED,
}
BILL_TRANSITIONS: Final[Mapping[tuple[BillState, BillEvent], BillState]] = {
    (BillState.CREATED, BillEvent.SEND): BillState.SENDING,
    (BillState.CREATED, BillEvent.DROP): BillState.CANCELLED,
    (BillState.SENDING, BillEvent.ACCEPT): BillState.ACCEPTED,
    (BillState.SENDING, BillEvent.OFFER): BillState.WAITING_USER,
    (BillState.SENDING, BillEvent.TAKE): BillState.TRANSFERRING,
    (BillState.ACCEPTED, BillEvent.OFFER): BillState.WAITING_USER,
    (BillState.ACCEPTED, BillEvent.TAKE): BillState.TRANSFERRING,
    (BillState.WAITING_USER, BillEvent.TAKE): BillState.TRANSFERRING,
    (BillState.CANCELLING, BillEvent.TAKE): BillState.TRANSFERRING,
    (BillState.ACCEPTED, BillEvent.ASK_CANCEL): BillState.CANCELLING,
    (BillState.WAITING_USER, BillEvent.ASK_CANCEL): BillState.CANCELLING,
} | {(state, event): _ENDS[event] for state, event in product(_AT_WECHAT, _ENDS)}
FINAL_BILL_STATES: Final = frozenset(_ENDS.values())
OPEN_BILL_STATES: Final = frozenset(BillState) - FINAL_BILL_STATES


def taken_back_by(state: BillState) -> BillEvent | None:
    """Return what taking a bill back is in a state, or None where it is too late.

    What was never sent is dropped by us; of what was sent WeChat is asked.

    >>> taken_back_by(BillState.CREATED), taken_back_by(BillState.SUCCEEDED)
    (<BillEvent.DROP: 'drop'>, None)
    """
    events = (BillEvent.DROP, BillEvent.ASK_CANCEL)
    return next((one for one in events if (state, one) in BILL_TRANSITIONS), None)


def after_payout(state: PayoutState, event: PayoutEvent) -> PayoutState | None:
    """Return the state that `event` leads to from `state`, or None where it may not happen.

    >>> after_payout(PayoutState.REQUESTED, PayoutEvent.APPROVE)
    <PayoutState.APPROVED: 'approved'>
    """
    return PAYOUT_TRANSITIONS.get((state, event))


def after_bill(state: BillState, event: BillEvent) -> BillState | None:
    """Return the state that `event` leads to from `state`, or None where it may not happen.

    >>> after_bill(BillState.SENDING, BillEvent.SUCCEED)
    <BillState.SUCCEEDED: 'succeeded'>
    >>> after_bill(BillState.SUCCEEDED, BillEvent.SEND) is None
    True
    """
    return BILL_TRANSITIONS.get((state, event))
