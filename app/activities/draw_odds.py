"""What a ticket of a lucky draw wins: decided by a seed that was committed to before the first one.

The seed's digest is shown from the start, the seed when the draw is over. Who has both, the chances
and the order of tickets computes every result again and sees that none was changed afterwards (a
commitment scheme, as in provably fair games). Pure.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

WHOLE_PPM: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Chance:
    """A prize as the odds see it: how often of a million, and how many there are."""

    chance_ppm: int
    stock: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one ticket drew and what it won: places in the list of prizes, None for nothing."""

    drawn: int | None
    won: int | None


def commitment(seed: str) -> str:
    """Return what is shown of a seed before it is: its SHA-256, as hex.

    >>> commitment("seed")[:16]
    '19b25856e1c150ca'
    """
    return hashlib.sha256(seed.encode()).hexdigest()


def point(seed: str, activity_id: int, number: int) -> int:
    """Return where a ticket falls between 0 and a million, the latter not included.

    The first 8 bytes of an HMAC are reduced modulo a million; what that favours some numbers by is
    less than one in 10 to the 13.

    >>> point("seed", 7, 1), point("seed", 7, 1) == point("seed", 7, 2)
    (275237, False)
    """
    told = hmac.new(seed.encode(), f"{activity_id}:{number}".encode(), hashlib.sha256).digest()
    return int.from_bytes(told[:8]) % WHOLE_PPM


def drawn(seed: str, activity_id: int, number: int, chances_ppm: Sequence[int]) -> int | None:
    """Return the place of the prize a ticket draws, or None: chances lie side by side from 0 on.

    >>> drawn("seed", 7, 1, [200_000, 100_000]), drawn("seed", 7, 1, [10])
    (1, None)
    """
    assert sum(chances_ppm) <= WHOLE_PPM, "chances are parts of a million"
    where, end = point(seed, activity_id, number), 0
    for place, chance_ppm in enumerate(chances_ppm):
        end += chance_ppm
        if where < end:
            return place
    return None


def outcomes(
    seed: str, activity_id: int, prizes: Sequence[Chance], *, tickets: int
) -> Iterator[Outcome]:
    """Compute a whole draw again, ticket by ticket; a prize that is gone wins nothing."""
    left = [prize.stock for prize in prizes]
    chances_ppm = [prize.chance_ppm for prize in prizes]
    for number in range(1, tickets + 1):
        place = drawn(seed, activity_id, number, chances_ppm)
        won = place if place is not None and left[place] > 0 else None
        if won is not None:
            left[won] -= 1
        yield Outcome(place, won)
