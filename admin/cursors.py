"""Places in an ordered list, as addresses hold them: the values that the order is made of.

A place says everything that is needed to go on from there, so the server keeps nothing. It is not
signed: whoever changes one begins elsewhere in a list of their own rows. What is no place of this
list counts as not said.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeAlias

from admin.urls import as_id

Place: TypeAlias = tuple[Any, ...]
"""The values of the columns that a list is ordered by; only the first may be None."""

LENGTH_MAX: Final = 4_000
INT_MAX: Final = 2**63 - 1


def written(place: Place) -> str:
    """Return a place as an address holds it.

    >>> written((12,)), written((None, 12))
    ('12', 'W251bGwsMTJd')
    """
    if len(place) == 1 and isinstance(place[0], int):
        return str(place[0])
    text = json.dumps([_plain(one) for one in place], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read(text: str | None, columns: Sequence[Any]) -> Place | None:
    """Return the place that an address names, or None for what is none of this order."""
    if not text or len(text) > LENGTH_MAX:
        return None
    if len(columns) == 1 and (key := as_id(text)) is not None:
        return (key,)
    try:
        padded = text + "=" * (-len(text) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        return _typed(values, columns)
    except (ValueError, ArithmeticError, RecursionError):
        return None


def may_be_null(column: Any) -> bool:
    """Tell whether rows may have no value here; an expression may."""
    return bool(getattr(getattr(column, "expression", column), "nullable", True))


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            return value


def _typed(values: Any, columns: Sequence[Any]) -> Place:
    if not isinstance(values, list) or len(values) != len(columns):
        raise ValueError(values)
    is_null = values[0] is None and may_be_null(columns[0])
    rest = list(zip(values, columns, strict=True))[int(is_null) :]
    found = [_value(value, column.type.python_type) for value, column in rest]
    return (None, *found) if is_null else tuple(found)


def _value(value: Any, kind: type[Any]) -> Any:
    if issubclass(kind, Enum):
        return kind(value)
    return _READERS[kind](value)


def _int(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > INT_MAX:
        raise ValueError(value)
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)  # noqa: TRY004 - nonsense of any kind is one error here
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(value)
    value.encode()  # half a character is no text
    return value


def _moment(value: Any) -> datetime:
    found = datetime.fromisoformat(_text(value))
    if found.tzinfo is None:
        raise ValueError(value)
    return found


def _decimal(value: Any) -> Decimal:
    found = Decimal(_text(value))
    if not found.is_finite():
        raise ValueError(value)
    return found


_READERS: Final[Mapping[type[Any], Callable[[Any], Any]]] = {
    int: _int,
    bool: _bool,
    str: _text,
    datetime: _moment,
    date: lambda value: date.fromisoformat(_text(value)),
    Decimal: _decimal,
}
