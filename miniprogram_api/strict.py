"""APIFlask reads requests through this: strictly, and with errors that name the field.

Its own adapter parses any body whatever its media type, takes the first of repeated parameters and
forgets what kind of fault it found.
"""

from typing import Any

from apiflask.schema_adapters.pydantic import PydanticAdapter
from apiflask.schema_adapters.registry import registry
from flask import Request
from pydantic import BaseModel, ValidationError

from miniprogram_api.errors import FieldFault, JsonMalformed, MediaTypeUnsupported, RequestInvalid
from miniprogram_api.fields import Body
from miniprogram_api.wording import word


class Nothing(Body):
    """The body of a request that needs none: absent, or an empty object."""


class StrictAdapter(PydanticAdapter):
    """Validates JSON bodies and query strings with pydantic, in strict mode."""

    def validate_input(self, request: Request, location: str, **_options: Any) -> BaseModel:
        """Return the validated body or parameters, or raise what is wrong with them."""
        if location == "json":
            return read_body(request, self.model_class)
        return read_query(request, self.model_class)


def init() -> None:
    """Put this adapter in the place of APIFlask's own; before any endpoint is declared."""
    registry.register("pydantic", StrictAdapter)


def read_body(request: Request, model: type[BaseModel]) -> BaseModel:
    """Read a JSON body. What is not JSON is told apart from JSON that does not fit."""
    data = request.get_data()
    if not request.is_json and data:
        raise MediaTypeUnsupported
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        if any(one["type"] == "json_invalid" for one in error.errors(include_input=False)):
            raise JsonMalformed from None
        raise RequestInvalid.from_pydantic(error, pointer=True) from None


def refuse_body(request: Request) -> None:
    """Refuse any field in the body of a request that takes none."""
    if request.get_data().strip():
        read_body(request, Nothing)


def read_query(request: Request, model: type[BaseModel]) -> BaseModel:
    """Read the parameters of the query string, each of which may come once."""
    _refuse_repeated(request)
    try:
        return model.model_validate_strings(request.args.to_dict())
    except ValidationError as error:
        raise RequestInvalid.from_pydantic(error, pointer=False) from None


def refuse_query(request: Request) -> None:
    """Refuse any parameter where none is known."""
    if request.args:
        raise RequestInvalid.of(*(_parameter(name, "extra_forbidden") for name in request.args))


def _refuse_repeated(request: Request) -> None:
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise RequestInvalid.of(*(_parameter(name, "repeated") for name in repeated))


def _parameter(name: str, kind: str) -> FieldFault:
    code, message = word(kind, {})
    return FieldFault(name[:64], code, message)


init()
