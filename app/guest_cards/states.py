"""What can become of a guest card and of a booking. Pure tables: the only place that says so.

    shared ──► claimed ◄──► booked
      │           │            │
      │           └─────┬──────┘
      ▼                 ▼
   returned    used | expired | revoked

A card begins when its giver shares it; before, it is a number in the giver's quota. One that nobody
claims in time goes back to the quota, or expires with the month that the quota was for.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class CardState(StrEnum):
    """Where a card stands."""

    SHARED = "shared"
    CLAIMED = "claimed"
    BOOKED = "booked"
    USED = "used"
    RETURNED = "returned"
    EXPIRED = "expired"
    REVOKED = "revoked"


class CardEvent(StrEnum):
    """What can happen to a card."""

    CLAIM = "claim"
    BOOK = "book"
    UNBOOK = "unbook"
    USE = "use"
    USE_UP = "use_up"
    RETURN = "return"
    EXPIRE = "expire"
    REVOKE = "revoke"


class BookingState(StrEnum):
    """What became of a booking."""

    BOOKED = "booked"
    KEPT = "kept"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


HELD: Final = frozenset({CardState.CLAIMED, CardState.BOOKED})
"""States in which a friend has a card that can be used."""
OVER: Final = frozenset({CardState.USED, CardState.RETURNED, CardState.EXPIRED, CardState.REVOKED})

CARD_TRANSITIONS: Final[Mapping[tuple[CardState, CardEvent], CardState]] = {
    (CardState.SHARED, CardEvent.CLAIM): CardState.CLAIMED,
    (CardState.SHARED, CardEvent.RETURN): CardState.RETURNED,
    (CardState.SHARED, CardEvent.EXPIRE): CardState.EXPIRED,
    (CardState.SHARED, CardEvent.REVOKE): CardState.REVOKED,
    (CardState.CLAIMED, CardEvent.BOOK): CardState.BOOKED,
    (CardState.CLAIMED, CardEvent.USE): CardState.CLAIMED,
    (CardState.CLAIMED, CardEvent.USE_UP): CardState.USED,
    (CardState.CLAIMED, CardEvent.EXPIRE): CardState.EXPIRED,
    (CardState.CLAIMED, CardEvent.REVOKE): CardState.REVOKED,
    (CardState.BOOKED, CardEvent.UNBOOK): CardState.CLAIMED,
    (CardState.BOOKED, CardEvent.USE): CardState.CLAIMED,
    (CardState.BOOKED, CardEvent.USE_UP): CardState.USED,
    (CardState.BOOKED, CardEvent.REVOKE): CardState.REVOKED,
}
"""From state and event to the next state; whatever is not listed is refused."""


def after_card(state: CardState, event: CardEvent) -> CardState | None:
    """Return the state after an event, None where it cannot happen.

    >>> after_card(CardState.SHARED, CardEvent.CLAIM)
    <CardState.CLAIMED: 'claimed'>
    >>> after_card(CardState.USED, CardEvent.REVOKE) is None
    True
    """
    return CARD_TRANSITIONS.get((state, event))
