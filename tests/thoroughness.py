"""How many examples properties are tried with.

A run before a commit has minutes, so it tries a share of them, other ones each time;
`scripts/test --thorough` tries all, as before a release.
"""

import os
from typing import Final

VARIABLE: Final = "TUOKE_THOROUGH"
SHARE: Final = 0.4
LEAST: Final = 6
"""Fewer than so many examples of a life seldom meet its corners."""


def examples(count: int) -> int:
    """Return how many examples are tried in this run where a thorough one tries `count`."""
    if os.environ.get(VARIABLE) == "1":
        return count
    return min(count, max(LEAST, round(count * SHARE)))
