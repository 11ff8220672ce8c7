"""Each request to the back office has a number: on its answer, its log lines and its audit rows."""

import re
import time
from typing import Final

import structlog
from flask import Flask, Response, g, request
from flask_login import current_user

from admin.hooks import is_ours
from app.kernel.ids import random_text

HEADER: Final = "X-Request-Id"
NUMBER_LENGTH: Final = 22
ACCEPTED: Final = re.compile(r"[0-9A-Za-z_.\-]{8,64}", re.ASCII)

log = structlog.get_logger()


def init_app(app: Flask) -> None:
    """Number each request of ours, and log it once, when it has been answered."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    if not is_ours():
        return
    given = request.headers.get(HEADER, "")
    g.page_request_id = given if ACCEPTED.fullmatch(given) else random_text(NUMBER_LENGTH)
    g.page_began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.page_request_id)


def _end(response: Response) -> Response:
    if "page_request_id" not in g:
        return response
    response.headers[HEADER] = g.page_request_id
    rule = request.url_rule
    if not (request.endpoint or "").endswith("static"):
        log.info(
            "page_answered",
            method=request.method,
            route=rule.rule if rule else None,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - g.page_began) * 1000, 1),
            staff_id=getattr(current_user, "id", None),
        )
    structlog.contextvars.clear_contextvars()
    return response
