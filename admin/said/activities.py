"""Words for activities: states, kinds, columns and actions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.i18n import gettext
from admin.tones import Label, Tone
from app.activities.states import (
    ActivityEvent,
    ActivityKind,
    ActivityState,
    BargainState,
    EntryState,
    GroupState,
    SeatState,
)

STATES: Final[Mapping[type[StrEnum], Mapping[str, Label]]] = {
    ActivityState: {
        "draft": (lazy_pgettext("activity", "Draft"), Tone.CALM),
        "scheduled": (lazy_pgettext("activity", "Scheduled"), Tone.WAIT),
        "running": (lazy_pgettext("activity", "Running"), Tone.GOOD),
        "ended": (lazy_pgettext("activity", "Ended"), Tone.CALM),
        "cancelled": (lazy_pgettext("activity", "Cancelled"), Tone.BAD),
    },
    EntryState: {
        "held": (_("Set aside"), Tone.BUSY),
        "kept": (lazy_pgettext("activity", "Taken"), Tone.GOOD),
        "released": (lazy_pgettext("activity", "Given back"), Tone.CALM),
    },
    GroupState: {
        "open": (lazy_pgettext("group", "Open"), Tone.BUSY),
        "complete": (lazy_pgettext("group", "Complete"), Tone.GOOD),
        "failed": (lazy_pgettext("group", "Failed"), Tone.BAD),
    },
    SeatState: {
        "held": (_("Waiting for payment"), Tone.WAIT),
        "paid": (_("Paid"), Tone.GOOD),
        "left": (lazy_pgettext("group", "Left"), Tone.CALM),
    },
    BargainState: {
        "open": (lazy_pgettext("bargain", "Open"), Tone.BUSY),
        "ordered": (lazy_pgettext("bargain", "Ordered"), Tone.WAIT),
        "bought": (lazy_pgettext("bargain", "Bought"), Tone.GOOD),
        "expired": (lazy_pgettext("bargain", "Expired"), Tone.CALM),
    },
}
WORDS: Final[Mapping[type[StrEnum], Mapping[str, Any]]] = {
    ActivityKind: {
        "flash_sale": _("Flash sale"),
        "group_buy": _("Group buy"),
        "bargain": _("Bargain"),
        "lucky_draw": _("Lucky draw"),
        "check_in": _("Check-in"),
        "invite_rounds": _("Invitation rounds"),
    },
    ActivityEvent: {
        "schedule": lazy_pgettext("activity", "Scheduled"),
        "start": lazy_pgettext("activity", "Begun"),
        "end": lazy_pgettext("activity", "Ended"),
        "cancel": lazy_pgettext("activity", "Cancelled"),
    },
}
COLUMNS: Final[Mapping[str, Any]] = {
    "activity_id": _("Activity"),
    "starts_at": _("Begins"),
    "ends_at": _("Ends"),
    "limit_per_member": _("Most for one customer"),
    "limit_total": _("Most for all together"),
    "pays_commission": _("Pays commission"),
    "leader_id": _("Opened by"),
    "opened_at": _("Opened"),
    "size": _("People wanted"),
    "start_fen": _("Price at first"),
    "floor_fen": _("Lowest price"),
    "cut_fen": _("Cut off"),
    "parts": _("Parts"),
    "parts_cut": _("Parts cut"),
    "commitment": _("Digest of its draw"),
    "helper_id": _("Who cut"),
    "is_newcomer": _("New customer"),
    "left_at": _("Left"),
    "sold": _("Taken"),
    "joins": _("Joined"),
    "orders": _("Orders"),
    "pieces": _("Pieces"),
    "revenue_fen": _("Revenue"),
    "given_fen": _("Given away"),
    "newcomers": _("New customers"),
    "newcomer_cost_fen": _("Given for each new customer"),
}


def actions() -> Mapping[str, str]:
    """Return actions of the audit trail with what people call them."""
    return {
        "activity_put": gettext("Activity set up or changed"),
        "activity_schedule": gettext("Activity scheduled"),
        "activity_start": gettext("Activity started"),
        "activity_end": gettext("Activity ended"),
        "activity_cancel": gettext("Activity cancelled"),
        "activity_stock_set": gettext("Stock of an activity changed"),
    }
