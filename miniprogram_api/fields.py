"""What requests and answers are made of: strict bodies, strict queries, plain views.

Nothing is converted on the way in: an amount is a JSON whole number, never `"1"`, `1.0` or `true`,
and a field that is not declared is refused by name, so that no body can set what it should not.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

ROW_ID_MAX: Final = 2**63 - 1
FEN_MAX: Final = 100_000_000
"""One million yuan: more than any single price, refund or payout; keeps sums within BIGINT."""
TEXT_LENGTH_MAX: Final = 200
_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")


class Body(BaseModel):
    """A request's JSON body: strict types, no field that is not declared."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Query(BaseModel):
    """A request's query string: each parameter at most once, none that is not declared."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class View(BaseModel):
    """What an endpoint answers with. Amounts in fen, instants in UTC."""

    model_config = ConfigDict(extra="forbid")


def printable(text: str) -> str:
    """Refuse control characters and such as turn the direction of text around in other people's."""
    if _UNPRINTABLE.search(text):
        raise PydanticCustomError("control_character", "control character")
    return text


def written_as_number(value: object) -> object:
    """Read a query parameter as a number only where it is written as one: not `1_0`, not `1.0`."""
    if not isinstance(value, str):
        return value
    if not _WHOLE.fullmatch(value):
        raise PydanticCustomError("int_parsing", "not a whole number")
    return int(value)


Text = Annotated[str, Field(max_length=TEXT_LENGTH_MAX), AfterValidator(printable)]
WeChatCode = Annotated[str, Field(pattern=r"^[0-9A-Za-z_\-]{4,128}$")]
"""A short-lived code that WeChat gave the mini-program, to be exchanged once."""
ConsentVersion = Annotated[str, Field(pattern=r"^[0-9A-Za-z.\-]{1,32}$")]
ShareCodeText = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{22}$")]
RowId = Annotated[int, Field(ge=1, le=ROW_ID_MAX)]
Fen = Annotated[int, Field(ge=1, le=FEN_MAX, description="Whole fen, 1/100 yuan")]
QueryRowId = Annotated[int, Field(ge=1, le=ROW_ID_MAX), BeforeValidator(written_as_number)]


class Bilingual(View):
    """A sentence in both languages."""

    zh: str
    en: str


def example(value: Mapping[str, Any]) -> ConfigDict:
    """Give a model an example for the OpenAPI document.

    >>> example({"quantity": 1})
    {'json_schema_extra': {'examples': [{'quantity': 1}]}}
    """
    return ConfigDict(json_schema_extra={"examples": [dict(value)]})
