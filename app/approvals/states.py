"""The life of a request that a second person decides, as one table. Pure.

requested ─ approve ▶ approved     what was asked for happens in the same transaction
    ├─ refuse ▶ refused
    ├─ withdraw ▶ withdrawn        by the one who asked
    ├─ expire ▶ expired            nobody decided in time
    └─ void ▶ void                 the subject changed meanwhile, or the asker may no longer ask

What has been decided stays decided: a new wish is a new request.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ApprovalState(StrEnum):
    """Where a request stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    VOID = "void"


class ApprovalEvent(StrEnum):
    """What can happen to a request."""

    ASK = "ask"
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    VOID = "void"


TRANSITIONS: Final[Mapping[tuple[ApprovalState, ApprovalEvent], ApprovalState]] = {
    (ApprovalState.REQUESTED, ApprovalEvent.APPROVE): ApprovalState.APPROVED,
    (ApprovalState.REQUESTED, ApprovalEvent.REFUSE): ApprovalState.REFUSED,
    (ApprovalState.REQUESTED, ApprovalEvent.WITHDRAW): ApprovalState.WITHDRAWN,
    (ApprovalState.REQUESTED, ApprovalEvent.EXPIRE): ApprovalState.EXPIRED,
    (ApprovalState.REQUESTED, ApprovalEvent.VOID): ApprovalState.VOID,
}
"""Asking makes the row, so it is not in the table."""


def after_approval(state: ApprovalState, event: ApprovalEvent) -> ApprovalState | None:
    """Return the state that an event leads to, or None where it cannot happen.

    >>> after_approval(ApprovalState.REQUESTED, ApprovalEvent.APPROVE)
    <ApprovalState.APPROVED: 'approved'>
    >>> after_approval(ApprovalState.APPROVED, ApprovalEvent.REFUSE) is None
    True
    """
    return TRANSITIONS.get((state, event))
