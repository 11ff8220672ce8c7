"""The words of membership: where growth comes from, what a level rests on, why it changed. Pure."""

from datetime import timedelta
from enum import StrEnum
from typing import Final


class GrowthSource(StrEnum):
    """What brought growth, or took it back."""

    ORDER = "order"
    REFUND = "refund"
    REWARD = "reward"
    """A task, an activity or a gift."""
    HAND = "hand"
    """Staff, with a reason."""


class Basis(StrEnum):
    """What the hold of a member on a level rests on."""

    GROWTH = "growth"
    """Reached; kept until somebody looks again at `until_at`."""
    PAID = "paid"
    """Bought by an order; ends by itself at `until_at`."""
    HAND = "hand"
    """Set by staff; ends by itself at `until_at`."""


class MoveCause(StrEnum):
    """Why the level of a member became another."""

    REACHED = "reached"
    """By growth."""
    NOT_KEPT = "not_kept"
    """The growth of the year that ended was not enough for it."""
    TAKEN_BACK = "taken_back"
    """Refunds took back the growth that had reached it."""
    PAID = "paid"
    PAID_ENDED = "paid_ended"
    """What was paid for ran out or was refunded."""
    HAND = "hand"
    HAND_ENDED = "hand_ended"


YEAR: Final = timedelta(days=365)
"""How long a level that was reached is kept, and how far back growth counts."""

NOTICE: Final = timedelta(days=30)
"""How long before its year ends a holder is told that they will not keep a level."""
