"""The lives of an activity, of what somebody takes from it, of a group and of a bargain.

    draft ─ schedule ▶ scheduled ─ start ▶ running ─ end ▶ ended
      └──── cancel ──────┴──── cancel ───────┴─▶ cancelled

The clock starts and ends activities (`jobs.keep_activities_to_time`), and so may staff. What has
ended takes nobody new; groups and bargains that are open then live out their own time. What was
cancelled lets go of them at once: money goes back, nobody is charged.

    held ─ keep ▶ kept            open ─▶ complete | failed           (a group)
      └─ release ▶ released       open ⇄ ordered ─▶ bought; open ─▶ expired   (a bargain)
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ActivityKind(StrEnum):
    """What kinds of activity there are; `kinds.KINDS` says what each is made of."""

    FLASH_SALE = "flash_sale"
    GROUP_BUY = "group_buy"
    BARGAIN = "bargain"
    LUCKY_DRAW = "lucky_draw"
    CHECK_IN = "check_in"
    INVITE_ROUNDS = "invite_rounds"


class ActivityState(StrEnum):
    """Where an activity stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    ENDED = "ended"
    CANCELLED = "cancelled"


class ActivityEvent(StrEnum):
    """What can happen to an activity."""

    SCHEDULE = "schedule"
    START = "start"
    END = "end"
    CANCEL = "cancel"


TRANSITIONS: Final[Mapping[tuple[ActivityState, ActivityEvent], ActivityState]] = {
    (ActivityState.DRAFT, ActivityEvent.SCHEDULE): ActivityState.SCHEDULED,
    (ActivityState.SCHEDULED, ActivityEvent.START): ActivityState.RUNNING,
    (ActivityState.RUNNING, ActivityEvent.END): ActivityState.ENDED,
    (ActivityState.DRAFT, ActivityEvent.CANCEL): ActivityState.CANCELLED,
    (ActivityState.SCHEDULED, ActivityEvent.CANCEL): ActivityState.CANCELLED,
    (ActivityState.RUNNING, ActivityEvent.CANCEL): ActivityState.CANCELLED,
}
EDITABLE: Final = frozenset({ActivityState.DRAFT, ActivityState.SCHEDULED})
"""While nobody can have taken part."""


class EntryState(StrEnum):
    """What became of something that a member took: it counts until it is released."""

    HELD = "held"
    KEPT = "kept"
    RELEASED = "released"


class GroupState(StrEnum):
    """Where a group stands: it has all its people in time, or everybody gets their money back."""

    OPEN = "open"
    COMPLETE = "complete"
    FAILED = "failed"


class SeatState(StrEnum):
    """Whether a seat of a group is promised to an order, paid for, or free again."""

    HELD = "held"
    PAID = "paid"
    LEFT = "left"


class BargainState(StrEnum):
    """Where a bargain stands: friends cut, an order waits for money, bought, or over."""

    OPEN = "open"
    ORDERED = "ordered"
    BOUGHT = "bought"
    EXPIRED = "expired"


class TicketState(StrEnum):
    """What became of a ticket of a lucky draw."""

    NOTHING = "nothing"
    GIVEN = "given"
    WAITING = "waiting"
    """Won, to be handed over in a store."""
    HANDED_OVER = "handed_over"


class InviteState(StrEnum):
    """Where a round of invitations stands."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


def after(state: ActivityState, event: ActivityEvent) -> ActivityState | None:
    """Return the state that `event` leads to from `state`, or None where it may not happen.

    >>> after(ActivityState.DRAFT, ActivityEvent.SCHEDULE)
    <ActivityState.SCHEDULED: 'scheduled'>
    >>> after(ActivityState.ENDED, ActivityEvent.CANCEL) is None
    True
    """
    return TRANSITIONS.get((state, event))
