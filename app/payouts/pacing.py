"""When a bill is looked at again. Pure: spans from states and instants, spread without chance.

A callback usually brings the news first; these are the questions in case none comes. All but the
lease are multiples of `Settings.payout_query_seconds`, so that a drill can run a life in seconds.
"""

from datetime import timedelta
from typing import Final

REQUEST_STEPS_MAX: Final = 3
"""Send, query after the send, and a margin: so many timeouts long a try may take."""
BACKOFF_DOUBLINGS_MAX: Final = 6
HOLD_QUERIES: Final = 10
AGE_SHARE: Final = 10
WAITING_SECONDS_MAX: Final = 900
SPREAD_PARTS: Final = 4
_MIX: Final = 2_654_435_761
_BUCKETS: Final = 1_000


def claimed_for(timeout_seconds: int) -> timedelta:
    """Return how long a try keeps a bill from others; longer than any try takes."""
    return timedelta(seconds=REQUEST_STEPS_MAX * timeout_seconds)


def held_for(query_seconds: int) -> timedelta:
    """Return when to look again at a bill whose receiver is on hold."""
    return timedelta(seconds=HOLD_QUERIES * query_seconds)


def ask_again(query_seconds: int, *, age: timedelta | None, salt: int) -> timedelta:
    """Return when to ask again about a bill that makes progress at WeChat.

    Its receiver has a day to accept, so the older it is the less often it is asked about: a tenth
    of its age, a quarter of an hour at most.
    """
    seconds = 0.0 if age is None else min(age.total_seconds() / AGE_SHARE, WAITING_SECONDS_MAX)
    return spread(max(float(query_seconds), seconds), salt)


def try_again(query_seconds: int, *, attempts: int, salt: int) -> timedelta:
    """Return when to send again what WeChat would not take now: doubling from try to try."""
    doublings = min(max(attempts - 1, 0), BACKOFF_DOUBLINGS_MAX)
    return spread(float(query_seconds * 2**doublings), salt)


def spread(seconds: float, salt: int) -> timedelta:
    """Lengthen a span by up to a quarter, differently for each salt, so that no crowd forms.

    >>> spread(60.0, 0) == timedelta(seconds=60)
    True
    >>> timedelta(seconds=60) <= spread(60.0, 12345) < timedelta(seconds=75)
    True
    """
    share = salt * _MIX % _BUCKETS / _BUCKETS
    return timedelta(seconds=seconds * (1 + share / SPREAD_PARTS))
