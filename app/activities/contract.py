"""What a kind of activity has to bring to be entered in `kinds.KINDS`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from app.activities.models import Activity, ActivityEntry
from app.activities.rules import Rules
from app.activities.states import ActivityKind

OrderMoved: TypeAlias = Callable[[Session, ActivityEntry, datetime], None]
"""Looks at the order of an entry and does what follows; called again and again, in any order."""

Sweep: TypeAlias = Callable[[datetime], int]
"""Does what time makes due, or an activity's end, in transactions of its own; returns how much."""


def _nothing_to_check(_session: Session, _activity: Activity, _rules: Any) -> None:
    return None


def _nothing_to_do(_session: Session, _entry: ActivityEntry, _now: datetime) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of activity.

    `rules` validates what staff say; `check` raises `ActivityInvalid` for what rules cannot know
    before the activity is scheduled. `counts` says in a word what the limits count. A kind that
    `sells` has products with a price and a stock. `order_moved` is called after the order of an
    entry was paid, closed or refunded; it looks for itself, so that a repeat changes nothing.
    `sweep` finds by itself what is due, what an ended or cancelled activity leaves included.
    """

    code: ActivityKind
    title: str
    about: str
    counts: str
    rules: type[Rules]
    sells: bool
    check: Callable[[Session, Activity, Any], None] = _nothing_to_check
    order_moved: OrderMoved = _nothing_to_do
    sweep: Sweep | None = None
