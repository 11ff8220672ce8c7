from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.ids import digest
from app.members.models import Consent, Member, MemberSession
from app.settings import Settings
from scripts.sandbox.client import SandboxClient
from tests.api.conftest import Phone, assert_problem, nothing_moves
from tests.factories.people import make_member

UNKNOWN_CODE = "0a3Xk1ll2QpHzZ4a5bll2Y9qXk4Xk1lN"


def test_a_new_person_signs_in_and_uses_the_token(
    session: Session, anonymous: Phone, sandbox: SandboxClient, settings: Settings
) -> None:
    openid = sandbox.user()

    response = anonymous.post(
        "/session",
        {
            "code": sandbox.login_code(openid),
            "consent_version": settings.consent_version,
            "device_id": "device-1",
            "device_name": "iPhone 15",
        },
    )

    assert response.status_code == 200
    signed_in = response.get_json()
    member = session.scalars(sa.select(Member).where(Member.wechat_openid == openid)).one()
    assert set(signed_in) == {"token", "member_id", "is_new", "expires_at"}
    assert (signed_in["member_id"], signed_in["is_new"]) == (member.id, True)
    assert "session_key" not in response.get_data(as_text=True)
    row = session.scalars(sa.select(MemberSession)).one()
    assert row.token_hash == digest(signed_in["token"])
    assert row.device_name == "iPhone 15"
    me = Phone(anonymous.client, signed_in["token"]).get("/me").get_json()
    assert (me["id"], me["consents"][0]["purpose"]) == (member.id, "service")


def test_a_known_person_signs_in_on_a_second_device(
    session: Session, anonymous: Phone, sandbox: SandboxClient, phone_of: Callable[..., Phone]
) -> None:
    member = make_member(session, openid=sandbox.user())
    first = phone_of(member)

    response = anonymous.post("/session", {"code": sandbox.login_code(member.wechat_openid)})

    assert response.get_json()["is_new"] is False
    assert response.get_json()["token"] != first.token
    assert first.get("/me").status_code == 200


@pytest.mark.parametrize("version", [None, "2020-01"])
def test_a_new_person_has_to_agree_to_the_terms_in_force(
    session: Session,
    anonymous: Phone,
    sandbox: SandboxClient,
    settings: Settings,
    version: str | None,
) -> None:
    body = {"code": sandbox.login_code(sandbox.user())}

    with nothing_moves(session):
        response = anonymous.post(
            "/session", body | ({"consent_version": version} if version else {})
        )

    problem = assert_problem(response, 422, "consent_required")
    assert problem["facts"] == {"purpose": "service", "version": settings.consent_version}


def test_a_code_opens_no_second_session(
    session: Session, anonymous: Phone, sandbox: SandboxClient, settings: Settings
) -> None:
    body = {
        "code": sandbox.login_code(sandbox.user()),
        "consent_version": settings.consent_version,
    }
    anonymous.post("/session", body)

    with nothing_moves(session):
        response = anonymous.post("/session", body)

    assert_problem(response, 422, "sign_in_code_invalid")


def test_an_unknown_or_expired_code_opens_nothing(
    session: Session, anonymous: Phone, sandbox: SandboxClient, settings: Settings
) -> None:
    expired = sandbox.login_code(sandbox.user())
    sandbox.advance(301)

    for code in (UNKNOWN_CODE, expired):
        with nothing_moves(session):
            response = anonymous.post(
                "/session", {"code": code, "consent_version": settings.consent_version}
            )
        assert_problem(response, 422, "sign_in_code_invalid")


def test_while_wechat_does_not_answer_one_is_asked_to_try_again(
    session: Session, anonymous: Phone, sandbox: SandboxClient
) -> None:
    sandbox.fault("/sns/jscode2session", "error_before", times=0)

    with nothing_moves(session):
        response = anonymous.post("/session", {"code": UNKNOWN_CODE})

    assert_problem(response, 503, "wechat_unavailable")
    assert response.headers["Retry-After"] == "5"


def test_signing_out_makes_the_token_worthless_at_once(phone: Phone) -> None:
    response = phone.delete("/session")

    assert (response.status_code, response.data) == (204, b"")
    assert_problem(phone.get("/me"), 401, "session_invalid")
    assert_problem(phone.delete("/session"), 401, "session_invalid")


def test_an_expired_session_and_a_deleted_member_are_signed_out(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    expired = phone_of(make_member(session), expires_at=datetime.now(UTC) - timedelta(seconds=1))
    gone = make_member(session)
    deleted = phone_of(gone)
    gone.deleted_at = datetime.now(UTC)
    session.flush()

    assert_problem(expired.get("/me"), 401, "session_invalid")
    assert_problem(deleted.get("/me"), 401, "session_invalid")


def test_devices_are_listed_and_signed_out_one_by_one_or_all_at_once(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    member = make_member(session)
    first, second, third = (phone_of(member) for _ in range(3))

    devices = first.get("/sessions").get_json()["items"]
    assert [device["is_current"] for device in devices] == [False, False, True]

    assert first.delete(f"/sessions/{devices[0]['id']}").status_code == 204
    assert_problem(third.get("/me"), 401, "session_invalid")
    assert_problem(first.delete(f"/sessions/{devices[0]['id']}"), 404, "session_not_found")

    assert first.delete("/sessions").status_code == 204
    for phone in (first, second):
        assert_problem(phone.get("/me"), 401, "session_invalid")


def test_presence_is_proven_again_without_a_new_token(
    session: Session, sandbox: SandboxClient, phone_of: Callable[..., Phone], settings: Settings
) -> None:
    member = make_member(session, openid=sandbox.user())
    long_ago = datetime.now(UTC) - timedelta(days=1)
    phone = phone_of(member, signed_in_at=long_ago)

    response = phone.post("/session/refresh", {"code": sandbox.login_code(member.wechat_openid)})

    session.expire_all()
    row = session.scalars(sa.select(MemberSession)).one()
    fresh_until = datetime.fromisoformat(response.get_json()["fresh_until_at"])
    assert fresh_until == row.signed_in_at + timedelta(seconds=settings.fresh_sign_in_seconds)
    assert row.signed_in_at > long_ago + timedelta(hours=23)


def test_somebody_elses_code_proves_nothing(
    session: Session, sandbox: SandboxClient, phone_of: Callable[..., Phone]
) -> None:
    phone = phone_of(make_member(session, openid=sandbox.user()))

    with nothing_moves(session):
        response = phone.post("/session/refresh", {"code": sandbox.login_code(sandbox.user())})

    assert_problem(response, 403, "sign_in_mismatch")


def test_a_withdrawn_consent_to_the_service_signs_every_device_out(
    session: Session, phone: Phone
) -> None:
    assert phone.delete("/me/consents/service").status_code == 204

    assert_problem(phone.get("/me"), 401, "session_invalid")
    session.expire_all()
    assert session.scalars(sa.select(Consent)).one().withdrawn_at is not None
