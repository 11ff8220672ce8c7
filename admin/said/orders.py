"""Words for discounts and deals of orders: states, kinds, columns and actions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from flask_babel import lazy_gettext as _

from admin.tones import Label
from app.orders.pricing import DiscountKind

STATES: Final[Mapping[type[StrEnum], Mapping[str, Label]]] = {}
WORDS: Final[Mapping[type[StrEnum], Mapping[str, Any]]] = {
    DiscountKind: {
        "deal": _("Activity price"),
        "level": _("Level price"),
        "coupon": _("Coupon"),
        "points": _("Points"),
    },
}
COLUMNS: Final[Mapping[str, Any]] = {
    "coupon_id": _("Coupon"),
    "parts": _("Of which product"),
    "points_used_count": _("Points used"),
    "points_back": _("Points given back"),
    "coupons_back": _("Coupons given back"),
    "deal_title": _("Activity"),
    "held_for": _("Held for"),
    "let_go_at": _("Let go"),
}


def actions() -> Mapping[str, str]:
    """Return actions of the audit trail with what people call them."""
    return {}
