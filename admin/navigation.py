"""The navigation: by what people come to do, not by tables."""

from dataclasses import dataclass
from typing import Any, Final

from flask import current_app
from flask_admin.menu import MenuCategory
from flask_babel import lazy_gettext as _

WORK: Final = "work"
CUSTOMERS: Final = "customers"
DISTRIBUTION: Final = "distribution"
PROMOTIONS: Final = "promotions"
ORDERS: Final = "orders"
MONEY: Final = "money"
DATA: Final = "data"
SETTINGS: Final = "settings"

UNFOLDED_MAX: Final = 20

TITLES: Final[dict[str, Any]] = {
    WORK: _("Work"),
    CUSTOMERS: _("Customers"),
    DISTRIBUTION: _("Distribution"),
    PROMOTIONS: _("Promotions"),
    ORDERS: _("Orders"),
    MONEY: _("Money"),
    DATA: _("Data"),
    SETTINGS: _("Settings"),
}


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
        """Tell whether a view stands below this heading."""
        return any(item.view is view for item in self.items)


def folds(sections: list[Section]) -> bool:
    """Tell whether there is too much to see at once, so that headings are opened one by one."""
    return sum(len(section.items) for section in sections) > UNFOLDED_MAX


def navigation() -> list[Section]:
    """Return the sections with the views that the person here may open."""
    admin = current_app.extensions["admin"][0]
    top, sections = [], []
    for entry in admin.menu():
        if isinstance(entry, MenuCategory):
            items = [_item(child) for child in entry.get_children()]
            if items:
                name = str(entry.name)
                sections.append(Section(TITLES[name], items, name))
        elif entry.is_accessible() and entry.is_visible():
            top.append(_item(entry))
    return [Section("", top), *sections]


def _item(entry: Any) -> Item:
    view = entry._view
    count = view.waiting_count() if hasattr(view, "waiting_count") else 0
    return Item(view.name, entry.get_url(), view.icon, view, count)


def section_of(view: Any) -> Any:
    """Return the heading that a view stands under, nothing where the view is called the same."""
    title = TITLES.get(view.category, "")
    return "" if str(title) == str(view.name) else title
