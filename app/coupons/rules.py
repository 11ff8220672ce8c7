"""What coupons take off a basket. Pure; all amounts are fen.

Coupons apply one after the other, each to what the former left of its lines: exchanges first, then
percentages, then amounts; among equals in the order of their numbers. So the same coupons always
come to the same amount, whoever names them in whatever order, and a percentage, which is taken
before amounts, takes most. A threshold is met by what the lines cost before any coupon. What one
takes is spread over its lines by largest remainder, so that the parts add up to it, and no line
falls below zero (D17, D18). The last fen of a basket is always left to pay.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.coupons.errors import (
    CouponBelowThreshold,
    CouponFitsNothing,
    CouponNotStackable,
    CouponTakesNothing,
)
from app.coupons.states import CouponKind
from app.kernel.errors import DomainError
from app.kernel.money import share_of, split

LEFT_TO_PAY_FEN: Final = 1
_TURN: Final = {CouponKind.EXCHANGE: 0, CouponKind.PERCENT_OFF: 1, CouponKind.AMOUNT_OFF: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketLine:
    """A line of a basket; `net_fen` is what it costs after the discount of a price or a level."""

    product_id: int
    quantity: int
    unit_price_fen: int
    net_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a coupon of a template does to a basket; `product_ids` None is for all products."""

    kind: CouponKind
    amount_fen: int = 0
    percent_bp: int = 0
    most_fen: int | None = None
    threshold_fen: int = 0
    product_ids: frozenset[int] | None = None
    is_stackable: bool = False

    def fits(self, line: BasketLine) -> bool:
        """Tell whether it is for the product of a line."""
        return self.product_ids is None or line.product_id in self.product_ids

    def as_json(self) -> dict[str, Any]:
        """Return it as an order keeps it, for people who ask later."""
        return {
            "kind": self.kind.value,
            "amount_fen": self.amount_fen or None,
            "percent_bp": self.percent_bp or None,
            "most_fen": self.most_fen,
            "threshold_fen": self.threshold_fen,
            "product_ids": None if self.product_ids is None else sorted(self.product_ids),
            "is_stackable": self.is_stackable,
        }


@dataclass(frozen=True, slots=True)
class Candidate:
    """A coupon that somebody wants to use."""

    coupon_id: int
    rule: Rule


@dataclass(frozen=True, slots=True)
class Taken:
    """What one coupon takes off."""

    coupon_id: int
    amount_fen: int


def combine(candidates: Sequence[Candidate], lines: Sequence[BasketLine]) -> tuple[Taken, ...]:
    """Apply coupons in their fixed order; return what each takes, in that order.

    Raises the refusal of the first that cannot be used with the rest.
    """
    if sum(not one.rule.is_stackable for one in candidates) > 1:
        raise CouponNotStackable
    left = [line.net_fen for line in lines]
    taken = []
    for one in in_turn(candidates):
        amount = takes(one.rule, lines, left)
        left = spread(one.rule, lines, left, amount)
        taken.append(Taken(one.coupon_id, amount))
    return tuple(taken)


def in_turn(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return coupons in the order in which they apply."""
    return sorted(candidates, key=lambda one: (_TURN[one.rule.kind], one.coupon_id))


def takes(rule: Rule, lines: Sequence[BasketLine], left: Sequence[int]) -> int:
    """Return what a coupon takes off, where former coupons have left so much of each line.

    Raises `CouponFitsNothing`, `CouponBelowThreshold`, `CouponTakesNothing`.
    """
    if not any(rule.fits(line) for line in lines):
        raise CouponFitsNothing
    before = sum(line.net_fen for line in lines if rule.fits(line))
    if before < rule.threshold_fen:
        raise CouponBelowThreshold(rule.threshold_fen - before)
    wanted, payable = _wanted(rule, lines, left), sum(left)
    if rule.kind is CouponKind.EXCHANGE and wanted > payable - LEFT_TO_PAY_FEN:
        raise CouponTakesNothing
    amount = min(wanted, payable - LEFT_TO_PAY_FEN)
    if amount <= 0:
        raise CouponTakesNothing
    return amount


def spread(
    rule: Rule, lines: Sequence[BasketLine], left: Sequence[int], amount_fen: int
) -> list[int]:
    """Return what is left of each line once a coupon has taken its amount."""
    weights = [rest if rule.fits(line) else 0 for line, rest in zip(lines, left, strict=True)]
    parts = split(amount_fen, weights)
    return [rest - part for rest, part in zip(left, parts, strict=True)]


def best(candidates: Sequence[Candidate], lines: Sequence[BasketLine]) -> tuple[Taken, ...]:
    """Return the coupons that together take most off, of those that can be used.

    All that go with others are taken with each single one that does not; one that takes nothing in
    company is left out, so that nobody gives a coupon away. Of equal sums the one with fewer
    coupons wins, then the one whose numbers come first.
    """
    alone = [one for one in in_turn(candidates) if amount_alone(one.rule, lines) > 0]
    company = [one for one in alone if one.rule.is_stackable]
    choices = [company, *([one, *company] for one in alone if not one.rule.is_stackable)]
    found = [_thrifty(choice, lines) for choice in choices]
    return min(found, key=_worth)


def amount_alone(rule: Rule, lines: Sequence[BasketLine]) -> int:
    """Return what a coupon would take off by itself; 0 where it cannot be used."""
    try:
        return takes(rule, lines, [line.net_fen for line in lines])
    except DomainError:
        return 0


def _worth(taken: tuple[Taken, ...]) -> tuple[int, int, list[int]]:
    return -sum(one.amount_fen for one in taken), len(taken), [one.coupon_id for one in taken]


def _thrifty(candidates: Sequence[Candidate], lines: Sequence[BasketLine]) -> tuple[Taken, ...]:
    """Apply coupons in their order and leave out those that take nothing beside the former."""
    left = [line.net_fen for line in lines]
    taken = []
    for one in in_turn(candidates):
        try:
            amount = takes(one.rule, lines, left)
        except DomainError:
            continue
        left = spread(one.rule, lines, left, amount)
        taken.append(Taken(one.coupon_id, amount))
    return tuple(taken)


def _wanted(rule: Rule, lines: Sequence[BasketLine], left: Sequence[int]) -> int:
    """Return what a coupon takes of its own lines, before the last fen is looked at."""
    eligible = sum(rest for line, rest in zip(lines, left, strict=True) if rule.fits(line))
    match rule.kind:
        case CouponKind.AMOUNT_OFF:
            return min(rule.amount_fen, eligible)
        case CouponKind.PERCENT_OFF:
            off = share_of(eligible, rule.percent_bp)
            return off if rule.most_fen is None else min(off, rule.most_fen)
        case CouponKind.EXCHANGE:
            pieces = sum(line.quantity for line in lines if rule.fits(line))
            return -(-eligible // pieces)
