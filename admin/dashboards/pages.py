"""The pages: the figures of each day or store as a table, and every chart as a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, Final

from flask import Response as Answer
from flask import abort, request
from flask_admin import BaseView, expose
from werkzeug.wrappers import Response

from admin import staff
from admin.base import to_sign_in
from admin.dashboards.charts import CHARTS, MADE_OF, draw
from admin.dashboards.files import cell_of, send_csv
from admin.dashboards.freshness import freshness
from admin.dashboards.tiles import may_see, rows_url, with_net, written
from admin.dashboards.wish import RANGES, Wish
from admin.help import GENERAL, GROUPS, TERMS
from admin.i18n import gettext
from app.insight import queries
from app.kernel.db import database_now, db
from app.stores.permissions import Permission

STORES_SHOWN: Final = 100
COLUMNS: Final = (
    "paid_orders",
    "paid_fen",
    "refunds",
    "refunded_fen",
    "net_fen",
    "distributor_fen",
    "first_orders",
    "completed_orders",
    "new_members",
    "new_bindings",
    "touches",
    "new_distributors",
    "awards_fen",
    "clawbacks_fen",
    "payouts_fen",
)
"""The figures of the table, as far as the reader may see them."""


class SignedIn(BaseView):
    """A page for everybody who is signed in."""

    def is_accessible(self) -> bool:
        """Let in whoever is signed in."""
        return staff.may(None)

    def inaccessible_callback(self, *_names: Any, **_kwargs: Any) -> Response:
        """Send strangers to the sign-in page."""
        return to_sign_in()


class HelpView(SignedIn):
    """What each figure means and how it is computed."""

    icon = "circle-help"

    @expose("/")
    def index(self) -> str:
        """Show the glossary."""
        page: str = self.render("backoffice/help.html", groups=GROUPS, general=GENERAL)
        return page


@dataclass(frozen=True, slots=True)
class Line:
    """One day or store with its figures: as text, and where their rows are."""

    head: str
    cells: list[tuple[str, str]]


class FiguresView(SignedIn):
    """The figures of each day or store, with their rows one click away."""

    icon = "scroll-text"

    def is_accessible(self) -> bool:
        """Let in whoever may open the rows of any figure."""
        return staff.may(None) and any(may_see(name) for name in COLUMNS)

    def inaccessible_callback(self, *_names: Any, **_kwargs: Any) -> Response:
        """Send strangers to the sign-in page and tell others that this is not theirs."""
        return to_sign_in() if staff.current() is None else abort(403)

    @expose("/")
    def index(self) -> str:
        """Show the table."""
        now = database_now()
        wish = Wish.read(request.args, now=now)
        names = _seen()
        is_by_store = request.args.get("by") == "store"
        lines = _store_lines(names, wish) if is_by_store else _day_lines(names, wish)
        page: str = self.render(
            "backoffice/figures.html",
            wish=wish,
            ranges=RANGES,
            terms=[(name, TERMS[name]) for name in names],
            lines=list(islice(lines, STORES_SHOWN)),
            is_by_store=is_by_store,
            freshness=freshness(now),
            may_export=staff.may(Permission.EXPORTS),
        )
        return page

    @expose("/table.csv")
    def table(self) -> Answer:
        """Send the table as a file."""
        if not staff.may(Permission.EXPORTS):
            abort(403)
        wish = Wish.read(request.args, now=database_now())
        names = _seen()
        is_by_store = request.args.get("by") == "store"
        first = gettext("Store") if is_by_store else gettext("Day")
        rows = _store_values(names, wish) if is_by_store else _day_values(names, wish)
        heads = [first, *(str(TERMS[name].name) for name in names)]
        cells = (
            [head, *(cell_of(name, values.get(name, 0)) for name in names)]
            for _key, head, values in rows
        )
        return send_csv("figures", heads, cells)

    @expose("/chart/<chart_name>.csv")
    def chart(self, chart_name: str) -> Answer:
        """Send what a chart is drawn from as a file."""
        if chart_name not in CHARTS:
            abort(404)
        wish = Wish.read(request.args, now=database_now())
        drawn = draw((chart_name,), wish)
        if not staff.may(Permission.EXPORTS) or not drawn:
            abort(403)
        one = drawn[0]
        first = gettext("Store") if one.chart.by_store else gettext("Day")
        heads = [first, *(str(each.term.name) for each in one.series)]
        rows = (
            [head, *(cell_of(each.line.figure, each.values[place]) for each in one.series)]
            for place, head in enumerate(one.heads)
        )
        return send_csv(f"figures-{chart_name}", heads, rows)


def _seen() -> tuple[str, ...]:
    return tuple(name for name in COLUMNS if may_see(name))


Values = dict[str, int]


def _day_values(names: tuple[str, ...], wish: Wish) -> Iterator[tuple[Any, str, Values]]:
    """Yield every day, the newest first."""
    found = queries.by_day(db.session(), wish.asked(*_parts(names)))
    for day in reversed(wish.every_day()):
        yield day, day.isoformat(), with_net(found.get(day, {}))


def _store_values(names: tuple[str, ...], wish: Wish) -> Iterator[tuple[Any, str, Values]]:
    """Yield the stores that the reader sees and anything happened in, most first."""
    found = queries.by_store(db.session(), wish.asked(*_parts(names)), most=100_000)
    known = dict(wish.stores)
    for store_id, values in found:
        yield store_id, known.get(store_id, f"#{store_id}"), with_net(values)


def _day_lines(names: tuple[str, ...], wish: Wish) -> Iterator[Line]:
    for day, head, values in _day_values(names, wish):
        yield Line(head, [_cell(name, values, wish, since=day) for name in names])


def _store_lines(names: tuple[str, ...], wish: Wish) -> Iterator[Line]:
    for store_id, head, values in _store_values(names, wish):
        of_store = Wish(wish.today, wish.days, store_id, wish.stores)
        span = {"since": wish.since, "until": wish.today}
        yield Line(head, [_cell(name, values, of_store, **span) for name in names])


def _cell(name: str, values: Values, wish: Wish, **span: date) -> tuple[str, str]:
    value = values.get(name, 0)
    url = "" if name in MADE_OF or not value else rows_url(name, wish, **span)
    return written(name, value), url


def _parts(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for name in names for part in MADE_OF.get(name, (name,))))
