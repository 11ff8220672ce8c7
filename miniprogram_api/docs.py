"""The document, a page to try it, and what each error code means. No file comes from elsewhere."""

import importlib.resources
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from apiflask import APIFlask
from flask import Blueprint, Response, abort, current_app, send_from_directory
from flask.typing import ResponseReturnValue

from app.kernel.errors import DomainError
from miniprogram_api import openapi, problems
from miniprogram_api.problems import (
    INTERNAL,
    OF_HTTP,
    STATUS_OF,
    STATUS_OF_ERROR,
    both,
)

SWAGGER_FILES: Final = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)

blueprint = Blueprint("api_docs", __name__, static_folder="static", static_url_path="/docs/static")
problems.register(blueprint)


@blueprint.get("/openapi.json")
def openapi_document() -> ResponseReturnValue:
    """Answer with the OpenAPI document."""
    app = current_app
    assert isinstance(app, APIFlask)
    return Response(openapi.document(app), mimetype="application/json")


@blueprint.get("/docs")
def docs_page() -> ResponseReturnValue:
    """Show the page on which the API can be read and tried."""
    response = send_from_directory(str(Path(__file__).with_name("static")), "docs.html")
    response.headers["Content-Security-Policy"] = POLICY
    return response


@blueprint.get("/docs/assets/<name>")
def docs_asset(name: str) -> ResponseReturnValue:
    """Send one of Swagger UI's files, as its package ships them."""
    if name not in SWAGGER_FILES:
        abort(404)
    folder = importlib.resources.files("flask_swagger_ui") / "dist"
    return send_from_directory(str(folder), name, max_age=86_400)


@blueprint.get("/problems/<code>")
def problem_meaning(code: str) -> ResponseReturnValue:
    """Say what an error code means; every problem's `type` points here."""
    meanings = dict(_meanings())
    if code not in meanings:
        abort(404)
    status, text, about = meanings[code]
    return {"code": code, "status": status, "about": about, "messages": both(text)}


def _meanings() -> Iterator[tuple[str, tuple[int, str, str]]]:
    for status, (code, text) in OF_HTTP.items():
        yield code, (status, text, "")
    yield INTERNAL[0], (500, INTERNAL[1], "")
    for error in _errors(DomainError):
        status = STATUS_OF_ERROR.get(error, STATUS_OF[error.kind])
        yield error.code, (int(status), error.text, (error.__doc__ or "").strip())


def _errors(parent: type[DomainError]) -> Iterator[type[DomainError]]:
    for child in parent.__subclasses__():
        if "code" in vars(child):
            yield child
        yield from _errors(child)
