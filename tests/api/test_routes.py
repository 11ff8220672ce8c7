"""What holds for every endpoint, asked of all that there are."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.db import Base
from app.settings import Settings
from miniprogram_api.auth import Who
from miniprogram_api.openapi import PREFIX
from tests.api.belongings import belongings_of_somebody
from tests.api.conftest import Phone, assert_problem, nothing_moves
from tests.api.endpoints import (
    ENDPOINTS,
    KEYED,
    NOBODYS,
    OF_MEMBERS,
    OF_SOMEBODY,
    OF_STAFF,
    WITH_BODY,
    Endpoint,
    ask,
)


def test_every_route_below_the_prefix_says_who_may_call_it(app: Flask) -> None:
    said: dict[object, set[str]] = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(PREFIX):
            who = getattr(app.view_functions[rule.endpoint], "requires", None)
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            said.setdefault(who, set()).update(f"{method} {rule.rule}" for method in methods)

    assert set(said) == {"member", "open", "wechat"}
    assert said["open"] == {f"POST {PREFIX}/session", f"GET {PREFIX}/plans"}
    assert said["wechat"] == {f"POST {PREFIX}/wechat/notices"}
    assert said["member"] == {str(endpoint) for endpoint in OF_MEMBERS}


@pytest.mark.parametrize("endpoint", OF_MEMBERS, ids=str)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer " + "x" * 43},
        {"Authorization": "Bearer short"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer " + "x" * 43 + "\x00"},
        {"Cookie": "token=" + "x" * 43},
    ],
    ids=["nothing", "unknown", "short", "basic", "nul", "cookie"],
)
def test_a_stranger_is_asked_to_sign_in_before_anything_else(
    anonymous: Phone, endpoint: Endpoint, headers: dict[str, str]
) -> None:
    response = ask(anonymous, endpoint, json={"nonsense": 1}, headers=headers)

    assert_problem(response, 401, "session_invalid")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("endpoint", OF_MEMBERS, ids=str)
def test_a_token_in_the_address_is_worth_nothing(phone: Phone, endpoint: Endpoint) -> None:
    stranger = Phone(phone.client)

    response = ask(stranger, endpoint, f"{endpoint.path()}?token={phone.token}&access_token=1")

    assert_problem(response, 401, "session_invalid")


@pytest.mark.parametrize(
    "endpoint", [one for one in ENDPOINTS if one.shape.who is not Who.WECHAT], ids=str
)
def test_a_parameter_that_is_not_known_is_refused_by_name(phone: Phone, endpoint: Endpoint) -> None:
    response = ask(phone, endpoint, f"{endpoint.path()}?member_id=1")

    assert_problem(response, 422, "invalid_request", "member_id")


@pytest.mark.parametrize(
    "endpoint", [one for one in ENDPOINTS if one.shape.query is not None], ids=str
)
def test_a_parameter_that_comes_twice_is_refused_by_name(phone: Phone, endpoint: Endpoint) -> None:
    assert endpoint.shape.query is not None
    name = next(iter(endpoint.shape.query.model_fields))

    response = ask(phone, endpoint, f"{endpoint.path()}?{name}=1&{name}=1")

    assert_problem(response, 422, "invalid_request", name)


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b"\xff\xfe", 400, "malformed_json"),
        (b"[" * 100_000, 400, "malformed_json"),
        (b'{"x": "\\ud800"}', 400, "malformed_json"),
        (b"[]", 422, "invalid_request"),
        (b"null", 422, "invalid_request"),
        (b"1e400", 422, "invalid_request"),
        (b" " * 1_048_577, 413, "request_too_large"),
    ],
    ids=["nothing", "half", "not utf-8", "deep", "surrogate", "list", "null", "number", "large"],
)
def test_a_body_that_is_no_object_is_refused(
    session: Session, phone: Phone, endpoint: Endpoint, data: bytes, status: int, code: str
) -> None:
    with nothing_moves(session):
        response = ask(phone, endpoint, json=None, data=data, content_type="application/json")

    assert_problem(response, status, code, *([""] if status == 422 else []))


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_not_called_json_is_refused(
    session: Session, phone: Phone, endpoint: Endpoint, kind: str
) -> None:
    with nothing_moves(session):
        response = ask(phone, endpoint, json=None, data=b'{"a": 1}', content_type=kind)

    assert_problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
def test_no_column_of_any_table_can_be_slipped_into_a_body(
    session: Session, phone: Phone, endpoint: Endpoint
) -> None:
    assert endpoint.shape.body is not None
    columns = {column.name for table in Base.metadata.sorted_tables for column in table.columns}
    extras = sorted((columns | {"role", "price"}) - set(endpoint.shape.body.model_fields))

    with nothing_moves(session):
        for start in range(0, len(extras), 20):
            names = extras[start : start + 20]
            body = (endpoint.body() or {}) | dict.fromkeys(names, 1)
            response = ask(phone, endpoint, json=body)
            assert_problem(response, 422, "invalid_request", *(f"/{name}" for name in names))


WRONG: Final[dict[str, list[Any]]] = {
    "object": [{"no": [1.5]}],
    "array": [[[[]]], []],
    "number": [1.5, 1.0, 1e18],
    "boolean": [True],
    "integer": [-1, 10**30],
    "string": ["1e3\x00", "x" * 500],
}
"""Values that are wrong for a field of any type, by their own."""


def _kinds(schema: dict[str, Any]) -> set[str]:
    """Return the JSON types that a field may have; references are to texts of a closed list."""
    one_of = schema.get("anyOf", [schema])
    return {str(one.get("type", "string")) for one in one_of}


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
def test_a_field_of_the_wrong_type_is_refused_by_name(
    session: Session, phone: Phone, endpoint: Endpoint
) -> None:
    assert endpoint.shape.body is not None
    fields = endpoint.shape.body.model_json_schema()["properties"]

    with nothing_moves(session):
        for name, schema in fields.items():
            body = endpoint.body() or {}
            if "channel" in body and name == "channel_id":
                del body["channel"]
            wrong = [value for values in WRONG.values() for value in values]
            if schema.get("type") == "array" and "minItems" not in schema:
                wrong.remove([])
            wrong += [7] * ("integer" not in _kinds(schema))
            for value in wrong:
                response = ask(phone, endpoint, json=body | {name: value})
                errors = assert_invalid(response)
                assert all(one["field"].startswith(f"/{name}") for one in errors), (name, value)


def assert_invalid(response: Any) -> list[dict[str, Any]]:
    body: dict[str, Any] = response.get_json()
    assert (response.status_code, body["code"]) == (422, "invalid_request"), body
    return list(body["errors"])


@pytest.mark.parametrize("endpoint", KEYED, ids=str)
@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_required"),
        ("", "idempotency_key_invalid"),
        ("1234567", "idempotency_key_invalid"),
        ("x" * 65, "idempotency_key_invalid"),
        ("with space", "idempotency_key_invalid"),
        ("ключ-ключ", "idempotency_key_invalid"),
    ],
)
def test_what_moves_something_needs_a_proper_key(
    session: Session, phone: Phone, endpoint: Endpoint, key: str | None, code: str
) -> None:
    headers = {} if key is None else {"Idempotency-Key": key.encode().decode("latin-1")}

    with nothing_moves(session):
        response = phone.ask(
            endpoint.method, endpoint.path(), json=endpoint.body(), headers=headers
        )

    assert_problem(response, 422, code)


@pytest.mark.parametrize(
    "endpoint",
    [
        one
        for one in OF_MEMBERS
        if one.shape.body is None
        and one.method in {"POST", "DELETE"}
        and not one.shape.takes_picture
    ],
    ids=str,
)
def test_a_request_that_takes_no_body_refuses_what_one_says(
    session: Session, phone: Phone, endpoint: Endpoint
) -> None:
    with nothing_moves(session):
        response = ask(phone, endpoint, json={"amount_fen": 1})

    assert_problem(response, 422, "invalid_request", "/amount_fen")


@pytest.fixture
def belongings(
    session: Session, settings: Settings, phone_of: Callable[..., Phone]
) -> dict[str, str]:
    """One of each thing that can be named in a path, all of one member."""
    return belongings_of_somebody(session, settings, phone_of)[1]


def test_every_argument_of_a_path_is_known_to_belong_to_somebody_or_nobody(
    belongings: dict[str, str],
) -> None:
    used = {name for endpoint in ENDPOINTS for name in endpoint.arguments}

    assert used == set(belongings) | NOBODYS


@pytest.mark.parametrize("endpoint", OF_SOMEBODY, ids=str)
def test_what_belongs_to_somebody_else_is_the_same_as_nothing(
    session: Session, seller: Phone, belongings: dict[str, str], endpoint: Endpoint
) -> None:
    with nothing_moves(session):
        foreign = ask(seller, endpoint, endpoint.path(**belongings))
        absent = ask(seller, endpoint)

    assert foreign.status_code == absent.status_code == 404
    assert _without_request(foreign) == _without_request(absent)
    assert assert_problem(foreign, 404, absent.get_json()["code"])


def _without_request(response: Any) -> dict[str, Any]:
    return {name: value for name, value in response.get_json().items() if name != "request_id"}


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.arguments], ids=str)
@pytest.mark.parametrize(
    "value",
    [
        "0",
        "-1",
        "1.5",
        "1e3",
        "99999999999999999999",
        "%00",
        "%E2%80%AE",
        "x' OR 1=1 --",
        "x" * 500,
    ],
)
def test_what_cannot_be_a_name_names_nothing(phone: Phone, endpoint: Endpoint, value: str) -> None:
    path = endpoint.path(**dict.fromkeys(endpoint.arguments, value))

    response = ask(phone, endpoint, path)

    closed = {403} if endpoint in OF_STAFF else set()
    assert response.status_code in {404, 405} | closed
    assert response.mimetype == "application/problem+json"
