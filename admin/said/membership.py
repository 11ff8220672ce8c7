"""Words for membership levels: states, kinds, columns and actions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.i18n import gettext
from admin.tones import Label
from app.membership.states import Basis, GrowthSource, MoveCause

STATES: Final[Mapping[type[StrEnum], Mapping[str, Label]]] = {}
WORDS: Final[Mapping[type[StrEnum], Mapping[str, Any]]] = {
    GrowthSource: {
        "order": lazy_pgettext("growth", "Order"),
        "refund": lazy_pgettext("growth", "Refund"),
        "reward": lazy_pgettext("growth", "Reward"),
        "hand": lazy_pgettext("growth", "By hand"),
    },
    Basis: {
        "growth": lazy_pgettext("membership", "By growth"),
        "paid": lazy_pgettext("membership", "Bought"),
        "hand": lazy_pgettext("membership", "Set by hand"),
    },
    MoveCause: {
        "reached": lazy_pgettext("membership", "Reached by growth"),
        "not_kept": lazy_pgettext("membership", "Not earned again within the year"),
        "taken_back": lazy_pgettext("membership", "Growth was taken back by a refund"),
        "paid": lazy_pgettext("membership", "Bought"),
        "paid_ended": lazy_pgettext("membership", "What was bought ended"),
        "hand": lazy_pgettext("membership", "Set by hand"),
        "hand_ended": lazy_pgettext("membership", "What was set by hand ended"),
    },
}
COLUMNS: Final[Mapping[str, Any]] = {
    "rank": _("Rank"),
    "growth": _("Growth"),
    "growth_at_least": _("Growth from"),
    "holders": _("Members"),
    "is_retired": _("Retired"),
    "benefits": _("Benefits"),
    "upgrade_gift": _("Upgrade gift"),
    "birthday_gift": _("Birthday gift"),
    "paid_product_id": _("Sold as"),
    "paid_days": _("For so many days"),
    "evaluated_at": _("Everybody looked at"),
    "from_level_id": _("From level"),
    "to_level_id": _("To level"),
    "counts_at": _("Counts from"),
    "basis": _("Rests on"),
    "level_id": _("Level"),
}


def actions() -> Mapping[str, str]:
    """Return actions of the audit trail with what people call them."""
    return {
        "membership_level_set": gettext("Rules of a membership level set"),
        "membership_evaluation_asked": gettext("Everybody's level looked at again"),
        "membership_level_given": gettext("Membership level set by hand"),
        "membership_level_freed": gettext("Membership level left to growth again"),
        "growth_changed": gettext("Growth changed by hand"),
    }
