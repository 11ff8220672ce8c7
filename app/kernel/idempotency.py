"""A request that is sent twice acts once and is answered the same.

Key, fingerprint of the body and the stored answer live in one row, written in the very
transaction that holds the effect (after brandur's atomic phases and Stripe's rules). So there is
no half-done key: a crash before the commit leaves nothing, after it the answer.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session

from app.kernel.db import Base, Id, atomic, retrying
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_

T = TypeVar("T")

KEPT_FOR: Final = timedelta(hours=72)
"""A bug found on Friday night needs the weekend before clients may stop retrying."""


class IdempotencyRecord(Base):
    """The answer given to one keyed request. Never changed; removed after `KEPT_FOR`."""

    __tablename__ = "idempotency_records"
    __table_args__ = (sa.UniqueConstraint("principal", "route", "key"),)

    id: Mapped[Id]
    principal: Mapped[str]
    route: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[int]
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


@dataclass(eq=False)
class IdempotencyKeyReused(DomainError):
    """The same key came with another body."""

    code: ClassVar[str] = "idempotency_key_reused"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This Idempotency-Key was used with a different request.")


@dataclass(eq=False)
class RequestInProgress(DomainError):
    """The first request of this key is still being worked on."""

    code: ClassVar[str] = "request_in_progress"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The same request is still being processed. Try again in a moment.")


@dataclass(frozen=True, slots=True)
class Request:
    """A keyed request: whose, to which route, under which key, and what it asked for."""

    principal: str
    route: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was, or is to be, answered."""

    status: int
    body: dict[str, Any]
    repeated: bool = False


def fingerprint(payload: Any) -> str:
    """Return a digest of a JSON value that ignores the order of its keys."""
    text = json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def once(
    request: Request,
    act: Callable[[Session], T],
    *,
    render: Callable[[T], dict[str, Any]],
    status: int,
    now: datetime,
) -> Answer:
    """Act in one transaction and store the answer in it, or return the answer stored before.

    Raise `RequestInProgress` while another process works on the same key, and
    `IdempotencyKeyReused` where the body differs. A refusal (`DomainError`) stores nothing: the
    same key may be tried again once the reason has gone.
    """
    return retrying(lambda: _once(request, act, render=render, status=status, now=now))


def _once(
    request: Request,
    act: Callable[[Session], T],
    *,
    render: Callable[[T], dict[str, Any]],
    status: int,
    now: datetime,
) -> Answer:
    with atomic() as session:
        _lock_key(session, request)
        earlier = _find(session, request)
        if earlier is not None:
            if earlier.fingerprint != request.fingerprint:
                raise IdempotencyKeyReused
            return Answer(earlier.status, earlier.body, repeated=True)
        body = render(act(session))
        session.add(
            IdempotencyRecord(
                principal=request.principal,
                route=request.route,
                key=request.key,
                fingerprint=request.fingerprint,
                status=status,
                body=body,
                created_at=now,
            )
        )
    return Answer(status, body)


def _lock_key(session: Session, request: Request) -> None:
    """Take the key for this transaction, or refuse at once: waiting would pile up the impatient."""
    name = f"{request.principal}|{request.route}|{request.key}"
    taken = session.scalar(
        sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(name, 7)))
    )
    if not taken:
        raise RequestInProgress


def _find(session: Session, request: Request) -> IdempotencyRecord | None:
    return session.scalar(
        sa.select(IdempotencyRecord).where(
            IdempotencyRecord.principal == request.principal,
            IdempotencyRecord.route == request.route,
            IdempotencyRecord.key == request.key,
        )
    )


def forget_old(session: Session, *, now: datetime, limit: int = 10_000) -> int:
    """Remove records past their time; return how many, at most one batch."""
    old = (
        sa.select(IdempotencyRecord.id)
        .where(IdempotencyRecord.created_at < now - KEPT_FOR)
        .limit(limit)
    )
    result = session.execute(
        sa.delete(IdempotencyRecord)
        .where(IdempotencyRecord.id.in_(old))
        .execution_options(synchronize_session=False)
    )
    return int(getattr(result, "rowcount", 0))
