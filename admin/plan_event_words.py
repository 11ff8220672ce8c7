"""What events of plans with places are called, and what their notes ask people to look at."""

from collections.abc import Iterable, Mapping
from typing import Any

from admin.i18n import gettext


def event_name(kind: str) -> str:
    """Return what people call a kind of event; an unknown one keeps its own name."""
    names = {
        "sold": gettext("An order counted"),
        "settled": gettext("Its after-sale window closed"),
        "refunded": gettext("A refund reached the customer"),
        "joined": gettext("Joined"),
        "directed": gettext("Changed by the register"),
    }
    return names.get(kind, kind)


def notes_in_words(notes: Iterable[Mapping[str, Any]]) -> str:
    """Return what an event left for people to look at."""
    return " ".join(_note(one) for one in notes)


def _note(note: Mapping[str, Any]) -> str:
    code = str(note.get("code", ""))
    words = {
        "SELF_RECOMMENDATION": gettext("Recommended themselves; that was ignored."),
        "ALREADY_PLACED": gettext("Had a place already."),
        "BOSS_UNDER_REVIEW": gettext("Too few recruits are left for a boss after refunds."),
        "POSITION_REFUNDED": gettext("The order of this position was refunded; it stays."),
        "CLOSED_ROUND_REFUNDED": gettext("An order of a closed round was refunded."),
        "OWN_ORDER_REFUNDED": gettext("Their own order was refunded after it had earned."),
        "SEAT_WANTED": gettext("Wants a seat."),
        "LEVEL_RAISED": gettext("Reached a higher level."),
        "LEVEL_NOT_COVERED": gettext("After a refund purchases no longer reach the level."),
        "SEAT_NO_LONGER_WANTED": gettext("After a refund no level is reached any more."),
    }
    return words.get(code, code)
