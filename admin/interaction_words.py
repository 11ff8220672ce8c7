"""What segments, messages and questionnaires ask and say, in words that people read."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from flask_babel import lazy_gettext as _

from admin.directory import Reference
from admin.forms import LookupField, YuanField
from admin.i18n import gettext, listed
from admin.interaction_forms import SegmentForm, begin_segment
from admin.said.interactions import VALUES
from admin.tables import Shape
from app.interactions.audience_models import Segment
from app.interactions.questions import QuestionKind
from app.kernel.clock import SHANGHAI
from app.kernel.i18n import yuan

ASKED: Final = Shape(("what", "value"), {"what": _("Condition"), "value": _("Value")})
SAID: Final = Shape(("what", "value"), {"what": _("Field"), "value": _("Value")})
UNASKED: Final = frozenset({"name", "csrf_token"})
KINDS: Final[Mapping[QuestionKind, Any]] = {
    QuestionKind.CHOICE: _("one of several"),
    QuestionKind.MULTI: _("several of them"),
    QuestionKind.SCALE: _("from 1 to %(most)s"),
    QuestionKind.TEXT: _("in words"),
}


def asked_of(row: Segment) -> list[dict[str, Any]]:
    """Return what a segment asks, a line for each, in the order of its form."""
    form = SegmentForm(formdata=None, data=begin_segment(row))
    return [
        {"what": str(one.label.text), "value": _chosen(one)}
        for one in form
        if one.name not in UNASKED and one.data not in (None, "", [])
    ]


def _chosen(field: Any) -> Any:
    if isinstance(field, LookupField) and field.data is not None:
        return Reference("distributors", field.data)
    if isinstance(field, YuanField) and field.data is not None:
        return yuan(field.data)
    if not getattr(field, "choices", None):
        return str(field.data)
    names = dict(field.choices)
    picked = field.data if isinstance(field.data, list) else [field.data]
    return listed(str(names.get(one, one)) for one in picked)


def says(values: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Iterable[Any]:
    """Yield a line for each value that something says; `names` tells which value a field holds."""
    for key, value in values.items():
        if value not in (None, ""):
            name = key if names is None else names.get(key, key)
            yield {"what": VALUES.get(name, key), "value": _told(name, str(value))}


def _told(name: str, value: str) -> Any:
    """Return a value as it is shown: what is kept as an instant as one."""
    if name not in {"at", "until"} or "T" not in value:
        return value
    return datetime.fromisoformat(value).astimezone(SHANGHAI)


def questions_of(questions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return questions as people would read them to each other, a line each."""
    return [_question(number, one) for number, one in enumerate(questions, 1)]


def _question(number: int, one: Mapping[str, Any]) -> str:
    kind = str(KINDS[QuestionKind(one["kind"])]) % {"most": one.get("scale_to", 5)}
    kinds = [kind, gettext("required")] if one["is_required"] else [kind]
    said = gettext(
        "%(number)s. %(title)s (%(kind)s)", number=number, title=one["title"], kind=listed(kinds)
    )
    options = [str(option) for option in one.get("options", ())]
    if not options:
        return said
    return gettext("%(said)s: %(options)s", said=said, options=" / ".join(options))
