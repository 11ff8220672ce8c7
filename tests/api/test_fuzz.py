"""Nonsense in every shape, made from the OpenAPI document itself: never an error of ours."""

from io import BytesIO
from typing import Any, Final
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.kernel.clock import utc_now
from app.stores.staff_mode_models import StaffBinding
from scripts.sandbox.client import SandboxClient
from tests.api.conftest import Phone, new_key
from tests.api.endpoints import ENDPOINTS, OF_STAFF, Endpoint
from tests.api.test_document import operation_of
from tests.factories.people import make_staff

EXAMPLES: Final = 12
TEXTS: Final = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["\x00", "\ud7ff", "‮", "' OR 1=1 --", "../../etc/passwd", "%00", "😀" * 99]),
)
NUMBERS: Final = st.one_of(
    st.integers(-2, 5),
    st.sampled_from([2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**18, 10**400]),
)
JUNK: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


FILES: Final = st.one_of(
    TEXTS, st.binary(max_size=200).map(lambda content: (BytesIO(content), "a.png"))
)
Document = dict[str, Any]
Values = st.SearchStrategy[Any]


def values(schema: Document, document: Document, *, is_inner: bool = False) -> Values:
    """Return values that mostly look like what a schema wants."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return st.one_of(*(values(one, document, is_inner=is_inner) for one in schema["anyOf"]))
    if "enum" in schema:
        return st.one_of(st.sampled_from(schema["enum"]), TEXTS)
    if schema["type"] == "object":
        return _objects(schema, document, is_inner=is_inner)
    if schema["type"] == "array":
        return st.lists(values(schema["items"], document, is_inner=True), max_size=3)
    return _plain(schema)


def _objects(schema: Document, document: Document, *, is_inner: bool) -> Values:
    fields = {
        name: st.one_of(values(one, document, is_inner=True), *([JUNK] if is_inner else []))
        for name, one in schema.get("properties", {}).items()
    }
    required = {name: fields.pop(name) for name in schema.get("required", [])}
    return st.fixed_dictionaries(required, optional=fields)


def _plain(schema: Document) -> Values:
    match schema["type"]:
        case "integer":
            return st.one_of(st.integers(schema.get("minimum", 0), 1_000), NUMBERS)
        case "null":
            return st.none()
        case "string" if "pattern" in schema:
            return st.one_of(st.from_regex(schema["pattern"], fullmatch=True), TEXTS)
        case _:
            return st.one_of(TEXTS, st.dates().map(str))


@st.composite
def requests(draw: st.DrawFn, endpoint: Endpoint, document: Document) -> dict[str, Any]:
    """Return a request that is mostly well formed, and sometimes not at all."""
    operation = operation_of(document, endpoint)
    path, parameters, headers = endpoint.path(), {}, {}
    for parameter in operation["parameters"]:
        value = draw(values(parameter["schema"], document))
        match parameter["in"]:
            case "path" if draw(st.booleans()):
                path = endpoint.path(**{parameter["name"]: quote(str(value), safe="")})
            case "query" if draw(st.booleans()):
                parameters[parameter["name"]] = str(value)
            case "header":
                headers[parameter["name"]] = new_key()
            case _:
                pass
    if draw(st.integers(0, 5)) == 0:
        parameters[draw(TEXTS)] = draw(TEXTS)
    request = {"path": path, "query_string": parameters, "headers": headers}
    if endpoint.shape.takes_picture:
        request["data"] = {draw(st.sampled_from(["picture", "x"])): draw(FILES)}
    elif endpoint.shape.body is not None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        request["json"] = draw(st.one_of(values(schema, document), values(schema, document), JUNK))
    return request


def let_in(session: Session, phone: Phone) -> None:
    """Open staff mode on a phone, so that nonsense gets past the door."""
    owner = make_staff(session, "owner")
    session.add(StaffBinding(staff_id=owner.id, member_id=phone.member_id, bound_at=utc_now()))
    session.commit()


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_no_request_whatever_makes_an_error_of_ours(
    session: Session,
    seller: Phone,
    client: FlaskClient,
    sandbox: SandboxClient,
    endpoint: Endpoint,
) -> None:
    if endpoint in OF_STAFF:
        let_in(session, seller)
    document = client.get("/openapi.json").get_json()
    known = {int(status) for status in operation_of(document, endpoint)["responses"]}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(endpoint, document))
    def never(request: dict[str, Any]) -> None:
        if request.get("json", ...) is None:
            request["data"], request["content_type"] = b"null", "application/json"
        response = seller.ask(endpoint.method, request.pop("path"), **request)
        assert response.status_code < 500, response.data
        assert response.status_code in known | {401, 404, 405}
        if response.status_code < 300 and endpoint.shape.answer is not None:
            endpoint.shape.answer.model_validate_json(response.data)

    never()
