"""How an endpoint is declared: one decorator says who may call it, the signature says the rest.

    @group.operation("POST", "/orders/preview")
    def preview(body: Basket) -> PreviewView: ...

`body` is the JSON body, `query` the query string, other parameters come from the path. A `View` is
answered as JSON, `Kept[View]` is one that is stored under an Idempotency-Key, None is 204, and a
Response goes out as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from http import HTTPStatus
from typing import Any, Final, ParamSpec, TypeVar, get_args, get_origin, get_type_hints

from apiflask import APIBlueprint
from flask import Response, current_app, request
from werkzeug.routing import BaseConverter, ValidationError

from app.kernel.db import begin_reading
from app.members.models import ConsentPurpose
from miniprogram_api import limits
from miniprogram_api.auth import SCHEME, Who, authenticate
from miniprogram_api.fields import ROW_ID_MAX, Body, Query, View
from miniprogram_api.keyed import REPLAYED, Kept
from miniprogram_api.limits import Limit
from miniprogram_api.strict import refuse_body, refuse_query

P = ParamSpec("P")
R = TypeVar("R")
JSON: Final = "application/json"
WRITING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class RowIdConverter(BaseConverter):
    """An id of ours in a path; whatever cannot be one is a path that does not exist."""

    regex = "[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        """Return the id; a number no row can have names nothing."""
        if int(value) > ROW_ID_MAX:
            raise ValidationError
        return int(value)


class NumberConverter(BaseConverter):
    """A business number such as an order's, which people may see."""

    regex = "[0-9A-Za-z]{6,32}"


class CodeConverter(BaseConverter):
    """A share code."""

    regex = "[0-9A-Za-z]{22}"


class MonthConverter(BaseConverter):
    """A month of the brand's calendar, such as 2026-10."""

    regex = "20[0-9]{2}-(?:0[1-9]|1[0-2])"


class PurposeConverter(BaseConverter):
    """What a consent is for."""

    regex = "|".join(ConsentPurpose)

    def to_python(self, value: str) -> ConsentPurpose:
        """Return the purpose that the path names."""
        return ConsentPurpose(value)


CONVERTERS: Final[dict[str, type[BaseConverter]]] = {
    "id": RowIdConverter,
    "number": NumberConverter,
    "code": CodeConverter,
    "month": MonthConverter,
    "purpose": PurposeConverter,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What an endpoint takes and gives, as its signature and decorator say."""

    who: Who
    status: int
    produces: str
    limit: Limit | None
    takes_picture: bool
    body: type[Body] | None
    query: type[Query] | None
    answer: type[View] | None
    is_keyed: bool


class Group(APIBlueprint):
    """Endpoints about one subject; one tag of the OpenAPI document."""

    def __init__(self, name: str, *, about: str) -> None:
        """Name the group and say in a sentence what it is about."""
        super().__init__(name, __name__, tag={"name": name, "description": about})

    def operation(  # noqa: PLR0913 - what can be said of an endpoint, nearly all by keyword
        self,
        method: str,
        rule: str,
        who: Who = Who.MEMBER,
        *,
        status: int | None = None,
        limit: Limit | None = None,
        produces: str = JSON,
        takes_picture: bool = False,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Declare an endpoint. Writes of members are counted unless another limit is named.

        One that takes a picture reads it with `uploads.picture`.
        """

        def declare(handler: Callable[P, R]) -> Callable[P, R]:
            shape = _shape(handler, method, who, status, limit, produces)
            shape = replace(shape, takes_picture=takes_picture)
            view = self._described(handler, _answering(handler, shape), shape)
            guarded = _guarded(view, shape, reads=method not in WRITING)
            guarded.requires = who.value  # type: ignore[attr-defined]  # read by tests
            guarded.shape = shape  # type: ignore[attr-defined]  # read by `openapi`
            self.route(rule, methods=[method], endpoint=handler.__name__)(guarded)
            return handler

        return declare

    def _described(
        self, handler: Callable[..., Any], view: Callable[..., Any], shape: Shape
    ) -> Callable[..., Any]:
        """Let APIFlask read the inputs and know the outputs for the document."""
        if shape.body is not None:
            view = self.input(shape.body, arg_name="body")(view)
        if shape.query is not None:
            view = self.input(shape.query, location="query", arg_name="query")(view)
        if shape.answer is not None:
            view = self.output(shape.answer, status_code=shape.status)(view)
        return self.doc(
            operation_id=handler.__name__,
            security=SCHEME if shape.who is Who.MEMBER else None,
        )(view)


def _shape(
    handler: Callable[..., Any],
    method: str,
    who: Who,
    status: int | None,
    limit: Limit | None,
    produces: str,
) -> Shape:
    hints = get_type_hints(handler)
    returned = hints.get("return")
    is_keyed = get_origin(returned) is Kept
    answer = get_args(returned)[0] if is_keyed else returned
    if limit is None and who is Who.MEMBER and method in WRITING:
        limit = Limit.WRITE
    usual = HTTPStatus.NO_CONTENT if returned is type(None) else HTTPStatus.OK
    return Shape(
        who=who,
        status=status or (HTTPStatus.CREATED if is_keyed else usual),
        produces=produces,
        limit=limit,
        takes_picture=False,
        body=hints.get("body"),
        query=hints.get("query"),
        answer=answer if isinstance(answer, type) and issubclass(answer, View) else None,
        is_keyed=is_keyed,
    )


def _answering(handler: Callable[..., Any], shape: Shape) -> Callable[..., Response]:
    """Turn what the handler returns into a response; pydantic writes the JSON itself."""

    @wraps(handler)
    def answer(**given: Any) -> Response:
        found = handler(**given)
        if isinstance(found, View):
            return Response(found.model_dump_json(), shape.status, mimetype=JSON)
        if isinstance(found, Kept):
            return _kept(found)
        return found if isinstance(found, Response) else Response(status=shape.status)

    return answer


def _kept(kept: "Kept[Any]") -> Response:
    """Write a stored answer; keys are sorted, so that a repeat is equal to the byte."""
    text = current_app.json.dumps(kept.answer.body, sort_keys=True)
    headers = {REPLAYED: "true" if kept.answer.repeated else "false"}
    return Response(text, kept.answer.status, headers, mimetype=JSON)


def _guarded(view: Callable[..., Any], shape: Shape, *, reads: bool) -> Callable[..., Any]:
    """Ask who is calling first, then how often, and only then what they want."""
    reads_itself = shape.takes_picture or shape.who is Who.WECHAT
    takes_no_body = shape.body is None and not reads_itself
    takes_no_query = shape.query is None and shape.who is not Who.WECHAT

    @wraps(view)
    def guarded(**given: Any) -> Any:
        if reads:
            begin_reading()
        if shape.who is Who.MEMBER:
            authenticate()
        if shape.limit is not None:
            limits.check(shape.limit)
        if takes_no_query:
            refuse_query(request)
        if takes_no_body and request.method in WRITING:
            refuse_body(request)
        return view(**given)

    return guarded
