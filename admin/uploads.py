"""How much a form with files may send: more than others, and only where somebody may fill it in.

The application refuses large bodies everywhere. A form page that takes files names its own limit
(`bytes_max`), which holds for signed-in staff who hold the page's permission.
"""

from typing import Any

from flask import Flask, current_app, request

from admin import staff


def init_app(app: Flask) -> None:
    """Raise the limit for the forms that ask for it, before anything reads what was sent."""

    @app.url_value_preprocessor
    def let_files_through(endpoint: str | None, values: dict[str, Any] | None) -> None:
        if request.method != "POST" or not endpoint or not endpoint.endswith(".form_view"):
            return
        page = _page(endpoint.removesuffix(".form_view"), (values or {}).get("form_name"))
        if page is not None and page.bytes_max and staff.may(page.permission):
            request.max_content_length = page.bytes_max

    @app.url_value_preprocessor
    def let_previews_through(endpoint: str | None, _values: dict[str, Any] | None) -> None:
        name, _dot, route = (endpoint or "").rpartition(".")
        view = current_app.extensions["backoffice"].get(name)
        permission, bytes_max = getattr(view, "takes_files", {}).get(route, (None, 0))
        if request.method == "POST" and permission is not None and staff.may(permission):
            request.max_content_length = bytes_max


def _page(endpoint: str, name: str | None) -> Any:
    """Return the form page of that view and name, if any."""
    view = current_app.extensions["backoffice"].get(endpoint)
    pages = view.form_pages if view is not None else ()
    return next((one for one in pages if one.name == name), None)
