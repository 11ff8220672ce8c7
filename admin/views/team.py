"""The team as a tree: drawn, searched, and opened branch by branch.

A page holds only what was opened. Each branch is read in pages of fifty by its place in the index,
so a team of a million opens as fast as one of ten. The reader sees the distributors of their
stores; whoever stands below somebody of another store is shown as a beginning of a tree.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from flask import jsonify, request
from flask_admin import expose
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import aliased, contains_eager
from sqlalchemy.sql import Select
from werkzeug.wrappers import Response

from admin import staff
from admin.base import ScopedView
from admin.filters import contains
from admin.i18n import gettext
from admin.labels import label_of, tone_of
from admin.people import distributor_name
from admin.scopes import by_store
from admin.urls import as_id
from app.distribution import figures
from app.distribution.figures import Span, Wanted
from app.distribution.month_books import bounds, month_of
from app.engines.parameters import ConditionKind
from app.kernel.db import database_now, db
from app.kernel.i18n import yuan
from app.members.models import Distributor, Member
from app.stores.permissions import Permission

PAGE_ROWS: Final = 50
FOUND_MAX: Final = 20
PATH_MAX: Final = 200
SEARCH_MAX: Final = 60


class TeamView(ScopedView):
    """Who brought whom, from the top down."""

    permission = Permission.DISTRIBUTORS_VIEW
    scope = by_store(Distributor.store_id)
    icon = "network"
    intro = _("Who brought whom. Open a branch to see the people below; sales are this month's.")
    can_view_details = False
    can_export = False
    column_list = ("member_id",)
    labels: ClassVar = {"member_id": _("Distributor")}
    loads = (contains_eager(Distributor.member),)

    def prepared(self, query: Select[Any]) -> Select[Any]:
        """Join the member, for the name."""
        return query.join(Distributor.member)

    @expose("/")
    def index_view(self) -> str:
        """Show the page: what was searched for, and the tree from its beginnings or to a person."""
        now = database_now()
        text = request.args.get("search", "").replace("\0", "").strip()[:SEARCH_MAX]
        focus = self.get_one(request.args.get("focus", ""))
        found = self._found(text) if text else []
        nodes, more = self._page(None, as_id(request.args.get("after", "")))
        page: str = self.render(
            "backoffice/team.html",
            text=text,
            found=nodes_of(found, now),
            focus=focus.member_id if focus else "",
            path=nodes_of(self._above(focus), now) if focus else [],
            nodes=nodes_of(nodes, now),
            more=more,
        )
        return page

    @expose("/nodes/")
    def nodes_view(self) -> Response:
        """Answer one page of a branch, or of the beginnings where no person is named."""
        now, of = database_now(), as_id(request.args.get("of", ""))
        rows, more = self._page(of, as_id(request.args.get("after", "")))
        return jsonify({"items": self._told(rows, now), "more": more})

    @expose("/path/")
    def path_view(self) -> Response:
        """Answer the people from the beginning of the tree down to one, that one included."""
        now, row = database_now(), self.wanted()
        return jsonify({"items": self._told(self._above(row), now)})

    def _person_url(self, member_id: int) -> str:
        return str(self.get_url("distributors.details_view", id=member_id))

    def _told(self, rows: Sequence[Distributor], now: datetime) -> list[dict[str, Any]]:
        return [one | {"url": self._person_url(one["id"])} for one in nodes_of(rows, now)]

    def _page(self, of: int | None, after_id: int | None) -> tuple[list[Distributor], int | None]:
        """Return one page below a person, the newest first, and where the next begins."""
        query = self.loaded(self.get_query())
        query = query.where(Distributor.recommender_id == of) if of else query.where(self._top())
        if after_id is not None:
            query = query.where(Distributor.member_id < after_id)
        query = query.order_by(Distributor.member_id.desc()).limit(PAGE_ROWS + 1)
        rows = list(db.session.scalars(query))
        shown = rows[:PAGE_ROWS]
        return shown, shown[-1].member_id if len(rows) > PAGE_ROWS else None

    def _top(self) -> sa.ColumnElement[bool]:
        """Say who begins a tree: nobody brought them, or nobody whom the reader may see."""
        store_ids = staff.visible_store_ids()
        nobody = Distributor.recommender_id.is_(None)
        if store_ids is None:
            return nobody
        above = aliased(Distributor)
        seen = sa.exists().where(
            above.member_id == Distributor.recommender_id, above.store_id.in_(store_ids)
        )
        return sa.or_(nobody, ~seen)

    def _found(self, text: str) -> list[Distributor]:
        """Return whom a nickname or a number means, within the reader's stores."""
        means: list[sa.ColumnElement[bool]] = [contains(Member.nickname, text)]
        if (key := as_id(text)) is not None:
            means.append(Distributor.member_id == key)
        query = self.loaded(self.get_query()).where(sa.or_(*means))
        return list(db.session.scalars(query.order_by(Distributor.member_id).limit(FOUND_MAX)))

    def _above(self, row: Distributor) -> list[Distributor]:
        """Return a person with those above, the top first, as far as the reader may see."""
        path = [row]
        while len(path) < PATH_MAX and path[0].recommender_id is not None:
            above = self.get_one(path[0].recommender_id)
            if above is None:
                break
            path.insert(0, above)
        return path


def nodes_of(rows: Sequence[Distributor], now: datetime) -> list[dict[str, Any]]:
    """Return people as the tree shows them, with their settled sales of this month.

    `now` is read before the rows are, since reading it ends what was loaded.
    """
    begins_at, _ends_at = bounds(month_of(now))
    sold = Wanted(ConditionKind.DIRECT_SALES, Span(begins_at - begins_at.resolution, now))
    figures_of = figures.gather(db.session(), {sold}, [row.member_id for row in rows])
    return [
        {
            "id": row.member_id,
            "name": distributor_name(row),
            "level": gettext("Level %(level)s", level=row.level),
            "standing": str(label_of(row.standing)),
            "tone": str(tone_of(row.standing)),
            "direct": row.direct_count,
            "second": row.second_count,
            "sales": yuan(figures_of[row.member_id][sold]),
        }
        for row in rows
    ]
