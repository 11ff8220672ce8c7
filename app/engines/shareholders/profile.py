"""The worst case of sharing shareholders, and what they do in the words of the law."""

from collections.abc import Iterator
from typing import Final

from app.engines.bound import BoundStep, PayoutBound
from app.engines.parameters import Entry
from app.engines.practices import Practices
from app.engines.shareholders.rules import EntryMode, ShareholderRules
from app.engines.shareholders.titles import title_of
from app.kernel.i18n import N_, Message
from app.kernel.money import percent

OF_PLAN: Final = N_(
    "At most the plan pays %(commission)s, to the level %(level)s, on the order of a bound"
    " customer."
)
OF_PLAN_WITH_REBATE: Final = N_(
    "At most the plan pays %(commission)s, to the level %(level)s, on the order of a bound"
    " customer, and %(rebate)s back to a buyer who is a shareholder: %(sum)s together."
)
OF_PRODUCT: Final = N_(
    "For product %(product_id)s it pays at most %(commission)s, to the level %(level)s."
)
OF_PRODUCT_WITH_REBATE: Final = N_(
    "For product %(product_id)s it pays at most %(commission)s, to the level %(level)s, and"
    " %(rebate)s back to a buyer who is a shareholder: %(sum)s together."
)


def payout_bound(rules: ShareholderRules) -> PayoutBound:
    """Derive the worst case of a plan from its parameters.

    An order pays one commission and at most one rebate. A month's pool is a share of what was
    settled in the month; the fen it takes over are what earlier pools did not pay, so all pools
    together stay within that share of all months above zero.

    >>> bound = payout_bound(ShareholderRules())
    >>> bound.bound_bp, bound.monthly_bp, bound.total_bp
    (1000, 500, 1500)
    """
    steps = tuple(_steps(rules))
    return PayoutBound(
        bound_bp=max(step.sum_bp for step in steps),
        cap_bp=rules.payout_cap_bp,
        steps=steps,
        monthly_bp=rules.pool_bp,
    )


def practices(rules: ShareholderRules) -> Practices:
    """Describe a plan as the compliance check reads it."""
    is_topup = rules.entry_mode is EntryMode.TOPUP
    rates = [level.commission_bp for level in rules.shareholder_levels]
    for own in rules.product_commissions.values():
        rates += own.commissions_bp or ()
    needs_purchases = rules.entry_mode is not EntryMode.REVIEW
    return Practices(
        entry=Entry.TOPUP if is_topup else rules.conduct.entry,
        paid_depth=1 if any(rates) else 0,
        pool_bp=rules.pool_bp,
        seats_per_store=rules.seats_per_store,
        promises_return=rules.conduct.promises_return,
        entry_spend_fen=rules.shareholder_levels[0].entry_fen if needs_purchases else 0,
    )


def _steps(rules: ShareholderRules) -> Iterator[BoundStep]:
    yield _dearest(rules, None, tuple(level.commission_bp for level in rules.shareholder_levels))
    for product_id, own in sorted(rules.product_commissions.items()):
        if own.commissions_bp is not None:
            yield _dearest(rules, product_id, own.commissions_bp)


def _dearest(rules: ShareholderRules, product_id: int | None, rates: tuple[int, ...]) -> BoundStep:
    commission_bp = max(rates)
    sum_bp = commission_bp + rules.rebate_bp
    told = {
        "product_id": product_id,
        "commission": percent(commission_bp),
        "level": title_of(rules.shareholder_levels[rates.index(commission_bp)].code),
        "rebate": percent(rules.rebate_bp),
        "sum": percent(sum_bp),
    }
    if product_id is None:
        text = OF_PLAN_WITH_REBATE if rules.rebate_bp else OF_PLAN
    else:
        text = OF_PRODUCT_WITH_REBATE if rules.rebate_bp else OF_PRODUCT
    return BoundStep(Message(text, told), sum_bp)
