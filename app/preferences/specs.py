"""What a setting is: the shape of the entries of the catalogue. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.kernel.i18n import N_
from app.preferences.units import Unit

DAY: Final = 24 * 3_600
HOUR: Final = 3_600
YEAR: Final = 365 * DAY
YUAN: Final = 100
AT_ONCE: Final = N_("Nothing is kept: it counts for whoever comes next.")


class Group(StrEnum):
    """The parts of the page of settings."""

    OWNERSHIP = "ownership"
    ORDERS = "orders"
    PROMOTIONS = "promotions"
    PLANS = "plans"
    PAYOUTS = "payouts"
    TRANSFERS = "transfers"
    RISK = "risk"
    SECURITY = "security"


GROUPS: Final[Mapping[Group, str]] = {
    Group.OWNERSHIP: N_("Who a customer belongs to"),
    Group.ORDERS: N_("Orders and refunds"),
    Group.PROMOTIONS: N_("Promotions"),
    Group.PLANS: N_("Plans and teams"),
    Group.PAYOUTS: N_("Payouts"),
    Group.TRANSFERS: N_("Transfers by WeChat"),
    Group.RISK: N_("Suspicions"),
    Group.SECURITY: N_("Sign-in and protection"),
}
"""What each part is called, in the order of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One setting: a field of `Settings` with what people must know to change it."""

    name: str
    group: Group
    unit: Unit
    label: str
    governs: str
    """What it decides."""
    keeps: str
    """What a change does not move."""
    least: int = 0
    most: int = 1
    source: str = ""
    """The law or the contract that the bounds come from."""
    needs_second: bool = False
    """Whether two people decide: what moves money or owners."""
