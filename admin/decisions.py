"""What staff decide about rows: asked for on a list or a detail page, confirmed, done by a service.

A decision is posted twice. The first time shows what it is about, with every selected row that the
person may see, and asks for a reason where one is due; nothing has happened yet. The second time
does it, each row by itself, and tells which could not be done and why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from flask import abort, flash, redirect, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from admin import staff
from admin.i18n import gettext, ngettext, say_error
from admin.part import Part
from admin.tables import Table
from admin.urls import as_id, local_url
from app.kernel.audit import Actor
from app.kernel.db import database_now
from app.kernel.errors import DomainError
from app.stores.permissions import Permission

ROWS_MAX: Final = 200
REASONS_SHOWN: Final = 5
NO_ID: Final = -1
"""An id that no row has."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who decides, when, and what they filled in."""

    actor: Actor
    now: datetime
    form: Any


class NoQuestions(FlaskForm):
    """Nothing but the confirmation itself."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One thing that can be decided about a row."""

    name: str
    label: Any
    permission: Permission
    question: Any
    """The heading of the confirmation."""
    run: Callable[[int, Act], object]
    """Calls the service for one row; raises DomainError where it is refused."""
    warning: Any = ""
    form: type[FlaskForm] = NoQuestions
    possible: Callable[[Any], bool] = lambda _row: True
    """Whether the button is offered; the service has the last word."""
    is_danger: bool = False
    is_primary: bool = False
    total: str = ""
    """A column of fen to add up on the confirmation."""


class Decides(Part):
    """The part of a view that takes decisions; mixed into `ScopedView`."""

    decisions: ClassVar[tuple[Decision, ...]] = ()
    confirm_template: ClassVar[str] = "backoffice/confirm.html"

    def offered(self, row: Any) -> list[Decision]:
        """Return the decisions that the person here may take about a row as it stands."""
        return [one for one in self.allowed_decisions() if one.possible(row)]

    def allowed_decisions(self) -> list[Decision]:
        """Return the decisions that the person here may take at all."""
        return [one for one in self.decisions if staff.may(one.permission)]

    def decide(self) -> Response | str:
        """Answer a posted decision: ask for confirmation, or do it."""
        decision = self._posted()
        ids = _posted_ids()
        rows = self.visible(ids)
        if not rows:
            if ids:
                abort(404)
            flash(gettext("Please select at least one row."), "error")
            return redirect(self.list_url())
        form = decision.form()
        if request.form.get("confirmed") and form.validate():
            self._run(decision, rows, form, missing=len(ids) - len(rows))
            return redirect(local_url(request.form.get("url")) or self.list_url())
        possible = [row for row in rows if decision.possible(row)]
        return self.render(
            self.confirm_template,
            decision=decision,
            form=form,
            table=Table(possible, self.shape),
            row_ids=[self.key_of(row) for row in possible],
            impossible=len(rows) - len(possible),
            missing=len(ids) - len(rows),
            total=sum(getattr(row, decision.total) for row in possible) if decision.total else 0,
            return_url=local_url(request.form.get("url")) or self.list_url(),
        )

    def _posted(self) -> Decision:
        name = request.form.get("action", "")
        decision = next((one for one in self.decisions if one.name == name), None)
        if decision is None:
            abort(404)
        if not staff.may(decision.permission):
            abort(403)
        return decision

    def _run(
        self, decision: Decision, rows: Sequence[Any], form: FlaskForm, *, missing: int
    ) -> None:
        """Decide about each row in a transaction of its own, and tell how it went."""
        done, refused = 0, []
        keys = [(self.key_of(row), self.title_of(row)) for row in rows]
        for key, title in keys:
            act = Act(staff.actor(), database_now(), form)
            try:
                decision.run(key, act)
            except DomainError as error:
                refused.append(f"{title}: {say_error(error)}")
            else:
                done += 1
        if done:
            count = ngettext("Done for %(num)s row.", "Done for %(num)s rows.", done)
            flash(f"{decision.label} – {count}", "success")
        for text in refused[:REASONS_SHOWN]:
            flash(text, "error")
        if len(refused) > REASONS_SHOWN:
            flash(gettext("%(count)s rows were refused.", count=len(refused)), "error")
        if missing:
            flash(gettext("%(count)s of the selected rows do not exist.", count=missing), "error")


def _posted_ids() -> list[int]:
    """Return the selected ids, each once; what is no id counts as one that does not exist."""
    texts = dict.fromkeys(request.form.getlist("rowid"))
    if len(texts) > ROWS_MAX:
        abort(413)
    return [parsed if (parsed := as_id(text)) is not None else NO_ID for text in texts]
