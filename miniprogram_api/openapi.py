"""The OpenAPI 3.1 document: APIFlask lists endpoints and models, this completes the rest.

What every endpoint has in common is said here once: how errors look, which of them it can answer
with, what an Idempotency-Key is, and how one signs in.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, cast

from apiflask import APIFlask
from flask import Flask

from miniprogram_api import keyed, uploads
from miniprogram_api.auth import SCHEME, Who
from miniprogram_api.fields import ROW_ID_MAX, View
from miniprogram_api.problems import MIMETYPE, OF_HTTP, STATUS_OF, TITLES, both
from miniprogram_api.routing import JSON, WRITING, Shape
from miniprogram_api.tracing import HEADER

PREFIX: Final = "/api/v1"
_REF = "#/components/schemas/"
_ARGUMENT = re.compile(r"<(\w+):(\w+)>")
_ARGUMENT_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "id": {"type": "integer", "minimum": 1, "maximum": ROW_ID_MAX},
    "number": {"type": "string", "pattern": "^[0-9A-Za-z]{6,32}$"},
    "code": {"type": "string", "pattern": "^[0-9A-Za-z]{22}$"},
    "month": {"type": "string", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])$"},
    "purpose": {"type": "string", "enum": ["marketing", "phone", "service"]},
}
ABOUT: Final = """
What the mini-program speaks. Amounts are whole fen (1/100 yuan), instants are ISO 8601 in UTC.

**Signing in.** `POST /api/v1/session` exchanges a `wx.login` code for a token; send it as
`Authorization: Bearer TOKEN` and nowhere else.

**Errors** are RFC 9457 problems. `code` is stable and meant for programs; `detail` is in the
language of `Accept-Language` (Chinese by default) and `messages` has both languages.

**Repeating safely.** Requests that move something take an `Idempotency-Key`. The same key with the
same body gives the same answer and acts once; answers are kept for 72 hours.

**Lists** are read with `limit` and the `next_cursor` of the page before.
"""


class FieldFaultView(View):
    """What is wrong with one field."""

    field: str
    code: str
    message: str


class ProblemMessages(View):
    """The text of a problem in both languages."""

    zh: str
    en: str


class Problem(View):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    messages: ProblemMessages
    request_id: str
    facts: dict[str, str | int | bool | None] | None = None
    errors: list[FieldFaultView] | None = None


def init_app(app: APIFlask) -> None:
    """Set APIFlask up so that only what is true of this API ends up in the document."""
    for name in ("200", "404", "VALIDATION_ERROR", "AUTH_ERROR"):
        app.config[f"AUTO_{name}_RESPONSE"] = False
    app.config["AUTO_SERVERS"] = False
    app.config["SECURITY_SCHEMES"] = {SCHEME: {"type": "http", "scheme": "bearer"}}
    app.spec_processor(lambda spec: completed(app, cast("dict[str, Any]", spec)))


def document(app: APIFlask) -> str:
    """Return the document as JSON; it is made on first use and never changes after that."""
    made = app.extensions.get("openapi_document")
    if made is None:
        made = json.dumps(app.spec, ensure_ascii=False, indent=1)
        app.extensions["openapi_document"] = made
    return str(made)


def completed(app: Flask, spec: dict[str, Any]) -> dict[str, Any]:
    """Return APIFlask's document with everything added that endpoints have in common."""
    spec = _flattened(spec)
    spec["info"] = {"title": "Tuoke", "version": "1", "description": ABOUT.strip()}
    spec["servers"] = [{"url": "/"}]
    known = dict(_endpoints(app))
    spec["paths"] = {path: spec["paths"][path] for path in sorted({path for path, _ in known})}
    for (path, method), (rule, shape) in known.items():
        _complete(spec["paths"][path][method], rule, shape, method.upper())
    spec["components"]["schemas"] |= _problem_schemas()
    spec["components"]["responses"] = {
        f"Problem{status}": _problem_response(status) for status in sorted(TITLES)
    }
    return spec


def _flattened(spec: dict[str, Any]) -> dict[str, Any]:
    """Call nested models by their own names; APIFlask puts the outer model's name before them."""
    text = re.sub(rf'"{_REF}(?:\w+\.)+(\w+)"', rf'"{_REF}\1"', json.dumps(spec))
    flat: dict[str, Any] = json.loads(text)
    schemas: dict[str, Any] = {}
    for name, schema in flat["components"].get("schemas", {}).items():
        short = name.rpartition(".")[2]
        assert schemas.setdefault(short, schema) == schema, f"two models are called {short}"
    flat["components"]["schemas"] = schemas
    return flat


def _endpoints(app: Flask) -> Iterator[tuple[tuple[str, str], tuple[str, Shape]]]:
    for rule in app.url_map.iter_rules():
        shape = getattr(app.view_functions[rule.endpoint], "shape", None)
        if isinstance(shape, Shape):
            path = _ARGUMENT.sub(r"{\2}", rule.rule)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield (path, method.lower()), (rule.rule, shape)


def _complete(operation: dict[str, Any], rule: str, shape: Shape, method: str) -> None:
    arguments = {name: _ARGUMENT_SCHEMAS[kind] for kind, name in _ARGUMENT.findall(rule)}
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            parameter["schema"] = arguments[parameter["name"]]
    if shape.is_keyed:
        operation["parameters"].append(_key_parameter())
    if shape.body is not None:
        operation["requestBody"]["required"] = True
    if shape.takes_picture:
        form = {"schema": uploads.SCHEMA}
        operation["requestBody"] = {"required": True, "content": {uploads.MULTIPART: form}}
    problems = _problems(shape, method, has_arguments=bool(arguments))
    operation["responses"] = _successes(operation, shape) | problems


def _key_parameter() -> dict[str, Any]:
    return {
        "name": keyed.HEADER,
        "in": "header",
        "required": True,
        "description": "The caller's own name for this request; a repeat under it acts once.",
        "schema": {"type": "string", "pattern": keyed.KEY_PATTERN},
        "example": "5f1c9a52-order-1",
    }


def _successes(operation: dict[str, Any], shape: Shape) -> dict[str, Any]:
    responses: dict[str, Any] = operation["responses"] or {str(int(shape.status)): {}}
    for status, response in responses.items():
        response.setdefault("description", "Done" if status == "204" else "Successful response")
        headers = {HEADER: _text_header("The number of this request, also in our logs")}
        if shape.is_keyed:
            headers[keyed.REPLAYED] = _text_header("`true` where this answer was given before")
        response["headers"] = headers
        if shape.produces != JSON:
            response["content"] = {shape.produces: {"schema": {"type": "string"}}}
    return responses


def _text_header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


def _problems(shape: Shape, method: str, *, has_arguments: bool) -> dict[str, Any]:
    """Say which errors an endpoint can answer with, by what it is."""
    by_trait = [
        (True, {500, 503}),
        (shape.who is Who.MEMBER, {401, 403, 422}),
        (shape.who is Who.ANYONE, {422}),
        (shape.who is Who.WECHAT, {401, 413}),
        (method in WRITING, {409, 413}),
        (shape.produces != JSON, {409}),
        (shape.body is not None, {400, 404, 415}),
        (shape.takes_picture, {415}),
        (has_arguments, {404}),
        (shape.limit is not None, {429}),
    ]
    statuses = set().union(*(some for holds, some in by_trait if holds))
    problems: dict[str, Any] = {
        str(status): {"$ref": f"#/components/responses/Problem{status}"}
        for status in sorted(statuses)
    }
    if shape.who is Who.WECHAT:
        problems["401"] = _refusal_to_wechat()
    return problems


def _refusal_to_wechat() -> dict[str, Any]:
    """WeChat has a form of its own for being told no."""
    words = {"code": {"type": "string"}, "message": {"type": "string"}}
    return {
        "description": "Not accepted",
        "content": {JSON: {"schema": {"type": "object", "properties": words}}},
    }


def _problem_response(status: int) -> dict[str, Any]:
    headers = {HEADER: _text_header("The number of this request")}
    if status in {429, 503}:
        headers["Retry-After"] = _text_header("Seconds to wait")
    return {
        "description": TITLES[status],
        "headers": headers,
        "content": {
            MIMETYPE: {"schema": {"$ref": f"{_REF}Problem"}, "example": _example(status)},
        },
    }


def _example(status: int) -> dict[str, Any]:
    code, text = OF_HTTP.get(status, (_usual_code(status), TITLES[status]))
    return {
        "type": f"/problems/{code}",
        "title": TITLES[status],
        "status": status,
        "detail": text,
        "code": code,
        "messages": both(text),
        "request_id": "Qm3xv0Tn8LkJ2sYb5cRd7w",
    }


def _usual_code(status: int) -> str:
    usual = {401: "session_invalid", 422: "invalid_request", 429: "too_many_requests"}
    kinds = {int(one): kind.value for kind, one in STATUS_OF.items()}
    return usual.get(status, kinds.get(status, "internal_error"))


def _problem_schemas() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template=_REF + "{model}")
    nested: dict[str, Any] = schema.pop("$defs")
    return nested | {"Problem": schema}
