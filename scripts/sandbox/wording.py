"""How WeChat writes things: times, numbers, errors."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

SHANGHAI = timezone(timedelta(hours=8))
DAY_SECONDS = 24 * 3600


@dataclass
class PayError(Exception):
    """What Pay v3 answers instead of doing something."""

    status: int
    code: str
    message: str
    detail: dict[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the JSON of it."""
        return {"code": self.code, "message": self.message, **self.detail}


@dataclass
class ApiError(Exception):
    """What the mini-program API answers instead of doing something; the HTTP status is 200."""

    errcode: int
    errmsg: str

    def body(self) -> dict[str, Any]:
        """Return the JSON of it."""
        return {"errcode": self.errcode, "errmsg": self.errmsg}


def param_error(message: str) -> PayError:
    """Return the refusal of a request that can never succeed as it is."""
    return PayError(400, "PARAM_ERROR", message)


def wechat_time(seconds: float) -> str:
    """Write a time as WeChat does.

    >>> wechat_time(1_772_338_205)
    '2026-03-01T12:10:05+08:00'
    """
    return datetime.fromtimestamp(int(seconds), SHANGHAI).isoformat()


def day_begins(seconds: float) -> float:
    """Return when the day in Shanghai began, which is the day of WeChat's limits.

    >>> wechat_time(day_begins(1_772_338_205))
    '2026-03-01T00:00:00+08:00'
    """
    at = datetime.fromtimestamp(seconds, SHANGHAI)
    return at.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def digits(prefix: str, length: int) -> str:
    """Return a new number of WeChat's own."""
    return prefix + "".join(secrets.choice("0123456789") for _ in range(length - len(prefix)))


def find_null(value: Any, path: str = "") -> str | None:
    """Return where a document has a null, which Pay v3 refuses, or None.

    >>> find_null({"amount": {"total": 1, "currency": None}})
    '/amount/currency'
    """
    if value is None:
        return path or "/"
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, item in pairs:
        found = find_null(item, f"{path}/{key}")
        if found:
            return found
    return None
