"""Words for draws, check-in and invitations: states, kinds, columns and actions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.i18n import gettext
from admin.tones import Label, Tone
from app.activities.states import InviteState, TicketState

STATES: Final[Mapping[type[StrEnum], Mapping[str, Label]]] = {
    TicketState: {
        "nothing": (lazy_pgettext("draw", "Nothing"), Tone.CALM),
        "given": (lazy_pgettext("draw", "Given at once"), Tone.GOOD),
        "waiting": (lazy_pgettext("draw", "Waits in the store"), Tone.WAIT),
        "handed_over": (lazy_pgettext("draw", "Handed over"), Tone.GOOD),
    },
    InviteState: {
        "open": (lazy_pgettext("invitations", "Open"), Tone.BUSY),
        "complete": (lazy_pgettext("invitations", "Complete"), Tone.GOOD),
        "expired": (lazy_pgettext("invitations", "Expired"), Tone.CALM),
    },
}
WORDS: Final[Mapping[type[StrEnum], Mapping[str, Any]]] = {}
COLUMNS: Final[Mapping[str, Any]] = {
    "prize_id": _("Prize"),
    "handed_over_at": _("Handed over"),
    "handed_over_by": _("Handed over by"),
    "day": _("Day"),
    "streak": _("Day in a row"),
    "needed": _("Friends wanted"),
    "arrived": _("Friends who count"),
    "friend_id": _("Friend"),
    "accepted_at": _("Accepted"),
    "arrived_at": _("Did what counts"),
    "is_counted": lazy_pgettext("invitations", "Counted"),
    "chance": _("Chance"),
    "gives": _("What it gives"),
    "draws": _("Draws"),
    "prizes_won": _("Prizes won"),
    "to_hand_over": _("To be handed over"),
    "points_taken": _("Points taken"),
    "points_given": _("Points given"),
    "visits": _("Visits"),
    "longest": _("Most days in a row"),
    "rounds": _("Rounds"),
    "rounds_open": _("Open rounds"),
    "rounds_complete": _("Complete rounds"),
    "friends_accepted": _("Friends who accepted"),
    "friends_arrived": _("Friends who did what counts"),
    "friends_counted": _("Friends who counted"),
}


def actions() -> Mapping[str, str]:
    """Return actions of the audit trail with what people call them."""
    return {
        "draw_prizes_set": gettext("Prizes of a draw set"),
        "draw_prize_handed_over": gettext("Prize handed over"),
    }
