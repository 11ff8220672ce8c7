"""The navigation: by what people come to do, not by tables."""

from dataclasses import dataclass
from typing import Any, Final

from flask import current_app
from flask_admin.menu import MenuCategory
from flask_babel import lazy_gettext as _

WORK: Final = "work"
CUSTOMERS: Final = "customers"
DISTRIBUTION: Final = "distribution"
CARDS: Final = "cards"
ACTIVITIES: Final = "activities"
POINTS: Final = "points"
REACH: Final = "reach"
ORDERS: Final = "orders"
MONEY: Final = "money"
DATA: Final = "data"
SETTINGS: Final = "settings"

LINKS_MAX: Final = 10
"""The most links below one heading: what is seen at a glance."""
UNFOLDED_MAX: Final = 20
"""The most links in sight at first. Who has more opens headings one by one."""
DAILY: Final = (WORK, MONEY, ORDERS, CUSTOMERS, CARDS)
"""Headings of daily work, those that are open first before the others."""

TITLES: Final[dict[str, Any]] = {
    WORK: _("Work"),
    CUSTOMERS: _("Customers"),
    DISTRIBUTION: _("Distribution"),
    CARDS: _("Cards and coupons"),
    ACTIVITIES: _("Activities"),
    POINTS: _("Points and levels"),
    REACH: _("Reaching customers"),
    ORDERS: _("Orders"),
    MONEY: _("Money"),
    DATA: _("Data"),
    SETTINGS: _("Settings"),
}

BESIDE: Final[dict[str, str]] = {
    "expected_members": "members",
    "tags": "members",
    "historic_orders": "orders",
    "stock_movements": "stock",
    "level_warnings": "levels",
    "team_stops": "team",
    "simulations": "plan_versions",
    "card_uses": "guest_cards",
    "coupon_pushes": "coupon_templates",
    "check_ins": "activities",
    "point_lots": "point_entries",
    "level_moves": "membership_levels",
    "growth_entries": "membership_levels",
    "given_rewards": "member_tasks",
    "nicknames": "reviews",
    "questionnaire_answers": "questionnaires",
    "messages": "message_templates",
    "regions": "stores",
    "staff_sessions": "staff",
    "audit_checks": "audit",
    "notices": "tasks",
}
"""Lists that are rarely opened, and the list beside which they stand: they are reached from its
page. Who may not open that one finds them in the navigation."""


@dataclass(frozen=True, slots=True)
class Item:
    """One link of the navigation."""

    name: Any
    url: str
    icon: str
    view: Any
    waiting: int = 0
    """How much waits there for the person here."""


@dataclass(frozen=True, slots=True)
class Section:
    """Links under one heading; the first section has none."""

    title: Any
    items: list[Item]
    name: str = ""

    @property
    def waiting(self) -> int:
        """Return how much waits below this heading for the person here."""
        return sum(item.waiting for item in self.items)

    def holds(self, view: Any) -> bool:
        """Tell whether a view stands below this heading, or beside a list that does."""
        return any(item.view is view or leads_to(item.view, view) for item in self.items)


def leads_to(one: Any, view: Any) -> bool:
    """Tell whether the page of a list leads to another that stands beside it."""
    return bool(BESIDE.get(view.endpoint) == one.endpoint)


def unfolded(sections: list[Section], view: Any = None) -> frozenset[str]:
    """Return the names of the headings that are open at first.

    All where there are few links; else those of daily work, as far as they fit; and always the one
    below which the page stands.
    """
    room = UNFOLDED_MAX - sum(len(one.items) for one in sections if not one.name)
    by_name = {one.name: one for one in sections if one.name}
    found = {name for name, one in by_name.items() if view is not None and one.holds(view)}
    if sum(len(one.items) for one in by_name.values()) <= room:
        return frozenset(by_name)
    for name in DAILY:
        if name in by_name and len(by_name[name].items) <= room:
            room -= len(by_name[name].items)
            found.add(name)
    return frozenset(found)


def navigation() -> list[Section]:
    """Return the sections with the views that the person here may open."""
    admin = current_app.extensions["admin"][0]
    top, sections = [], []
    for entry in admin.menu():
        if isinstance(entry, MenuCategory):
            items = [_item(child) for child in entry.get_children() if not _beside(child._view)]
            if items:
                name = str(entry.name)
                sections.append(Section(TITLES[name], items, name))
        elif entry.is_accessible() and entry.is_visible():
            top.append(_item(entry))
    return [Section("", top), *sections]


def _beside(view: Any) -> Any:
    """Return the list beside which a view stands, where the person here may open that."""
    beside = _views().get(BESIDE.get(view.endpoint, ""))
    return beside if beside is not None and beside.is_accessible() else None


def _views() -> dict[str, Any]:
    found: dict[str, Any] = current_app.extensions["backoffice"]
    return found


def lists_beside(view: Any) -> list[Any]:
    """Return the lists that stand side by side with this one, itself among them; none if alone."""
    first = _beside(view) or view
    others = [_views()[name] for name, beside in BESIDE.items() if beside == first.endpoint]
    found = [one for one in others if one.is_accessible()]
    return [first, *found] if found else []


def _item(entry: Any) -> Item:
    view = entry._view
    count = view.waiting_count() if hasattr(view, "waiting_count") else 0
    return Item(view.name, entry.get_url(), view.icon, view, count)


def section_of(view: Any) -> Any:
    """Return the heading that a view stands under, nothing where the view is called the same."""
    title = TITLES.get(view.category, "")
    return "" if str(title) == str(view.name) else title
