import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from miniprogram_api.auth import Who
from tests.api.endpoints import ENDPOINTS, WITH_BODY, Endpoint, example_of


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    response = client.get("/openapi.json")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    found: dict[str, Any] = response.get_json()
    return found


def operation_of(document: dict[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    path = re.sub(r"<\w+:(\w+)>", r"{\1}", endpoint.rule)
    found: dict[str, Any] = document["paths"][path][endpoint.method.lower()]
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def test_the_document_is_openapi_3_1_and_tells_all_endpoints_and_nothing_else(
    document: dict[str, Any],
) -> None:
    told = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }

    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "Tuoke"
    assert told == {
        (endpoint.method, re.sub(r"<\w+:(\w+)>", r"{\1}", endpoint.rule)) for endpoint in ENDPOINTS
    }


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(references(document)):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def test_no_schema_is_told_twice_or_in_vain(document: dict[str, Any]) -> None:
    names = set(document["components"]["schemas"])
    used = {one.rpartition("/")[2] for one in references(document) if "/schemas/" in one}

    assert names == used
    assert not [name for name in names if "." in name or name[-1].isdigit()]


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation_of(document, endpoint)["operationId"] for endpoint in ENDPOINTS]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_an_operation_tells_what_it_takes_and_what_it_answers(
    document: dict[str, Any], endpoint: Endpoint
) -> None:
    operation = operation_of(document, endpoint)

    assert operation["summary"].endswith(".")
    assert len(operation["tags"]) == 1
    is_member = endpoint.shape.who is Who.MEMBER
    assert operation.get("security") == ([{"member": []}] if is_member else None)
    parameters = {one["name"]: one for one in operation["parameters"]}
    for name in endpoint.arguments:
        assert parameters[name]["required"]
        assert set(parameters[name]["schema"]) & {"pattern", "minimum", "enum"}
    assert ("Idempotency-Key" in parameters) is endpoint.shape.is_keyed
    takes_any = endpoint.shape.body is not None or endpoint.shape.takes_picture
    assert ("requestBody" in operation) is takes_any
    statuses = set(operation["responses"])
    assert str(int(endpoint.shape.status)) in statuses
    assert {"500", "503"} <= statuses
    assert ("401" in statuses) is (endpoint.shape.who is not Who.ANYONE)
    assert ("404" in statuses) >= bool(endpoint.arguments)
    for response in operation["responses"].values():
        assert "$ref" in response or response["description"]


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
def test_the_example_of_a_body_is_a_body(endpoint: Endpoint) -> None:
    assert endpoint.shape.body is not None

    endpoint.shape.body.model_validate_json(json.dumps(example_of(endpoint.shape.body)))


def test_problems_are_told_with_their_headers(document: dict[str, Any]) -> None:
    responses = document["components"]["responses"]

    for status, response in responses.items():
        content = response["content"]["application/problem+json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert content["example"]["status"] == int(status.removeprefix("Problem"))
    assert {"Retry-After"} <= set(responses["Problem429"]["headers"])
    assert {"Retry-After"} <= set(responses["Problem503"]["headers"])
    assert document["components"]["securitySchemes"] == {
        "member": {"type": "http", "scheme": "bearer"}
    }


def test_the_page_to_try_it_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    with client.get("/docs") as response:
        page = response.get_data(as_text=True)
        policy = response.headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) == 4
    for source in sources:
        with client.get(source) as asset:
            assert asset.status_code == 200
            assert int(asset.headers["Content-Length"]) > 100
    with client.get("/docs/static/docs.js") as script:
        assert "http" not in script.get_data(as_text=True)


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e%2f__init__.py", "index.html", "oauth2-redirect.html"]
)
def test_nothing_but_the_pages_own_files_is_sent(client: FlaskClient, name: str) -> None:
    assert client.get(f"/docs/assets/{name}").status_code == 404
