"""Words for points and the mall: states, kinds, columns and actions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.i18n import gettext
from admin.tones import Label, Tone
from app.points.states import (
    EarningState,
    EntryKind,
    ExchangeKind,
    ExchangeState,
    PointSource,
    SpendState,
)

STATES: Final[Mapping[type[StrEnum], Mapping[str, Label]]] = {
    ExchangeState: {
        "waiting": (lazy_pgettext("exchange", "Waits in the store"), Tone.WAIT),
        "handed_over": (lazy_pgettext("exchange", "Handed over"), Tone.GOOD),
        "given": (lazy_pgettext("exchange", "Coupon given"), Tone.GOOD),
        "cancelled": (lazy_pgettext("exchange", "Cancelled"), Tone.CALM),
    },
    SpendState: {
        "reserved": (lazy_pgettext("points", "Set aside"), Tone.BUSY),
        "spent": (lazy_pgettext("points", "Spent"), Tone.GOOD),
        "released": (lazy_pgettext("points", "Free again"), Tone.CALM),
    },
    EarningState: {
        "pending": (lazy_pgettext("points", "Pending"), Tone.WAIT),
        "settled": (lazy_pgettext("points", "Can be spent"), Tone.GOOD),
    },
}
WORDS: Final[Mapping[type[StrEnum], Mapping[str, Any]]] = {
    ExchangeKind: {
        "product": lazy_pgettext("mall", "Product"),
        "coupon": lazy_pgettext("mall", "Coupon"),
    },
    PointSource: {
        "order": lazy_pgettext("points", "Purchase"),
        "task": lazy_pgettext("points", "Task"),
        "check_in": lazy_pgettext("points", "Check-in"),
        "birthday": lazy_pgettext("points", "Birthday"),
        "level": lazy_pgettext("points", "Membership level"),
        "activity": lazy_pgettext("points", "Activity"),
        "questionnaire": lazy_pgettext("points", "Review or questionnaire"),
        "gift": lazy_pgettext("points", "Gift"),
        "hand": lazy_pgettext("points", "By hand"),
        "returned": lazy_pgettext("points", "Came back after they were over"),
    },
    EntryKind: {
        "earned": lazy_pgettext("points", "Earned, pending"),
        "settled": lazy_pgettext("points", "Can be spent now"),
        "granted": lazy_pgettext("points", "Given"),
        "reserved": lazy_pgettext("points", "Spent"),
        "released": lazy_pgettext("points", "Free again: not paid"),
        "given_back": lazy_pgettext("points", "Given back after a refund"),
        "taken_back": lazy_pgettext("points", "Taken back after a refund"),
        "debt_filled": lazy_pgettext("points", "Filled what was owed"),
        "expired": lazy_pgettext("points", "Run out"),
        "adjusted": lazy_pgettext("points", "Taken by hand"),
    },
}
COLUMNS: Final[Mapping[str, Any]] = {
    "points": _("Points"),
    "available_change": _("Can be spent"),
    "pending_change": _("Pending"),
    "debt_change": _("Owed"),
    "granted_points": _("Came in"),
    "left_points": lazy_pgettext("left", "Left"),
    "expired_points": _("Run out"),
    "taken_points": _("Taken back"),
    "returned_points": _("Came back"),
    "renewed_points": _("Came back anew"),
    "notified_at": _("Customer told"),
    "exchanged": _("Exchanged"),
    "points_by_hand": _("Points by hand in all"),
    "coupon_id": _("Coupon"),
}


def actions() -> Mapping[str, str]:
    """Return actions of the audit trail with what people call them."""
    return {
        "points_adjusted": gettext("Points changed by hand"),
        "mall_item_created": gettext("Item put into the points mall"),
        "mall_item_edited": gettext("Item of the points mall changed"),
        "mall_exchange_handed_over": gettext("Exchange handed over"),
        "mall_exchange_cancelled": gettext("Exchange cancelled"),
    }
