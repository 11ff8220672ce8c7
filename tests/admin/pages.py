"""Reading a form as a browser would send it."""

import html
import re
from typing import Any, Final

from werkzeug.test import TestResponse

INPUT: Final = re.compile(r"<(input|select|textarea)\b([^>]*)>(?:(.*?)</\1>)?", re.DOTALL)
ATTRIBUTE: Final = re.compile(r'([a-z-]+)="([^"]*)"')
FORM: Final = re.compile(r'<form method="post" class="card form".*?</form>', re.DOTALL)
CHOSEN: Final = re.compile(r'<option (?:selected value="([^"]*)"|value="([^"]*)" selected)')
FIRST: Final = re.compile(r'<option value="([^"]*)"')


def fields_of(page: str) -> dict[str, Any]:
    """Return what a browser would send of the form on a page as it stands."""
    form = FORM.search(page)
    assert form is not None, page
    found: dict[str, list[str]] = {}
    for kind, text, inner in INPUT.findall(form[0]):
        facts = dict(ATTRIBUTE.findall(text))
        name = html.unescape(facts.get("name", ""))
        if name and (facts.get("type") not in {"checkbox", "radio"} or "checked" in text):
            found.setdefault(name, []).append(html.unescape(_value(kind, facts, inner)))
    return {name: one if len(one) > 1 else one[0] for name, one in found.items()}


def _value(kind: str, facts: dict[str, str], inner: str) -> str:
    if kind == "select":
        chosen = CHOSEN.search(inner)
        if chosen is None:
            first = FIRST.search(inner)
            return first[1] if first else ""
        return next(one for one in chosen.groups() if one is not None)
    return inner.lstrip("\r\n") if kind == "textarea" else facts.get("value", "")


def text_of(answer: TestResponse) -> str:
    """Return a page as people read its letters."""
    return html.unescape(answer.get_data(as_text=True))
