"""What people who work in a store do at its counter, one press from the first page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for

from admin import staff


@dataclass(frozen=True, slots=True)
class Step:
    """A link to a form."""

    title: Any
    url: str


def at_counter() -> list[Step]:
    """Return the forms for the counter that the person here may fill in; none at headquarters."""
    return [] if staff.visible_store_ids() is None else list(_steps())


def _steps() -> Iterator[Step]:
    for view in current_app.extensions["backoffice"].values():
        if not view.is_accessible():
            continue
        for page in view.forms_for_new():
            if page.is_at_counter:
                url = url_for(f"{view.endpoint}.form_view", form_name=page.name)
                yield Step(page.title, url)
