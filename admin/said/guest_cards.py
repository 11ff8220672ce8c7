"""Words for guest cards: states, kinds, columns and actions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.i18n import gettext
from admin.tones import Label, Tone
from app.guest_cards.states import BookingState, CardEvent, CardState

STATES: Final[Mapping[type[StrEnum], Mapping[str, Label]]] = {
    CardState: {
        "shared": (lazy_pgettext("guest card", "Waiting to be claimed"), Tone.WAIT),
        "claimed": (lazy_pgettext("guest card", "Claimed"), Tone.BUSY),
        "booked": (lazy_pgettext("guest card", "Booked"), Tone.BUSY),
        "used": (lazy_pgettext("guest card", "Used up"), Tone.GOOD),
        "returned": (lazy_pgettext("guest card", "Not claimed"), Tone.CALM),
        "expired": (lazy_pgettext("guest card", "Run out"), Tone.CALM),
        "revoked": (lazy_pgettext("guest card", "Revoked"), Tone.BAD),
    },
    BookingState: {
        "booked": (lazy_pgettext("guest card", "Booked"), Tone.WAIT),
        "kept": (lazy_pgettext("guest card", "Came"), Tone.GOOD),
        "cancelled": (lazy_pgettext("guest card", "Cancelled"), Tone.CALM),
        "no_show": (lazy_pgettext("guest card", "Did not come"), Tone.BAD),
    },
}
WORDS: Final[Mapping[type[StrEnum], Mapping[str, Any]]] = {
    CardEvent: {
        "claim": lazy_pgettext("guest card", "Claimed by a friend"),
        "book": lazy_pgettext("guest card", "A time was booked"),
        "unbook": lazy_pgettext("guest card", "The booking ended"),
        "use": lazy_pgettext("guest card", "Used once"),
        "use_up": lazy_pgettext("guest card", "Used for the last time"),
        "return": lazy_pgettext("guest card", "Not claimed, back in the quota"),
        "expire": lazy_pgettext("guest card", "Run out"),
        "revoke": lazy_pgettext("guest card", "Revoked"),
    },
}
COLUMNS: Final[Mapping[str, Any]] = {
    "face_value_fen": _("Worth"),
    "cost_fen": _("Cost"),
    "used": lazy_pgettext("guest card", "Used"),
    "settle_price_fen": _("Settlement price"),
    "valid_days": _("Good for so many days"),
    "ends_at": _("Not good after"),
    "is_new_only": _("Only for new customers"),
    "slot_minutes": _("Length of a booking in minutes"),
    "slot_capacity": _("Bookings at the same time"),
    "reward_points": _("Points for the giver"),
    "reward_coupon_template_id": _("Coupon for the giver"),
    "granted": _("Granted"),
    "remaining": lazy_pgettext("left", "Left"),
    "voided": _("Void"),
    "shared_at": lazy_pgettext("time", "Shared"),
    "share_until_at": _("Waits until"),
    "first_used_at": _("First used"),
    "booked_at": lazy_pgettext("time", "Booked"),
    "is_new": _("New customer"),
    "expires_at": _("Good until"),
}


def actions() -> Mapping[str, str]:
    """Return actions of the audit trail with what people call them."""
    return {
        "card_template_created": gettext("Guest card set up"),
        "card_template_changed": gettext("Guest card changed"),
        "card_template_ended": gettext("Guest card ended"),
        "guest_card_redeemed": gettext("Guest card redeemed"),
        "guest_card_missed": gettext("Booking missed"),
        "guest_card_revoked": gettext("Guest card revoked"),
    }
