"""The figures of today, each with its comparison and one click from its rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from flask import current_app, g, url_for

from admin.counted import list_url
from admin.dashboards.wish import Wish
from admin.help import TERMS, Term
from admin.i18n import gettext
from app.insight import queries
from app.insight.queries import STANDING, Asked
from app.insight.sources import SOURCES
from app.kernel.db import db
from app.kernel.i18n import yuan
from app.ledger.transfers import Name

WEEK: Final = timedelta(days=7)
PERCENT: Final = 100
NET: Final = "net_fen"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows of a figure are."""

    endpoint: str
    icon: str
    source: str
    """Which of `SOURCES` counts them."""


PLACES: Final[Mapping[str, Place]] = {
    "paid_fen": Place("orders", "shopping-bag", "paid_orders"),
    "paid_orders": Place("orders", "package", "paid_orders"),
    "distributor_fen": Place("orders", "network", "distributor_orders"),
    "distributor_orders": Place("orders", "network", "distributor_orders"),
    "first_orders": Place("orders", "badge-check", "first_orders"),
    "completed_orders": Place("orders", "circle-check", "completed_orders"),
    "refunded_fen": Place("refunds", "undo-2", "refunds"),
    "refunds": Place("refunds", "undo-2", "refunds"),
    "new_members": Place("members", "users", "new_members"),
    "new_bindings": Place("bindings", "link", "new_bindings"),
    "touches": Place("touches", "mouse-pointer-click", "touches"),
    "new_distributors": Place("distributors", "network", "new_distributors"),
    "awards_fen": Place("awards", "hand-coins", "awards"),
    "awards": Place("awards", "hand-coins", "awards"),
    "clawbacks_fen": Place("clawbacks", "undo-2", "clawbacks"),
    "clawbacks": Place("clawbacks", "undo-2", "clawbacks"),
    "payouts_fen": Place("payouts", "wallet", "payouts"),
    "payouts": Place("payouts", "wallet", "payouts"),
}
ACCOUNTS: Final[Mapping[str, tuple[Name, str]]] = {
    "commission_pending_fen": (Name.COMMISSION_PENDING, "calendar-clock"),
    "commission_available_fen": (Name.COMMISSION_AVAILABLE, "hand-coins"),
    "clawback_debt_fen": (Name.CLAWBACK_DEBT, "undo-2"),
}


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure as the page shows it."""

    key: str
    term: Term
    icon: str
    value: str
    url: str
    notes: list[str]
    trend: str = ""
    """`up`, `down` or nothing, against the same weekday a week ago."""


def may_see(name: str) -> bool:
    """Tell whether the reader may open the rows of a figure, and so see the figure."""
    if name == NET:
        return may_see("paid_fen") and may_see("refunded_fen")
    if name in STANDING:
        return _is_open("ledger_accounts")
    return _is_open(PLACES[name].endpoint)


def rows_url(name: str, wish: Wish, **span: Any) -> str:
    """Return the address of the rows of a figure; `since` and `until` say of which days."""
    place = PLACES[name]
    return list_url(_path(place.endpoint), place.source, store_id=wish.store_id, **span)


def _path(endpoint: str) -> str:
    """Return the address of a list; a table of figures asks for it a thousand times."""
    paths: dict[str, str] = g.setdefault("figure_paths", {})
    if endpoint not in paths:
        paths[endpoint] = url_for(f"{endpoint}.index_view")
    return paths[endpoint]


def written(name: str, value: int) -> str:
    """Return a figure as people read it."""
    return yuan(value) if name.endswith("_fen") else f"{value:,}"


def tiles(names: tuple[str, ...], wish: Wish) -> Iterator[Tile]:
    """Yield the tiles that the reader may see, in this order; two questions for all of them."""
    seen = [name for name in names if may_see(name)]
    days = (wish.today, wish.today - timedelta(days=1), wish.today - WEEK)
    figures = queries.of_days(
        db.session(), days, Asked(wish.today, wish.today, wish.store_ids, _counted(seen))
    )
    standing = (
        queries.standing(db.session(), store_ids=wish.store_ids)
        if any(name in STANDING for name in seen)
        else {}
    )
    for name in seen:
        if name in STANDING:
            if wish.store_id is None:
                yield _standing_tile(name, standing[name])
        else:
            yield _tile(name, [with_net(figures[day])[name] for day in days], wish)


def with_net(figures: Mapping[str, int]) -> dict[str, int]:
    """Return figures with those that are made of others."""
    paid, back = figures.get("paid_fen", 0), figures.get("refunded_fen", 0)
    through = figures.get("distributor_fen", 0)
    return {**figures, NET: paid - back, "direct_fen": paid - through}


def _counted(seen: list[str]) -> tuple[str, ...]:
    parts = {NET: ("paid_fen", "refunded_fen")}
    wanted = [part for name in seen if name not in STANDING for part in parts.get(name, (name,))]
    return tuple(dict.fromkeys(wanted)) or ("paid_orders",)


def _tile(name: str, values: list[int], wish: Wish) -> Tile:
    today, yesterday, week_ago = values
    if name == NET:
        url = url_for("figures.index", **wish.arguments())
        icon = "landmark"
    else:
        url, icon = rows_url(name, wish, since=wish.today), PLACES[name].icon
    return Tile(
        name,
        TERMS[name],
        icon,
        written(name, today),
        url,
        [
            gettext("Whole of yesterday %(value)s", value=written(name, yesterday)),
            gettext("Same weekday last week %(value)s", value=written(name, week_ago)),
        ],
        "up" if today > week_ago else "down" if today < week_ago else "",
    )


def _standing_tile(name: str, value: int) -> Tile:
    account, icon = ACCOUNTS[name]
    url = url_for("ledger_accounts.index_view", name=account.value, holds="something")
    return Tile(name, TERMS[name], icon, yuan(value), url, [gettext("At the time of the figures")])


def _is_open(endpoint: str) -> bool:
    view = current_app.extensions["backoffice"].get(endpoint)
    return view is not None and view.is_accessible()


assert {place.source for place in PLACES.values()} == set(SOURCES), "a figure without a place"
