"""How money is spread over people: exact figures in whole fen and basis points. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.kernel.money import BASIS_POINTS

BUCKETS_FROM_FEN: Final = (1, 10_000, 100_000, 1_000_000, 10_000_000)
"""Where the classes of earnings begin: up to 100, 1 000, 10 000, 100 000 yuan, and above."""
TOP: Final = 10
LISTED: Final = 20


def gini_bp(amounts: Iterable[int]) -> int:
    """Return the Gini coefficient in basis points, rounded down; 0 where nobody has anything.

    Over everybody given, those with nothing included: 0 is all the same, near 10 000 one has all.
    From the sorted amounts, the i-th of n counted i times: (2 Σ i·x − (n + 1) Σ x) / (n Σ x).

    >>> gini_bp([5, 5, 5]), gini_bp([0, 0, 0, 8]), gini_bp([1, 2, 3, 4]), gini_bp([0, 0])
    (0, 7500, 2500, 0)
    """
    ordered = sorted(amounts)
    count, total = len(ordered), sum(ordered)
    if not total:
        return 0
    weighted = sum(place * amount for place, amount in enumerate(ordered, start=1))
    return (2 * weighted - (count + 1) * total) * BASIS_POINTS // (count * total)


def share_of_top_bp(amounts: Iterable[int], top: int) -> int:
    """Return which share of all the best-paid so many have, in basis points, rounded down.

    >>> share_of_top_bp([1, 2, 3, 4], 1), share_of_top_bp([], 10)
    (4000, 0)
    """
    ordered = sorted(amounts, reverse=True)
    total = sum(ordered)
    return sum(ordered[:top]) * BASIS_POINTS // total if total else 0


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many people earn within a class, and how much together; `to_fen` is not in it."""

    from_fen: int
    to_fen: int | None
    people: int
    sum_fen: int


def buckets(amounts: Iterable[int]) -> list[Bucket]:
    """Sort people into classes of earnings; who has nothing is in none.

    >>> [(one.from_fen, one.people, one.sum_fen) for one in buckets([0, 5, 9_999, 10_000])][:2]
    [(1, 2, 10004), (10000, 1, 10000)]
    """
    bounds: Sequence[int | None] = (*BUCKETS_FROM_FEN, None)
    people = [0] * len(BUCKETS_FROM_FEN)
    sums_fen = [0] * len(BUCKETS_FROM_FEN)
    for amount_fen in amounts:
        index = sum(amount_fen >= start for start in BUCKETS_FROM_FEN) - 1
        if index >= 0:
            people[index] += 1
            sums_fen[index] += amount_fen
    return [
        Bucket(start, bounds[index + 1], people[index], sums_fen[index])
        for index, start in enumerate(BUCKETS_FROM_FEN)
    ]


@dataclass(frozen=True, slots=True)
class Shift:
    """What one plan pays somebody, what the other paid them, and the difference."""

    member_id: int
    fen: int
    against_fen: int

    @property
    def difference_fen(self) -> int:
        """What they gain; below zero what they lose."""
        return self.fen - self.against_fen


@dataclass(frozen=True, slots=True)
class Comparison:
    """Who gains and who loses, how many and how much together; the first of both by amount."""

    gaining: int
    gained_fen: int
    losing: int
    lost_fen: int
    unchanged: int
    gainers: tuple[Shift, ...]
    losers: tuple[Shift, ...]


def compare(people: Mapping[int, int], against: Mapping[int, int]) -> Comparison:
    """Compare what two plans pay the same people.

    >>> found = compare({1: 5, 2: 3}, {2: 4, 3: 0})
    >>> (found.gaining, found.gained_fen, found.losing, found.lost_fen, found.unchanged)
    (1, 5, 1, 1, 1)
    """
    shifts = [
        Shift(member_id, people.get(member_id, 0), against.get(member_id, 0))
        for member_id in sorted({*people, *against})
    ]
    up = sorted((one for one in shifts if one.difference_fen > 0), key=_most_first)
    down = sorted((one for one in shifts if one.difference_fen < 0), key=_most_first)
    return Comparison(
        gaining=len(up),
        gained_fen=sum(one.difference_fen for one in up),
        losing=len(down),
        lost_fen=-sum(one.difference_fen for one in down),
        unchanged=len(shifts) - len(up) - len(down),
        gainers=tuple(up[:LISTED]),
        losers=tuple(down[:LISTED]),
    )


def _most_first(one: Shift) -> tuple[int, int]:
    return -abs(one.difference_fen), one.member_id
