"""The worst case of TWO_LEVEL, and what it does in the words of the law."""

from collections.abc import Iterator, Mapping
from typing import Final

from app.engines.bound import BoundStep, PayoutBound
from app.engines.incentives_profile import with_incentive_practices, with_incentives
from app.engines.practices import Practices, fewest_recruits
from app.engines.two_level.engine import RatesOf
from app.engines.two_level.rules import TwoLevelRules
from app.kernel.i18n import N_, Message
from app.kernel.money import percent

BOUND_OF: Final[Mapping[RatesOf, str]] = {
    RatesOf.PLAN: N_(
        "At most the plan pays %(first)s to level %(first_level)s in the first seat and %(second)s"
        " to level %(second_level)s in the second: %(sum)s together."
    ),
    RatesOf.PRODUCT: N_(
        "For product %(product_id)s it pays at most %(first)s to level %(first_level)s in the first"
        " seat and %(second)s to level %(second_level)s in the second: %(sum)s together."
    ),
}


def payout_bound(rules: TwoLevelRules) -> PayoutBound:
    """Derive the worst case of a plan from its parameters.

    An order is a mixture of products, so its share lies below the dearest tariff in it. Self-
    purchase and compression change who sits, never how many; rounding down only takes away. The
    bound is reached, by an order whose fractions vanish and whose receivers have the dearest
    levels.

    >>> bound = payout_bound(TwoLevelRules())
    >>> bound.bound_bp, bound.cap_bp, bound.within_cap
    (2800, 3000, True)
    """
    steps = tuple(_steps(rules))
    bound = PayoutBound(max(step.sum_bp for step in steps), rules.payout_cap_bp, steps)
    return with_incentives(bound, rules.incentives)


def practices(rules: TwoLevelRules) -> Practices:
    """Describe a plan as the compliance check reads it.

    With `compress` the first seat can pass to the second person above, whatever the second pays.
    """
    tables = [rules.rates_second_bp]
    tables += [one.rates_second_bp for one in rules.product_rates.values() if one.rates_second_bp]
    described = Practices(
        entry=rules.conduct.entry,
        paid_depth=2 if rules.compress or any(any(table) for table in tables) else 1,
        promotion_recruits=fewest_recruits(rules),
        promises_return=rules.conduct.promises_return,
    )
    return with_incentive_practices(described, rules.incentives)


def _steps(rules: TwoLevelRules) -> Iterator[BoundStep]:
    yield _dearest(None, rules.rates_first_bp, rules.rates_second_bp)
    for product_id, own in sorted(rules.product_rates.items()):
        if not own.excluded:
            first = own.rates_first_bp or rules.rates_first_bp
            second = own.rates_second_bp or rules.rates_second_bp
            yield _dearest(product_id, first, second)


def _dearest(product_id: int | None, first: tuple[int, ...], second: tuple[int, ...]) -> BoundStep:
    """Take the highest rate of each seat: levels of two people do not depend on each other."""
    first_bp, second_bp = max(first), max(second)
    told = {
        "product_id": product_id,
        "first": percent(first_bp),
        "first_level": first.index(first_bp) + 1,
        "second": percent(second_bp),
        "second_level": second.index(second_bp) + 1,
        "sum": percent(first_bp + second_bp),
    }
    whose = RatesOf.PLAN if product_id is None else RatesOf.PRODUCT
    return BoundStep(Message(BOUND_OF[whose], told), first_bp + second_bp)
