"""Sections of the pages about activities, groups and bargains."""

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from admin import bars
from admin.activity_forms import CHOICES, Said, items_of
from admin.bars import Drawing, Point
from admin.details import Section, rows_section, sentences_section, steps_section
from admin.i18n import gettext, ngettext, say
from admin.staff import visible_store_ids
from admin.tables import Shape
from app.activities import bargains, queries
from app.activities.advice import advice
from app.activities.bargain_models import Bargain
from app.activities.group_models import BuyingGroup, GroupSeat
from app.activities.kinds import KINDS
from app.activities.models import Activity
from app.activities.numbers import days_of, numbers_of
from app.coupons.models import CouponTemplate
from app.kernel.db import db
from app.kernel.i18n import yuan

CHART: Final = "backoffice/simulation_chart.html"
WHOLE_YUAN: Final = 400
MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
ITEMS: Final = Shape(
    ("product_id", "price_fen", "stock", "sold"),
    {"price_fen": _("Price here"), "sold": _("Taken")},
)
NUMBERS: Final = Shape(
    (
        "joins",
        "people",
        "orders",
        "pieces",
        "revenue_fen",
        "refunded_fen",
        "given_fen",
        "newcomers",
        "newcomer_cost_fen",
    ),
    {"people": _("People"), "refunded_fen": _("Gone back")},
)
STEPS: Final = Shape(("event", "at", "actor", "reason"))
SEATS: Final = Shape(
    ("number", "state", "member_id", "order_id", "at", "left_at"), {"number": _("Seat")}
)
CUTS: Final = Shape(
    ("helper_id", "amount_fen", "parts", "is_newcomer", "at"), references={"helper_id": "members"}
)


class Later:
    """A text that is made when it is shown, in the reader's language."""

    def __init__(self, make: Callable[[], str]) -> None:
        """Keep how it is made."""
        self.make = make

    def __str__(self) -> str:
        return self.make()


def advice_section(row: Activity) -> Section:
    """Tell what is worth a second look before it begins."""
    session = db.session()
    found = advice(session, queries.get_activity(session, row.id))
    said = [say(one) for one in found] or [gettext("Nothing to look at twice.")]
    return sentences_section(_("Before it begins"), said)


def items_section(row: Activity) -> Section | None:
    """Show what it sells."""
    if not KINDS[row.kind].sells:
        return None
    return rows_section(_("What it offers"), items_of(row), ITEMS)


def rules_section(row: Activity) -> Section:
    """Tell its rules, a line each."""
    fields = KINDS[row.kind].rules.model_fields
    lines = []
    for name, value in row.rules.items():
        title = Said((fields[name].title if name in fields else None) or name)
        lines.append(gettext("%(rule)s: %(value)s", rule=str(title), value=_value(name, value)))
    return sentences_section(_("Rules"), lines)


def numbers_section(row: Activity) -> Section:
    """Tell what it brought."""
    return rows_section(
        _("What it brought"),
        [numbers_of(db.session(), row.id, store_ids=visible_store_ids())],
        NUMBERS,
    )


def days_section(row: Activity) -> Section | None:
    """Draw what it brought day by day."""
    days = days_of(db.session(), row.id, store_ids=visible_store_ids())
    if not days:
        return None
    points = [
        Point(
            f"{one.day:%m-%d}",
            f"{one.day:%Y-%m-%d} · {yuan(one.revenue_fen)} · {one.orders}",
            one.revenue_fen,
        )
        for one in days
    ]
    rows = [
        {
            "day": f"{one.day:%Y-%m-%d}",
            "joins": one.joins,
            "orders": one.orders,
            "revenue_fen": one.revenue_fen,
        }
        for one in days
    ]
    labels = {"day": _("Day"), "joins": _("Joined"), "orders": _("Orders")}
    drawing = Drawing(
        bars.draw(points, least=WHOLE_YUAN),
        (_("Revenue"),),
        _("Revenue day by day"),
        bars.as_table(rows, ("day", "joins", "orders", "revenue_fen"), labels),
    )
    return Section(_("Day by day"), "chart", template=CHART, facts=drawing)


def activity_steps(row: Activity) -> Section:
    """Tell what happened to an activity."""
    return steps_section(_("What happened"), queries.steps_of(db.session(), row.id), STEPS)


def seats_section(row: BuyingGroup) -> Section:
    """Tell who took which seat of a group, those who left included."""
    seats = db.session.scalars(
        sa.select(GroupSeat).where(GroupSeat.group_id == row.id).order_by(GroupSeat.id)
    )
    return rows_section(_("Seats"), list(seats), SEATS)


def cuts_section(row: Bargain) -> Section:
    """Tell who cut how much."""
    return rows_section(_("Cuts"), bargains.cuts_of(db.session(), row.id), CUTS)


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name.endswith("_seconds"):
        return _span(value)
    if name.endswith("_coupon_id"):
        template = db.session.get(CouponTemplate, value)
        return template.title if template is not None else "–"
    return str(CHOICES.get(value, value))


def _span(seconds: int) -> str:
    if seconds % HOUR == 0:
        return ngettext("%(num)d hour", "%(num)d hours", seconds // HOUR)
    return ngettext("%(num)d minute", "%(num)d minutes", seconds // MINUTE)
