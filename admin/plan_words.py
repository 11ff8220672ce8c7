"""What parameters of plans and their values are called, once for the editor and for differences.

A parameter that is not named here is called by its own name, so a new model needs nothing here.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.i18n import gettext
from app.kernel.i18n import yuan
from app.kernel.money import percent
from app.plans.differences import ABSENT

FIELDS: Final[Mapping[str, Any]] = {
    "model": _("Model"),
    "rules": _("Rules"),
    "scope": _("Where it applies"),
    "store_ids": _("Stores"),
    "product_ids": _("Products"),
    "effective_at": _("An order counts"),
    "levels": _("Levels"),
    "upgrades": _("Upgrades"),
    "level": _("Level"),
    "mode": _("How many of the conditions"),
    "conditions": _("Conditions"),
    "kind": _("Figure"),
    "at_least": _("At least"),
    "at_least_fen": _("At least"),
    "at_least_count": _("At least"),
    "window_days": _("Within days"),
    "jump": _("Levels may be jumped"),
    "retention": _("A level has to be kept"),
    "every": _("Looked at every"),
    "share_bp": _("Share of the threshold"),
    "grace_days": _("Days of grace"),
    "payout_cap_bp": _("No order pays more than"),
    "settle_seconds": _("Can be withdrawn so long after receipt"),
    "conduct": _("What the plan declares"),
    "entry": _("What it takes to be allowed to earn"),
    "tax_method": _("How tax is withheld"),
    "agreement_version": _("Agreement that distributors sign"),
    "public_rules": _("Public page of rules"),
    "income_disclaimer": _("Says that income is not certain"),
    "checks_adults": _("Checks real name and age"),
    "checks_professions": _("Checks excluded professions"),
    "reverses_on_refund": _("Refunds take commission back"),
    "forces_sharing": _("Sharing is needed to go on"),
    "rewards_sharing": _("The act of sharing is rewarded"),
    "repurchase_lock_days": _("Days earnings wait for a repurchase"),
    "promises_return": _("Promises a return, or the stake back"),
    "topup_max_fen": _("Largest top-up"),
    "topup_is_registered": _("Top-ups are registered by name"),
    "topup_expires": _("Top-ups expire"),
    "rates_first_bp": _("Brought the customer"),
    "rates_second_bp": _("Brought that distributor"),
    "self_purchase": _("Distributors earn on their own purchases"),
    "compress": _("Who cannot earn is skipped"),
    "product_rates": _("Products with rates of their own"),
    "excluded": _("Pays nothing"),
    "incentives": _("Paid by the month"),
    "ladder": _("Team ladder"),
    "rungs": _("Steps of the ladder"),
    "from_fen": _("Team sales from"),
    "rate_bp": _("Rate"),
    "max_depth": _("So far above the buyer"),
    "ranking": _("Prizes for the best sellers"),
    "prizes_fen": _("Prizes, the first one first"),
    "minimum_sales_fen": _("Asks for sales of"),
    "cultivation": _("For recommending somebody who is promoted"),
    "months": _("Months"),
    "from_level": _("From level"),
    "recommendation": _("For being caught up with"),
    "rates_bp": _("Rates"),
    "peer_bp": _("Reward of peers"),
    "peer_generations": _("So many peers"),
    "peer_base": _("Of what peers get a share"),
    "shareholder_levels": _("Levels of shareholders"),
    "code": lazy_pgettext("level", "Code"),
    "weight": _("Weight in the pool"),
    "entry_fen": _("Own purchases"),
    "commission_bp": _("On bound customers"),
    "guest_cards": _("Guest cards a month"),
    "entry_mode": _("How people become shareholders"),
    "rebate_bp": _("Back on own purchases"),
    "pool_bp": _("Monthly pool"),
    "pool_base": _("The pool is a share of"),
    "split": _("How the pool is shared"),
    "cap_total_fen": _("Most that anybody gets from pools"),
    "excess": _("What goes beyond that"),
    "active_days": _("Own purchase within days"),
    "seats_per_store": _("Seats a store"),
    "term_months": _("Months a seat lasts"),
    "product_commissions": _("Products with a commission of their own"),
    "commissions_bp": _("Commission by level"),
    "per_round": _("New customers a round"),
    "max_rounds_per_year": _("Rounds a year"),
    "newcomer_gift": _("Gift for the newcomer"),
    "form": _("Form"),
    "item": _("Gift"),
    "amount": _("How many"),
    "round_gift": _("Gift for a round"),
    "strict": _("Strict: no second tier"),
    "round_bonus": _("Gift of the second tier"),
    "entry_price_fen": _("Price of the package, at least"),
    "entry_product_ids": _("Packages, by product no."),
    "positions_max": _("Positions a person"),
    "width": _("Positions below each"),
    "placement": _("Where newcomers are placed"),
    "sponsor_bp": _("For whoever brought the buyer"),
    "sponsor_needs_place": _("Needs a position to earn that"),
    "layers_bp": _("For the positions above, nearest first"),
    "deep_layer_directs": _("People brought, to earn from layer 7 on"),
    "completion_layers": _("Layers to fill"),
    "completion_fen": _("When these are full"),
    "reentry": _("Who is done comes in again"),
    "root_role": _("Role of whoever starts a team"),
    "direct": _("For whoever brought the buyer"),
    "agent": _("An agent"),
    "boss": _("A boss"),
    "fixed_fen": _("Or a fixed sum"),
    "team": _("For the nearest boss above"),
    "promotion_by": _("What makes a boss"),
    "promotion_effective": _("A promotion counts"),
    "promote_count": _("Recruits"),
    "promote_sales_fen": _("Own settled sales"),
    "count_left_behind": _("People left behind count for the old boss"),
    "leave_scope": _("Who stays behind"),
    "leave_count": _("How many stay behind"),
    "leave_to": _("With whom they stay"),
    "root_keeps_children": _("The top of a team keeps everybody"),
    "repurchase": _("What repurchases pay"),
    "repurchase_first_bp": _("Repurchase, first level"),
    "repurchase_second_bp": _("Repurchase, second level"),
    "max_cycles": _("Cycles a product"),
}

NUMBER: Final = re.compile("[0-9]{1,18}")

VALUES: Final[Mapping[str, Any]] = {
    "PAID": _("when it is paid"),
    "RECEIVED": _("when it is received"),
    "AFTER_SALE_CLOSED": _("when its after-sale window is over"),
    "ALL": _("All"),
    "ANY": _("Any of them"),
    "DIRECT_SALES": _("Settled sales to own customers (¥)"),
    "LARGEST_ORDER": _("Largest order of own customers (¥)"),
    "OWN_SPEND": _("Own settled purchases (¥)"),
    "TEAM_SALES": _("Settled sales of the team (¥)"),
    "COMMISSION_MATURED": _("Commission matured (¥)"),
    "PAYING_CUSTOMERS": _("Paying customers (number)"),
    "DIRECT_ORDERS": _("Orders of own customers (number)"),
    "OWN_ORDERS": _("Own orders (number)"),
    "RECRUITS": _("People recruited (number)"),
    "MONTH": _("Month"),
    "QUARTER": _("Quarter"),
    "FREE": _("Nothing"),
    "BUY_PACKAGE": _("Buying a package"),
    "FEE": _("A fee"),
    "TOPUP": _("A top-up"),
    "LABOUR": _("As income from labour services"),
    "CUMULATIVE": _("Cumulatively, as on platforms"),
    "ORDER": _("The order"),
    "INCOME": _("What the one below gets"),
    "TEAM": _("The reward for the team"),
    "CONSUMPTION": _("By their settled purchases"),
    "REVIEW": _("The store decides"),
    "NET_SETTLED": _("Settled sales of the store"),
    "BY_WEIGHT": _("Each by the weight of their level"),
    "BY_LEVEL": _("Each level by its weight, then equally"),
    "KEPT": _("Stays with the store"),
    "REDISTRIBUTED": _("Goes to the other holders"),
    "COUPON": _("Coupon"),
    "POINTS": _("Points"),
    "SERVICE": _("Service"),
    "SPONSOR_SUBTREE": _("Below whoever brought them"),
    "GLOBAL": _("In one queue for all"),
    "AGENT": _("Agent"),
    "BOSS": _("Boss"),
    "OWN_SALES": _("Own settled sales"),
    "FIRST_N": _("The first ones"),
    "NEAREST_BOSS": _("The nearest boss"),
    "PARENT": _("Whoever is above"),
    "PLATFORM": _("Nobody: teams of their own"),
    "NOTHING": lazy_pgettext("pay", "Nothing"),
    "TWO_LEVEL": _("Two levels"),
}


def field_name(name: str) -> str:
    """Return what a parameter is called; one that is not known keeps its own name.

    >>> field_name("half_moon_bp")
    'Half moon'
    """
    known = FIELDS.get(name)
    return str(known) if known is not None else _own_name(name)


def _own_name(name: str) -> str:
    bare = name.removesuffix("_bp").removesuffix("_fen").replace("_", " ")
    return bare[:1].upper() + bare[1:]


def value_name(value: object) -> str:
    """Return what a value of a choice is called."""
    return str(VALUES.get(str(value), value))


def path_name(path: str) -> str:
    """Return a path in words, such as Levels › Upgrades › 1 for `levels.upgrades.0`."""
    steps = [one for one in path.split(".") if one]
    return " › ".join(
        str(int(step) + 1)
        if NUMBER.fullmatch(step) and not _is_keyed(steps, index)
        else _step(step)
        for index, step in enumerate(steps)
    )


def _is_keyed(steps: list[str], index: int) -> bool:
    """Tell whether a number is a product and not a place in a list."""
    return index > 0 and steps[index - 1] in {"product_rates", "product_commissions"}


def _step(step: str) -> str:
    return gettext("product %(id)s", id=step) if NUMBER.fullmatch(step) else field_name(step)


def told(path: str, value: Any) -> str:
    """Return a value as people read it, by the name of its field."""
    if value is ABSENT or value in (None, "", [], {}):
        return "–"
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    name = next((one for one in reversed(path.split(".")) if not one.isdigit()), "")
    if isinstance(value, int):
        return _number(name, value)
    if isinstance(value, list):
        return ", ".join(told(path, one) for one in value)
    if isinstance(value, dict):
        return "; ".join(f"{field_name(key)}: {told(key, one)}" for key, one in value.items())
    return value_name(value)


def _number(name: str, value: int) -> str:
    if name.endswith("_bp"):
        return percent(value)
    return yuan(value) if name.endswith("_fen") else str(value)
