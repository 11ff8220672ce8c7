"""Signing in with WeChat, and the sessions of a member's devices.

A token is 32 random bytes that only the device keeps; we store its digest. It ends after a fixed
time however much it is used, or when it is revoked. What WeChat calls the session key is never
kept at all.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.kernel.db import atomic, retrying
from app.kernel.ids import digest
from app.kernel.outbox import emit
from app.kernel.secrecy import vault
from app.members import former
from app.members.errors import (
    AccountDeleted,
    ConsentRequired,
    FreshSignInRequired,
    SessionInvalid,
    SessionNotFound,
    SignInMismatch,
)
from app.members.models import ConsentPurpose, Member, MemberDevice, MemberSession
from app.members.profiles import consent_in_force, put_consent
from app.settings import Settings
from app.wechat.access import mini_program

TOKEN_BYTES: Final = 32
DEVICES_MAX: Final = 20
"""How many devices stay signed in; one more signs out the one longest unused to sign in."""
DEVICE_NAME_LENGTH_MAX: Final = 60
FORGOTTEN_AFTER: Final = timedelta(days=90)
"""How long an ended session is kept for whoever must find out who was signed in."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a device gets: its token, and until when it is good."""

    token: str = field(repr=False)
    member_id: int
    is_new: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Arrival:
    """Who is at the door, as WeChat and the device say."""

    openid: str
    unionid: str | None
    consent_version: str | None
    device_hash: str | None
    device_name: str


def sign_in(  # noqa: PLR0913 - the facts of one request, all by keyword
    *,
    code: str,
    consent_version: str | None,
    device_id: str | None,
    device_name: str,
    ip: str,
    settings: Settings,
    now: datetime,
) -> SignedIn:
    """Exchange the code of `wx.login` for a session; the first time, register the member.

    Whoever is new, or has withdrawn it, must agree to the version of the terms in force. Two first
    sign-ins of one person at the same time make one member. Raises `ConsentRequired`,
    `AccountDeleted` and what `MiniProgram.sign_in` raises; nothing is kept then.
    """
    identity = mini_program().sign_in(code)
    arrival = _Arrival(
        openid=identity.openid,
        unionid=identity.unionid,
        consent_version=consent_version,
        device_hash=vault().look_up("device", device_id) if device_id else None,
        device_name=device_name[:DEVICE_NAME_LENGTH_MAX],
    )
    signed_in = retrying(lambda: _enter(arrival, settings=settings, now=now))
    log.info(
        "member_signed_in",
        member_id=signed_in.member_id,
        is_new=signed_in.is_new,
        ip_hash=vault().look_up("ip", ip)[:16],
    )
    return signed_in


def _enter(arrival: _Arrival, *, settings: Settings, now: datetime) -> SignedIn:
    with atomic() as session:
        member, is_new = _find_or_register(session, arrival, settings=settings, now=now)
        if member.deleted_at is not None:
            raise AccountDeleted
        _ensure_consent(session, member, arrival, settings=settings, now=now)
        _adopt_unionid(session, member, arrival.unionid)
        if is_new:
            former.recognise(session, member, now=now)
        if arrival.device_hash is not None:
            remember_device(session, member.id, arrival.device_hash, now=now)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        expires_at = now + timedelta(seconds=settings.session_seconds)
        session.add(
            MemberSession(
                member_id=member.id,
                token_hash=digest(token),
                device_name=arrival.device_name,
                signed_in_at=now,
                expires_at=expires_at,
            )
        )
        session.flush()
        _sign_out_oldest(session, member.id, now=now)
        return SignedIn(token, member.id, is_new, expires_at)


def _find_or_register(
    session: Session, arrival: _Arrival, *, settings: Settings, now: datetime
) -> tuple[Member, bool]:
    """Return the member of an openid, locked, and whether this call registered them."""
    found = _locked(session, arrival.openid)
    if found is not None:
        return found, False
    if arrival.consent_version != settings.consent_version:
        raise ConsentRequired(ConsentPurpose.SERVICE, settings.consent_version)
    inserted = session.scalar(
        insert(Member)
        .values(wechat_openid=arrival.openid, registered_at=now)
        .on_conflict_do_nothing(index_elements=[Member.wechat_openid])
        .returning(Member.id)
    )
    found = _locked(session, arrival.openid)
    assert found is not None, "it was inserted, or another transaction committed it"
    if inserted is not None:
        emit(session, "member_joined", found.id, now=now)
    return found, inserted is not None


def _locked(session: Session, openid: str) -> Member | None:
    return session.scalar(
        sa.select(Member)
        .where(Member.wechat_openid == openid)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def _ensure_consent(
    session: Session, member: Member, arrival: _Arrival, *, settings: Settings, now: datetime
) -> None:
    """Keep what the member agrees to now; refuse where nothing they agreed to is in force."""
    agrees = arrival.consent_version == settings.consent_version
    if agrees:
        put_consent(session, member.id, ConsentPurpose.SERVICE, settings.consent_version, now=now)
    elif consent_in_force(session, member.id, ConsentPurpose.SERVICE) is None:
        raise ConsentRequired(ConsentPurpose.SERVICE, settings.consent_version)


def _adopt_unionid(session: Session, member: Member, unionid: str | None) -> None:
    """Keep the unionid where WeChat has come to tell it, unless it stands with another member."""
    if unionid is None or member.wechat_unionid is not None:
        return
    held = sa.select(Member.id).where(Member.wechat_unionid == unionid)
    if session.scalar(held) is None:
        member.wechat_unionid = unionid


def remember_device(session: Session, member_id: int, device_hash: str, *, now: datetime) -> None:
    """Note that a member uses a device, whose id is hashed with the vault's key."""
    session.execute(
        insert(MemberDevice)
        .values(member_id=member_id, device_hash=device_hash, first_seen_at=now)
        .on_conflict_do_nothing()
    )


def _sign_out_oldest(session: Session, member_id: int, *, now: datetime) -> None:
    too_many = (
        sa.select(MemberSession.id)
        .where(
            MemberSession.member_id == member_id,
            MemberSession.revoked_at.is_(None),
            MemberSession.expires_at > now,
        )
        .order_by(MemberSession.id.desc())
        .offset(DEVICES_MAX)
    )
    _revoke(session, MemberSession.id.in_(too_many), now=now)


def refresh_sign_in(session_id: int, *, code: str, settings: Settings, now: datetime) -> datetime:
    """Prove presence again with a new code; return until when the session counts as fresh.

    The session does not live longer by it. Raises `SessionInvalid`, `SignInMismatch`.
    """
    identity = mini_program().sign_in(code)

    def prove() -> None:
        with atomic() as session:
            row, openid = _live_session(session, session_id, now=now)
            if openid != identity.openid:
                raise SignInMismatch
            row.signed_in_at = now

    retrying(prove)
    log.info("presence_proven", session_id=session_id)
    return now + timedelta(seconds=settings.fresh_sign_in_seconds)


def _live_session(session: Session, session_id: int, *, now: datetime) -> tuple[MemberSession, str]:
    found = session.execute(
        sa.select(MemberSession, Member.wechat_openid)
        .join(Member, Member.id == MemberSession.member_id)
        .where(
            MemberSession.id == session_id,
            MemberSession.revoked_at.is_(None),
            MemberSession.expires_at > now,
            Member.deleted_at.is_(None),
        )
        .with_for_update(of=MemberSession)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise SessionInvalid
    return found[0], found[1]


def require_fresh(signed_in_at: datetime, *, settings: Settings, now: datetime) -> None:
    """Raise `FreshSignInRequired` unless presence was proven a short while ago."""
    if now - signed_in_at > timedelta(seconds=settings.fresh_sign_in_seconds):
        raise FreshSignInRequired


def sign_out(session_id: int, *, now: datetime) -> None:
    """End one session; ending it twice is nothing more."""
    _in_own_transaction(lambda session: _revoke(session, MemberSession.id == session_id, now=now))


def sign_out_everywhere(member_id: int, *, now: datetime) -> int:
    """End every session of a member; return how many there were."""
    return _in_own_transaction(lambda session: end_sessions(session, member_id, now=now))


def revoke_device(member_id: int, *, session_id: int, now: datetime) -> None:
    """End one of a member's own sessions. Raises `SessionNotFound` for any other."""
    mine = sa.and_(MemberSession.id == session_id, MemberSession.member_id == member_id)
    if _in_own_transaction(lambda session: _revoke(session, mine, now=now)) == 0:
        raise SessionNotFound


def end_sessions(session: Session, member_id: int, *, now: datetime) -> int:
    """End every session of a member in the caller's transaction; return how many there were."""
    return _revoke(session, MemberSession.member_id == member_id, now=now)


def _in_own_transaction(act: Callable[[Session], int]) -> int:
    def run() -> int:
        with atomic() as session:
            return act(session)

    return retrying(run)


def _revoke(session: Session, which: sa.ColumnElement[bool], *, now: datetime) -> int:
    """Revoke the live sessions among those chosen; return how many."""
    revoked = session.scalars(
        sa.update(MemberSession)
        .where(which, MemberSession.revoked_at.is_(None), MemberSession.expires_at > now)
        .values(revoked_at=now)
        .returning(MemberSession.id)
        .execution_options(synchronize_session=False)
    )
    return len(revoked.all())


def forget_ended_sessions(session: Session, *, now: datetime, limit: int = 10_000) -> int:
    """Remove sessions that ended long ago; return how many, at most one batch."""
    old = (
        sa.select(MemberSession.id).where(MemberSession.expires_at < now - FORGOTTEN_AFTER)
    ).limit(limit)
    removed = session.scalars(
        sa.delete(MemberSession)
        .where(MemberSession.id.in_(old))
        .returning(MemberSession.id)
        .execution_options(synchronize_session=False)
    )
    return len(removed.all())
