"""What can be suspected, and the life of a suspicion. Pure.

open ─ confirm ▶ confirmed ─ release ▶ released
  ├─ release ──────────────────────────▶ released
  └─ expire  ▶ expired   (nobody decided in time)
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class RiskKind(StrEnum):
    """What is suspected of a distributor."""

    SHARED_IDENTITY = "shared_identity"
    """Customers who buy share a phone, device, payer or name with the distributor or each other."""
    BIND_RATE = "bind_rate"
    """Customers came faster than people scan."""
    REFUND_RATE = "refund_rate"
    """Too many of the orders were given back."""
    UNPAID_DEVICE = "unpaid_device"
    """Many customers who never bought came from one device."""
    PAIR = "pair"
    """Two distributors buy as each other's customers."""
    FROZEN_ABOVE = "frozen_above"
    """Whoever brought them was frozen of late."""
    BY_HAND = "by_hand"
    """What staff suspect for a reason of their own."""


class FlagState(StrEnum):
    """Where a suspicion stands."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    EXPIRED = "expired"


class FlagEvent(StrEnum):
    """What can happen to a suspicion."""

    CONFIRM = "confirm"
    RELEASE = "release"
    EXPIRE = "expire"


TRANSITIONS: Final[Mapping[tuple[FlagState, FlagEvent], FlagState]] = {
    (FlagState.OPEN, FlagEvent.CONFIRM): FlagState.CONFIRMED,
    (FlagState.OPEN, FlagEvent.RELEASE): FlagState.RELEASED,
    (FlagState.OPEN, FlagEvent.EXPIRE): FlagState.EXPIRED,
    (FlagState.CONFIRMED, FlagEvent.RELEASE): FlagState.RELEASED,
}
STANDING: Final = frozenset({FlagState.OPEN, FlagState.CONFIRMED})
"""States in which a flag that holds payouts holds them."""


def after_flag(state: FlagState, event: FlagEvent) -> FlagState | None:
    """Return the state that an event leads to, or None where it cannot happen.

    >>> after_flag(FlagState.CONFIRMED, FlagEvent.RELEASE)
    <FlagState.RELEASED: 'released'>
    >>> after_flag(FlagState.RELEASED, FlagEvent.CONFIRM) is None
    True
    """
    return TRANSITIONS.get((state, event))
