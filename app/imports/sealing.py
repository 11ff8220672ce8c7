"""The cells of a row at rest: sealed, because files are full of names and phone numbers."""

import json
from collections.abc import Mapping
from typing import Final

from app.kernel.secrecy import vault

MORE: Final = "+"
"""Where it stands, the row had cells beyond the last heading."""


def seal_texts(texts: Mapping[str, str], *, has_more: bool = False) -> str:
    """Return the cells of a row, by column, as they are stored."""
    held = {**texts, **({MORE: ""} if has_more else {})}
    return vault().seal(json.dumps(held, ensure_ascii=True, separators=(",", ":")))


def open_texts(sealed: str | None) -> dict[str, str]:
    """Return the cells of a row by column; none where they were forgotten."""
    return dict(json.loads(vault().open(sealed))) if sealed is not None else {}
