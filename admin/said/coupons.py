"""Words for coupons: states, kinds, columns and actions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.i18n import gettext
from admin.tones import Label, Tone
from app.coupons.models import CouponChannel, PushOutcome, PushState
from app.coupons.states import CouponEvent, CouponKind, CouponState

STATES: Final[Mapping[type[StrEnum], Mapping[str, Label]]] = {
    CouponState: {
        "unused": (lazy_pgettext("coupon", "Not used"), Tone.WAIT),
        "reserved": (lazy_pgettext("coupon", "In an order"), Tone.BUSY),
        "used": (lazy_pgettext("coupon", "Used"), Tone.GOOD),
        "expired": (lazy_pgettext("coupon", "Expired"), Tone.CALM),
        "revoked": (lazy_pgettext("coupon", "Revoked"), Tone.BAD),
    },
    PushState: {
        "running": (_("Under way"), Tone.BUSY),
        "done": (_("Done"), Tone.GOOD),
        "stopped": (lazy_pgettext("coupon", "Stopped"), Tone.BAD),
    },
}
WORDS: Final[Mapping[type[StrEnum], Mapping[str, Any]]] = {
    CouponKind: {
        "amount_off": _("Amount off"),
        "percent_off": _("Percent off"),
        "exchange": _("Exchange"),
    },
    CouponChannel: {
        "centre": _("Coupon centre"),
        "code": _("Public code"),
        "push": _("Push"),
        "staff": _("Given by staff"),
        "reward": _("Reward"),
    },
    CouponEvent: {
        "claim": lazy_pgettext("coupon", "Got"),
        "reserve": lazy_pgettext("coupon", "Put into an order"),
        "release": lazy_pgettext("coupon", "Free again: the order was not paid"),
        "use": lazy_pgettext("coupon", "Used"),
        "redeem": lazy_pgettext("coupon", "Redeemed in a store"),
        "give_back": lazy_pgettext("coupon", "Given back: the order was refunded"),
        "expire": lazy_pgettext("coupon", "Expired"),
        "revoke": lazy_pgettext("coupon", "Revoked"),
    },
    PushOutcome: {
        "given": lazy_pgettext("coupon", "Given"),
        "limit": lazy_pgettext("coupon", "Has as many as one may"),
        "gone": lazy_pgettext("coupon", "None left"),
    },
}
COLUMNS: Final[Mapping[str, Any]] = {
    "channel": _("How it was got"),
    "claimed_at": _("Got"),
    "claim_from_at": _("Can be claimed from"),
    "claim_until_at": _("Can be claimed until"),
    "used_at": _("Used"),
    "issued": _("Given out"),
    "stock": _("In all"),
    "per_member": _("For each customer"),
    "threshold_fen": _("From an amount of"),
    "most_fen": _("At most off"),
    "is_stackable": _("Goes with others"),
    "is_given_back": _("Comes back after a refund"),
    "product_ids": _("Products"),
    "ways": _("Ways to get it"),
    "terms": _("Conditions"),
    "template_id": _("Coupon"),
    "extended_at": _("Extended"),
    "people": _("Customers"),
    "given": _("Given"),
    "passed_over": _("Passed over"),
    "begun_at": _("Begun"),
    "discount_fen": _("Taken off"),
}


def actions() -> Mapping[str, str]:
    """Return actions of the audit trail with what people call them."""
    return {
        "coupon_template_put": gettext("Coupon set up or changed"),
        "coupon_stock_changed": gettext("Number of coupons changed"),
        "coupon_template_ended": gettext("Coupon ended"),
        "coupon_given": gettext("Coupon given"),
        "coupon_revoked": gettext("Coupon revoked"),
        "coupon_redeemed": gettext("Coupon redeemed in a store"),
        "coupon_pushed": gettext("Coupons pushed"),
        "coupon_push_stopped": gettext("Push of coupons stopped"),
    }
