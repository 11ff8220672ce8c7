"""How often one address may try to sign in, whatever account it tries.

The lock-out protects one account from many guesses, this protects all accounts from one guess each.
Where Redis does not answer the door stays open: the lock-out, in PostgreSQL, still holds.
"""

from typing import Final

import structlog
from flask import abort, request
from redis.exceptions import RedisError

from app.access import redis, settings
from app.kernel.ids import digest

WINDOW_SECONDS: Final = 60
GUARDED: Final = frozenset(
    {"security.login", "security.two_factor_token_validation", "security.mf_recovery"}
)

log = structlog.get_logger()


def check() -> None:
    """Count a posted sign-in against its address; answer 429 where there were too many."""
    if request.method != "POST" or request.endpoint not in GUARDED:
        return
    key = f"limit:staff-sign-in:{digest(str(request.remote_addr))[:32]}"
    try:
        count = redis().incr(key)
        if count == 1:
            redis().expire(key, WINDOW_SECONDS)
    except RedisError as error:
        log.warning("limit_not_counted", limit="staff-sign-in", error=type(error).__name__)
        return
    if int(count) > settings().sign_in_limit_per_minute:
        abort(429)
