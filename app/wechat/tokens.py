"""The mini-program's access token, which every process shares through Redis.

WeChat hands the same stable token to every caller while it is valid, so several processes that
find none may all ask for it; nobody's token dies of that. If Redis is away, each asks for itself.
"""

from dataclasses import dataclass
from typing import Final, Self

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

EARLY_SECONDS: Final = 60
"""Forgotten this long before WeChat does, so that no request sets out with a dying token."""

REDIS_SECONDS: Final = 2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TokenStore:
    """Where the token of one mini-program is kept."""

    connection: "redis.Redis"
    key: str

    @classmethod
    def open(cls, redis_url: str, *, app_id: str) -> Self:
        """Return the store of a mini-program; without Redis a token costs a request, not a wait."""
        connection = redis.Redis.from_url(
            redis_url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
        )
        return cls(connection, f"wechat:token:{app_id}")

    def get(self) -> str | None:
        """Return the token, or None where there is none or Redis does not answer."""
        try:
            token = self.connection.get(self.key)
        except redis.RedisError as error:
            log.warning("wechat_token_store_unreachable", error=type(error).__name__)
            return None
        return token.decode() if isinstance(token, bytes) else None

    def put(self, token: str, *, seconds: int) -> None:
        """Keep a token for as long as WeChat promised, less a margin."""
        try:
            self.connection.set(self.key, token, ex=max(1, seconds - EARLY_SECONDS))
        except redis.RedisError as error:
            log.warning("wechat_token_store_unreachable", error=type(error).__name__)

    def drop(self, token: str) -> None:
        """Forget a token that WeChat does not accept, unless another has taken its place."""
        try:
            if self.get() == token:
                self.connection.delete(self.key)
        except redis.RedisError as error:
            log.warning("wechat_token_store_unreachable", error=type(error).__name__)
