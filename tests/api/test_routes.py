"""What holds for every endpoint, asked of all that there are."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from app.distribution.models import Award
from app.kernel.db import Base
from app.members.models import Member, MemberSession
from app.settings import Settings
from miniprogram_api.auth import Who
from miniprogram_api.endpoints import GROUPS
from miniprogram_api.fields import Body
from miniprogram_api.openapi import PREFIX
from miniprogram_api.routing import CONVERTERS, Shape
from tests.api.conftest import (
    Phone,
    assert_problem,
    new_key,
    nothing_moves,
)
from tests.factories.coupons import make_coupon, make_template
from tests.factories.guest_cards import booked, card_of, give_phone, open_hours
from tests.factories.orders import make_order, make_refund
from tests.factories.payouts import make_earner, make_payout
from tests.factories.people import NOON, make_share_code, make_store
from tests.factories.privacy import make_data_request

ARGUMENTS: Final = {
    "activity_id": "999999",
    "award_id": "7",
    "card_booking_id": "7",
    "card_id": "7",
    "card_token": "0" * 22,
    "bargain_code": "A" * 16,
    "code": "0" * 22,
    "coupon_id": "7",
    "data_request_id": "7",
    "exchange_id": "7",
    "group_code": "A" * 16,
    "item_id": "999999",
    "month": "2026-03",
    "number": "T20260301ABCDEF",
    "payout_id": "7",
    "picture_id": "7",
    "poster_id": "7",
    "product_id": "7",
    "purpose": "marketing",
    "questionnaire": "0" * 22,
    "review_id": "7",
    "session_id": "7",
    "store_id": "7",
}
"""A value of the right form for each argument of a path."""
NOBODYS: Final = {
    "activity_id",
    "bargain_code",
    "card_token",
    "group_code",
    "item_id",
    "month",
    "poster_id",
    "product_id",
    "purpose",
    "questionnaire",
    "store_id",
}
"""Arguments that name nothing that belongs to a member."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path."""

    method: str
    rule: str
    arguments: tuple[str, ...]
    shape: Shape

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    def path(self, **values: str) -> str:
        """Return a path of this endpoint, below the prefix."""
        text = self.rule.removeprefix(PREFIX)
        for name in self.arguments:
            before, _, after = text.partition("<")
            text = before + (ARGUMENTS | values)[name] + after.partition(">")[2]
        return text

    def body(self) -> dict[str, Any] | None:
        """Return the example of its body."""
        if self.shape.body is None:
            return None
        return dict(example_of(self.shape.body))


def example_of(model: type[Body]) -> dict[str, Any]:
    extra = model.model_config.get("json_schema_extra")
    assert isinstance(extra, dict), f"{model.__name__} needs an example"
    examples = extra["examples"]
    assert isinstance(examples, list)
    found = examples[0]
    assert isinstance(found, dict)
    return found


def _endpoints() -> Iterator[Endpoint]:
    app = Flask("routes")
    app.url_map.converters |= CONVERTERS
    for group in GROUPS:
        app.register_blueprint(group, url_prefix=PREFIX)
    for rule in app.url_map.iter_rules():
        shape = getattr(app.view_functions[rule.endpoint], "shape", None)
        if isinstance(shape, Shape):
            arguments = [name for name in _in_order(rule) if name in rule.arguments]
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield Endpoint(method, rule.rule, tuple(arguments), shape)


def _in_order(rule: Rule) -> list[str]:
    return [part.partition(">")[0].rpartition(":")[2] for part in rule.rule.split("<")[1:]]


ENDPOINTS: Final = sorted(_endpoints(), key=str)
OF_MEMBERS: Final = [one for one in ENDPOINTS if one.shape.who is Who.MEMBER]
WITH_BODY: Final = [one for one in ENDPOINTS if one.shape.body is not None]
KEYED: Final = [one for one in ENDPOINTS if one.shape.is_keyed]
OF_STAFF: Final = [
    one for one in OF_MEMBERS if "/staff/" in one.rule and not one.rule.endswith("/staff/binding")
]
"""What is answered only to members who work in staff mode."""
OF_SOMEBODY: Final = [
    one for one in OF_MEMBERS if set(one.arguments) - NOBODYS and one not in OF_STAFF
]


def ask(phone: Phone, endpoint: Endpoint, path: str = "", **more: Any) -> Any:
    """Send a request that is well formed but for what `more` says."""
    more.setdefault("json", endpoint.body())
    headers = {"Idempotency-Key": new_key()} if endpoint.shape.is_keyed else {}
    more["headers"] = headers | more.get("headers", {})
    return phone.ask(endpoint.method, path or endpoint.path(), **more)


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
    owner = make_earner(session, 10_000)
    member = session.get_one(Member, owner.member_id)
    phone_of(member)
    order = make_order(session, member=member)
    make_refund(session, order)
    payout = make_payout(session, owner, 1_000, settings=settings)
    mine = {
        "award_id": sa.select(Award.id).where(Award.beneficiary_id == member.id),
        "session_id": sa.select(MemberSession.id).where(MemberSession.member_id == member.id),
    }
    card = card_of(session, settings, give_phone(session, member))
    shop = open_hours(session, make_store(session))
    ahead = booked(session, settings, card, shop, from_at=NOON + timedelta(hours=14))
    return {name: str(session.scalar(wanted)) for name, wanted in mine.items()} | {
        "card_booking_id": str(ahead.id),
        "card_id": str(card.id),
        "code": make_share_code(session, distributor=owner).code,
        "coupon_id": str(make_coupon(session, make_template(session), member).id),
        "data_request_id": str(make_data_request(session, member).id),
        "number": order.number,
        "payout_id": str(payout.id),
    }


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
