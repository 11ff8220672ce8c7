"""Signing in through the sandbox, and what of it the database keeps."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.db import database_now
from app.kernel.ids import digest
from app.members import queries, services
from app.members.errors import (
    AccountDeleted,
    ConsentRequired,
    FreshSignInRequired,
    SessionInvalid,
    SessionNotFound,
    SignInMismatch,
)
from app.members.jobs import forget_ended_sessions
from app.members.models import Consent, ConsentPurpose, Member, MemberDevice, MemberSession
from app.members.sessions import DEVICES_MAX, SignedIn, require_fresh
from app.settings import Settings
from app.wechat.errors import SignInCodeInvalid, WeChatUnavailable
from scripts.sandbox.client import SandboxClient
from tests.factories.people import make_member, make_session

HOUR = timedelta(hours=1)


def enter(
    sandbox: SandboxClient,
    openid: str,
    settings: Settings,
    now: datetime,
    *,
    consent: str | None = "2026-11",
    device: str | None = "device-1",
) -> SignedIn:
    return services.sign_in(
        code=sandbox.login_code(openid),
        consent_version=consent,
        device_id=device,
        device_name="iPhone 15",
        ip="203.0.113.7",
        settings=settings,
        now=now,
    )


def count(session: Session, model: type[object]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_a_first_sign_in_registers_the_member_with_their_consent(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    openid = sandbox.user(unionid="union-1")

    signed_in = enter(sandbox, openid, settings, now)

    member = session.get_one(Member, signed_in.member_id)
    consent = session.scalars(sa.select(Consent)).one()
    assert signed_in.is_new
    assert (member.wechat_openid, member.wechat_unionid) == (openid, "union-1")
    assert (consent.purpose, consent.version) == (ConsentPurpose.SERVICE, "2026-11")
    assert consent.granted_at <= member.registered_at == now
    assert signed_in.expires_at == now + timedelta(days=30)


def test_a_token_is_256_random_bits_and_only_its_digest_is_kept(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    signed_in = enter(sandbox, sandbox.user(), settings, now)

    row = session.scalars(sa.select(MemberSession)).one()
    assert re.fullmatch(r"[0-9A-Za-z_-]{43}", signed_in.token)
    assert row.token_hash == digest(signed_in.token)
    assert signed_in.token not in repr(signed_in)


def test_a_second_sign_in_is_the_same_member_on_another_device(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    openid = sandbox.user()
    first = enter(sandbox, openid, settings, now)

    second = enter(sandbox, openid, settings, now + HOUR, consent=None, device="device-2")

    assert (second.member_id, second.is_new) == (first.member_id, False)
    assert second.token != first.token
    assert count(session, Member) == 1
    assert count(session, Consent) == 1
    assert count(session, MemberDevice) == 2
    assert len(queries.devices(session, first.member_id, at=now + HOUR)) == 2


@pytest.mark.parametrize("version", [None, "2020-01", ""])
def test_nobody_is_registered_without_agreeing_to_the_terms_in_force(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    now: datetime,
    version: str | None,
) -> None:
    with pytest.raises(ConsentRequired) as refused:
        enter(sandbox, sandbox.user(), settings, now, consent=version)

    assert (refused.value.purpose, refused.value.version) == ("service", "2026-11")
    assert count(session, Member) == 0


def test_new_terms_are_agreed_to_beside_the_old_ones(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    openid = sandbox.user()
    member_id = enter(sandbox, openid, settings, now).member_id
    newer = replace(settings, consent_version="2027-01")

    enter(sandbox, openid, newer, now + HOUR, consent="2027-01")

    new, old = queries.consents(session, member_id)
    assert (old.version, old.withdrawn_at) == ("2026-11", now + HOUR)
    assert (new.version, new.withdrawn_at) == ("2027-01", None)


def test_whoever_withdrew_agrees_again_before_signing_in(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    openid = sandbox.user()
    member_id = enter(sandbox, openid, settings, now).member_id
    services.withdraw_consent(session, member_id, purpose=ConsentPurpose.SERVICE, now=now)
    session.commit()

    with pytest.raises(ConsentRequired):
        enter(sandbox, openid, settings, now + HOUR, consent=None)

    assert enter(sandbox, openid, settings, now + HOUR).member_id == member_id


def test_a_deleted_account_stays_shut(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    openid = sandbox.user()
    make_member(session, openid=openid).deleted_at = now
    session.commit()

    with pytest.raises(AccountDeleted):
        enter(sandbox, openid, settings, now)

    assert count(session, MemberSession) == 0


def test_a_unionid_that_comes_later_is_kept_and_never_taken_from_another(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    early = make_member(session, openid=sandbox.user(unionid="union-1"))
    other = make_member(session, openid=sandbox.user(unionid="union-1"))
    session.commit()

    enter(sandbox, early.wechat_openid, settings, now)
    enter(sandbox, other.wechat_openid, settings, now)

    session.expire_all()
    assert (early.wechat_unionid, other.wechat_unionid) == ("union-1", None)


def test_a_code_works_once_and_a_foreign_one_never(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    code = sandbox.login_code(sandbox.user())

    def enter_by(one: str) -> SignedIn:
        return services.sign_in(
            code=one,
            consent_version="2026-11",
            device_id=None,
            device_name="",
            ip="::1",
            settings=settings,
            now=now,
        )

    enter_by(code)
    for again in (code, "never-issued"):
        with pytest.raises(SignInCodeInvalid):
            enter_by(again)

    assert count(session, MemberSession) == 1


def test_nothing_is_kept_while_wechat_is_silent(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    openid = sandbox.user()
    sandbox.fault("/sns/jscode2session", "drop_before", times=0)

    with pytest.raises(WeChatUnavailable):
        enter(sandbox, openid, settings, now)

    assert count(session, Member) == 0


def test_one_device_too_many_signs_the_oldest_out(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    openid = sandbox.user()
    tokens = [enter(sandbox, openid, settings, now).token for _ in range(DEVICES_MAX + 1)]

    live = {
        row.token_hash
        for row in session.scalars(
            sa.select(MemberSession).where(MemberSession.revoked_at.is_(None))
        )
    }
    assert live == {digest(token) for token in tokens[1:]}


def test_a_token_stands_for_its_member_until_it_ends_or_is_revoked(
    session: Session, now: datetime
) -> None:
    member = make_member(session, nickname="小美")
    good = make_session(session, member, signed_in_at=now)
    over = make_session(session, member, expires_at=now)
    revoked = make_session(session, member)
    session.scalars(
        sa.select(MemberSession).where(MemberSession.token_hash == digest(revoked))
    ).one().revoked_at = now
    session.flush()

    found = queries.session_by_token(session, digest(good))

    assert found is not None
    assert (found.member_id, found.nickname, found.signed_in_at) == (member.id, "小美", now)
    for token in (over, revoked, "unknown"):
        assert queries.session_by_token(session, digest(token)) is None


def test_a_deleted_member_has_no_session(session: Session, now: datetime) -> None:
    member = make_member(session)
    token = make_session(session, member)
    member.deleted_at = now
    session.flush()

    assert queries.session_by_token(session, digest(token)) is None


def test_signing_out_ends_one_session_and_everywhere_ends_all(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    openid = sandbox.user()
    member_id, *_ = [enter(sandbox, openid, settings, now).member_id for _ in range(3)]
    rows = queries.devices(session, member_id, at=now)
    services.sign_out(rows[0].id, now=now)
    services.sign_out(rows[0].id, now=now + HOUR)

    assert [row.id for row in queries.devices(session, member_id, at=now)] == [
        rows[1].id,
        rows[2].id,
    ]
    assert services.sign_out_everywhere(member_id, now=now) == 2
    assert queries.devices(session, member_id, at=now) == []


def test_a_member_ends_own_devices_only(session: Session, now: datetime) -> None:
    mine, other = make_member(session), make_member(session)
    make_session(session, mine)
    make_session(session, other)
    [my_row] = queries.devices(session, mine.id, at=now)
    [other_row] = queries.devices(session, other.id, at=now)
    session.commit()

    services.revoke_device(mine.id, session_id=my_row.id, now=now)
    for missing in (other_row.id, my_row.id, 10**15):
        with pytest.raises(SessionNotFound):
            services.revoke_device(mine.id, session_id=missing, now=now)

    assert len(queries.devices(session, other.id, at=now)) == 1


def test_presence_is_proven_again_by_the_same_person_and_does_not_prolong(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    openid, stranger = sandbox.user(), sandbox.user()
    signed_in = enter(sandbox, openid, settings, now)
    row = session.scalars(sa.select(MemberSession)).one()

    until = services.refresh_sign_in(
        row.id, code=sandbox.login_code(openid), settings=settings, now=now + HOUR
    )
    with pytest.raises(SignInMismatch):
        services.refresh_sign_in(
            row.id, code=sandbox.login_code(stranger), settings=settings, now=now + 2 * HOUR
        )

    session.expire_all()
    assert until == now + HOUR + timedelta(seconds=300)
    assert (row.signed_in_at, row.expires_at) == (now + HOUR, signed_in.expires_at)


def test_a_session_that_ended_cannot_be_made_fresh(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    openid = sandbox.user()
    enter(sandbox, openid, settings, now)
    row = session.scalars(sa.select(MemberSession)).one()
    code = sandbox.login_code(openid)
    services.sign_out(row.id, now=now)

    with pytest.raises(SessionInvalid):
        services.refresh_sign_in(row.id, code=code, settings=settings, now=now)


def test_fresh_lasts_five_minutes(settings: Settings, now: datetime) -> None:
    require_fresh(now, settings=settings, now=now + timedelta(seconds=300))

    with pytest.raises(FreshSignInRequired):
        require_fresh(now, settings=settings, now=now + timedelta(seconds=301))


def test_sessions_that_ended_long_ago_are_forgotten(session: Session) -> None:
    real_now = database_now()
    member = make_member(session)
    make_session(session, member, expires_at=real_now - timedelta(days=91))
    make_session(session, member, expires_at=real_now - timedelta(days=89))
    session.commit()

    assert forget_ended_sessions() == 1
    assert forget_ended_sessions() == 0
    assert count(session, MemberSession) == 1


def test_logs_name_neither_person_nor_secret(
    session: Session,
    sandbox: SandboxClient,
    settings: Settings,
    now: datetime,
    capsys: pytest.CaptureFixture[str],
) -> None:
    openid = sandbox.user(unionid="union-canary")
    code = sandbox.login_code(openid)

    signed_in = services.sign_in(
        code=code,
        consent_version="2026-11",
        device_id="device-canary",
        device_name="name-canary",
        ip="203.0.113.77",
        settings=settings,
        now=now,
    )

    written = "".join(capsys.readouterr())
    assert "member_signed_in" in written
    for secret in (openid, code, signed_in.token, "canary", "203.0.113.77"):
        assert secret not in written
