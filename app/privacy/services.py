"""Asking for one's own data, taking the wish back, and doing what was asked for."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.kernel import audit, outbox
from app.kernel.audit import SYSTEM, Actor, Change, Subject
from app.kernel.secrecy import vault
from app.members.profiles import lock_member
from app.privacy import copies, erasure
from app.privacy.errors import (
    CopyGone,
    DataRequestNotFound,
    DataRequestOpen,
    ErasureObstructed,
)
from app.privacy.models import PrivacyCopy, PrivacyRequest
from app.privacy.states import RequestEvent, RequestKind, RequestState
from app.settings import Settings

TRIED_AGAIN_AFTER = timedelta(days=1)
FAILED_AGAIN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose data it is about, what is asked, and why, where staff ask on somebody's behalf."""

    member_id: int
    kind: RequestKind
    reason: str = ""


def ask(
    session: Session, wish: Wish, *, actor: Actor, settings: Settings, now: datetime
) -> PrivacyRequest:
    """Note what a person asks about their own data, theirs or on their behalf.

    A copy is made at once; an erasure waits for `privacy_cooling_seconds`, so that it can be taken
    back. Raises MemberNotFound, DataRequestOpen, and ErasureObstructed with everything that has to
    be settled first.
    """
    member_id, kind, reason = wish.member_id, wish.kind, wish.reason
    lock_member(session, member_id)
    waits = timedelta(0)
    if kind is RequestKind.ERASURE:
        if found := erasure.obstacles(session, member_id):
            raise ErasureObstructed(found)
        waits = timedelta(seconds=settings.privacy_cooling_seconds)
    request_id = session.scalar(
        insert(PrivacyRequest)
        .values(
            member_id=member_id,
            kind=kind,
            state=RequestState.WAITING,
            requested_by=str(actor),
            reason=reason,
            requested_at=now,
            due_at=now + waits,
        )
        .on_conflict_do_nothing()
        .returning(PrivacyRequest.id)
    )
    if request_id is None:
        raise DataRequestOpen
    change = Change(after={"kind": kind.value, "request_id": request_id}, reason=reason)
    _record(session, actor, "privacy.asked", member_id, change, now=now)
    outbox.emit(session, "data_requested", request_id, now=now)
    return session.get_one(PrivacyRequest, request_id)


def withdraw(
    session: Session,
    request_id: int,
    *,
    actor: Actor,
    now: datetime,
    member_id: int | None = None,
    reason: str = "",
) -> PrivacyRequest:
    """Take a request back that is not done yet; with `member_id` only one of that member.

    Raises DataRequestNotFound, DataRequestEnded.
    """
    row = _locked(session, request_id)
    if row is None or (member_id is not None and row.member_id != member_id):
        raise DataRequestNotFound
    row.advance(RequestEvent.WITHDRAW, actor=str(actor), now=now)
    change = Change(after={"kind": row.kind.value, "request_id": row.id}, reason=reason)
    _record(session, actor, "privacy.withdrawn", row.member_id, change, now=now)
    return row


def due_ids(session: Session, *, now: datetime, limit: int) -> list[int]:
    """Return the requests that are due, the oldest first."""
    return list(
        session.scalars(
            sa.select(PrivacyRequest.id)
            .where(PrivacyRequest.due_at <= now)
            .order_by(PrivacyRequest.due_at, PrivacyRequest.id)
            .limit(limit)
        )
    )


def carry_out(
    session: Session, request_id: int, *, settings: Settings, now: datetime
) -> PrivacyRequest | None:
    """Do what a due request asks for; None where somebody else did, or it was taken back.

    The member is locked before the request, as by everything else that changes them. An erasure
    that something stands in the way of is put off by a day, and says what.
    """
    member_id = session.scalar(
        sa.select(PrivacyRequest.member_id).where(PrivacyRequest.id == request_id)
    )
    if member_id is None:
        return None
    lock_member(session, member_id)
    row = _locked(session, request_id)
    if row is None or row.due_at is None or row.due_at > now:
        return None
    if row.kind is RequestKind.COPY:
        _copy(session, row, settings=settings, now=now)
    elif found := erasure.obstacles(session, member_id):
        row.obstacles = list(found)
        row.due_at = now + TRIED_AGAIN_AFTER
        return row
    else:
        erasure.remember(session, member_id, settings=settings, now=now)
        erasure.erase(session, member_id, now=now)
        row = session.get_one(PrivacyRequest, request_id)
        _forget_copies(session, member_id)
        _end_others(session, row, now=now)
    row.obstacles = []
    row.advance(RequestEvent.FINISH, actor=str(SYSTEM), now=now)
    change = Change(after={"kind": row.kind.value, "request_id": row.id})
    _record(session, SYSTEM, "privacy.done", member_id, change, now=now)
    return row


def put_off(session: Session, request_id: int, *, now: datetime) -> None:
    """Try a request that failed again later, so that it does not stand before all others."""
    row = _locked(session, request_id)
    if row is not None and row.due_at is not None:
        row.due_at = now + FAILED_AGAIN_AFTER


def _end_others(session: Session, done: PrivacyRequest, *, now: datetime) -> None:
    """End what the person asked for beside their erasure: there is nothing left to copy."""
    waiting = session.scalars(
        sa.select(PrivacyRequest)
        .where(
            PrivacyRequest.member_id == done.member_id,
            PrivacyRequest.state == RequestState.WAITING,
            PrivacyRequest.id != done.id,
        )
        .with_for_update()
    ).all()
    for row in waiting:
        row.advance(RequestEvent.WITHDRAW, actor=str(SYSTEM), now=now)


def _copy(session: Session, row: PrivacyRequest, *, settings: Settings, now: datetime) -> None:
    content = copies.archive(copies.gather(session, row.member_id), now=now)
    session.add(
        PrivacyCopy(
            request_id=row.id,
            content_sealed=vault().seal(base64.b64encode(content).decode()),
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            made_at=now,
            expires_at=now + timedelta(seconds=settings.privacy_copy_seconds),
        )
    )


def take_copy(
    session: Session,
    request_id: int,
    *,
    actor: Actor,
    now: datetime,
    member_id: int | None = None,
) -> bytes:
    """Return the archive made for a request, and record who took it.

    With `member_id` only for that member. Raises DataRequestNotFound, CopyGone.
    """
    row = session.get(PrivacyRequest, request_id)
    if row is None or (member_id is not None and row.member_id != member_id):
        raise DataRequestNotFound
    copy = session.get(PrivacyCopy, request_id)
    if copy is None or copy.expires_at <= now:
        raise CopyGone
    change = Change(after={"request_id": request_id, "sha256": copy.sha256})
    _record(session, actor, "privacy.copy_taken", row.member_id, change, now=now)
    return base64.b64decode(vault().open(copy.content_sealed))


def forget_copies(session: Session, *, now: datetime) -> int:
    """Remove copies whose time is over; return how many."""
    gone = session.scalars(
        sa.delete(PrivacyCopy)
        .where(PrivacyCopy.expires_at <= now)
        .returning(PrivacyCopy.request_id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _forget_copies(session: Session, member_id: int) -> None:
    ours = sa.select(PrivacyRequest.id).where(PrivacyRequest.member_id == member_id)
    session.execute(
        sa.delete(PrivacyCopy)
        .where(PrivacyCopy.request_id.in_(ours))
        .execution_options(synchronize_session=False)
    )


def _locked(session: Session, request_id: int) -> PrivacyRequest | None:
    return session.get(PrivacyRequest, request_id, with_for_update=True, populate_existing=True)


def _record(
    session: Session,
    actor: Actor,
    action: str,
    member_id: int,
    change: Change,
    *,
    now: datetime,
) -> None:
    audit.record(session, actor, action, Subject("member", member_id), change, now=now)
