"""Requests that move something act once, however often they arrive.

The key is the caller's and belongs to them, this method and this path. Same body: the same answer
again. Another body: refused. See `app.kernel.idempotency` for how it holds through a crash.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from flask import request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.kernel import idempotency
from app.kernel.idempotency import Answer, fingerprint
from miniprogram_api.auth import caller
from miniprogram_api.errors import IdempotencyKeyInvalid, IdempotencyKeyRequired
from miniprogram_api.fields import View

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
KEY_PATTERN: Final = r"^[\x21-\x7e]{8,64}$"
_KEY = re.compile(KEY_PATTERN.strip("^$"), re.ASCII)

V = TypeVar("V", bound=View)


@dataclass(frozen=True, slots=True)
class Kept(Generic[V]):
    """An answer that is stored with its effect; the type says what it shows."""

    answer: Answer


def once(
    act: Callable[[Session], V], body: BaseModel, *, now: datetime, status: int = 201
) -> Kept[V]:
    """Act in one transaction and keep the view it returns, or give the answer kept before."""
    request_once = idempotency.Request(
        principal=f"member:{caller().member_id}",
        route=f"{request.method} {request.path}",
        key=_key(),
        fingerprint=fingerprint(body.model_dump(mode="json")),
    )
    return Kept(idempotency.once(request_once, act, render=_dump, status=status, now=now))


def _key() -> str:
    key = request.headers.get(HEADER)
    if key is None:
        raise IdempotencyKeyRequired
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyInvalid
    return key


def _dump(view: View) -> dict[str, Any]:
    return view.model_dump(mode="json")
