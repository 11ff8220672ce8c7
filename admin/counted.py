"""The filter that lists exactly the rows a figure counts; links of dashboards carry it.

Figures and lists share one definition (`app.insight.sources`), so they cannot disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import Select

from admin.filters import Arguments, Control
from admin.help import TERMS
from admin.i18n import gettext, ngettext
from admin.staff import visible_store_ids
from admin.urls import as_id, with_query
from app.insight.sources import SOURCES, Source, rows_of
from app.kernel.db import db
from app.kernel.i18n import yuan
from app.stores.models import Store

NAME: Final = "counted"
SINCE, UNTIL, STORE = f"{NAME}_from", f"{NAME}_to", f"{NAME}_store"
EVER: Final = (date(2000, 1, 1), date(2999, 12, 31))
SUMMED_DAYS_MAX: Final = 7
"""Rows of more days are not added up for the note above a list: it must stay quick."""


def arguments(
    source: str, *, since: date, until: date | None = None, store_id: int | None = None
) -> dict[str, str]:
    """Return the parameters under which a list shows the rows that a figure counts."""
    found = {NAME: source, SINCE: since.isoformat(), UNTIL: (until or since).isoformat()}
    return found if store_id is None else {**found, STORE: str(store_id)}


def list_url(path: str, source: str, **span: Any) -> str:
    """Return the address of a list with the rows that a figure counts."""
    return with_query(path, arguments(source, **span))


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of a model that one of its figures counts on some days, at some stores."""

    sources: Mapping[str, Source]

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return what is asked for; nothing where no figure is."""
        wish = self.wish(arguments)
        if wish is None:
            return []
        name, (since, until), store_id = wish
        label = gettext("Counted as")
        controls = [Control("select", NAME, label, name, [(name, TERMS[name].name)])]
        days = {SINCE: (gettext("Days from"), since), UNTIL: (gettext("Days to"), until)}
        controls += [
            Control("date", one, text, day.isoformat())
            for one, (text, day) in days.items()
            if day not in EVER
        ]
        if store_id is not None:
            controls.append(_store_control(store_id))
        return controls

    def apply(self, query: Select[Any], arguments: Arguments) -> Select[Any]:
        """Keep the rows that the figure counts."""
        wish = self.wish(arguments)
        if wish is None:
            return query
        name, (since, until), store_id = wish
        return query.where(
            rows_of(self.sources[name], since=since, until=until, store_ids=stores_asked(store_id))
        )

    def wish(self, arguments: Arguments) -> tuple[str, tuple[date, date], int | None] | None:
        """Read figure, days and store; None where no figure of this model is named."""
        name = arguments.get(NAME, "")
        if name not in self.sources:
            return None
        since = _day(arguments.get(SINCE, ""), EVER[0])
        until = _day(arguments.get(UNTIL, ""), EVER[1])
        return name, (since, until), as_id(arguments.get(STORE, ""))

    def note(self, query: Select[Any], arguments: Arguments) -> str:
        """Return number and sum of the rows as they are now; nothing for spans that take long."""
        wish = self.wish(arguments)
        if wish is None or (wish[1][1] - wish[1][0]).days >= SUMMED_DAYS_MAX:
            return ""
        source = self.sources[wish[0]]
        amount = sa.literal(0) if source.amount is None else source.amount
        columns = (sa.func.count(), sa.func.coalesce(sa.func.sum(amount), 0))
        count, total = db.session.execute(
            query.order_by(None).with_only_columns(*columns, maintain_column_froms=True)
        ).one()
        if source.amount is None:
            return ngettext(
                "%(num)s row makes up this figure.", "%(num)s rows make up this figure.", count
            )
        return ngettext(
            "%(num)s row, %(total)s in all, makes up this figure.",
            "%(num)s rows, %(total)s in all, make up this figure.",
            count,
            total=yuan(int(total)),
        )


def counted_in(model: type) -> list[Counted]:
    """Return the filter of a model; none where no figure counts its rows."""
    found = {name: one for name, one in SOURCES.items() if one.model is model}
    return [Counted(found)] if found else []


def stores_asked(store_id: int | None) -> frozenset[int] | None:
    """Return the stores whose rows count for the reader: theirs, and of these the one named."""
    mine = visible_store_ids()
    if store_id is None:
        return mine
    wanted = frozenset({store_id})
    return wanted if mine is None else wanted & mine


def _store_control(store_id: int) -> Control:
    query = sa.select(Store.name).where(Store.id.in_(stores_asked(store_id) or ()))
    name = db.session.scalar(query) or gettext("Other store")
    return Control("select", STORE, gettext("Store"), str(store_id), [(str(store_id), name)])


def _day(text: str, otherwise: date) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return min(max(found, EVER[0]), EVER[1])
