"""Exact arithmetic on whole units: fen, points and basis points, never a fraction of them.

Amounts are plain integers with their unit in the name: `paid_fen`, `earned_points`. Nothing
here rounds to nearest: a share is rounded down, and whoever splits says who keeps the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

BASIS_POINTS = 10_000
"""How many basis points make the whole: one basis point is a hundredth of a percent."""


def share_of(amount: int, basis_points: int) -> int:
    """Return `basis_points` of `amount`, rounded down; the rest stays with whoever pays.

    Monotone in both arguments, and the shares of one amount never add up to more than the share
    that the sum of their basis points gives. Commission caps and refunds rest on both facts.

    >>> share_of(25_999, 1_000), share_of(25_999, 500)
    (2599, 1299)
    >>> share_of(9, 1_000)
    0
    """
    assert amount >= 0, f"a share of {amount} has no meaning: reverse the whole instead"
    return amount * basis_points // BASIS_POINTS


@dataclass(frozen=True, slots=True, order=True)
class Rate:
    """A share of an amount, in basis points: `Rate(1_250)` is 12.5 %.

    >>> Rate(1_250).of(999)
    124
    >>> Rate(10_001)
    Traceback (most recent call last):
    ...
    ValueError: a rate lies within 0..10000 basis points, not 10001
    """

    basis_points: int

    def __post_init__(self) -> None:
        if not 0 <= self.basis_points <= BASIS_POINTS:
            raise ValueError(
                f"a rate lies within 0..{BASIS_POINTS} basis points, not {self.basis_points}"
            )

    def of(self, amount: int) -> int:
        """Return this share of `amount`, rounded down."""
        return share_of(amount, self.basis_points)


def split(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Divide `amount` by weight so that the parts add up to it exactly (largest remainder).

    Each part is the proportional share rounded down; the units left over go one each to the
    parts that lost most by it, the earlier of equals first. A weight of zero gets nothing.
    Use it where the whole must be kept, as for a discount spread over the lines of an order.

    >>> split(100, [1, 1, 1])
    (34, 33, 33)
    >>> split(5, [0, 3, 2])
    (0, 3, 2)
    >>> split(0, [0, 0])
    (0, 0)

    Raises ValueError if there is something to divide and nothing that weighs.
    """
    assert amount >= 0, f"{amount} cannot be divided: divide its opposite and reverse that"
    assert all(weight >= 0 for weight in weights), "a part cannot weigh less than nothing"
    whole = sum(weights)
    if whole == 0:
        if amount == 0:
            return (0,) * len(weights)
        raise ValueError(f"{amount} cannot be divided among parts that weigh nothing")
    parts = [amount * weight // whole for weight in weights]
    most_lost_first = sorted(range(len(weights)), key=lambda i: -(amount * weights[i] % whole))
    for index in most_lost_first[: amount - sum(parts)]:
        parts[index] += 1
    return tuple(parts)


def percent(basis_points: int) -> str:
    """Write basis points for people to read: percent, exactly, without superfluous zeros.

    >>> percent(1_000), percent(1_250), percent(1_205), percent(7), percent(0)
    ('10%', '12.5%', '12.05%', '0.07%', '0%')
    """
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") + "%"
