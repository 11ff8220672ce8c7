"""How much each cut of a bargain takes: drawn when it begins, from a seed, and provable afterwards.

The way from the price to the floor is divided into parts that add up to it exactly, each at least
one fen. Nobody can gain by trying again: the parts are fixed before the first friend comes, and
friends take them in order. The seed's digest is shown from the start and the seed at the end, so
that anyone can compute the parts again. Pure; amounts are fen.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from app.kernel.money import split

LEAST_WEIGHT: Final = 50
MOST_WEIGHT: Final = 150
"""A part is between a third and three times another one, before rounding."""


def commitment(seed: str) -> str:
    """Return what is shown of a seed before it is: its SHA-256, as hex."""
    return hashlib.sha256(seed.encode()).hexdigest()


def parts(seed: str, *, total_fen: int, count: int) -> tuple[int, ...]:
    """Divide an amount into so many parts of at least one fen, as the seed decides.

    >>> sum(parts("seed", total_fen=1_000, count=7)), len(parts("seed", total_fen=1_000, count=7))
    (1000, 7)
    >>> parts("seed", total_fen=3, count=3)
    (1, 1, 1)
    """
    assert 1 <= count <= total_fen, f"{total_fen} fen have no {count} parts of a fen or more"
    rest = split(total_fen - count, list(_weights(seed, count)))
    return tuple(1 + part for part in rest)


def next_cut(amounts: Sequence[int], *, first: int, wanted: int) -> tuple[int, int]:
    """Return how many parts a cut takes, at most those that are left, and their amount.

    >>> next_cut((5, 3, 2), first=1, wanted=1), next_cut((5, 3, 2), first=1, wanted=9)
    ((1, 3), (2, 5))
    """
    taken = amounts[first : first + wanted]
    return len(taken), sum(taken)


def _weights(seed: str, count: int) -> Iterator[int]:
    """Yield one weight after the other from the digests of the seed and a counter."""
    width = MOST_WEIGHT - LEAST_WEIGHT + 1
    for index in range(count):
        digest = hashlib.sha256(f"{seed}:{index}".encode()).digest()
        yield LEAST_WEIGHT + int.from_bytes(digest[:8]) % width
