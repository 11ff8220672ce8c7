"""What a page about a simulation shows: how far it is, what it found, in tables and pictures."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin import bars, staff
from admin.bars import Drawing, Point
from admin.details import Section, pairs_of, rows_section, sentences_section
from admin.i18n import gettext, say
from admin.tables import Shape
from app.distribution.plan_records import PlanSimulation, SimulationKind, SimulationState
from app.distribution.simulation.services import failure
from app.distribution.simulation.tables import sheets
from app.engines.registry import MODELS
from app.kernel.i18n import Message, yuan
from app.kernel.money import percent

CHART: Final = "backoffice/simulation_chart.html"
OF_PEOPLE: Final = "people"
SUMS: Final = ("count", "amount_fen", "reversed_fen", "net_fen", "share_bp")
SUM_LABELS: Final[Mapping[str, Any]] = {
    "count": _("Awards"),
    "amount_fen": _("Awarded"),
    "reversed_fen": _("Taken back by refunds"),
    "net_fen": _("Left"),
    "share_bp": _("Share of the cost"),
}
MONTH_LABELS: Final[Mapping[str, Any]] = {
    "month": _("Month"),
    "orders": _("Orders"),
    "paid_fen": lazy_pgettext("amount", "Paid"),
    "refunded_fen": _("Refunded"),
    "cost_fen": _("Commission"),
    "against_fen": _("Compared with"),
}
SHIFT_LABELS: Final[Mapping[str, Any]] = {
    "member": _("Distributor"),
    "fen": _("This version"),
    "against_fen": _("Compared with"),
    "difference_fen": _("Difference"),
}
WHOLE_YUAN: Final = 10_000


def sections(row: PlanSimulation) -> Iterable[Section | None]:
    """Show what was asked for, and how far it is or what came of it."""
    if row.state in {SimulationState.QUEUED, SimulationState.RUNNING}:
        template = "backoffice/simulation_progress.html"
        yield Section(_("Progress"), "progress", template=template, facts=row)
    elif row.state is SimulationState.FAILED:
        yield sentences_section(_("Why it failed"), [say(failure(row))])
    yield Section(_("Tried on"), "facts", facts=_parameters(row))
    if row.result is not None:
        yield from _found(row, row.result)


def _parameters(row: PlanSimulation) -> Any:
    shown = {
        name: value for name, value in row.parameters.items() if isinstance(value, int) or value
    }
    return pairs_of(shown, PARAMETERS)


PARAMETERS: Final[Mapping[str, Any]] = {
    "months": _("Months"),
    "until_at": _("Until"),
    "members": _("Customers in the end"),
    "referral_bp": _("Brought by distributors"),
    "recruit_bp": _("Become distributors"),
    "orders_bp": _("Orders of a customer in a month"),
    "min_fen": _("Smallest order"),
    "typical_fen": _("Typical order"),
    "max_fen": _("Largest order"),
    "products": _("Products"),
    "refund_bp": _("Orders that are refunded"),
    "stores": _("Stores"),
    "seed": _("Seed"),
}


def _found(row: PlanSimulation, result: Mapping[str, Any]) -> Iterable[Section | None]:
    plan, against = result["plan"], result["against"]
    yield _overview(plan, against)
    yield _months(plan, against)
    yield _spread(plan)
    for name, title in (
        ("kinds", _("By kind")),
        ("levels", _("By level")),
        ("seats", _("By distance from the buyer")),
    ):
        yield _sums(plan, name, title)
    if result["comparison"] is not None:
        yield from _shifts(row, result["comparison"])
    yield _top(row, plan)
    yield _refused(plan)
    yield _gifts(plan)
    yield _files(row, result)


def _overview(plan: Mapping[str, Any], against: Mapping[str, Any] | None) -> Section:
    plans = [plan] if against is None else [plan, against]
    rows = [
        {"what": what, **dict(zip(("plan", "against"), told, strict=False))}
        for what, told in _figures(plans)
    ]
    columns = ("what", "plan", "against")[: len(plans) + 1]
    labels = {"what": _("Figure"), "plan": _("This version"), "against": _("Compared with")}
    return rows_section(_("What it costs"), rows, Shape(columns, labels))


def _figures(plans: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, list[str]]]:
    """Yield what is told of each plan, in words of this page's language."""
    money = (
        ("net_turnover_fen", gettext("Turnover after refunds")),
        ("cost_fen", gettext("Commission after refunds")),
        ("reversed_fen", gettext("Taken back by refunds")),
        ("capped_fen", gettext("Withheld by the cap")),
        ("pool_fen", gettext("Put into pools")),
    )
    yield gettext("Orders"), [f"{one['orders']:,}" for one in plans]
    for name, told in money:
        yield told, [yuan(one[name]) for one in plans]
    yield gettext("Share of the turnover"), [percent(one["share_bp"]) for one in plans]
    limits = (
        ("worst_order_bp", "order_bp", gettext("Dearest order, and the most there can be")),
        ("worst_month_bp", "monthly_bp", gettext("Dearest month, and the most there can be")),
    )
    for found, most, told in limits:
        yield (
            told,
            [f"{percent(one['bound'][found])} / {percent(one['bound'][most])}" for one in plans],
        )
    yield (
        gettext("People who earn, of all who could"),
        [f"{one['spread']['paid']:,} / {one['spread']['active']:,}" for one in plans],
    )
    shares = (
        ("gini_bp", gettext("Gini among those who earn")),
        ("gini_of_active_bp", gettext("Gini among all who could")),
        ("top_bp", gettext("Share of the ten best-paid")),
        ("top_tenth_bp", gettext("Share of the best-paid tenth")),
    )
    for name, told in shares:
        yield told, [percent(one["spread"][name]) for one in plans]
    yield gettext("Half earn less than"), [yuan(one["spread"]["median_fen"]) for one in plans]


def _months(plan: Mapping[str, Any], against: Mapping[str, Any] | None) -> Section:
    """Draw turnover and commission month by month."""
    costs = {} if against is None else {one["month"]: _cost(one) for one in against["months"]}
    rows = [
        {
            **one,
            "cost_fen": _cost(one),
            **({} if against is None else {"against_fen": costs.get(one["month"], 0)}),
        }
        for one in plan["months"]
    ]
    points = [
        Point(
            row["month"][2:],
            f"{row['month']} · {yuan(row['paid_fen'])} · {yuan(row['cost_fen'])}",
            row["paid_fen"],
            row["cost_fen"],
        )
        for row in rows
    ]
    columns = tuple(name for name in MONTH_LABELS if name != "against_fen" or against is not None)
    drawing = Drawing(
        bars.draw(points, least=WHOLE_YUAN),
        (lazy_pgettext("amount", "Paid"), _("Commission")),
        _("Paid and commission, month by month"),
        bars.as_table(rows, columns, dict(MONTH_LABELS)),
    )
    return Section(_("Month by month"), "chart", template=CHART, facts=drawing)


def _cost(month: Mapping[str, int]) -> int:
    return month["awarded_fen"] + month["monthly_fen"] - month["reversed_fen"]


def _spread(plan: Mapping[str, Any]) -> Section:
    """Draw how many people earn how much."""
    rows = [
        {"range": _range(one), "people": one["people"], "amount_fen": one["sum_fen"]}
        for one in plan["spread"]["buckets"]
    ]
    points = [
        Point(row["range"], f"{row['range']} · {row['people']}", row["people"]) for row in rows
    ]
    labels = {"range": _("Earns"), "people": _("People"), "amount_fen": _("Together")}
    drawing = Drawing(
        bars.draw(points, least=4, told=str),
        (_("People"),),
        _("How many people earn how much"),
        bars.as_table(rows, ("range", "people", "amount_fen"), labels),
    )
    return Section(_("How it is spread"), "chart", template=CHART, facts=drawing)


def _range(bucket: Mapping[str, Any]) -> str:
    if bucket["to_fen"] is None:
        return f"≥ ¥{bucket['from_fen'] // 100:,}"
    return f"< ¥{bucket['to_fen'] // 100:,}"


def _sums(plan: Mapping[str, Any], name: str, title: Any) -> Section:
    key = name.removesuffix("s")
    rows = [{**one, "group": _group(plan, key, one[key])} for one in plan[name]]
    labels = {**SUM_LABELS, "group": title}
    return rows_section(title, rows, Shape(("group", *SUMS), labels))


def _group(plan: Mapping[str, Any], key: str, value: Any) -> str:
    if key == "kind":
        return kind_name(plan["model"], value)
    if key == "level":
        return gettext("Level %(level)s", level=value) if value else gettext("Without a level")
    if value < 0:
        return gettext("By the month")
    return gettext("%(seat)s above the buyer", seat=value) if value else gettext("The buyer")


def kind_name(model: str, kind: str) -> str:
    """Return what a model calls what it pays."""
    named = MODELS[model].kinds if model in MODELS else {}
    return say(Message(named[kind])) if kind in named else kind


def _shifts(row: PlanSimulation, found: Mapping[str, Any]) -> Iterable[Section]:
    yield sentences_section(
        _("Who gains, who loses"),
        [
            gettext(
                "%(people)s people gain %(amount)s together.",
                people=found["gaining"],
                amount=yuan(found["gained_fen"]),
            ),
            gettext(
                "%(people)s people lose %(amount)s together.",
                people=found["losing"],
                amount=yuan(found["lost_fen"]),
            ),
            gettext("For %(people)s nothing changes.", people=found["unchanged"]),
        ],
    )
    columns = ("member", "fen", "against_fen", "difference_fen")
    shape = _shape(row, columns, SHIFT_LABELS)
    yield rows_section(_("Gain most"), _named(found["gainers"]), shape)
    yield rows_section(_("Lose most"), _named(found["losers"]), shape)


def _top(row: PlanSimulation, plan: Mapping[str, Any]) -> Section:
    shape = _shape(row, ("member", "fen"), {**SHIFT_LABELS, "fen": _("Earns")})
    return rows_section(_("Best-paid"), _named(plan["spread"]["top"]), shape)


def _shape(row: PlanSimulation, columns: tuple[str, ...], labels: Mapping[str, Any]) -> Shape:
    """Name people of own orders; invented ones have a number only."""
    is_real = row.kind is SimulationKind.ORDERS
    named = {name if name != "fen" else "earned_fen": label for name, label in labels.items()}
    shown = tuple(name if name != "fen" else "earned_fen" for name in columns)
    return Shape(shown, named, references={"member": "distributors"} if is_real else {})


def _named(people: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**one, "member": one["member_id"], "earned_fen": one["fen"]} for one in people]


def _refused(plan: Mapping[str, Any]) -> Section:
    labels = {"why": _("Why nothing was paid"), "count": _("How often")}
    rows = [{"why": one["reason"], "count": one["count"]} for one in plan["refused"]]
    return rows_section(_("Not paid"), rows, Shape(("why", "count"), labels))


def _gifts(plan: Mapping[str, Any]) -> Section | None:
    if not plan["gifts"]:
        return None
    labels = {"group": _("For what"), "item": _("Gift"), "amount": _("How many")}
    rows = [{**one, "group": kind_name(plan["model"], one["kind"])} for one in plan["gifts"]]
    return rows_section(_("Gifts"), rows, Shape(("group", "item", "amount"), labels))


def _files(row: PlanSimulation, result: Mapping[str, Any]) -> Section:
    template = "backoffice/simulation_files.html"
    names = [name for name in sheets(result) if may_take(row, name)]
    return Section(_("Tables"), "files", template=template, facts=(row.id, names))


def may_take(row: PlanSimulation, name: str) -> bool:
    """Tell whether the reader may have a table: real people only where they see all stores."""
    is_invented = row.kind is SimulationKind.GROWTH
    return name != OF_PEOPLE or is_invented or staff.visible_store_ids() is None
