"""What growth deserves, and what a refund takes back. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """A level as growth sees it: its rank, its id, and the growth it asks for."""

    rank: int
    level_id: int
    growth_at_least: int


def deserved(steps: Iterable[Step], growth: int) -> Step | None:
    """Return the best level that a year's growth reaches; None for less than any asks for.

    Levels that ask for nothing are everybody's and deserved by nothing.

    >>> silver, gold = Step(2, 20, 1_000), Step(3, 30, 5_000)
    >>> deserved([silver, gold], 4_999), deserved([silver, gold], 5_000), deserved([silver], 3)
    (Step(rank=2, level_id=20, growth_at_least=1000), \
Step(rank=3, level_id=30, growth_at_least=5000), None)
    """
    reached = (one for one in steps if 0 < one.growth_at_least <= growth)
    return max(reached, default=None)


def taken_back(given: int, gone_fen: int, base_fen: int) -> int:
    """Return how much of what a purchase gave is taken back once `gone_fen` of it was refunded.

    In all, rounded down: refunds in any number of parts take back the same as one, never more than
    was given, and all of it only with the last fen.

    >>> [taken_back(10, gone_fen, 999) for gone_fen in (0, 99, 100, 998, 999)]
    [0, 0, 1, 9, 10]
    """
    assert 0 <= gone_fen <= base_fen, f"{gone_fen} of {base_fen} cannot have gone back"
    return given * gone_fen // base_fen if base_fen else 0


def earned(base_fen: int, per_yuan: int, multiplier_bp: int) -> int:
    """Return what a purchase gives: so much per whole yuan paid, times the level's multiplier.

    >>> earned(19_999, 1, 10_000), earned(19_999, 1, 15_000), earned(99, 1, 15_000)
    (199, 298, 0)
    """
    return base_fen // 100 * per_yuan * multiplier_bp // 10_000
