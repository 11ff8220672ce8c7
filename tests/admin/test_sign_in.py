"""Two factors, always; guessing ends; nobody is sent elsewhere."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask
from flask_security import hash_password
from redis import Redis
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.kernel.audit import AuditRecord
from app.kernel.ids import random_text
from app.settings import Settings
from app.stores.models import Staff
from tests.admin.conftest import Desk
from tests.conftest import IsolatedClient
from tests.factories.people import make_staff

PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
GENERIC = "E-mail or password is not right."


@pytest.fixture
def person(session: Session, redis: Redis) -> Staff:
    """A member of staff with a password and a connected phone."""
    assert redis.ping()
    staff = make_staff(session, "finance", name="Zhao")
    staff.password = hash_password(PASSWORD)
    staff.tf_primary_method = "authenticator"
    staff.tf_totp_secret = json.dumps({"key": SECRET, "type": "totp", "v": 1})
    session.commit()
    return staff


def enter(desk: Desk, staff: Staff, password: str = PASSWORD, **more: str) -> TestResponse:
    return desk.post("/login", {"email": staff.email, "password": password, **more})


def code() -> str:
    """What the phone shows now."""
    return pyotp.TOTP(SECRET).at(datetime.now(UTC))


def sign_in(desk: Desk, staff: Staff, **more: str) -> TestResponse:
    enter(desk, staff)
    return desk.post("/tf-validate", {"code": code(), **more})


def forget_phone(session: Session, staff: Staff) -> None:
    staff.tf_totp_secret = staff.tf_primary_method = None
    session.commit()


def is_in(desk: Desk) -> bool:
    return desk.get("/").status_code == 200


def test_password_and_code_together_open_the_door(stranger: Desk, person: Staff) -> None:
    asked = enter(stranger, person)
    let_in = stranger.post("/tf-validate", {"code": code()})

    assert asked.headers["Location"].startswith("/admin/tf-validate")
    assert let_in.headers["Location"] == "/admin/"
    assert is_in(stranger)


def test_the_password_alone_opens_nothing(stranger: Desk, person: Staff) -> None:
    enter(stranger, person)

    assert stranger.get("/").headers["Location"].startswith("/admin/login")
    assert stranger.get("/orders/").status_code == 302


def test_a_wrong_code_opens_nothing(stranger: Desk, person: Staff) -> None:
    enter(stranger, person)

    answer = stranger.post("/tf-validate", {"code": "000000"})

    assert "This code is not right." in answer.get_data(as_text=True)
    assert not is_in(stranger)


def test_a_code_works_once(app: Flask, stranger: Desk, person: Staff) -> None:
    used = code()
    enter(stranger, person)
    stranger.post("/tf-validate", {"code": used})
    thief = Desk(IsolatedClient(app, app.response_class))

    enter(thief, person)
    thief.post("/tf-validate", {"code": used})

    assert is_in(stranger)
    assert not is_in(thief)


@pytest.mark.parametrize("email", ["nobody@example.com", None])
def test_an_unknown_address_and_a_wrong_password_fail_alike(
    stranger: Desk, person: Staff, email: str | None
) -> None:
    answer = stranger.post("/login", {"email": email or person.email, "password": "guess"})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert page.count(GENERIC) == 1


def test_five_failures_lock_the_account_for_a_quarter_of_an_hour(
    stranger: Desk, person: Staff, session: Session
) -> None:
    for _ in range(5):
        enter(stranger, person, "guess")

    answer = enter(stranger, person)

    assert GENERIC in answer.get_data(as_text=True)
    session.refresh(person)
    assert person.locked_until_at is not None
    left = person.locked_until_at - session.scalars(sa.select(sa.func.clock_timestamp())).one()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    locked = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "staff_locked_out")
    ).one()
    assert locked.subject_id == person.id


def test_a_lock_that_is_over_lets_in_again(stranger: Desk, person: Staff, session: Session) -> None:
    for _ in range(5):
        enter(stranger, person, "guess")
    person.locked_until_at = sa.func.clock_timestamp() - timedelta(seconds=1)
    session.commit()

    sign_in(stranger, person)

    assert is_in(stranger)
    session.refresh(person)
    assert (person.failed_logins, person.locked_until_at) == (0, None)


def test_codes_and_passwords_count_together_towards_the_lock(
    stranger: Desk, person: Staff, session: Session
) -> None:
    enter(stranger, person, "guess")
    enter(stranger, person)
    for _ in range(4):
        stranger.post("/tf-validate", {"code": "000000"})

    stranger.post("/tf-validate", {"code": code()})

    assert not is_in(stranger)
    session.refresh(person)
    assert person.locked_until_at is not None


def test_a_disabled_account_stays_outside(stranger: Desk, person: Staff, session: Session) -> None:
    person.active = False
    session.commit()

    sign_in(stranger, person)

    assert not is_in(stranger)


def test_somebody_without_a_phone_has_to_connect_one_first(
    stranger: Desk, person: Staff, session: Session
) -> None:
    forget_phone(session, person)

    asked = enter(stranger, person)
    page = stranger.post("/tf-setup", {"setup": "authenticator"}).get_data(as_text=True)

    assert asked.headers["Location"] == "/admin/tf-setup"
    assert 'src="data:image/svg+xml;base64,' in page
    assert not is_in(stranger)


def test_a_connected_phone_is_asked_for_from_then_on(
    stranger: Desk, person: Staff, session: Session
) -> None:
    forget_phone(session, person)
    enter(stranger, person)
    page = stranger.post("/tf-setup", {"setup": "authenticator"}).get_data(as_text=True)
    key = re.findall(r"<code>([A-Z0-9-]+)</code>", page)[0].replace("-", "")

    stranger.post("/tf-validate", {"code": pyotp.TOTP(key).at(datetime.now(UTC))})

    assert is_in(stranger)
    session.refresh(person)
    assert person.tf_primary_method == "authenticator"
    assert person.tf_totp_secret is not None
    assert key not in person.tf_totp_secret


@pytest.mark.parametrize("path", ["/tf-rescue", "/tf-select"])
def test_what_would_send_mail_is_closed(stranger: Desk, person: Staff, path: str) -> None:
    enter(stranger, person)

    assert stranger.post(path, {"help_setup": "help"}).status_code == 404


def test_a_recovery_code_lets_in_once(stranger: Desk, person: Staff, session: Session) -> None:
    person.mf_recovery_codes = ["aaaa-bbbb-cccc", "dddd-eeee-ffff"]
    session.commit()
    enter(stranger, person)

    stranger.post("/mf-recovery", {"code": " AAAA-bbbb-cccc "})

    assert is_in(stranger)
    session.refresh(person)
    assert person.mf_recovery_codes == ["dddd-eeee-ffff"]


def test_a_changed_session_key_ends_every_session_at_once(
    stranger: Desk, person: Staff, session: Session
) -> None:
    sign_in(stranger, person)
    assert is_in(stranger)

    person.fs_uniquifier = random_text(64)
    session.commit()

    assert not is_in(stranger)


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example/admin/",
        "/\\evil.example",
        "\\\\evil.example",
        "/%09/evil.example",
        "///evil.example/admin/",
        "javascript:alert(1)",
    ],
)
def test_nobody_is_sent_to_another_host_after_signing_in(
    stranger: Desk, person: Staff, wanted: str
) -> None:
    token = stranger.token()
    stranger.client.post(
        "/admin/login",
        query_string={"next": wanted},
        data={
            "email": person.email,
            "password": PASSWORD,
            "csrf_token": token,
            "next": wanted,
        },
    )
    answer = stranger.client.post(
        "/admin/tf-validate",
        query_string={"next": wanted},
        data={"code": code(), "csrf_token": token, "next": wanted},
    )

    location = answer.headers["Location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert "evil" not in location.partition("?")[0]


def test_signing_in_leads_to_the_page_that_was_wanted(stranger: Desk, person: Staff) -> None:
    sent = stranger.get("/payouts/", state="requested")
    token = stranger.token()
    stranger.client.post(
        sent.headers["Location"],
        data={
            "email": person.email,
            "password": PASSWORD,
            "csrf_token": token,
            "next": "/admin/payouts/?state=requested",
        },
    )
    answer = stranger.client.post(
        "/admin/tf-validate?next=/admin/payouts/?state=requested",
        data={"code": code(), "csrf_token": token},
    )

    assert answer.headers["Location"] == "/admin/payouts/?state=requested"


def test_signing_in_is_audited_and_the_cookie_is_for_us_alone(
    stranger: Desk, person: Staff, session: Session
) -> None:
    answer = sign_in(stranger, person)

    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    actions = session.scalars(
        sa.select(AuditRecord.action).where(AuditRecord.actor_id == person.id)
    ).all()
    assert actions == ["staff_signed_in"]


def test_signing_out_ends_the_session(stranger: Desk, person: Staff) -> None:
    sign_in(stranger, person)
    stranger.known_token = ""
    stranger.staff_id = person.id

    stranger.post("/logout")

    assert not is_in(stranger)


def test_one_address_may_try_so_often_a_minute(
    app: Flask,
    stranger: Desk,
    person: Staff,
    settings: Settings,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strict = replace(settings, sign_in_limit_per_minute=3)
    monkeypatch.setitem(app.extensions, "settings", strict)
    for number in range(3):
        stranger.post("/login", {"email": f"nobody{number}@example.com", "password": "guess"})

    answer = enter(stranger, person)

    assert answer.status_code == 429
    assert "Please wait a moment" in answer.get_data(as_text=True)
    session.refresh(person)
    assert person.failed_logins == 0


def test_a_token_instead_of_a_session_opens_nothing(
    app: Flask, stranger: Desk, person: Staff
) -> None:
    with app.test_request_context():
        token = str(person.get_auth_token())

    for headers in ({"Authentication-Token": token}, {"Authorization": f"Bearer {token}"}):
        answer = stranger.client.get(
            "/admin/orders/", headers=headers, query_string={"auth_token": token}
        )
        assert answer.status_code == 302


def test_guessing_ones_password_again_to_change_the_phone_counts(
    session: Session, person: Staff, sit_down: Callable[..., Desk]
) -> None:
    desk = sit_down(staff=person)

    asked = desk.get("/tf-setup")
    for _ in range(5):
        desk.post("/verify", {"password": "guess"})
    desk.post("/verify", {"password": PASSWORD})

    assert asked.headers["Location"].startswith("/admin/verify")
    assert desk.get("/tf-setup").headers["Location"].startswith("/admin/verify")
    session.refresh(person)
    assert person.locked_until_at is not None


def test_demo_sign_ins_are_shown_in_the_demo_only(stranger: Desk) -> None:
    page = stranger.get("/login").get_data(as_text=True)

    assert "demo.tuoke" not in page
