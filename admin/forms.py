"""Fields of forms: plain ones, and ones that look up a row within the reader's scope."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from flask_admin.contrib.sqla.ajax import QueryAjaxModelLoader
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    DateTimeLocalField,
    Field,
    IntegerField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from admin.filters import contains
from admin.i18n import gettext
from admin.scopes import AnySelect, Scope
from admin.staff import visible_store_ids
from admin.urls import as_id
from app.kernel.clock import SHANGHAI
from app.kernel.db import db
from app.stores.permissions import Permission

REASON_MAX: Final = 500
LOOKUP_MAX: Final = 20
FEN_DIGITS_MAX: Final = 9
WHOLE_ROW: Final = {"data-row": "wide"}
"""Puts a field alone into a row of its form."""
NEW_ROW: Final = {"data-row": "first"}
"""Lets a field begin a row, so that those of one thing stay together."""


class ReasonForm(FlaskForm):
    """Why something is decided; the audit trail and the histories keep it."""

    reason = TextAreaField(_("Reason"), validators=[InputRequired(), Length(min=2, max=REASON_MAX)])


class YuanField(StringField):
    """An amount typed in yuan and read as whole fen, without ever being a float."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if self.data is None:
            return ""
        whole, cents = divmod(int(self.data), 100)
        return f"{whole}.{cents:02d}"

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read `12`, `12.3` or `12.34`; anything else is refused."""
        self.data = None
        text = (valuelist[0] if valuelist else "").strip().replace(",", "").lstrip("¥￥")
        if not text:
            return
        whole, _dot, cents = text.partition(".")
        digits = whole.isascii() and whole.isdigit() and (not cents or cents.isdigit())
        if not digits or len(whole) > FEN_DIGITS_MAX or len(cents) > 2:  # noqa: PLR2004 - fen
            raise ValueError(gettext("Please enter an amount in yuan, such as 128.00."))
        self.data = int(whole) * 100 + int(cents.ljust(2, "0"))


class MomentField(DateTimeLocalField):
    """An instant typed by the shops' clock; `data` is aware."""

    data: datetime | None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what a browser's date and time input sends."""
        super().process_formdata(valuelist)
        if self.data is not None:
            self.data = self.data.replace(tzinfo=SHANGHAI)

    def _value(self) -> str:
        if self.raw_data:
            return " ".join(self.raw_data)
        if self.data is None:
            return ""
        return self.data.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")


class CountField(IntegerField):
    """A whole number of pieces, one at least."""

    def __init__(self, label: Any, *, most: int = 999_999, **kwargs: Any) -> None:
        """Ask for a number from one to `most`."""
        super().__init__(label, validators=[InputRequired(), NumberRange(1, most)], **kwargs)


class TicksField(SelectMultipleField):
    """Several of a few values, each with a box to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


@dataclass(frozen=True, slots=True)
class Found:
    """A row as a lookup offers it."""

    id: int
    text: str


class ScopedLoader(QueryAjaxModelLoader):
    """A lookup that offers, and accepts, only rows within the reader's stores."""

    def __init__(
        self,
        name: str,
        query: AnySelect,
        fields: tuple[Any, ...],
        *,
        scope: Scope,
        text: Callable[[Any], str],
        permission: Permission,
    ) -> None:
        """`query` selects the id first; `fields` are searched, `text` names a row."""
        self.name = name
        self.permission = permission
        self._query, self._fields, self._scope, self._text = query, fields, scope, text
        self._id = query.selected_columns[0]

    def get_query(self) -> AnySelect:
        """Return every row that the person here may see."""
        store_ids = visible_store_ids()
        return self._query if store_ids is None else self._query.where(self._scope(store_ids))

    def get_one(self, pk: Any) -> Found | None:
        """Return one row, or None where it is absent or not the person's to see."""
        key = as_id(pk)
        if key is None:
            return None
        row = db.session.execute(self.get_query().where(self._id == key)).first()
        return Found(row[0], self._text(row)) if row is not None else None

    def get_list(self, term: str, offset: int = 0, limit: int = LOOKUP_MAX) -> list[Found]:
        """Return the first rows that match."""
        query = self.get_query()
        term = (term or "").replace("\x00", "").strip()
        if term:
            conditions = [contains(field, term) for field in self._fields]
            query = query.where(sa.or_(*conditions))
        query = query.order_by(self._id.desc()).limit(min(limit, LOOKUP_MAX)).offset(offset or 0)
        return [Found(row[0], self._text(row)) for row in db.session.execute(query)]

    def format(self, model: Found | None) -> tuple[int, str] | None:
        """Return a row as the answer holds it."""
        return (model.id, model.text) if model is not None else None


class LookupField(StringField):
    """A row picked from a lookup; `data` is its id, checked against the reader's scope."""

    def __init__(self, label: Any, *, loader: ScopedLoader, **kwargs: Any) -> None:
        """Tie the field to its lookup."""
        self.loader = loader
        self.found: Found | None = None
        super().__init__(label, **kwargs)

    def process_data(self, value: Any) -> None:
        """Take the row that a form begins with."""
        super().process_data(value)
        self.found = self.loader.get_one(value) if value is not None else None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the id of the picked row."""
        text = (valuelist[0] if valuelist else "").strip()
        self.data = None
        self.found = None
        if text:
            self.found = self.loader.get_one(text)
            if self.found is None:
                raise ValueError(gettext("Please choose one from the list."))
            self.data = self.found.id


def in_order(form: FlaskForm) -> list[Field]:
    """Return the fields to show: what it is about, then why, then who agrees."""
    shown = [one for one in form if one.type not in {"CSRFTokenField", "SubmitField"}]
    first: tuple[str, ...] = getattr(form, "first", ())
    return sorted(shown, key=lambda one: _rank(one.short_name, first))


def _rank(name: str, first: tuple[str, ...]) -> int:
    """Return how late a field comes; a form may name those that come first."""
    if name in first:
        return first.index(name) - len(first)
    if name == "reason":
        return 1
    if name == "way":
        return 2
    return 3 if name.startswith("second_") else 0


def must_differ(other: str) -> Callable[[Any, Field], None]:
    """Demand another value than a second field holds."""

    def check(form: Any, field: Field) -> None:
        if field.data is not None and field.data == form[other].data:
            raise ValidationError(gettext("Please choose somebody else."))

    return check
