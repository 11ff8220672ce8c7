"""Where a list goes on: opaque to callers, so that it may change without asking them.

A cursor names its list and the last row that was shown. It grants nothing: whose rows a list shows
is decided by who asks, so it needs no signature.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeVar

from flask import request
from pydantic import BeforeValidator, Field

from miniprogram_api.errors import FieldFault, RequestInvalid
from miniprogram_api.fields import ROW_ID_MAX, Query, written_as_number
from miniprogram_api.wording import word

Row = TypeVar("Row")

LIMIT_DEFAULT: Final = 20
LIMIT_MAX: Final = 100
_PLAIN = re.compile(r"([a-z_.]{1,60}):([1-9][0-9]{0,18})", re.ASCII)


class PageQuery(Query):
    """Which part of a list is wanted."""

    cursor: Annotated[
        str | None, Field(max_length=128, description="`next_cursor` of the page before")
    ] = None
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX), BeforeValidator(written_as_number)] = (
        LIMIT_DEFAULT
    )

    @property
    def after(self) -> int | None:
        """Return the id of the last row shown, None at the beginning."""
        return None if self.cursor is None else decode(self.cursor, _list_name())

    @property
    def one_more(self) -> int:
        """Return how many rows to fetch to know whether there is a next page."""
        return self.limit + 1


def cut(
    query: PageQuery, rows: Sequence[Row], key: Callable[[Row], int]
) -> tuple[Sequence[Row], str | None]:
    """Return the rows of this page and the cursor of the next, None after the last.

    `rows` holds up to `one_more` rows in the order of the list; `key` is what `after` means.
    """
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return shown, encode(key(shown[-1]), _list_name()) if more else None


def encode(last_id: int, name: str) -> str:
    """Return the cursor behind a row of a list.

    >>> encode(7, "orders")
    'b3JkZXJzOjc'
    """
    return base64.urlsafe_b64encode(f"{name}:{last_id}".encode()).decode().rstrip("=")


def decode(cursor: str, name: str) -> int:
    """Return the row that a cursor of a list stands behind, or raise `RequestInvalid`.

    >>> decode("b3JkZXJzOjc", "orders")
    7
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found = _PLAIN.fullmatch(raw.decode("ascii"))
    except (binascii.Error, UnicodeError, ValueError):
        found = None
    if found is None or found[1] != name or int(found[2]) > ROW_ID_MAX:
        code, message = word("cursor", {})
        raise RequestInvalid.of(FieldFault("cursor", code, message))
    return int(found[2])


def _list_name() -> str:
    return (request.endpoint or "").rpartition(".")[2]
