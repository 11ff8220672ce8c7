"""Addresses that came from outside and that we would send a browser to."""

from urllib.parse import urlsplit

from admin.hooks import PREFIX


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
