"""What every answer of the back office tells the browser about safety.

No page holds a script or a style of its own: all come from files of this server, so the policy can
forbid the rest without nonces. `data:` images are the QR code of the second factor.
"""

from typing import Final

from flask import Flask, Response, request

from admin.hooks import PREFIX, is_ours
from admin.urls import local_url

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def init_app(app: Flask) -> None:
    """Add the headers to every answer below our path; pages are kept by no cache."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        if is_ours():
            response.headers.update(HEADERS)
            _stay_here(response)
            response.headers["Cache-Control"] = _how_long_kept()
        return response


def _how_long_kept() -> str:
    """Keep files whose address carries their fingerprint, and no page."""
    is_file = (request.endpoint or "").endswith("static")
    if not is_file:
        return "no-store"
    return "public, max-age=31536000, immutable" if "v" in request.args else "no-cache"


def _stay_here(response: Response) -> None:
    """Let no redirect of ours lead elsewhere, whatever `?next=` said."""
    location = response.headers.get("Location")
    if location is not None and local_url(location) is None:
        response.headers["Location"] = f"{PREFIX}/"
