"""What charts are drawn from: figures day by day or store by store, as far as the reader may."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _

from admin.dashboards.tiles import may_see, with_net, written
from admin.dashboards.wish import Wish
from admin.help import TERMS, Term
from app.insight import queries
from app.kernel.db import db

STORES_MAX: Final = 10
MADE_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "net_fen": ("paid_fen", "refunded_fen"),
    "direct_fen": ("paid_fen", "distributor_fen"),
}
"""Figures that no column holds, and what they are made of."""


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of a chart and its look: `bar`, `line`, or `stack` for bars upon each other."""

    figure: str
    look: str
    tone: str
    """Which colour of the style sheet it has."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart, before anybody asks for it."""

    name: str
    title: Any
    lines: tuple[Line, ...]
    by_store: bool = False
    """Stores with most of the first figure instead of days; nothing for one store."""


CHARTS: Final[Mapping[str, Chart]] = {
    one.name: one
    for one in (
        Chart(
            "money",
            _("Money paid, refunded and left"),
            (
                Line("paid_fen", "bar", "first"),
                Line("refunded_fen", "bar", "bad"),
                Line("net_fen", "line", "second"),
            ),
        ),
        Chart(
            "customers",
            _("New customers"),
            (
                Line("new_members", "bar", "first"),
                Line("new_bindings", "line", "second"),
                Line("first_orders", "line", "third"),
            ),
        ),
        Chart(
            "stores",
            _("First orders by store"),
            (Line("first_orders", "bar", "first"),),
            by_store=True,
        ),
        Chart(
            "distributors",
            _("What distributors contribute"),
            (
                Line("distributor_fen", "stack", "first"),
                Line("direct_fen", "stack", "calm"),
            ),
        ),
        Chart(
            "commission",
            _("Commission and payouts"),
            (
                Line("awards_fen", "bar", "first"),
                Line("clawbacks_fen", "bar", "bad"),
                Line("payouts_fen", "line", "second"),
            ),
        ),
        Chart(
            "reach",
            _("From scans to customers"),
            (
                Line("touches", "bar", "calm"),
                Line("new_bindings", "line", "first"),
                Line("new_members", "line", "second"),
            ),
        ),
        Chart(
            "counter",
            _("Paid and handed over"),
            (
                Line("paid_orders", "bar", "calm"),
                Line("completed_orders", "bar", "first"),
            ),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Series:
    """One figure of a drawn chart with its values, in fen or pieces."""

    term: Term
    line: Line
    values: list[int]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart with its values; `heads` are days as ISO dates or names of stores."""

    chart: Chart
    heads: list[str]
    series: list[Series]

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing but zeros."""
        return not any(value for one in self.series for value in one.values)

    def rows(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the values as people read them, a line for each day or store."""
        for place, head in enumerate(self.heads):
            yield head, [written(one.line.figure, one.values[place]) for one in self.series]

    def to_json(self) -> str:
        """Return what the script draws from; money stays whole fen."""
        return json.dumps(
            {
                "heads": self.heads,
                "byStore": self.chart.by_store,
                "isMoney": self.series[0].line.figure.endswith("_fen"),
                "series": [
                    {
                        "name": str(one.term.name),
                        "look": one.line.look,
                        "tone": one.line.tone,
                        "values": one.values,
                    }
                    for one in self.series
                ],
            },
            ensure_ascii=False,
        )


def seen_lines(chart: Chart) -> list[Line]:
    """Return the figures of a chart whose rows the reader may open."""
    return [
        line
        for line in chart.lines
        if all(may_see(part) for part in MADE_OF.get(line.figure, (line.figure,)))
    ]


def draw(names: Sequence[str], wish: Wish) -> list[Drawn]:
    """Return the charts that the reader may see; one question for all those by day."""
    wanted = [(CHARTS[name], seen_lines(CHARTS[name])) for name in names]
    wanted = [(chart, lines) for chart, lines in wanted if lines]
    figures = columns_of(line for chart, lines in wanted if not chart.by_store for line in lines)
    days = queries.by_day(db.session(), wish.asked(*figures)) if figures else {}
    drawn = (
        _by_store(chart, lines, wish) if chart.by_store else _by_day(chart, lines, wish, days)
        for chart, lines in wanted
    )
    return [one for one in drawn if one is not None]


def columns_of(lines: Any) -> tuple[str, ...]:
    """Return the columns that figures are made of, each once."""
    found = [part for line in lines for part in MADE_OF.get(line.figure, (line.figure,))]
    return tuple(dict.fromkeys(found))


def _by_day(
    chart: Chart, lines: Sequence[Line], wish: Wish, found: Mapping[Any, Mapping[str, int]]
) -> Drawn:
    days = [(day, with_net(found.get(day, {}))) for day in wish.every_day()]
    series = [
        Series(TERMS[line.figure], line, [values.get(line.figure, 0) for _day, values in days])
        for line in lines
    ]
    return Drawn(chart, [day.isoformat() for day, _values in days], series)


def _by_store(chart: Chart, lines: Sequence[Line], wish: Wish) -> Drawn | None:
    """Compare stores where the reader sees several and asked for none of them."""
    if wish.store_id is not None or len(wish.stores) <= 1:
        return None
    names = columns_of(lines)
    found = queries.by_store(db.session(), wish.asked(*names), most=STORES_MAX)
    known = dict(wish.stores)
    series = [
        Series(TERMS[line.figure], line, [values[line.figure] for _id, values in found])
        for line in lines
    ]
    return Drawn(chart, [known[store_id] for store_id, _values in found], series)
