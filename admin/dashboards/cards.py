"""What guest cards bring, by giver, store and kind of card; and what stores owe each other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Response as Answer
from flask import abort, request
from flask_admin import expose
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from werkzeug.wrappers import Response

from admin import bars, staff
from admin.bars import Drawing, Point
from admin.base import to_sign_in
from admin.dashboards.files import send_csv
from admin.dashboards.pages import SignedIn
from admin.dashboards.wish import RANGES, Wish
from admin.details import Section, pairs_of, rows_section
from admin.directory import Reference
from admin.i18n import gettext
from admin.tables import Shape, Table
from app.guest_cards import settling
from app.guest_cards.settling import Funnel, KpiBy
from app.kernel.clock import day_begins_at
from app.kernel.db import database_now, db
from app.stores.permissions import Permission

LINES_SHOWN: Final = 100
CHART: Final = "backoffice/simulation_chart.html"
LEAST: Final = 4
STAGES: Final[Mapping[str, Any]] = {
    "issued": lazy_pgettext("guest card", "Shared"),
    "claimed": lazy_pgettext("guest card", "Claimed"),
    "booked": lazy_pgettext("guest card", "Booked"),
    "used": lazy_pgettext("guest card", "Used"),
    "converted": _("Bought afterwards"),
}
"""How far cards come; each stage counts those of the span that reached it until now."""
LABELS: Final[Mapping[str, Any]] = {
    **STAGES,
    "new_customers": _("New customers"),
    "cost_fen": _("Cost"),
    "cost_per_new_fen": _("For each new customer"),
    "revenue_fen": _("First orders"),
    "revenue_per_card_fen": _("For each card"),
}
SUMS: Final = ("new_customers", "cost_fen", "cost_per_new_fen", "revenue_fen")


@dataclass(frozen=True, slots=True)
class Side:
    """One way to tell the figures apart: what its lines are, and where their pages are."""

    name: Any
    head: Any
    register: str

    @property
    def shape(self) -> Shape:
        """Return the table of this side."""
        return Shape(("who", *LABELS), {"who": self.head, **LABELS}, computed={"who": self._who})

    def _who(self, line: Funnel) -> Reference | None:
        return Reference(self.register, line.id) if line.id is not None else None


SIDES: Final[Mapping[KpiBy, Side]] = {
    KpiBy.GIVER: Side(_("Giver by giver"), _("Given by"), "members"),
    KpiBy.STORE: Side(_("Store by store"), _("Store of the giver"), "stores"),
    KpiBy.TEMPLATE: Side(_("Card by card"), _("Guest card"), "card_templates"),
}


class OfCards(SignedIn):
    """A page about guest cards, for whoever may see the cards."""

    def is_accessible(self) -> bool:
        """Let in whoever may see guest cards."""
        return staff.may(Permission.CARDS_VIEW)

    def inaccessible_callback(self, *_names: Any, **_kwargs: Any) -> Response:
        """Send strangers to the sign-in page and tell others that this is not theirs."""
        return to_sign_in() if staff.current() is None else abort(403)


class CardFiguresView(OfCards):
    """What became of the cards that were shared in some days, what they cost and what they brought.

    Staff of a store see the cards of its givers, whichever store they were used at.
    """

    icon = "chart-column"

    @expose("/")
    def index(self) -> str:
        """Show how far the cards came, then line by line."""
        wish, by = Wish.read(request.args, now=database_now()), _side()
        whole = next(iter(figures(wish, None)), None)
        lines = figures(wish, by)
        side = SIDES[by]
        sections = [
            _stages(whole),
            _sums(whole),
            rows_section(side.name, lines[:LINES_SHOWN], side.shape),
        ]
        page: str = self.render(
            "backoffice/card_figures.html",
            wish=wish,
            ranges=RANGES,
            by=by,
            sides=SIDES,
            sections=[one for one in sections if one is not None],
            hidden=max(len(lines) - LINES_SHOWN, 0),
            may_export=staff.may(Permission.EXPORTS),
        )
        return page

    @expose("/table.csv")
    def table(self) -> Answer:
        """Send every line as a file."""
        if not staff.may(Permission.EXPORTS):
            abort(403)
        wish, by = Wish.read(request.args, now=database_now()), _side()
        return send_table(f"guest-cards-{by.value}", figures(wish, by), SIDES[by].shape)


def send_table(name: str, rows: Iterable[Any], shape: Shape) -> Answer:
    """Send rows as a file, with the names of what they refer to; audited."""
    table = Table(rows, shape)
    heads = [str(column.label) for column in table.columns]
    return send_csv(name, heads, [table.plain(row) for row in table.rows])


def figures(wish: Wish, by: KpiBy | None) -> Sequence[Funnel]:
    """Return what became of the cards shared in the days asked for, most shared first."""
    following = wish.every_day()[-1].toordinal() + 1
    return settling.funnel(
        db.session(),
        by,
        from_at=day_begins_at(wish.since),
        until_at=day_begins_at(wish.today.fromordinal(following)),
        store_ids=wish.store_ids,
    )


def _side() -> KpiBy:
    wished = request.args.get("by", "")
    return KpiBy(wished) if wished in set(KpiBy) else KpiBy.GIVER


def _stages(whole: Funnel | None) -> Section | None:
    """Draw how many cards reached each stage."""
    if whole is None or not whole.issued:
        return None
    counts = [(str(name), int(getattr(whole, key))) for key, name in STAGES.items()]
    points = [
        Point(
            name,
            gettext("%(stage)s: %(count)s of %(all)s", stage=name, count=n, all=whole.issued),
            n,
        )
        for name, n in counts
    ]
    rows = [{"stage": name, "cards": n} for name, n in counts]
    labels = {"stage": _("Stage"), "cards": _("Cards")}
    drawing = Drawing(
        bars.draw(points, least=LEAST, told=str),
        (_("Cards"),),
        _("How far the cards came"),
        bars.as_table(rows, ("stage", "cards"), labels),
    )
    return Section(drawing.says, "chart", template=CHART, facts=drawing)


def _sums(whole: Funnel | None) -> Section | None:
    """Tell what all of them cost and brought."""
    if whole is None or not whole.issued:
        return None
    values = {name: getattr(whole, name) for name in SUMS}
    return Section(_("Cost and revenue"), "facts", facts=pairs_of(values, LABELS))
