"""Whoever names too many codes that do not exist is locked out for a while.

A share code has 131 random bits, so nobody finds one; the lock keeps those who try from costing us.
A staff code has 40, is good for ten minutes and is found by nobody who has five tries.
Misses count per member, and per address with a higher limit, since many people share one address
behind a carrier's or a shop's network.
"""

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.attribution.errors import CodesLocked, CodeUnknown
from app.attribution.models import CodeMiss
from app.kernel.db import atomic, retrying
from app.kernel.errors import DomainError
from app.kernel.secrecy import vault
from app.settings import Settings
from app.stores.staff_mode_errors import StaffCodesLocked, StaffCodeUnknown


@dataclass(frozen=True, slots=True)
class Guess:
    """A kind of code that can be guessed at; misses of each kind count by themselves."""

    prefix: str
    """Stands before the principals that are counted."""
    unknown: type[DomainError]
    locked: Callable[[int], DomainError]
    """From the seconds to wait to the refusal."""


SHARE_CODES: Final = Guess("", CodeUnknown, CodesLocked)
STAFF_CODES: Final = Guess("staff-code:", StaffCodeUnknown, StaffCodesLocked)
PEOPLE_PER_ADDRESS: Final = 10
V6_PREFIX: Final = 64
"""One subscriber has a whole network of this length, so one address of it says nothing."""


def address_key(ip: str) -> str:
    """Return the keyed hash that stands for whoever is behind an address."""
    return vault().look_up("ip", subscriber(ip))


def subscriber(ip: str) -> str:
    """Return what one subscriber's addresses have in common; a text that is none, as it is.

    >>> subscriber("203.0.113.7"), subscriber("2001:db8:1:2:3:4:5:6")
    ('203.0.113.7', '2001:db8:1:2::/64')
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, V6_PREFIX), strict=False))
    return str(address)


@contextmanager
def counting_misses(
    *,
    member_id: int | None,
    ip: str | None,
    settings: Settings,
    now: datetime,
    guess: Guess = SHARE_CODES,
) -> Iterator[None]:
    """Guard a call that looks up a code which a stranger named. Opens transactions of its own.

    Raises `CodesLocked`, or what the kind of code has for it, before anything is looked up; counts
    a `CodeUnknown` that comes out of the block, after the block's own transaction has rolled back.
    """
    limits = {
        f"{guess.prefix}{who}": most for who, most in _limits(member_id, ip, settings).items()
    }
    _refuse_locked(limits, guess, now=now)
    try:
        yield
    except guess.unknown:
        for principal, most in sorted(limits.items()):
            count_miss(principal, most=most, settings=settings, now=now)
        raise


def _limits(member_id: int | None, ip: str | None, settings: Settings) -> dict[str, int]:
    """Return who is counted, and how many misses each may have."""
    limits = {}
    if member_id is not None:
        limits[f"member:{member_id}"] = settings.code_misses_max
    if ip is not None:
        limits[f"ip:{address_key(ip)}"] = settings.code_misses_max * PEOPLE_PER_ADDRESS
    return limits


def _refuse_locked(limits: dict[str, int], guess: Guess, *, now: datetime) -> None:
    with atomic() as session:
        until = session.scalar(
            sa.select(sa.func.max(CodeMiss.locked_until_at)).where(
                CodeMiss.principal.in_(list(limits)), CodeMiss.locked_until_at > now
            )
        )
    if until is not None:
        raise guess.locked(ceil((until - now).total_seconds()))


def count_miss(principal: str, *, most: int, settings: Settings, now: datetime) -> None:
    """Count a miss in a transaction of its own, and lock the principal out at the limit."""

    def count() -> None:
        with atomic() as session:
            _count(session, principal, most=most, settings=settings, now=now)

    retrying(count)


def _count(
    session: Session, principal: str, *, most: int, settings: Settings, now: datetime
) -> None:
    span = timedelta(seconds=settings.code_lock_seconds)
    is_over = sa.or_(CodeMiss.first_at <= now - span, CodeMiss.locked_until_at <= now)
    misses = session.scalar(
        insert(CodeMiss)
        .values(principal=principal, misses=1, first_at=now)
        .on_conflict_do_update(
            index_elements=[CodeMiss.principal],
            set_={
                "misses": sa.case((is_over, 1), else_=CodeMiss.misses + 1),
                "first_at": sa.case((is_over, now), else_=CodeMiss.first_at),
                "locked_until_at": sa.case((is_over, None), else_=CodeMiss.locked_until_at),
            },
        )
        .returning(CodeMiss.misses)
    )
    if misses is not None and misses >= most:
        session.execute(
            sa.update(CodeMiss)
            .where(CodeMiss.principal == principal)
            .values(locked_until_at=now + span)
            .execution_options(synchronize_session=False)
        )


def forget_misses(
    session: Session, *, settings: Settings, now: datetime, limit: int = 10_000
) -> int:
    """Remove counters that have run out; return how many, at most one batch."""
    span = timedelta(seconds=settings.code_lock_seconds)
    old = (
        sa.select(CodeMiss.principal)
        .where(
            CodeMiss.first_at <= now - span,
            sa.or_(CodeMiss.locked_until_at.is_(None), CodeMiss.locked_until_at <= now),
        )
        .limit(limit)
    )
    removed = session.scalars(
        sa.delete(CodeMiss)
        .where(CodeMiss.principal.in_(old))
        .returning(CodeMiss.principal)
        .execution_options(synchronize_session=False)
    )
    return len(removed.all())
