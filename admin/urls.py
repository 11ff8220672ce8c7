"""What comes from outside in addresses and forms: ids, and where to go next."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

from admin.hooks import PREFIX

ID_DIGITS_MAX: Final = 18
"""So many digits always fit the database's whole numbers."""
PARAMETERS_MAX: Final = 40
PARAMETER_LENGTH: Final = 200
CURSOR_LENGTH: Final = 4_000


def as_id(text: object) -> int | None:
    """Return an id, or None for what cannot be one.

    >>> as_id("12"), as_id(" 12"), as_id("-1"), as_id("9" * 40), as_id("²")
    (12, None, None, None, None)
    """
    digits = str(text)
    is_id = digits.isascii() and digits.isdigit() and len(digits) <= ID_DIGITS_MAX
    return int(digits) if is_id else None


def with_query(path: str, values: Mapping[str, object]) -> str:
    """Return a path with parameters; those without a value are left out.

    >>> with_query("/admin/orders/", {"state": "paid", "search": "", "page": None})
    '/admin/orders/?state=paid'
    """
    kept = {name: value for name, value in values.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path


def modest(values: Mapping[str, str]) -> dict[str, str]:
    """Return those parameters of an address that its own links carry on.

    Somebody can send hundreds, or one of a hundred thousand letters; a page of fifty links must not
    repeat them all.

    >>> modest({"state": "paid", "search": "x" * 500})
    {'state': 'paid'}
    """
    kept = {name: text for name, text in values.items() if _is_modest(name, text)}
    return dict(list(kept.items())[:PARAMETERS_MAX])


def _is_modest(name: str, text: str) -> bool:
    length = CURSOR_LENGTH if name in {"after", "before"} else PARAMETER_LENGTH
    return len(name) <= PARAMETER_LENGTH and len(text) <= length and "\x00" not in text


def local_url(text: str | None) -> str | None:
    r"""Return an address if it leads to a page of the back office, else None.

    Browsers read `\\evil`, `/\evil` and `//evil` as another host, and pass over control
    characters, so whatever is not a plain path below ours is refused.

    >>> local_url("/admin/orders/?state=paid")
    '/admin/orders/?state=paid'
    >>> local_url("//evil.example") is local_url("/admin\\@evil") is local_url("/elsewhere")
    True
    """
    if not text or "\\" in text or any(ord(one) < ord(" ") for one in text):
        return None
    parts = urlsplit(text)
    if parts.scheme or parts.netloc:
        return None
    path = parts.path
    if path != PREFIX and not path.startswith(f"{PREFIX}/"):
        return None
    return None if "//" in path else text
