"""The worst case of three-three fission, and what it does in the words of the law."""

from app.engines.bound import BoundStep, PayoutBound
from app.engines.fission.rules import FissionRules
from app.engines.parameters import Moment
from app.engines.practices import Practices, fewest_recruits
from app.kernel.i18n import N_, Message

NO_MONEY = N_("The plan gives coupons, points and services, and no money.")


def payout_bound(rules: FissionRules) -> PayoutBound:
    """Derive the worst case: no order ever costs commission.

    >>> payout_bound(FissionRules()).bound_bp
    0
    """
    return PayoutBound(0, rules.payout_cap_bp, (BoundStep(Message(NO_MONEY), 0),))


def practices(rules: FissionRules) -> Practices:
    """Describe a plan as the compliance check reads it.

    Gifts are counted by new customers, each with an order; before that order's after-sale window
    has closed it is no more than a head.
    """
    return Practices(
        entry=rules.conduct.entry,
        paid_depth=1 if rules.round_bonus is None else 2,
        pays_per_head=rules.effective_at is not Moment.AFTER_SALE_CLOSED,
        promotion_recruits=fewest_recruits(rules),
        promises_return=rules.conduct.promises_return,
        pays_cash=False,
    )
