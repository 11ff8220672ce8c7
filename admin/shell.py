"""What every page is drawn with, and the few routes that belong to no view.

Errors below our path are pages, whatever the API answers on the same application.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Flask, abort, flash, g, redirect, request, url_for
from flask import render_template as render
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from admin import i18n, staff
from admin.account import must_change
from admin.accounts import set_locale
from admin.actions import joined
from admin.audit_subjects import trail_url
from admin.base import to_sign_in
from admin.demo_sign_ins import demo_sign_ins
from admin.forms import in_order
from admin.hooks import PREFIX, is_ours
from admin.i18n import gettext, listed
from admin.labels import label_of, tone_of
from admin.listing import Request
from admin.navigation import leads_to, lists_beside, navigation, section_of, unfolded
from admin.role_names import role_name
from admin.urls import local_url, modest, with_query
from app.access import settings
from app.kernel.i18n import LOCALES, yuan
from app.stores.models import Staff

STATIC: Final = Path(__file__).parent / "static"
CODES: Final = (400, 403, 404, 405, 409, 413, 429, 500)
ALLOWED_WHILE_DUE: Final = frozenset(
    {"account.password", "security.logout", "backoffice.switch_language", "admin.static"}
)
"""What somebody who must change their password may still open."""

SIGN_IN_PAGES: Final = frozenset({"security.login", "security.two_factor_token_validation"})

blueprint = Blueprint(
    "backoffice", __name__, url_prefix=PREFIX, template_folder="templates", static_folder=None
)


@blueprint.post("/language/")
def switch_language() -> Response:
    """Keep the chosen language with the account and in a cookie, and go back."""
    wished = request.form.get("locale", "")
    answer = redirect(local_url(request.form.get("next")) or f"{PREFIX}/")
    if wished in LOCALES:
        me = staff.current()
        if me is not None:
            joined(set_locale, me.id, locale=wished)
        is_secure = settings().public_base_url.startswith("https://")
        answer.set_cookie(
            i18n.COOKIE,
            wished,
            max_age=i18n.COOKIE_SECONDS,
            path=PREFIX,
            secure=is_secure,
            httponly=True,
            samesite="Lax",
        )
    return answer


@blueprint.get("/<path:rest>")
def nowhere(rest: str) -> Response | tuple[str, int]:  # noqa: ARG001 - any address
    """Answer for addresses that no view has."""
    if staff.current() is None:
        return to_sign_in()
    return error_page(404)


def init_app(app: Flask) -> None:
    """Register the routes, the errors and what templates ask for."""
    for code in CODES:
        app.register_error_handler(code, answer_error_of_ours)
    app.register_blueprint(blueprint)
    app.jinja_env.globals["yuan"] = yuan
    app.context_processor(template_context)

    @app.before_request
    def refuse_what_no_text_holds() -> None:
        """PostgreSQL keeps no NUL; nothing that people type holds one."""
        if not is_ours():
            return
        _pass_over_nothings()
        if request.method == "POST":
            sent = (one for values in request.form.listvalues() for one in values)
            if any("\x00" in one for one in sent):
                abort(400)

    @app.before_request
    def demand_own_password() -> Response | None:
        if is_ours() and request.endpoint not in ALLOWED_WHILE_DUE and must_change():
            return redirect(url_for("account.password"))
        return None


def _pass_over_nothings() -> None:
    """Leave parameters with a NUL out of the address, as if they had not been said."""
    if any("\x00" in text for pair in request.args.items(multi=True) for text in pair):
        pairs = request.args.items(multi=True)
        request.args = ImmutableMultiDict(one for one in pairs if "\x00" not in "".join(one))


def answer_error_of_ours(error: HTTPException) -> tuple[str, int] | HTTPException:
    """Answer below our path, whichever view it came from; leave what is not ours as it is."""
    return answer_error(error) if is_ours() else error


def answer_error(error: Exception) -> tuple[str, int]:
    """Answer an error with a page in the reader's language."""
    if isinstance(error, CSRFError):
        flash(gettext("This page was open too long. Please try again."), "error")
        return error_page(400)
    code = error.code if isinstance(error, HTTPException) and error.code else 500
    return error_page(code)


def error_page(code: int) -> tuple[str, int]:
    """Return the page that tells what went wrong and what can be done."""
    title, text = _error_texts().get(code) or _error_texts()[500]
    return render("backoffice/error.html", code=code, title=title, text=text), code


def _error_texts() -> dict[int, tuple[str, str]]:
    return {
        400: (
            gettext("That did not work"),
            gettext("The page was open too long, or the request was incomplete. Nothing changed."),
        ),
        403: (
            gettext("Not for you"),
            gettext("Your role does not allow this. Ask the owner if you need it."),
        ),
        404: (
            gettext("Not found"),
            gettext("There is no such page or row, or it belongs to another store."),
        ),
        405: (gettext("Not found"), gettext("There is no such page.")),
        409: (
            gettext("Changed meanwhile"),
            gettext("Somebody else was faster. Please look again and repeat what is still needed."),
        ),
        413: (gettext("Too much"), gettext("Please select fewer rows or send a smaller file.")),
        429: (gettext("Too often"), gettext("Please wait a moment and try again.")),
        500: (
            gettext("Something broke"),
            gettext("It is our fault and was recorded. Nothing was saved. Please try again."),
        ),
    }


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]


def asset(name: str) -> str:
    """Return the address of a file of ours; it changes with its content.

    A page asks for the file of the icons a hundred times.
    """
    known: dict[str, str] = g.setdefault("backoffice_assets", {})
    if name not in known:
        known[name] = url_for("admin.static", filename=name, v=_fingerprint(name))
    return known[name]


def here() -> str:
    """Return the address of this page, to come back to."""
    return request.full_path.rstrip("?") if request.method == "GET" else f"{PREFIX}/"


def role_names(person: Staff) -> str:
    """Return the roles of somebody in words."""
    return listed(role_name(role.name) for role in person.roles)


def store_names(person: Staff) -> str:
    """Return where somebody works."""
    if person.sees_all_stores:
        return gettext("All stores")
    return listed(store.name for store in person.stores) or gettext("No store")


def with_arguments(changes: Mapping[str, Any], *without: str) -> str:
    """Return the address of this list with some parameters changed and some left out."""
    kept = {name: value for name, value in modest(request.args).items() if name not in without}
    return with_query(request.path, {**kept, **changes})


class Sorting:
    """How the head of a table links to another order."""

    def __init__(self, wish: Request) -> None:
        """Take the order of this page."""
        self.by = wish.sort
        self.descending = wish.descending

    def url(self, name: str) -> str:
        """Return the address of the same list ordered by a column, the other way round if it is."""
        turned = "1" if self.by != name or not self.descending else "0"
        return with_arguments({"sort": name, "desc": turned}, "after", "before", "page")


def page_url(place: Mapping[str, Any]) -> str:
    """Return the address of the page beside this one."""
    return with_arguments(place, "after", "before", "page")


def template_context() -> dict[str, Any]:
    """Return what templates of ours ask for; nothing for those of others."""
    if not is_ours():
        return {}
    functions: list[Callable[..., Any]] = [
        asset,
        here,
        in_order,
        label_of,
        leads_to,
        lists_beside,
        navigation,
        page_url,
        role_names,
        section_of,
        store_names,
        tone_of,
        trail_url,
        unfolded,
    ]
    return {
        **{function.__name__: function for function in functions},
        "languages": lambda: i18n.NAMES,
        "locale": i18n.locale,
        "signed_in": staff.current,
        "sort_of": Sorting,
        "demo_staff": demo_sign_ins() if request.endpoint in SIGN_IN_PAGES else (),
    }
