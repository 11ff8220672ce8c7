"""Teams that grew by chance: who brought whom, and whose team to look at."""

import random
from collections.abc import Sequence

FOLLOWS_SHARE = 0.5
"""How many join the recommender of somebody at random instead of somebody at random.

Whoever has brought many then brings more still, as in real teams: in a million one has brought
about four thousand, whose own teams together hold some twenty thousand. Purely uniform choice would
leave nobody with more than about twenty.
"""


def grow(count: int, *, seed: int = 1) -> list[int | None]:
    """Return the recommender of each member from 1 to `count`; the first has none.

    Everybody is brought by somebody who was there before, so no cycle can come about.
    """
    draw = random.Random(seed).random  # noqa: S311 - the same team each time
    above: list[int | None] = [None, None]
    for number in range(2, count + 1):
        anybody = int(draw() * (number - 1)) + 1
        follows = draw() < FOLLOWS_SHARE
        above.append((above[anybody] or anybody) if follows else anybody)
    return above[1:]


def tier_counts(recommenders: Sequence[int | None]) -> tuple[list[int], list[int]]:
    """Return how many each has brought, and how many those have brought; item 0 is nobody."""
    above = [0, *(up or 0 for up in recommenders)]
    direct, second = [0] * len(above), [0] * len(above)
    for number in range(1, len(above)):
        direct[above[number]] += 1
        second[above[above[number]]] += 1
    direct[0] = second[0] = 0
    return direct, second


def callers(recommenders: Sequence[int | None], *, biggest: int, drawn: int) -> list[int]:
    """Return whose teams to read: those with the biggest tiers, and others by size of team.

    A third part each has the biggest first tier, the biggest second tier, and is drawn by picking
    somebody at random and taking who brought them.
    """
    direct, second = tier_counts(recommenders)
    numbers = range(1, len(direct))
    chosen = sorted(numbers, key=lambda n: direct[n], reverse=True)[:biggest]
    chosen += sorted(numbers, key=lambda n: second[n], reverse=True)[:biggest]
    brought = [up for up in recommenders if up is not None]
    return chosen + random.Random(2).choices(brought, k=drawn)  # noqa: S311 - as above
