"""How hard callers may knock.

Reads are not counted: counting costs a round trip, and what protects them is that they are cheap.
Where guessing pays (sign-in, share codes) a Redis that is down shuts the door; elsewhere it opens.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import structlog
from flask import g, request
from redis.exceptions import RedisError

from app.access import redis, settings
from app.kernel.ids import digest
from miniprogram_api.errors import ServiceUnavailable, TooManyRequests

WINDOW_SECONDS: Final = 60
SLIDING_WINDOW: Final = """
local limit, span = tonumber(ARGV[1]), tonumber(ARGV[2]) * 1000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = math.floor(now / span)
local kept = redis.call('HMGET', KEYS[1], 'window', 'current', 'previous')
local behind = window - (tonumber(kept[1]) or window)
local current, previous = tonumber(kept[2]) or 0, tonumber(kept[3]) or 0
if behind == 1 then current, previous = 0, current end
if behind > 1 then current, previous = 0, 0 end
local left = span - now % span
if current + 1 > limit then return math.ceil(left / 1000) end
if previous * left / span + current + 1 > limit then
  return math.max(1, math.ceil((left - (limit - current - 1) * span / previous) / 1000))
end
redis.call('HSET', KEYS[1], 'window', window, 'current', current + 1, 'previous', previous)
redis.call('PEXPIRE', KEYS[1], 2 * span)
return 0
"""
"""Two fixed windows, the former weighted by how much of it still counts (as Cloudflare does): a few
bytes for each caller, and no burst of twice the limit over a boundary. Returns seconds to wait."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rule:
    """What is counted for whom, and what happens when nobody can count."""

    name: str
    setting: str
    by_address: bool = False
    opens_when_blind: bool = True


class Limit(Enum):
    """The classes of requests that are counted, each by itself."""

    SIGN_IN = Rule("sign-in", "sign_in_limit_per_minute", by_address=True, opens_when_blind=False)
    GUESS = Rule("guess", "rate_limit_per_minute", opens_when_blind=False)
    WRITE = Rule("write", "rate_limit_per_minute")
    PICTURE = Rule("picture", "rate_limit_per_minute")
    LANDING = Rule("landing", "rate_limit_per_minute", by_address=True)


def check(limit: Limit) -> None:
    """Count this request, or raise `TooManyRequests` with the seconds until one more is allowed."""
    rule = limit.value
    principal = f"ip:{request.remote_addr}" if rule.by_address else f"member:{g.member_id}"
    key = f"limit:{rule.name}:{digest(principal)[:32]}"
    try:
        allowed = getattr(settings(), rule.setting)
        wait = redis().register_script(SLIDING_WINDOW)([key], [allowed, WINDOW_SECONDS])
    except RedisError as error:
        log.warning("limit_not_counted", limit=rule.name, error=type(error).__name__)
        if not rule.opens_when_blind:
            raise ServiceUnavailable from None
        return
    if int(wait):
        raise TooManyRequests(int(wait))
