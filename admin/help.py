"""What each figure means and how it is computed: one register for all pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext


@dataclass(frozen=True, slots=True)
class Term:
    """One figure: its name, what it means, and how it is computed."""

    name: Any
    meaning: Any
    how: Any


TRADE: Final[Mapping[str, Term]] = {
    "paid_fen": Term(
        _("Money paid"),
        _("What customers have paid through WeChat."),
        _(
            "The sum of what was paid for all orders by the moment of payment, late payments "
            "included; refunds are not taken off."
        ),
    ),
    "paid_orders": Term(
        _("Paid orders"),
        _("How many orders were paid."),
        _("Every order counts on the day its payment arrived, whatever became of it later."),
    ),
    "refunded_fen": Term(
        _("Refunded money"),
        _("What went back to customers."),
        _("The sum of refunds by the moment WeChat confirmed them, whenever the order was paid."),
    ),
    "refunds": Term(
        _("Finished refunds"),
        _("How many refunds reached the customer."),
        _("Every refund counts on the day WeChat confirmed it; an order can have several."),
    ),
    "net_fen": Term(
        _("Net of refunds"),
        _("What is left of the money paid after refunds of the same day."),
        _("Money paid minus refunded money, each by its own day; it can be below zero."),
    ),
    "first_orders": Term(
        _("First orders"),
        _("Customers who bought for the first time."),
        _("Orders that made somebody a paying customer; a later refund does not change it."),
    ),
    "completed_orders": Term(
        _("Handed-over orders"),
        _("Orders that were redeemed, picked up or received."),
        _("Every order counts on the day it was completed, whenever it was paid."),
    ),
    "distributor_fen": Term(
        _("Paid through distributors"),
        _("What customers of distributors have paid."),
        _("Money paid for orders whose buyer belonged to a distributor when they ordered."),
    ),
    "distributor_orders": Term(
        _("Orders through distributors"),
        _("Paid orders of customers who belong to a distributor."),
        _("Paid orders whose buyer belonged to a distributor when they ordered."),
    ),
    "direct_fen": Term(
        _("Paid without distributors"),
        _("What customers of the stores and of nobody have paid."),
        _("Money paid minus what was paid through distributors."),
    ),
}
PEOPLE: Final[Mapping[str, Term]] = {
    "new_members": Term(
        _("New customers"),
        _("People who signed in to the mini-program for the first time."),
        _("By the moment of registration, for the store they came from."),
    ),
    "new_bindings": Term(
        _("New ownerships"),
        _("Customers who began to belong to a distributor or a store."),
        _("Ownerships by the moment they began, hand-overs included, for the store of the owner."),
    ),
    "touches": Term(
        _("Scans and clicks"),
        _("How often share codes were scanned or clicked."),
        _("Every touch of a code, repeated ones too, for the store the code belongs to."),
    ),
    "new_distributors": Term(
        _("New distributors"),
        _("People and partners who were approved."),
        _("By the moment of approval, for the store they belong to."),
    ),
}
COMMISSION: Final[Mapping[str, Term]] = {
    "awards_fen": Term(
        _("Commission granted"),
        _("What plans have granted to distributors."),
        _(
            "The sum of commissions by the moment they were granted, before refunds take any back; "
            "for the store of the order or of the closed month."
        ),
    ),
    "awards": Term(
        _("Commissions granted"),
        _("How many single amounts plans have granted."),
        _("One for each order line and beneficiary, or for each closed month and beneficiary."),
    ),
    "clawbacks_fen": Term(
        _("Commission taken back"),
        _("What refunds have taken back of commissions."),
        _("The sum of what each refund took back of each commission, by the moment it did."),
    ),
    "clawbacks": Term(
        _("Commissions reduced"),
        _("How many commissions refunds have reduced."),
        _("One for each refund and commission."),
    ),
    "payouts_fen": Term(
        _("Paid out"),
        _("What reached distributors."),
        _("What arrived of payouts, by the moment they ended; failed parts are left out."),
    ),
    "payouts": Term(
        lazy_pgettext("arrived", "Payouts"),
        _("How many payouts reached a distributor, whole or in part."),
        _("Payouts that ended well or partly, by the moment they ended."),
    ),
    "commission_pending_fen": Term(
        _("Commission not yet matured"),
        _("What distributors will be able to withdraw after the after-sale window."),
        _("The sum of the accounts “Commission, pending” at the time of the figures."),
    ),
    "commission_available_fen": Term(
        _("Commission that can be withdrawn"),
        _("What the brand owes to distributors and they have not asked for."),
        _("The sum of the accounts “Commission, available” at the time of the figures."),
    ),
    "clawback_debt_fen": Term(
        _("To be given back"),
        _("What distributors owe because a refund came after the payout."),
        _(
            "The sum of the accounts “To be given back” at the time of the figures; it is below "
            "zero and is set off against the next commissions."
        ),
    ),
}
GROUPS: Final[tuple[tuple[Any, Mapping[str, Term]], ...]] = (
    (_("Trade"), TRADE),
    (_("Customers and reach"), PEOPLE),
    (_("Commission and payouts"), COMMISSION),
)
TERMS: Final[Mapping[str, Term]] = {**TRADE, **PEOPLE, **COMMISSION}
"""Every figure by the name of its column."""

GENERAL: Final = (
    _("A day is a day of the brand's calendar, from midnight to midnight in Shanghai."),
    _("Figures are counted again every two minutes; the page says of which moment they are."),
    _("Staff of a store see the figures of their stores only, here and behind every link."),
    _("Today is compared with the whole of yesterday and of the same weekday a week ago."),
    _("A click on a figure lists exactly the rows that it counts."),
)
"""What holds for all figures."""
