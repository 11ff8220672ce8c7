"""What staff decide about rows: asked for on a list or a detail page, confirmed, done by a service.

A decision is posted twice. The first time shows what it is about, with every selected row that the
person may see, and asks for a reason where one is due; nothing has happened yet. The second time
does it, each row by itself, and tells of each what came of it. Where there are many rows, the page
sends them a few at a time and shows how far it is; each such request is checked like any other.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from flask import abort, flash, jsonify, make_response, redirect, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from admin import staff
from admin.i18n import gettext, ngettext, say_error
from admin.listing import SEARCH_MAX
from admin.part import Part
from admin.tables import Table
from admin.urls import as_id, local_url
from app.kernel.audit import Actor
from app.kernel.db import database_now, db
from app.kernel.errors import DomainError
from app.stores.permissions import Permission

ROWS_MAX: Final = 2_000
"""Rows that can be decided about together."""
AT_ONCE_MAX: Final = 200
"""Rows of one request that does it all."""
CHUNK: Final = 20
"""Rows of one request of many; few enough to see the progress."""
ROWS_SHOWN: Final = 50
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
    results_template: ClassVar[str] = "backoffice/results.html"

    def offered(self, row: Any) -> list[Decision]:
        """Return the decisions that the person here may take about a row as it stands."""
        return [one for one in self.allowed_decisions() if one.possible(row)]

    def allowed_decisions(self) -> list[Decision]:
        """Return the decisions that the person here may take at all."""
        return [one for one in self.decisions if staff.may(one.permission)]

    def decide(self) -> Response | str:
        """Answer a posted decision: ask for confirmation, or do it."""
        decision = self._posted()
        selected = self._selected()
        rows = self.visible(selected.ids)
        is_chunk = request.form.get("chunk") == "1"
        if not rows and not is_chunk:
            if selected.ids:
                abort(404)
            flash(gettext("Please select at least one row."), "error")
            return redirect(self._back())
        form = decision.form()
        if request.form.get("confirmed"):
            if form.validate():
                return self._done(decision, self._run(decision, selected.ids, rows, form))
            if is_chunk:
                return make_response(jsonify({"errors": _errors(form)}), 422)
        return self._ask(decision, form, rows, selected)

    def _ask(
        self, decision: Decision, form: FlaskForm, rows: Sequence[Any], selected: "Selected"
    ) -> str:
        """Show what a decision is about."""
        possible = [row for row in rows if decision.possible(row)]
        return self.render(
            self.confirm_template,
            decision=decision,
            form=form,
            table=Table(possible[:ROWS_SHOWN], self.shape),
            row_ids=[self.key_of(row) for row in possible],
            impossible=len(rows) - len(possible),
            missing=len(selected.ids) - len(rows),
            is_cut=selected.is_cut,
            rows_max=ROWS_MAX,
            at_once_max=AT_ONCE_MAX,
            chunk=CHUNK,
            total=sum(getattr(row, decision.total) for row in possible) if decision.total else 0,
            return_url=self._back(),
        )

    def _done(self, decision: Decision, results: list["Result"]) -> Response | str:
        """Tell what came of it: as data, on the page it came from, or with a line for each row."""
        if request.form.get("chunk") == "1":
            return jsonify({"rows": [asdict(one) for one in results]})
        if len(results) > 1:
            return self.render(
                self.results_template,
                decision=decision,
                results=results,
                counts={
                    outcome: sum(one.outcome == outcome for one in results) for outcome in OUTCOMES
                },
                return_url=self._back(),
            )
        for one in results:
            if one.outcome == DONE:
                count = ngettext("Done for %(num)s row.", "Done for %(num)s rows.", 1)
                flash(f"{decision.label} – {count}", "success")
            else:
                flash(f"{one.title}: {one.why}", "error")
        return redirect(self._back())

    def _back(self) -> str:
        return local_url(request.form.get("url")) or self.list_url()

    def _selected(self) -> "Selected":
        """Return the rows that a decision is about: those ticked, or all that the list shows."""
        is_confirmed = bool(request.form.get("confirmed"))
        if request.form.get("all") != "1" or is_confirmed:
            most = ROWS_MAX
            if is_confirmed:
                most = CHUNK if request.form.get("chunk") == "1" else AT_ONCE_MAX
            return Selected(_posted_ids(most))
        query = self.narrowed(request.args.get("search", "").strip()[:SEARCH_MAX])
        newest = query.with_only_columns(self.key).order_by(None).order_by(self.key.desc())
        found = list(db.session.scalars(newest.limit(ROWS_MAX + 1)))
        return Selected(found[:ROWS_MAX], is_cut=len(found) > ROWS_MAX)

    def _posted(self) -> Decision:
        name = request.form.get("action", "")
        decision = next((one for one in self.decisions if one.name == name), None)
        if decision is None:
            abort(404)
        if not staff.may(decision.permission):
            abort(403)
        return decision

    def _run(
        self, decision: Decision, ids: Sequence[int], rows: Sequence[Any], form: FlaskForm
    ) -> list["Result"]:
        """Decide about each row in a transaction of its own; return what came of each."""
        known = {
            self.key_of(row): (self.title_of(row), self.url_of(row), str(decision.label))
            for row in rows
        }
        found = [
            _decided(decision, key, known[key], Act(staff.actor(), database_now(), form))
            for key in known
        ]
        absent = gettext("There is no such row, or it belongs to another store.")
        missing = [key for key in ids if key not in known]
        return found + [Result(str(key), _number(key), "", MISSING, absent) for key in missing]


@dataclass(frozen=True, slots=True)
class Selected:
    """Which rows a decision is about; `is_cut` where more match than can be decided together."""

    ids: list[int]
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a decision about one row."""

    id: str
    title: str
    url: str
    outcome: str
    why: str


DONE: Final = "done"
REFUSED: Final = "refused"
MISSING: Final = "missing"
OUTCOMES: Final = (DONE, REFUSED, MISSING)


def _decided(decision: Decision, key: int, known: tuple[str, str, str], act: Act) -> Result:
    title, url, label = known
    try:
        decision.run(key, act)
    except DomainError as error:
        return Result(str(key), title, url, REFUSED, say_error(error))
    return Result(str(key), title, url, DONE, label)


def _number(key: int) -> str:
    return f"#{key}" if key != NO_ID else "–"


def _errors(form: FlaskForm) -> dict[str, list[str]]:
    """Return what is wrong with a form, by the label of each field."""
    return {
        str(form[name].label.text) if name in form else "": [str(one) for one in errors]
        for name, errors in form.errors.items()
    }


def _posted_ids(most: int) -> list[int]:
    """Return the selected ids, each once; what is no id counts as one that does not exist."""
    texts = dict.fromkeys(request.form.getlist("rowid"))
    if len(texts) > most:
        abort(413)
    return [parsed if (parsed := as_id(text)) is not None else NO_ID for text in texts]
