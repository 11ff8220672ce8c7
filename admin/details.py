"""Pages about one row: its facts, then sections with what belongs to it.

A section of rows that have a list of their own is read through that list's view, so permission and
scope hold here as well: a customer's page shows only the orders of the reader's stores.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from flask import current_app, url_for
from flask_babel import lazy_gettext as _
from sqlalchemy.sql import ColumnElement

from admin.cells import NOTHING, html
from admin.part import Part
from admin.tables import Column, Compute, Shape, Table
from app.kernel.db import db

RELATED_MAX: Final = 10
EMPTY: Final = _("Nothing here yet.")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page with a heading: a table, a timeline, or sentences."""

    title: Any
    kind: str
    table: Table | None = None
    sentences: Sequence[str] = ()
    more_url: str = ""
    """Where all of it is listed, if this is only the beginning."""
    empty: Any = EMPTY
    template: str = ""
    """A template of its own, for what no table can show; gets `section`."""
    facts: Any = None


def sentences_section(title: Any, sentences: Sequence[str]) -> Section:
    """Return sentences, each on a line of its own."""
    return Section(title, "sentences", sentences=sentences)


def rows_section(title: Any, rows: Iterable[Any], shape: Shape) -> Section:
    """Return a table of rows that belong to the row of the page alone."""
    return Section(title, "table", Table(rows, shape))


def steps_section(title: Any, rows: Iterable[Any], shape: Shape) -> Section:
    """Return a timeline; the first column is the event, `at` and `actor` follow it."""
    return Section(title, "steps", Table(rows, shape))


class Shown(Part):
    """The part of a view that shows one row; mixed into `ScopedView`."""

    facts: ClassVar[tuple[str, ...]] = ()
    """Columns of the facts at the head of the page."""
    badge: ClassVar[str] = ""
    """The column whose state stands beside the title."""
    details_labels: ClassVar[Mapping[str, Any]] = {}
    details_computed: ClassVar[Mapping[str, Compute]] = {}

    def title_of(self, row: Any) -> str:
        """Return what a row is called in a heading and in a message."""
        name = getattr(row, "number", None) or getattr(row, "name", None)
        return f"{name}" if name else f"#{self.key_of(row)}"

    def sections(self, row: Any) -> Iterable[Section | None]:  # noqa: ARG002 - for views to answer
        """Return what belongs to a row; None stands for what the reader may not see."""
        return ()

    def details(self, row: Any) -> dict[str, Any]:
        """Return everything that the page about a row needs."""
        shape = replace(
            self.shape,
            columns=tuple(self.facts) + ((self.badge,) if self.badge else ()),
            labels={**self.labels, **self.details_labels},
            computed={**self.computed, **self.details_computed},
        )
        table = Table([row], shape)
        pairs = table.cells(table.rows[0])
        return {
            "title": self.title_of(row),
            "facts": [pair for pair in pairs[: len(self.facts)] if pair[1] is not NOTHING],
            "badge": pairs[-1][1] if self.badge else "",
            "sections": [one for one in self.sections(row) if one is not None],
            "decisions": self.offered(row),
            "form_pages": self.forms_about(row),
            "row_id": self.key_of(row),
        }

    def related(
        self,
        endpoint: str,
        condition: ColumnElement[bool],
        *,
        title: Any = None,
        without: tuple[str, ...] = (),
        hides_empty: bool = False,
        **filters: Any,
    ) -> Section | None:
        """Return the newest rows of another view that meet a condition, as its reader sees them.

        `filters` are the parameters of that view's list that show all of them.
        """
        view = current_app.extensions["backoffice"][endpoint]
        if not view.is_accessible():
            return None
        query = view.get_query().where(condition).order_by(view.key.desc())
        rows = db.session.scalars(view.loaded(query).limit(RELATED_MAX + 1)).all()
        if hides_empty and not rows:
            return None
        columns = tuple(name for name in view.column_list if name not in without)
        table = Table(rows[:RELATED_MAX], replace(view.shape, columns=columns), url=view.url_of)
        more = filters and len(rows) > RELATED_MAX
        return Section(
            title or view.name,
            "table",
            table,
            more_url=url_for(f"{endpoint}.index_view", **filters) if more else "",
        )


def pairs_of(values: Mapping[str, Any], labels: Mapping[str, Any]) -> list[tuple[Column, Any]]:
    """Return named values as facts, without a row behind them."""
    shape = Shape(tuple(values), labels)
    table = Table([values], shape)
    return [
        (column, html(column.name, value, table.directory))
        for column, value in zip(table.columns, table.rows[0].values, strict=True)
    ]
