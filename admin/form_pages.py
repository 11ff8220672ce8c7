"""Forms with a page of their own, each of which ends in one call of a service.

A form about a row that begins with what the row holds notices when somebody else changed it
meanwhile: it comes back with both values, and nothing that was typed is lost.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from flask import abort, flash, make_response, redirect, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from admin import staff
from admin.conflicts import (
    CHANGED,
    SEEN,
    TAKE,
    THEIRS,
    Conflict,
    changed_since,
    conflicts,
    marks,
    take_theirs,
)
from admin.decisions import Act
from admin.i18n import gettext, say_error
from admin.part import Part
from app.kernel.db import database_now
from app.kernel.errors import DomainError
from app.stores.permissions import Permission


@dataclass(frozen=True, kw_only=True)
class FormPage:
    """A form, who may fill it in, and the service that takes it."""

    name: str
    label: Any
    """What the button to it says."""
    title: Any
    permission: Permission
    form: type[FlaskForm] = FlaskForm
    form_for: Callable[[Any], type[FlaskForm]] | None = None
    """Makes the form from the row, where its fields depend on it."""
    run: Callable[[Any, Act], str | Response | None]
    """Gets the row (or None) and what was filled in; returns the id of the page to show next.

    An answer of its own, such as the way to a request that now waits, is sent as it is."""
    done: Any
    button: Any = ""
    """What the button under the form says; its label where nothing else is said."""
    intro: Any = ""
    is_about_row: bool = False
    begin: Callable[[Any], Mapping[str, Any]] = lambda _row: {}
    """What the form holds at first; of a row, what it is compared with when it comes back."""
    is_guarded: bool = True
    """Off where the form compares revisions of its own."""
    possible: Callable[[Any], bool] = lambda _row: True
    explain: Callable[[DomainError, FlaskForm], bool] = lambda _error, _form: False
    """Puts a refusal beside the fields it is about; True where that says everything."""
    template: str = "backoffice/form.html"
    has_files: bool = False
    bytes_max: int = 0
    """How much may be sent, where files need more than the application lets through."""
    is_primary: bool = False
    icon: str = "plus"
    is_rare: bool = False
    """Whether it stands in the menu behind the buttons of a row."""
    is_at_counter: bool = False
    """Whether it stands on the first page of people who work in a store."""


class Fills(Part):
    """The part of a view that takes forms; mixed into `ScopedView`."""

    form_pages: ClassVar[tuple[FormPage, ...]] = ()

    def forms_about(self, row: Any) -> list[FormPage]:
        """Return the forms about a row that the person here may fill in."""
        return [one for one in self._allowed() if one.is_about_row and one.possible(row)]

    def forms_for_new(self) -> list[FormPage]:
        """Return the forms that make something new."""
        return [one for one in self._allowed() if not one.is_about_row]

    def _allowed(self) -> list[FormPage]:
        return [one for one in self.form_pages if staff.may(one.permission)]

    def fill(self, name: str) -> Response | str:
        """Show a form, or take it and go on to what came of it."""
        page = next((one for one in self.form_pages if one.name == name), None)
        if page is None:
            abort(404)
        if not staff.may(page.permission):
            abort(403)
        row = self.wanted() if page.is_about_row else None
        form_class = page.form_for(row) if page.form_for else page.form
        now = dict(page.begin(row)) if _is_compared(page) or request.method == "GET" else {}
        form = form_class(data=now) if request.method == "GET" else form_class()
        found: list[Conflict] = []
        if request.method == "POST":
            found = _compared(form, form_class, now)
            if request.form.get(TAKE) == THEIRS:
                take_theirs(request.form.getlist(CHANGED), form, now)
            elif not found and form.validate() and self._second_may(row, form):
                answer = self._take(page, row, form)
                if answer is not None:
                    return answer
        if row is not None:
            row = self.wanted()
        back = self.url_of(row) if row is not None else self.list_url()
        text = self.render(
            page.template,
            page=page,
            form=form,
            row=row,
            return_url=back,
            seen=marks(now) if _is_compared(page) else "",
            changed_meanwhile=found,
        )
        return make_response(text, HTTPStatus.CONFLICT) if found else text

    def _second_may(self, row: Any, form: Any) -> bool:
        """Tell whether who agreed sees the row as well; say on the form where they do not."""
        second = getattr(form, "second_actor", None)
        if second is None or row is None or self.is_seen_by(second.id, row):
            return True
        form.second_email.errors = [gettext("The second person may not decide this.")]
        return False

    def _take(self, page: FormPage, row: Any, form: FlaskForm) -> Response | None:
        """Call the service; None where it refused, which then stands on the form."""
        who = staff.actor()
        now = database_now()
        row = self.wanted() if page.is_about_row else None
        try:
            key = page.run(row, Act(who, now, form))
        except DomainError as error:
            if not page.explain(error, form):
                flash(say_error(error), "error")
            return None
        if isinstance(key, Response):
            return key
        flash(page.done, "success")
        if key and self.can_view_details:
            return redirect(self.get_url(".details_view", id=key))
        return redirect(self.list_url())


def _is_compared(page: FormPage) -> bool:
    return page.is_about_row and page.is_guarded


def _compared(
    form: FlaskForm, form_class: type[FlaskForm], now: Mapping[str, Any]
) -> list[Conflict]:
    """Return what somebody else changed meanwhile to something other than this form holds.

    The form carries the marks of now from here on, so sending it once more saves what it holds.
    """
    names = changed_since(request.form.get(SEEN, ""), now)
    if not names:
        return []
    found = conflicts(names, form, form_class(formdata=None, data=now))
    return [one for one in found if one.differs]
