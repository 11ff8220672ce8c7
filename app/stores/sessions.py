"""Sessions of staff: begun at sign-in, looked at with every request, ended at once when told to.

The browser keeps a random token inside its signed cookie, we keep the digest. Who holds a token of
a row that has ended, was idle too long or is past its time is nobody.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.ids import digest
from app.stores.devices import browser_of, network_of
from app.stores.session_models import SessionEnd, StaffSession
from app.stores.staff_errors import SessionNotFound

TOKEN_BYTES: Final = 32
TOUCHED_EVERY: Final = timedelta(seconds=60)
"""How exactly idleness is measured; a write with every click would cost more than it tells."""
KEPT_FOR: Final = timedelta(days=180)
BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a sign-in comes from, as the request tells."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that is going on, and the database's instant at which it was looked at."""

    id: int
    staff_id: int
    last_seen_at: datetime
    now: datetime

    @property
    def is_due(self) -> bool:
        """Tell whether it is time to note that it was used."""
        return self.now - self.last_seen_at >= TOUCHED_EVERY


def begin(
    session: Session, staff_id: int, caller: Caller, *, lasts_seconds: int, now: datetime
) -> str:
    """Begin a session and return its token, which is told once.

    A browser and network that this person has not used before is put on record, unless it is their
    very first sign-in.
    """
    browser, network = browser_of(caller.user_agent), network_of(caller.address)
    earlier = sa.select(StaffSession.id).where(StaffSession.staff_id == staff_id)
    same = earlier.where(StaffSession.browser == browser, StaffSession.network == network)
    is_first = session.scalar(earlier.limit(1)) is None
    is_new = not is_first and session.scalar(same.limit(1)) is None
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = StaffSession(
        staff_id=staff_id,
        token_hash=digest(token),
        network=network,
        browser=browser,
        is_new_device=is_new,
        created_at=now,
        last_seen_at=now,
        expires_at=now + timedelta(seconds=lasts_seconds),
    )
    session.add(row)
    session.flush()
    if is_new:
        after = {"browser": browser, "network": network}
        who, subject = Actor("staff", staff_id), Subject("staff", staff_id)
        audit.record(session, who, "staff_new_device", subject, Change(after=after), now=now)
    return token


def find_live(session: Session, token: str, *, idle_seconds: int) -> LiveSession | None:
    """Return the session of a token, or None where it is over; one read by a unique index."""
    now = sa.func.clock_timestamp()
    row = session.execute(
        sa.select(
            StaffSession.id, StaffSession.staff_id, StaffSession.last_seen_at, now.label("now")
        ).where(StaffSession.token_hash == digest(token), *_is_live(now, idle_seconds))
    ).one_or_none()
    return LiveSession(*row) if row is not None else None


def touch(session: Session, session_id: int, *, now: datetime) -> None:
    """Note that a session was used; two requests at once note it once."""
    session.execute(
        sa.update(StaffSession)
        .where(StaffSession.id == session_id, StaffSession.last_seen_at <= now - TOUCHED_EVERY)
        .values(last_seen_at=now)
    )


def live_sessions(*, idle_seconds: int, now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that a session is going on."""
    return sa.and_(*_is_live(sa.literal(now), idle_seconds))


def end_one(
    session: Session, session_id: int, *, staff_id: int | None = None, actor: Actor, now: datetime
) -> None:
    """End one session, of a certain person where one is named. Raises `SessionNotFound`."""
    query = sa.select(StaffSession).where(
        StaffSession.id == session_id, StaffSession.ended_at.is_(None)
    )
    if staff_id is not None:
        query = query.where(StaffSession.staff_id == staff_id)
    row = session.scalar(query.with_for_update())
    if row is None:
        raise SessionNotFound
    is_own = (actor.kind, actor.id) == ("staff", row.staff_id)
    row.ended_at = max(now, row.created_at)
    row.end_reason = SessionEnd.ENDED if is_own else SessionEnd.ENDED_BY_OTHERS
    after = {"session_id": row.id, "browser": row.browser, "network": row.network}
    subject = Subject("staff", row.staff_id)
    audit.record(session, actor, "staff_session_ended", subject, Change(after=after), now=now)


def end_others(
    session: Session, staff_id: int, *, but_id: int | None, actor: Actor, now: datetime
) -> int:
    """End every session of a person but one; return how many."""
    count = end_all(session, staff_id, why=SessionEnd.ENDED, but_id=but_id, now=now)
    change = Change(after={"count": count})
    subject = Subject("staff", staff_id)
    audit.record(session, actor, "staff_sessions_ended", subject, change, now=now)
    return count


def end_all(
    session: Session,
    staff_id: int,
    *,
    why: SessionEnd,
    but_id: int | None = None,
    now: datetime,
) -> int:
    """End every session of a person, as part of what is on record elsewhere; return how many."""
    ended = session.execute(
        sa.update(StaffSession)
        .where(
            StaffSession.staff_id == staff_id,
            StaffSession.ended_at.is_(None),
            StaffSession.id.is_distinct_from(but_id),
        )
        .values(ended_at=now, end_reason=why)
        .returning(StaffSession.id)
    )
    return len(ended.all())


def leave(session: Session, session_id: int, *, why: SessionEnd, now: datetime) -> None:
    """End a session from within: its browser signs out, or signs in anew."""
    session.execute(
        sa.update(StaffSession)
        .where(StaffSession.id == session_id, StaffSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=why)
    )


def replace(session: Session, token: str, *, now: datetime) -> None:
    """End the session of a token whose browser has signed in anew."""
    session.execute(
        sa.update(StaffSession)
        .where(StaffSession.token_hash == digest(token), StaffSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=SessionEnd.REPLACED)
    )


def forget(session: Session, *, now: datetime) -> int:
    """Remove a batch of sessions that were over long ago; return how many."""
    old = (
        sa.select(StaffSession.id)
        .where(StaffSession.expires_at < now - KEPT_FOR)
        .order_by(StaffSession.expires_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    gone = session.execute(
        sa.delete(StaffSession).where(StaffSession.id.in_(old)).returning(StaffSession.id)
    )
    return len(gone.all())


def _is_live(
    now: sa.ColumnElement[datetime], idle_seconds: int
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        StaffSession.ended_at.is_(None),
        StaffSession.expires_at > now,
        StaffSession.last_seen_at > now - timedelta(seconds=idle_seconds),
    )
