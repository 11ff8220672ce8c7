"""A second, plain reckoning of what an order costs and what comes back, to hold the product to.

Written from the rules alone: fractions instead of integers, no code of the product.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponModel:
    """What a coupon takes; `products` None is for all."""

    kind: str
    value: int
    products: frozenset[int] | None = None
    is_stackable: bool = False
    comes_back: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketModel:
    """What is bought: (product, price of a piece, pieces), and what lowers it."""

    lines: Sequence[tuple[int, int, int]]
    deal: Mapping[int, int] | None = None
    level_bp: int | None = None
    coupons: Sequence[CouponModel] = ()
    points: int = 0
    """One point takes one fen."""


@dataclass
class PriceModel:
    """What each line costs in the end, and what each step took."""

    nets: list[int]
    steps: list[tuple[str, int]] = field(default_factory=list)

    @property
    def payable(self) -> int:
        return sum(self.nets)


TURN = {"exchange": 0, "percent_off": 1, "amount_off": 2}


def shares(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount by weight; those that lost most get the rest, earlier ones first."""
    whole = sum(weights)
    exact = [Fraction(amount * weight, whole) if whole else Fraction(0) for weight in weights]
    parts = [floor(one) for one in exact]
    order = sorted(range(len(weights)), key=lambda one: (parts[one] - exact[one], one))
    for index in order[: amount - sum(parts)]:
        parts[index] += 1
    return parts


def price_of(basket: BasketModel) -> PriceModel:
    """Reckon the chain: deal, level, coupons, points."""
    full = [price * pieces for _, price, pieces in basket.lines]
    result = PriceModel(nets=list(full))
    if basket.deal is not None:
        deal = basket.deal
        nets = [
            min(before, deal[product] * pieces)
            for (product, _, pieces), before in zip(basket.lines, full, strict=True)
        ]
        _step(result, "deal", nets)
    if basket.level_bp is not None:
        nets = [
            max(1, floor(Fraction(one * basket.level_bp, 10_000))) if one else 0
            for one in result.nets
        ]
        _step(result, "level", nets)
    for coupon in sorted(basket.coupons, key=lambda one: TURN[one.kind]):
        _take(result, basket, coupon)
    if basket.points:
        parts = shares(basket.points, result.nets)
        _step(result, "points", _minus(result.nets, parts))
    return result


def points_back(points: int, refunded: int, paid: int) -> int:
    """Return how many points have come back once so much money has."""
    return floor(Fraction(points * refunded, paid))


def _take(result: PriceModel, basket: BasketModel, coupon: CouponModel) -> None:
    fits = [coupon.products is None or product in coupon.products for product, _, _ in basket.lines]
    weights = [net if fit else 0 for net, fit in zip(result.nets, fits, strict=True)]
    eligible = sum(weights)
    if coupon.kind == "amount_off":
        amount = min(coupon.value, eligible)
    elif coupon.kind == "percent_off":
        amount = floor(Fraction(eligible * coupon.value, 10_000))
    else:
        pieces = sum(line[2] for line, fit in zip(basket.lines, fits, strict=True) if fit)
        amount = ceil(Fraction(eligible, pieces))
    amount = min(amount, sum(result.nets) - 1)
    _step(result, "coupon", _minus(result.nets, shares(amount, weights)))


def _minus(nets: Sequence[int], parts: Sequence[int]) -> list[int]:
    return [net - part for net, part in zip(nets, parts, strict=True)]


def _step(result: PriceModel, kind: str, nets: list[int]) -> None:
    taken = sum(result.nets) - sum(nets)
    if taken:
        result.steps.append((kind, taken))
    result.nets = nets
