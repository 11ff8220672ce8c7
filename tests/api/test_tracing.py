import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.settings import Settings
from scripts.sandbox.client import SandboxClient
from tests.api.conftest import Phone
from tests.factories.people import make_member, make_share_code


def logged(
    capsys: pytest.CaptureFixture[str], event: str = "request_handled"
) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line[:1] == "{"]
    return [line for line in lines if line["event"] == event]


def test_a_request_gets_a_number_that_is_on_the_answer_and_in_the_log(
    phone: Phone, capsys: pytest.CaptureFixture[str]
) -> None:
    response = phone.get("/me")

    [line] = logged(capsys)
    number = response.headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9A-Za-z]{22}", number)
    assert line["request_id"] == number
    assert (line["method"], line["route"], line["status"], line["member_id"]) == (
        "GET",
        "/api/v1/me",
        200,
        phone.member_id,
    )


def test_a_number_that_comes_along_is_kept(client: FlaskClient) -> None:
    response = client.get("/api/v1/me", headers={"X-Request-Id": "from-the-proxy.1"})

    assert response.headers["X-Request-Id"] == "from-the-proxy.1"
    assert response.get_json()["request_id"] == "from-the-proxy.1"


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "with space", "new\\nline", 'quote"quote']
)
def test_a_number_that_is_none_is_replaced(client: FlaskClient, given: str) -> None:
    response = client.get("/api/v1/me", headers={"X-Request-Id": given})

    assert response.headers["X-Request-Id"] != given


def test_every_path_of_ours_is_logged_once_and_others_are_not(
    client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in ("/api/v1/nothing", "/openapi.json", "/problems/x", f"/s/{'a' * 22}", "/healthz"):
        client.get(path)

    assert [(line["route"], line["status"]) for line in logged(capsys)] == [
        (None, 404),
        ("/openapi.json", 200),
        ("/problems/<code>", 404),
        ("/s/<code>", 404),
    ]


def test_no_line_of_the_log_names_a_person_or_a_secret(
    session: Session,
    anonymous: Phone,
    sandbox: SandboxClient,
    phone_of: Callable[..., Phone],
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    openid = sandbox.user(phone="13812345678")
    code = sandbox.login_code(openid)
    body = {"code": code, "consent_version": settings.consent_version, "device_id": "dev-canary"}
    token = anonymous.post("/session", body).get_json()["token"]
    phone = Phone(anonymous.client, token)
    phone.post("/me/phone", {"code": sandbox.phone_code(openid), "consent_version": "2026-11"})
    phone.patch("/me", {"nickname": "Canary"})
    phone.post("/distributor/application", {"agreement_version": "2026-11", "real_name": "金丝雀"})
    share_code = make_share_code(session).code
    phone.post("/touches", {"code": share_code, "device_id": "dev-canary"})
    phone_of(make_member(session)).get(f"/orders?cursor={token}")
    phone.client.get(f"/s/{share_code}")
    phone.get(f"/me?token={token}")

    output = capsys.readouterr()
    text = output.out + output.err
    assert "request_handled" in text
    for secret in (
        openid,
        code,
        token,
        "13812345678",
        "Canary",
        "金丝雀",
        "dev-canary",
        share_code,
    ):
        assert secret not in text
