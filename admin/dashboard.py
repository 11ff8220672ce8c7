"""Today: the first page, with what each role has to look at and to do."""

from typing import Any

from flask import request
from flask_admin import AdminIndexView, expose
from werkzeug.wrappers import Response

from admin import staff
from admin.base import to_sign_in
from admin.dashboards.charts import draw
from admin.dashboards.counter import at_counter
from admin.dashboards.focus import focus_of
from admin.dashboards.freshness import freshness
from admin.dashboards.queues import todos
from admin.dashboards.tiles import tiles
from admin.dashboards.wish import RANGES, Wish
from app.kernel.clock import SHANGHAI
from app.kernel.db import database_now
from app.stores.permissions import Permission


class TodayView(AdminIndexView):
    """The first page of everybody; each figure only where its rows may be seen."""

    icon = "layout-dashboard"

    def is_accessible(self) -> bool:
        """Let in whoever is signed in."""
        return staff.may(None)

    def inaccessible_callback(self, *_names: Any, **_kwargs: Any) -> Response:
        """Send strangers to the sign-in page."""
        return to_sign_in()

    @expose("/")
    def index(self) -> str:
        """Show today."""
        me = staff.current()
        assert me is not None
        now = database_now()
        focus = focus_of([role.name for role in me.roles])
        wish = Wish.read(request.args, now=now)
        page: str = self.render(
            "backoffice/today.html",
            wish=wish,
            ranges=RANGES,
            hour=now.astimezone(SHANGHAI).hour,
            freshness=freshness(now),
            tiles=list(tiles(focus.tiles, wish)),
            todos=todos(),
            counter=at_counter(),
            charts=draw(focus.charts, wish),
            may_export=staff.may(Permission.EXPORTS),
        )
        return page
