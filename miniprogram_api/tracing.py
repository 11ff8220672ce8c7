"""Each request has a number: on its answer, on every log line it causes, in the audit trail."""

import re
import time
from typing import Final

import structlog
from flask import Flask, Response, g, request

from app.kernel.ids import random_text

HEADER: Final = "X-Request-Id"
OURS: Final = ("/api/v1/", "/openapi.json", "/docs", "/problems/", "/s/")
_ACCEPTED = re.compile(r"[0-9A-Za-z_.\-]{8,64}", re.ASCII)

log = structlog.get_logger()


def init_app(app: Flask) -> None:
    """Number each request of this front end, and log it once, when it has been answered."""
    app.before_request(_begin)
    app.after_request(_end)


def is_ours(path: str) -> bool:
    """Tell whether a path belongs to this front end; the back office has its own ways."""
    return path.startswith(OURS)


def request_id() -> str:
    """Return the number of the request being answered."""
    found: str = g.request_id
    return found


def _begin() -> None:
    if not is_ours(request.path):
        return
    given = request.headers.get(HEADER, "")
    g.request_id = given if _ACCEPTED.fullmatch(given) else random_text(22)
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    if "request_id" not in g:
        return response
    response.headers[HEADER] = g.request_id
    rule = request.url_rule
    log.info(
        "request_handled",
        method=request.method,
        route=rule.rule if rule else None,
        status=response.status_code,
        milliseconds=round((time.perf_counter() - g.began) * 1000, 1),
        member_id=g.get("member_id"),
    )
    structlog.contextvars.clear_contextvars()
    return response
