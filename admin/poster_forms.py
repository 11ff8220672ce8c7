"""The form of a poster template: its picture, and a row of numbers for each box."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import request
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import ColorInput

from admin import staff
from admin.forms import TicksField
from admin.i18n import gettext, say_error
from admin.labels import label_of
from admin.store_choices import visible_stores
from app.kernel.errors import DomainError
from app.posters.errors import PosterInvalid
from app.posters.layout import BOXES, HEIGHT_MAX
from app.posters.models import NAME_LENGTH_MAX, PosterTemplate, PosterVersion
from app.posters.services import PosterSpec
from app.posters.states import PosterKind

TEXT: Final = ("left", "top", "width", "height", "size", "lines", "align", "is_bold", "colour")
SAID: Final = (*TEXT, "zh", "en")
PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "headline": SAID,
    "body": SAID,
    "product": TEXT,
    "price": TEXT,
    "avatar": ("left", "top", "side", "ring"),
    "nickname": SAID,
    "hint": SAID,
    "code": ("left", "top", "side"),
}
TITLES: Final[Mapping[str, Any]] = {
    "headline": _("Headline"),
    "body": _("Text"),
    "product": _("Product"),
    "price": _("Price"),
    "avatar": _("Picture of the distributor"),
    "nickname": _("Nickname"),
    "hint": _("Hint beside the code"),
    "code": _("Code to scan"),
}
LABELS: Final[Mapping[str, Any]] = {
    "left": _("From the left"),
    "top": _("From the top"),
    "width": _("Width"),
    "height": _("Height"),
    "side": lazy_pgettext("square", "Side"),
    "size": _("Size of letters"),
    "lines": _("Lines at most"),
    "align": _("Alignment"),
    "is_bold": _("Bold"),
    "colour": _("Colour"),
    "ring": _("Colour of the ring"),
    "zh": _("Chinese"),
    "en": _("English"),
}
ALIGNMENTS: Final = {
    "left": lazy_pgettext("alignment", "Left"),
    "center": lazy_pgettext("alignment", "Middle"),
    "right": lazy_pgettext("alignment", "Right"),
}
USUAL: Final[Mapping[str, Any]] = {
    "left": 100,
    "top": 100,
    "width": 800,
    "height": 60,
    "side": 300,
    "size": 40,
    "lines": 1,
    "align": "left",
    "is_bold": False,
    "colour": "#1f1a1c",
    "ring": "#ffffff",
    "zh": "",
    "en": "",
}
SHARED: Final = ("title_zh", "title_en", "text_zh", "text_en")
MOST: Final = 1000
LINES_MAX: Final = 6


@dataclass(frozen=True, slots=True)
class BoxFields:
    """The fields of one box, for the page."""

    name: str
    title: Any
    shown: Any
    fields: list[Any]


class PosterForm(FlaskForm):
    """What staff say of a poster."""

    name = StringField(_("Name"), validators=[InputRequired(), Length(max=NAME_LENGTH_MAX)])
    kind = SelectField(_("Kind"))
    page = StringField(
        _("Page of the mini-program"),
        validators=[Length(max=128)],
        description=_("Only for codes of this page, such as pages/card/card; empty for all."),
    )
    store_ids = TicksField(
        _("Only distributors of these stores"),
        coerce=int,
        validators=[Optional()],
        description=_("None ticked: all stores of the brand."),
    )
    picture = FileField(
        _("Background"),
        description=_("JPEG, PNG or WebP, upright, 750 × 1334 pixels at best, at most 6 MB."),
        render_kw={"accept": "image/jpeg,image/png,image/webp"},
    )
    shared_title_zh = StringField(_("Title in a chat, Chinese"), validators=[Length(max=160)])
    shared_title_en = StringField(_("Title in a chat, English"), validators=[Length(max=160)])
    shared_text_zh = StringField(_("Text in a chat, Chinese"), validators=[Length(max=160)])
    shared_text_en = StringField(_("Text in a chat, English"), validators=[Length(max=160)])
    based_on = HiddenField()
    first = ("name", "kind", "page", "store_ids", "picture")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the kinds, and the stores of the person here."""
        super().__init__(*args, **kwargs)
        self.kind.choices = [SelectChoice(one.value, label_of(one)) for one in PosterKind]
        self.store_ids.choices = [SelectChoice(int(key), name) for key, name in visible_stores()]
        if staff.visible_store_ids() is not None:
            self.store_ids.description = gettext("At least one of your stores.")

    def boxes(self) -> Iterator[BoxFields]:
        """Yield the boxes with their fields, in the order they are drawn."""
        for box in BOXES:
            fields = [self[f"{box}_{part}"] for part in PARTS[box]]
            shown = self[f"{box}_shown"] if box != "code" else None
            yield BoxFields(box, TITLES[box], shown, fields)

    def layout(self) -> dict[str, Any]:
        """Return the boxes that are ticked, as the service takes them."""
        said: dict[str, Any] = {
            "shared": {name: self[f"shared_{name}"].data or "" for name in SHARED}
        }
        for box in self.boxes():
            if box.shown is None or box.shown.data:
                values = {part: self[f"{box.name}_{part}"].data for part in PARTS[box.name]}
                said[box.name] = {part: _plain(value) for part, value in values.items()}
        return said

    def spec(self) -> PosterSpec:
        """Return what was filled in as the service takes it."""
        chosen = self.store_ids.data or []
        is_of_all = staff.visible_store_ids() is None and not chosen
        return PosterSpec(
            name=self.name.data or "",
            kind=PosterKind(self.kind.data),
            layout=self.layout(),
            store_ids=None if is_of_all else chosen,
            page=(self.page.data or "").strip(),
            based_on=int(self.based_on.data) if (self.based_on.data or "").isdigit() else None,
        )

    def handed_in(self) -> bytes:
        """Return the picture of this request; nothing where there is none."""
        file = request.files.get("picture")
        return file.read() if file is not None else b""


def _plain(value: Any) -> Any:
    """Browsers end lines in two characters."""
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else value


def _field(box: str, part: str) -> Any:
    label = LABELS[part]
    usual = USUAL[part]
    if part == "is_bold":
        return BooleanField(label)
    if part == "align":
        choices = [SelectChoice(value, name) for value, name in ALIGNMENTS.items()]
        return SelectField(label, choices=choices, default=usual)
    if part in {"colour", "ring"}:
        return StringField(label, widget=ColorInput(), default=usual)
    if part in {"zh", "en"}:
        hint = _("{name} stands for the nickname.") if box == "nickname" else ""
        checks = [Length(max=160)]
        return TextAreaField(label, validators=checks, description=hint, render_kw={"rows": 2})
    most = LINES_MAX if part == "lines" else MOST
    checks = [Optional(), NumberRange(0, most)]
    return IntegerField(label, validators=checks, default=usual)


for _box, _parts in PARTS.items():
    if _box != "code":
        setattr(PosterForm, f"{_box}_shown", BooleanField(_("On the poster")))
    for _part in _parts:
        setattr(PosterForm, f"{_box}_{_part}", _field(_box, _part))


def begin(row: PosterTemplate, version: PosterVersion) -> dict[str, Any]:
    """Return what the form of a template begins with."""
    values: dict[str, Any] = {
        "name": row.name,
        "kind": row.kind.value,
        "page": row.page or "",
        "store_ids": row.store_ids or [],
        "based_on": str(row.version),
    }
    for box, parts in PARTS.items():
        found: Mapping[str, Any] = version.layout.get(box) or {}
        values[f"{box}_shown"] = bool(found)
        values |= {f"{box}_{part}": found[part] for part in parts if part in found}
    shared = version.layout.get("shared") or {}
    return values | {f"shared_{name}": shared.get(name, "") for name in SHARED}


def begin_new() -> dict[str, Any]:
    """Return a plain layout to begin with."""
    said = {
        "headline": {"top": 80, "height": 120, "size": 80, "lines": 2, "is_bold": True},
        "avatar": {"left": 90, "top": 800, "side": 110},
        "nickname": {"left": 230, "top": 805, "width": 380, "height": 70, "size": 36},
        "code": {"left": 640, "top": 780, "side": 280},
    }
    values = {f"{box}_{part}": value for box, some in said.items() for part, value in some.items()}
    shown = {f"{box}_shown": True for box in said}
    words = {"headline_zh": "好礼相送", "headline_en": "A gift for you"}
    name = {"nickname_zh": "{name} 邀请您", "nickname_en": "{name} invites you"}
    return values | shown | words | name | {"nickname_is_bold": True}


def explain(error: DomainError, form: FlaskForm) -> bool:
    """Put what does not fit beside its field."""
    if not isinstance(error, PosterInvalid):
        return False
    box, _dot, part = error.field.partition(".")
    names = (f"{box}_{part}", f"{box}_left", box)
    found = next((form[name] for name in names if name in form), None)
    if found is None:
        return False
    found.errors = [say_error(error)]
    return True


BLANK_HEIGHT: Final = min(1334, HEIGHT_MAX)
"""How tall the preview is before there is a picture."""
