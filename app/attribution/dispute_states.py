"""The life of a dispute about who owns a customer, as one table. Pure.

open ─ uphold ▶ upheld         two people hand the customer over to the claimant, from now on
  ├─ dismiss ▶ dismissed
  └─ withdraw ▶ withdrawn      whoever opened it takes it back

What has been decided stays decided; new evidence is a new dispute.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class DisputeState(StrEnum):
    """Where a dispute stands."""

    OPEN = "open"
    UPHELD = "upheld"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"


class DisputeEvent(StrEnum):
    """What can happen to a dispute."""

    OPEN = "open"
    UPHOLD = "uphold"
    DISMISS = "dismiss"
    WITHDRAW = "withdraw"


DISPUTE_TRANSITIONS: Final[Mapping[tuple[DisputeState, DisputeEvent], DisputeState]] = {
    (DisputeState.OPEN, DisputeEvent.UPHOLD): DisputeState.UPHELD,
    (DisputeState.OPEN, DisputeEvent.DISMISS): DisputeState.DISMISSED,
    (DisputeState.OPEN, DisputeEvent.WITHDRAW): DisputeState.WITHDRAWN,
}
"""Opening makes the row, so it is not in the table."""


def after_dispute(state: DisputeState, event: DisputeEvent) -> DisputeState | None:
    """Return the state that an event leads to, or None where it cannot happen.

    >>> after_dispute(DisputeState.OPEN, DisputeEvent.DISMISS)
    <DisputeState.DISMISSED: 'dismissed'>
    >>> after_dispute(DisputeState.UPHELD, DisputeEvent.WITHDRAW) is None
    True
    """
    return DISPUTE_TRANSITIONS.get((state, event))
