"""The class that every view of rows is made from.

It decides, for all of them and in one place, who may come in, which rows they see, and what they
can do. Flask-Admin's own forms would save past our services, so they have no routes here: what
staff change goes through decisions and forms that call a service.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from flask import abort, jsonify, redirect, request
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from flask_wtf import FlaskForm
from sqlalchemy.sql import Select
from werkzeug.wrappers import Response

from admin import exports, listing, staff
from admin.counted import counted_in
from admin.decisions import Decides
from admin.details import Shown
from admin.exporting import Exports
from admin.filters import Days, Filter, contains
from admin.form_pages import Fills
from admin.forms import ScopedLoader
from admin.list_columns import Arranged
from admin.list_memory import CLEAR, VIEW
from admin.scopes import Scope
from admin.tables import Compute, Shape, Table
from admin.urls import as_id, local_url, modest, with_query
from app.kernel.db import db
from app.stores.models import Staff
from app.stores.permissions import Permission
from app.stores.queries import visible_store_ids

ROUTES: Final = "_urls"
"""Where Flask-Admin's metaclass collects what `expose` marks."""
NEVER_ROUTED: Final = frozenset({"create_view", "edit_view", "delete_view", "ajax_update"})
"""Flask-Admin's own ways to write; they commit past our services."""


class ScopedView(Decides, Fills, Shown, Exports, Arranged, ModelView):
    """Rows of one model, for staff with one permission, within their stores."""

    permission: ClassVar[Permission]
    scope: ClassVar[Scope]
    icon: ClassVar[str] = "list-checks"
    intro: ClassVar[Any] = ""
    """One sentence that says what the rows of this page are."""

    can_create = False
    can_edit = False
    can_delete = False
    can_view_details = True
    can_export = True
    column_display_pk = True
    page_size = 25
    list_template = "backoffice/list.html"
    details_template = "backoffice/details.html"

    labels: ClassVar[Mapping[str, Any]] = {}
    references: ClassVar[Mapping[str, str]] = {}
    computed: ClassVar[Mapping[str, Compute]] = {}
    sortable: ClassVar[tuple[str, ...]] = ()
    searched: ClassVar[tuple[Any, ...]] = ()
    search_hint: ClassVar[Any] = ""
    tabs: ClassVar[Filter | None] = None
    filters: ClassVar[tuple[Filter, ...]] = ()
    lookups: ClassVar[tuple[ScopedLoader, ...]] = ()
    loads: ClassVar[tuple[Any, ...]] = ()
    """Loader options of the query."""
    is_counted: ClassVar[bool] = True
    """Off for tables that only grow: counting even a thousand rows of a filter can be slow."""
    is_counted_by_store: ClassVar[bool] = True
    """Off where finding the rows of a small store means looking at those of all."""
    finds_by_post: ClassVar[bool] = False
    """On where what is searched for is personal and must not stand in an address or a log."""

    def __init__(self, model: type, *, name: Any, category: str, endpoint: str) -> None:
        """Register the routes that this view needs, and no others."""
        routes: list[Any] = getattr(type(self), ROUTES)
        setattr(self, ROUTES, [route for route in routes if self._is_routed(route[1])])
        super().__init__(model, db, name=name, category=category, endpoint=endpoint)

    def _is_routed(self, name: str) -> bool:
        needs: dict[str, bool] = {
            "details_view": self.can_view_details,
            "action_view": bool(self.decisions),
            "form_view": bool(self.form_pages),
            "export": self.can_export,
            "ajax_lookup": bool(self.lookups),
        }
        return name not in NEVER_ROUTED and needs.get(name, True)

    def scaffold_form(self) -> type[FlaskForm]:
        """Return an empty form: models are not edited here."""
        return FlaskForm  # type: ignore[no-any-return]

    def scaffold_list_form(self, *_args: Any, **_kwargs: Any) -> type[FlaskForm]:
        """Return an empty form: cells are not edited in lists."""
        return FlaskForm  # type: ignore[no-any-return]

    def _process_ajax_references(self) -> dict[str, ScopedLoader]:
        return {loader.name: loader for loader in self.lookups}

    # Who may come in

    def is_accessible(self) -> bool:
        """Let in staff who hold this view's permission."""
        return staff.may(self.permission)

    def inaccessible_callback(self, *_names: Any, **_kwargs: Any) -> Response:
        """Send strangers to the sign-in page and tell others that this is not theirs."""
        return to_sign_in() if staff.current() is None else abort(403)

    # Which rows they see

    @property
    def key(self) -> Any:
        """Return the column that tells rows apart."""
        return getattr(self.model, self._primary_key)

    def key_of(self, row: Any) -> int:
        """Return the id of a row."""
        found: int = getattr(row, self._primary_key)
        return found

    def get_query(self) -> Select[Any]:
        """Return every row that the person here may see."""
        query = self.prepared(sa.select(self.model))
        store_ids = staff.visible_store_ids()
        if store_ids is None:
            return query
        condition: sa.ColumnElement[bool] = type(self).scope(store_ids)
        return query.where(condition)

    def get_count_query(self) -> Select[Any]:
        """Return the same rows, to be counted."""
        return self.get_query()

    def prepared(self, query: Select[Any]) -> Select[Any]:
        """Join what rows of this view are searched by."""
        return query

    def loaded(self, query: Select[Any]) -> Select[Any]:
        """Read along what the cells of a row need."""
        return query.options(*self.loads)

    def get_one(self, id: Any) -> Any:  # noqa: A002 - Flask-Admin's name
        """Return one row, or None where it is absent or not the person's to see."""
        key = as_id(id)
        if key is None:
            return None
        return db.session.scalar(self.loaded(self.get_query().where(self.key == key)))

    def visible(self, ids: Iterable[int]) -> Sequence[Any]:
        """Return those of several rows that the person here may see, in order."""
        query = self.get_query().where(self.key.in_(list(ids))).order_by(self.key)
        return db.session.scalars(self.loaded(query)).all()

    def is_seen_by(self, staff_id: int, row: Any) -> bool:
        """Tell whether a row lies within the stores of somebody else."""
        store_ids = visible_store_ids(db.session.get_one(Staff, staff_id))
        if store_ids is None:
            return True
        within: sa.ColumnElement[bool] = type(self).scope(store_ids)
        found = sa.select(self.key).where(self.key == self.key_of(row), within)
        return db.session.scalar(found) is not None

    def wanted(self) -> Any:
        """Return the row that the address names; 404 where it is absent or not theirs."""
        row = self.get_one(request.args.get("id", ""))
        return row if row is not None else abort(404)

    # The list

    @property
    def shape(self) -> Shape:
        """Return what the list shows of each row."""
        return Shape(
            tuple(self.column_list), self.labels, self.references, self.computed, self.sortable
        )

    def all_filters(self) -> list[Filter]:
        """Return every filter, the tabs and what figures count among them."""
        return [*([self.tabs] if self.tabs else []), *self.filters, *counted_in(self.model)]

    def narrowed(self, search: str) -> Select[Any]:
        """Return the rows that the address asks for, in no order yet."""
        query = self.get_query()
        for one in self.all_filters():
            query = one.apply(query, request.args)
        return self.search(query, search) if search else query

    def search(self, query: Select[Any], text: str) -> Select[Any]:
        """Narrow a list by what was typed: part of a text, or a whole id; else to nothing."""
        conditions: list[Any] = [contains(column, text) for column in self.searched]
        if (key := as_id(text)) is not None:
            conditions.append(self.key == key)
        return query.where(sa.or_(sa.false(), *conditions))

    def page_of(self, query: Select[Any], wish: listing.Request) -> listing.Page:
        """Return one page, in the order asked for; else newest first, by the days asked for."""
        if not wish.sort:
            order = self._order_of_days()
            columns = (self.key,) if order is None else (order, self.key)
            return listing.by_place(db.session(), query, columns, wish)
        column = getattr(self.model, wish.sort)
        return listing.by_place(
            db.session(), query, (column, self.key), wish, descending=wish.descending
        )

    def _order_of_days(self) -> Any:
        """Return the column whose days the address asks for, where lists can be ordered by it."""
        days = [one for one in self.filters if isinstance(one, Days)]
        return next((order for one in days if (order := one.order(request.args)) is not None), None)

    @expose("/")
    def index_view(self) -> Response | str:
        """Show the list; opened without saying what of it, as it was left the last time."""
        there = self.elsewhere()
        if there is not None:
            return redirect(there)
        self.remember()
        wish = listing.Request.read(request.args, sortable=self.sortable, size=self.page_size)
        query = self.narrowed(wish.search)
        page = self.page_of(self.loaded(query), wish)
        return self.render(
            self.list_template,
            wish=wish,
            page=page,
            table=Table(page.rows, self.list_shape, url=self.url_of),
            count=self._count_of(page, query),
            counted_max=listing.COUNTED_MAX,
            controls=[
                one
                for each in (*self.filters, *counted_in(self.model))
                for one in each.controls(request.args)
            ],
            counted_note="".join(one.note(query, request.args) for one in counted_in(self.model)),
            tabs=self.tabs.controls(request.args)[0] if self.tabs else None,
            decisions=self.allowed_decisions(),
            export_types=exports.TYPES if self.may_export() else (),
        )

    def _count_of(self, page: listing.Page, query: Select[Any]) -> int | None:
        """Return how many rows there are, up to a limit; None where asking is too dear."""
        if page.is_whole:
            return len(page.rows)
        return listing.counted(db.session(), query) if self._may_count() else None

    def _may_count(self) -> bool:
        sees_all = staff.visible_store_ids() is None
        return self.is_counted and (sees_all or self.is_counted_by_store)

    def url_of(self, row: Any) -> str:
        """Return the address of a row's own page, or nothing where it has none."""
        if not self.can_view_details:
            return ""
        return str(self.get_url(f"{self.endpoint}.details_view", id=self.key_of(row)))

    def list_url(self, **changes: Any) -> str:
        """Return the address of this list; with `changes`, as it stands but for these."""
        if not changes:
            return str(self.get_url(f"{self.endpoint}.index_view"))
        kept = {**modest(request.args), **changes}
        for name in ("after", "before", "page"):
            if name not in changes:
                kept.pop(name, None)
        return self.address_of(kept)

    def address_of(self, values: Mapping[str, Any]) -> str:
        """Return the address of the list that is asked for something, or expressly for nothing.

        Without any parameter it would open as it was left the last time.
        """
        said = {name for name, value in values.items() if value not in (None, "")}
        asked = values if said - {VIEW} else {CLEAR: "1"}
        return with_query(self.get_url(f"{self.endpoint}.index_view"), asked)

    def action_url(self) -> str:
        """Return where decisions about rows of the list as it stands are posted."""
        return with_query(self.get_url(".action_view"), modest(request.args))

    def export_url(self, export_type: str) -> str:
        """Return the address of the list as it stands, as a file."""
        path = self.get_url(".export", export_type=export_type)
        return with_query(path, modest(request.args))

    @expose("/details/")
    def details_view(self) -> str:
        """Show everything about one row."""
        row = self.wanted()
        return self.render(self.details_template, row=row, **self.details(row))

    @expose("/action/", methods=("POST",))
    def action_view(self) -> Response | str:
        """Take a decision about rows."""
        return self.decide()

    @expose("/form/<form_name>/", methods=("GET", "POST"))
    def form_view(self, form_name: str) -> Response | str:
        """Show or take a form that calls a service."""
        return self.fill(form_name)

    @expose("/ajax/lookup/")
    def ajax_lookup(self) -> Response:
        """Offer rows for a field of a form."""
        loader = self._form_ajax_refs.get(request.args.get("name", ""))
        if loader is None:
            abort(404)
        if not staff.may(loader.permission):
            abort(403)
        found = loader.get_list(request.args.get("query", "")[:100])
        return jsonify([loader.format(one) for one in found])


def to_sign_in() -> Response:
    """Send the browser to the sign-in page and remember where it wanted to go."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    target = f"?next={wanted}" if local_url(wanted) else ""
    return redirect(f"/admin/login{target}")
