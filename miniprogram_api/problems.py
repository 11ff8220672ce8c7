"""Every error in one shape: RFC 9457 `application/problem+json`, in both languages.

* DomainError                          its kind says the status
* HTTPException of Werkzeug            unknown route, method, size: only on this front end's paths
* no database, no Redis                503 with Retry-After
* anything else                        500, opaque to the caller, whole in the log
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import structlog
from flask import Blueprint, Flask, Response, request
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, NotFound, default_exceptions
from werkzeug.routing import RequestRedirect

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import CHINESE, ENGLISH, N_, Message, translate
from miniprogram_api.errors import (
    FieldFault,
    FormRequired,
    JsonMalformed,
    MediaTypeUnsupported,
    RequestInvalid,
    ServiceUnavailable,
)
from miniprogram_api.tracing import is_ours, request_id

MIMETYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 5
LIMITED_SECONDS: Final = 60
PAGES: Final = "/s/"
"""Below this people look, not programs; see `landing`."""
LANGUAGES: Final[Mapping[str, str]] = {"zh": CHINESE, "en": ENGLISH}

STATUS_OF: Final[Mapping[ErrorKind, HTTPStatus]] = {
    ErrorKind.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorKind.UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
    ErrorKind.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorKind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorKind.CONFLICT: HTTPStatus.CONFLICT,
    ErrorKind.LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorKind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
STATUS_OF_ERROR: Final[Mapping[type[DomainError], HTTPStatus]] = {
    JsonMalformed: HTTPStatus.BAD_REQUEST,
    MediaTypeUnsupported: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    FormRequired: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}
TITLES: Final[Mapping[int, str]] = {
    400: N_("Bad request"),
    401: N_("Not signed in"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    405: N_("Method not allowed"),
    409: N_("Not possible at the moment"),
    413: N_("Too large"),
    415: N_("Unsupported media type"),
    422: N_("Not valid"),
    429: N_("Too often"),
    500: N_("Internal error"),
    503: N_("Not available"),
}
OF_HTTP: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad_request", N_("The request cannot be understood.")),
    404: ("not_found", N_("There is nothing here.")),
    405: ("method_not_allowed", N_("This method cannot be used here.")),
    413: ("request_too_large", N_("The request is too large.")),
}
INTERNAL: Final = ("internal_error", N_("Something went wrong on our side."))

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as it is answered."""

    status: int
    code: str
    message: Message
    facts: dict[str, Any] = field(default_factory=dict)
    faults: tuple[FieldFault, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)


def init_app(app: Flask) -> None:
    """Answer for unknown routes and methods under our paths; other paths are not ours to answer."""
    app.before_request(_answer_for_routing)


def register(blueprint: Blueprint) -> None:
    """Answer every error of a blueprint, and of those nested in it, as a problem.

    Werkzeug's errors are taken one by one as well: the application's own handler of a status would
    come before a blueprint's handler of them all.
    """
    for status in default_exceptions:
        blueprint.register_error_handler(status, lambda error: respond(_of_http(error)))
    blueprint.register_error_handler(DomainError, lambda error: respond(of_domain_error(error)))
    blueprint.register_error_handler(HTTPException, lambda error: respond(_of_http(error)))
    blueprint.register_error_handler(RedisError, _unavailable)
    blueprint.register_error_handler(PoolTimeout, _unavailable)
    blueprint.register_error_handler(OperationalError, _unavailable)
    blueprint.register_error_handler(DBAPIError, _of_database)
    blueprint.register_error_handler(Exception, _unexpected)


def language() -> str:
    """Return the reader's language, Chinese where they name none that we speak."""
    return request.accept_languages.best_match(LANGUAGES) or "zh"


def say(message: Message | str) -> str:
    """Render a text in the reader's language."""
    return translate(message, LANGUAGES[language()])


def both(message: Message | str) -> dict[str, str]:
    """Render a text in both languages."""
    return {name: translate(message, locale) for name, locale in LANGUAGES.items()}


def of_domain_error(error: DomainError) -> Problem:
    """Turn an error of the core, or of this front end, into a problem."""
    status = STATUS_OF_ERROR.get(type(error), STATUS_OF[error.kind])
    return Problem(
        status=status,
        code=error.code,
        message=error.message(),
        facts={} if isinstance(error, RequestInvalid) else _facts_of(error),
        faults=error.faults if isinstance(error, RequestInvalid) else (),
        headers=_headers_of(error),
    )


def _facts_of(error: DomainError) -> dict[str, Any]:
    """Return what programs may want of an error without reading its text."""
    return {
        name: value
        for name, value in error.parameters().items()
        if value is None or isinstance(value, (str, int))
    }


def _headers_of(error: DomainError) -> dict[str, str]:
    match error.kind:
        case ErrorKind.UNAUTHORIZED:
            return {"WWW-Authenticate": "Bearer"}
        case ErrorKind.LIMITED:
            seconds = getattr(error, "retry_after_seconds", LIMITED_SECONDS)
            return {"Retry-After": str(max(1, seconds))}
        case ErrorKind.UNAVAILABLE:
            return {"Retry-After": str(RETRY_AFTER_SECONDS)}
        case _:
            return {}


def respond(problem: Problem) -> Response:
    """Write a problem in the language of Accept-Language."""
    texts = both(problem.message)
    spoken = language()
    body: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": translate(TITLES[problem.status], LANGUAGES[spoken]),
        "status": problem.status,
        "detail": texts[spoken],
        "code": problem.code,
        "messages": texts,
        "request_id": request_id(),
    }
    if problem.facts:
        body["facts"] = problem.facts
    if problem.faults:
        body["errors"] = [
            {"field": fault.field, "code": fault.code, "message": say(fault.message)}
            for fault in problem.faults
        ]
    text = json.dumps(body, ensure_ascii=False)
    headers = {**problem.headers, "Cache-Control": "no-store", "Vary": "Accept-Language"}
    return Response(text, problem.status, headers, mimetype=MIMETYPE)


def _of_http(error: HTTPException) -> Problem:
    """Turn one of Werkzeug's errors into a problem; its own words are English only."""
    status = error.code or 500
    if status not in OF_HTTP:
        status = 500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400
    code, text = OF_HTTP.get(status, INTERNAL)
    kept = {"Allow", "Retry-After"}
    headers = {name: value for name, value in error.get_headers() if name in kept}
    return Problem(status, code, Message(text), headers=headers)


def _answer_for_routing() -> Response | None:
    """Answer before anybody else does: the rest of the application has its own error pages.

    A path with doubled slashes, which Werkzeug would send elsewhere, is one that does not exist.
    """
    error = request.routing_exception
    if error is None or not is_ours(request.path) or request.path.startswith(PAGES):
        return None
    return respond(_of_http(NotFound() if isinstance(error, RequestRedirect) else error))


def _unavailable(error: Exception) -> Response:
    log.warning("dependency_unavailable", error=type(error).__name__)
    return respond(of_domain_error(ServiceUnavailable()))


def _of_database(error: DBAPIError) -> Response:
    """A connection that broke in the middle shows as some other error of the driver."""
    return _unavailable(error) if error.connection_invalidated else _unexpected(error)


def _unexpected(error: Exception) -> Response:
    log.error("request_failed", error=type(error).__name__, exc_info=error)
    code, text = INTERNAL
    return respond(Problem(500, code, Message(text)))
