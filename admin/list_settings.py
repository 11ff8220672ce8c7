"""Where staff arrange their lists: columns, and views with a name. One place for all lists.

These routes stand beside the lists and not below them, so that lists of books and histories keep
having no route that writes.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Flask, abort, current_app, flash, redirect, request
from werkzeug.wrappers import Response

from admin import staff
from admin.actions import joined
from admin.base import ScopedView, to_sign_in
from admin.hooks import PREFIX
from admin.i18n import gettext, say_error
from admin.list_memory import CLEAR, VIEW
from admin.urls import as_id, local_url
from app.kernel.db import database_now, db
from app.kernel.errors import DomainError
from app.stores import saved_views
from app.stores.saved_views import Wish
from app.stores.view_models import SavedView

blueprint = Blueprint("lists", __name__, url_prefix=f"{PREFIX}/lists/<name>")


def init_app(app: Flask) -> None:
    """Register the routes."""
    app.register_blueprint(blueprint)


@blueprint.post("/columns/")
def arrange(name: str) -> Response:
    """Keep which columns are shown, in which order; into the view that is open, if it is one's own.

    `place-<column>` are numbers to sort by; columns without a tick are not shown.
    """
    view = _list_of(name)
    if isinstance(view, Response):
        return view
    ticked = sorted(request.form.getlist("column")[:200], key=_place)
    columns = None if "reset" in request.form else view.known_columns(ticked)
    if columns == tuple(view.column_list):
        columns = None
    me, asked = _me(), _asked(view)
    opened = view.open_view(asked)
    is_dense = request.form.get("dense") == "1"
    now = database_now()
    own_view = opened is not None and opened.staff_id == me
    if opened is not None and own_view:
        key, wish = opened.id, Wish(parameters=opened.wish, columns=columns)
        joined(saved_views.overwrite, key, staff_id=me, wish=wish, now=now)
        liked = saved_views.choice(db.session(), me, list_name=name)
        columns = liked.columns if liked is not None else None
    joined(
        saved_views.arrange,
        me,
        list_name=name,
        columns=columns,
        is_dense=is_dense,
        now=now,
    )
    if opened is not None and not own_view:
        asked.pop(VIEW, None)
    return redirect(view.address_of(asked))


@blueprint.post("/views/")
def keep(name: str) -> Response:
    """Save, change or delete a view, or let the list open with it."""
    view = _list_of(name)
    if isinstance(view, Response):
        return view
    act = ACTS.get(request.form.get("act", ""))
    if act is None:
        abort(404)
    asked = _asked(view)
    back = view.address_of(asked)
    try:
        return redirect(act(view, asked) or back)
    except DomainError as error:
        flash(say_error(error), "error")
        return redirect(back)


def _list_of(name: str) -> ScopedView | Response:
    """Return the list, if the person here may open it."""
    if staff.current() is None:
        return to_sign_in()
    view: ScopedView | None = current_app.extensions["backoffice"].get(name)
    if view is None:
        abort(404)
    if not view.is_accessible():
        abort(403)
    return view


def _me() -> int:
    me = staff.current()
    assert me is not None, "let in by `_list_of`"
    return int(me.id)


def _asked(view: ScopedView) -> dict[str, str]:
    """Return what the list was asked for on the page that the form stood on."""
    url = local_url(request.form.get("url")) or ""
    parts = urlsplit(url)
    if parts.path != view.get_url(f"{view.endpoint}.index_view"):
        return {}
    pairs = dict(parse_qsl(parts.query[:8_192], max_num_fields=500)) if parts.query else {}
    opened = view.open_view(pairs)
    return view.wish_of(pairs) | ({VIEW: str(opened.id)} if opened is not None else {})


def _place(name: str) -> int:
    return as_id(request.form.get(f"place-{name}")) or 0


def _posted_id() -> int:
    key = as_id(request.form.get("id"))
    return key if key is not None else abort(404)


def _wish(view: ScopedView, asked: Mapping[str, str]) -> Wish:
    parameters = {name: text for name, text in asked.items() if name != VIEW}
    return Wish(parameters=parameters, columns=view.chosen_columns(asked) or None)


def _save(view: ScopedView, asked: Mapping[str, str]) -> str:
    wish = _wish(view, asked)
    saved = joined(
        saved_views.save,
        _me(),
        list_name=view.endpoint,
        name=request.form.get("name", ""),
        wish=wish,
        now=database_now(),
    )
    if request.form.get("shared") == "1" and view.may_share_views():
        joined(saved_views.share, saved.id, staff_id=_me(), actor=staff.actor(), now=database_now())
    return _opened(view, saved)


def _overwrite(view: ScopedView, asked: Mapping[str, str]) -> str:
    wish = _wish(view, asked)
    return _opened(
        view,
        joined(saved_views.overwrite, _posted_id(), staff_id=_me(), wish=wish, now=database_now()),
    )


def _rename(view: ScopedView, _asked: Mapping[str, str]) -> str:
    name = request.form.get("name", "")
    saved = joined(saved_views.rename, _posted_id(), staff_id=_me(), name=name, now=database_now())
    return _opened(view, saved)


def _share(view: ScopedView, _asked: Mapping[str, str]) -> str:
    if not view.may_share_views():
        abort(403)
    told: dict[str, Any] = {"actor": staff.actor(), "now": database_now()}
    return _opened(view, joined(saved_views.share, _posted_id(), staff_id=_me(), **told))


def _withdraw(view: ScopedView, _asked: Mapping[str, str]) -> None:
    """Take a view back: one's own, or anybody's for those who answer for shared ones."""
    key, me = _posted_id(), _me()
    if not view.may_share_views():
        is_mine = any(one.id == key and one.staff_id == me for one in view.views())
        if not is_mine:
            abort(403)
    if key not in {one.id for one in view.views()}:
        abort(404)
    joined(saved_views.withdraw, key, actor=staff.actor(), now=database_now())


def _open_with(view: ScopedView, _asked: Mapping[str, str]) -> None:
    key = as_id(request.form.get("id"))
    joined(
        saved_views.open_with,
        key,
        staff_id=_me(),
        list_name=view.endpoint,
        now=database_now(),
    )
    said = (
        gettext("The list opens with this view.")
        if key
        else gettext("The list opens with all rows.")
    )
    flash(said, "success")


def _delete(view: ScopedView, asked: Mapping[str, str]) -> str:
    key = _posted_id()
    told: dict[str, Any] = {"actor": staff.actor(), "now": database_now()}
    joined(saved_views.delete, key, staff_id=_me(), **told)
    flash(gettext("The view was deleted."), "success")
    kept = {} if asked.get(VIEW) == str(key) else dict(asked)
    return view.address_of(kept or {CLEAR: "1"})


def _opened(view: ScopedView, saved: SavedView) -> str:
    return view.address_of_view(saved)


Act = Callable[[ScopedView, Mapping[str, str]], str | None]
ACTS: Final[Mapping[str, Act]] = {
    "save": _save,
    "overwrite": _overwrite,
    "rename": _rename,
    "share": _share,
    "withdraw": _withdraw,
    "open-with": _open_with,
    "delete": _delete,
}
