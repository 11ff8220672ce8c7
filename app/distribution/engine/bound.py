"""The worst case of a plan: the largest share of a sale that its parameters allow to be paid."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.plans.rules import PlanRules


@dataclass(frozen=True, slots=True)
class BoundStep:
    """The dearest case of one tariff: the plan's (`product_id` None), or that of one product.

    The two seats are taken by different people whose levels do not depend on each other, so the
    dearest case is the sum of the highest rate of each.
    """

    product_id: int | None
    first_level: int
    first_bp: int
    second_level: int
    second_bp: int

    @property
    def sum_bp(self) -> int:
        """What both seats together can take of a sale."""
        return self.first_bp + self.second_bp


@dataclass(frozen=True, slots=True)
class PayoutBound:
    """The largest share of the commissionable amount that any order can pay, and why.

    `bound_bp` is what the rates alone allow, `enforced_bp` what is left of it under the cap.
    """

    bound_bp: int
    cap_bp: int
    steps: tuple[BoundStep, ...]

    @property
    def within_cap(self) -> bool:
        """Tell whether the cap never has to withhold anything."""
        return self.bound_bp <= self.cap_bp

    @property
    def enforced_bp(self) -> int:
        """What no order ever exceeds."""
        return min(self.bound_bp, self.cap_bp)


def payout_bound(rules: PlanRules) -> PayoutBound:
    """Derive the worst case of a plan from its parameters.

    An order is a mixture of products, so its share lies below the dearest tariff in it. Self-
    purchase and compression change who sits, never how many; rounding down only takes away. The
    bound is reached, by an order whose fractions vanish and whose receivers have the dearest
    levels.

    >>> from app.plans.rules import TwoLevelRules
    >>> bound = payout_bound(TwoLevelRules())
    >>> bound.bound_bp, bound.cap_bp, bound.within_cap
    (2800, 3000, True)
    """
    steps = tuple(_bound_steps(rules))
    return PayoutBound(max(step.sum_bp for step in steps), rules.payout_cap_bp, steps)


def _bound_steps(rules: PlanRules) -> Iterator[BoundStep]:
    yield _dearest(None, rules.rates_first_bp, rules.rates_second_bp)
    for product_id, own in sorted(rules.product_rates.items()):
        if not own.excluded:
            first = own.rates_first_bp or rules.rates_first_bp
            second = own.rates_second_bp or rules.rates_second_bp
            yield _dearest(product_id, first, second)


def _dearest(product_id: int | None, first: tuple[int, ...], second: tuple[int, ...]) -> BoundStep:
    first_bp, second_bp = max(first), max(second)
    return BoundStep(
        product_id, first.index(first_bp) + 1, first_bp, second.index(second_bp) + 1, second_bp
    )
