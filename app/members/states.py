"""The standings of a distributor and every way from one to another. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Standing(StrEnum):
    """Whether a distributor may earn."""

    APPLIED = "applied"
    ACTIVE = "active"
    FROZEN = "frozen"
    QUIT = "quit"
    REFUSED = "refused"


class StandingEvent(StrEnum):
    """What can happen to a distributor."""

    APPLY = "apply"
    APPROVE = "approve"
    REFUSE = "refuse"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    QUIT = "quit"


TRANSITIONS: Final[Mapping[tuple[Standing, StandingEvent], Standing]] = {
    (Standing.APPLIED, StandingEvent.APPROVE): Standing.ACTIVE,
    (Standing.APPLIED, StandingEvent.REFUSE): Standing.REFUSED,
    (Standing.APPLIED, StandingEvent.QUIT): Standing.QUIT,
    (Standing.ACTIVE, StandingEvent.FREEZE): Standing.FROZEN,
    (Standing.ACTIVE, StandingEvent.QUIT): Standing.QUIT,
    (Standing.FROZEN, StandingEvent.UNFREEZE): Standing.ACTIVE,
    (Standing.FROZEN, StandingEvent.QUIT): Standing.QUIT,
    (Standing.REFUSED, StandingEvent.APPLY): Standing.APPLIED,
    (Standing.QUIT, StandingEvent.APPLY): Standing.APPLIED,
}
"""A first application makes the row, so it is not in the table."""


def after_standing(standing: Standing, event: StandingEvent) -> Standing | None:
    """Return the standing that an event leads to, or None where it cannot happen.

    >>> after_standing(Standing.ACTIVE, StandingEvent.FREEZE)
    <Standing.FROZEN: 'frozen'>
    >>> after_standing(Standing.QUIT, StandingEvent.APPROVE) is None
    True
    """
    return TRANSITIONS.get((standing, event))
