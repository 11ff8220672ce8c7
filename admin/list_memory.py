"""What a list is asked for, and what it was asked for the last time.

A list that is opened without saying what of it, such as from the navigation, opens as its reader
left it in this session, or else with the view they chose for it. A link that says what it wants is
taken at its word. What is remembered stands in the signed cookie of the session; search terms of
lists whose searches are personal do not.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from flask import g, request, session

from admin import listing, staff
from admin.filters import Control
from admin.part import Part
from admin.urls import as_id, modest, with_query
from app.kernel.db import db
from app.stores import saved_views
from app.stores.permissions import Permission
from app.stores.view_models import ListChoice, SavedView

MEMORY: Final = "lists"
"""Where the session keeps, by list, the query it was last asked with; empty once cleared."""
QUERY_MAX: Final = 400
MEMORY_MAX: Final = 1_600
"""Letters of all lists together; a cookie holds four thousand, and the session needs its own."""
CLEAR: Final = "clear"
VIEW: Final = "view"


class Remembers(Part):
    """The part of a view that knows what its list is asked for; mixed into `ScopedView`."""

    def wish_of(self, arguments: Mapping[str, str]) -> dict[str, str]:
        """Return what an address asks of this list, as far as the list knows it.

        Places are left out, and so are search terms that are personal.
        """
        found = {one.name: one.value for one in self.all_controls(arguments) if one.value}
        wish = listing.Request.read(arguments, sortable=self.sortable, size=self.page_size)
        if wish.search and not self.finds_by_post:
            found["search"] = wish.search
        if wish.sort:
            found |= {"sort": wish.sort, "desc": "1" if wish.descending else "0"}
        if wish.size != self.page_size:
            found["size"] = str(wish.size)
        return modest(found)

    def all_controls(self, arguments: Mapping[str, str]) -> list[Control]:
        """Return the controls of every filter with what an address holds."""
        return [one for each in self.all_filters() for one in each.controls(arguments)]

    def elsewhere(self) -> str | None:
        """Return the address that this one stands for, or None where it says all itself."""
        bare = self.get_url(f"{self.endpoint}.index_view")
        if CLEAR in request.args:
            _remember(self.endpoint, "")
            return bare
        if request.args:
            return self._meant()
        kept = session.get(MEMORY, {}).get(self.endpoint)
        if kept is not None:
            return f"{bare}?{kept}" if kept else None
        default = self._view_by_default()
        return self.address_of_view(default) if default is not None else None

    def _meant(self) -> str | None:
        """Return what `?view=` alone stands for; None for an address that says it all."""
        view = self.open_view() if set(request.args) == {VIEW} else None
        asks = view is not None and len(self._wish_of_view(view)) > 1
        return self.address_of_view(view) if view is not None and asks else None

    def remember(self) -> None:
        """Keep what is asked for, if the reader asked for it on this very list."""
        came_from = urlsplit(request.referrer or "").path
        if not request.args or came_from != request.path:
            return
        view = self.open_view()
        kept = self.wish_of(request.args) | ({VIEW: str(view.id)} if view else {})
        query = with_query("", kept).removeprefix("?")
        if len(query) <= QUERY_MAX:
            _remember(self.endpoint, query)

    def views(self) -> list[SavedView]:
        """Return the saved views of this list that the reader may open."""
        found: dict[str, list[SavedView]] = g.setdefault("saved_views", {})
        me = staff.current()
        if self.endpoint not in found and me is not None:
            shown = saved_views.offered(db.session(), me.id, list_name=self.endpoint)
            found[self.endpoint] = list(shown)
        return found.get(self.endpoint, [])

    def open_view(self, arguments: Mapping[str, str] | None = None) -> SavedView | None:
        """Return the saved view that an address names, this one's unless another is given.

        None stands for a view that is gone, or not for the reader.
        """
        key = as_id((request.args if arguments is None else arguments).get(VIEW))
        return next((one for one in self.views() if one.id == key), None)

    def choice(self) -> ListChoice | None:
        """Return how the reader likes this list, or None where they never said."""
        found: dict[str, ListChoice | None] = g.setdefault("list_choices", {})
        me = staff.current()
        if self.endpoint not in found and me is not None:
            found[self.endpoint] = saved_views.choice(db.session(), me.id, list_name=self.endpoint)
        return found.get(self.endpoint)

    def is_default(self, view: SavedView) -> bool:
        """Tell whether the reader lets the list open with a view."""
        liked = self.choice()
        return liked is not None and liked.default_view_id == view.id

    def may_share_views(self) -> bool:
        """Tell whether the reader may show views to everybody who opens a list."""
        return staff.may(Permission.SETTINGS_EDIT) or staff.may(Permission.STAFF_EDIT)

    def is_as_saved(self, view: SavedView) -> bool:
        """Tell whether the list stands as a view has it."""
        known = self.wish_of({**view.wish})
        return known == self.wish_of(request.args)

    def _view_by_default(self) -> SavedView | None:
        liked = self.choice()
        wanted = liked.default_view_id if liked is not None else None
        return next((one for one in self.views() if one.id == wanted), None)

    def address_of_view(self, view: SavedView) -> str:
        """Return the address of the list as a view has it, as far as the list knows it yet."""
        return with_query(self.get_url(f"{self.endpoint}.index_view"), self._wish_of_view(view))

    def _wish_of_view(self, view: SavedView) -> dict[str, Any]:
        return {VIEW: view.id, **self.wish_of({**view.wish})}


def _remember(endpoint: str, query: str) -> None:
    """Keep the query of a list; the lists that were asked longest ago make room."""
    kept: dict[str, str] = dict(session.get(MEMORY, {}))
    if kept.get(endpoint) == query and next(reversed(kept)) == endpoint:
        return
    kept.pop(endpoint, None)
    kept[endpoint] = query
    while sum(len(name) + len(text) for name, text in kept.items()) > MEMORY_MAX:
        kept.pop(next(iter(kept)))
    session[MEMORY] = kept
