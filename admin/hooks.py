"""Keeping the back office's machinery away from the API that shares the application.

Flask-Security and Flask-Principal hook into every request; a member's request to the API would pay
for looking up a member of staff. What they register is made to run for our own paths only.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final

from flask import Flask, request

PREFIX: Final = "/admin"


def is_ours() -> bool:
    """Tell whether the request is for the back office."""
    return request.path == PREFIX or request.path.startswith(f"{PREFIX}/")


@contextmanager
def ours_only(app: Flask) -> Iterator[None]:
    """Confine to our paths whatever is hooked into all requests inside this block."""
    tables: list[dict[Any, list[Any]]] = [app.before_request_funcs, app.after_request_funcs]
    known = [set(table.get(None, ())) for table in tables]
    yield
    for table, before in zip(tables, known, strict=True):
        if None in table:
            table[None] = [hook if hook in before else _confined(hook) for hook in table[None]]


def _confined(hook: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(hook)
    def run(*response: Any) -> Any:
        if is_ours():
            return hook(*response)
        return response[0] if response else None

    return run
