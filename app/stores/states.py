"""The life of a store, as one table. Pure.

    open ─ pause ▶ paused ─ close ▶ closed
      ▲ └──────── close ──────────────▶ │
      └── reopen ─────┴───── reopen ────┘

Only an open store takes orders. What was bought before is still handed over and refunded, whatever
the state: a door that is shut takes nothing from customers.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class StoreState(StrEnum):
    """Whether customers can order at a store."""

    OPEN = "open"
    PAUSED = "paused"
    """Closed for a while."""
    CLOSED = "closed"
    """Closed for good."""


class StoreEvent(StrEnum):
    """What can happen to a store."""

    PAUSE = "pause"
    CLOSE = "close"
    REOPEN = "reopen"


STORE_TRANSITIONS: Final[Mapping[tuple[StoreState, StoreEvent], StoreState]] = {
    (StoreState.OPEN, StoreEvent.PAUSE): StoreState.PAUSED,
    (StoreState.OPEN, StoreEvent.CLOSE): StoreState.CLOSED,
    (StoreState.PAUSED, StoreEvent.CLOSE): StoreState.CLOSED,
    (StoreState.PAUSED, StoreEvent.REOPEN): StoreState.OPEN,
    (StoreState.CLOSED, StoreEvent.REOPEN): StoreState.OPEN,
}


def after_store(state: StoreState, event: StoreEvent) -> StoreState | None:
    """Return the state that `event` leads to from `state`, or None where it may not happen.

    >>> after_store(StoreState.OPEN, StoreEvent.PAUSE)
    <StoreState.PAUSED: 'paused'>
    >>> after_store(StoreState.OPEN, StoreEvent.REOPEN) is None
    True
    """
    return STORE_TRANSITIONS.get((state, event))
