"""Months of plans: what was closed and how it came about, what is due, and closing it."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy.sql import Select
from werkzeug.wrappers import Response

from admin import month_words, staff
from admin.base import ScopedView
from admin.cells import Badge
from admin.details import Section, pairs_of, rows_section, sentences_section
from admin.filters import Exactly, OfStore
from admin.i18n import gettext, pgettext, say_error
from admin.month_words import STORY_MAX, story, sums_of_closed, sums_of_preview
from admin.scopes import by_store
from admin.story import entries_about, story_section
from admin.tables import Shape, Table
from admin.urls import as_id, with_query
from app.distribution import months, statements
from app.distribution.models import Award, AwardRefusal
from app.distribution.month_books import books_from_json, month_of
from app.distribution.months import Due, NothingToClose
from app.distribution.plan_records import ClosedMonth
from app.engines.months import Earner, MonthBooks, MonthClose
from app.kernel.db import database_now, db, retrying
from app.kernel.errors import DomainError
from app.plans.models import Plan
from app.stores.permissions import Permission

PEOPLE_SHOWN: Final = 50
DUES: Final = Shape(("month", "plan_id", "store_id"), {"month": _("Month"), "plan_id": _("Plan")})
PEOPLE: Final = Shape(
    (
        "member_id",
        "level",
        "sales_fen",
        "last_sale_at",
        "own_settled_at",
        "received_fen",
        "until_at",
    ),
    {
        "member_id": _("Distributor"),
        "sales_fen": _("Sold to own customers"),
        "last_sale_at": _("Last of these"),
        "own_settled_at": _("Last own purchase"),
        "received_fen": _("Received before"),
        "until_at": _("Seat until"),
    },
    {"member_id": "distributors"},
)
FIGURES: Final = {
    "net_fen": _("Settled in the month"),
    "pool_fen": _("Pool"),
    "awarded_fen": lazy_pgettext("month", "Paid"),
    "carried_fen": _("Left for the next month"),
    "deficit_fen": _("Missing to zero"),
}


class MonthsView(ScopedView):
    """Months that were closed and paid, of a store or of the whole brand."""

    permission = Permission.AWARDS_VIEW
    scope = by_store(ClosedMonth.store_id)
    icon = "calendar-clock"
    intro = _("What plans pay by the month: closed once and for good, and paid on the tenth.")
    list_template = "backoffice/months.html"

    column_list = (
        "month",
        "plan_id",
        "store_id",
        "net_fen",
        "pool_fen",
        "awarded_fen",
        "carried_fen",
        "deficit_fen",
        "closed_at",
        "actor",
    )
    labels: ClassVar = {"month": _("Month"), "plan_id": _("Plan"), **FIGURES}
    search_hint = _("Plan or month")
    filters = (
        OfStore("store", _("Store"), ClosedMonth.store_id),
        Exactly("of_month", _("Month, such as 2026-10"), ClosedMonth.month),
        Exactly("plan", _("Plan no."), ClosedMonth.plan_id, is_id=True),
    )
    searched = (Plan.name, ClosedMonth.month)
    sortable = ("month", "awarded_fen")
    facts = (
        "plan_id",
        "plan_version_id",
        "store_id",
        "month",
        *FIGURES,
        "closed_at",
        "actor",
    )

    def prepared(self, query: Select[Any]) -> Select[Any]:
        """Join the plan, for its name."""
        return query.join(Plan, Plan.id == ClosedMonth.plan_id)

    def title_of(self, row: ClosedMonth) -> str:
        """Return the month."""
        return row.month

    def sections(self, row: ClosedMonth) -> Iterable[Section | None]:
        """Tell how it came about, who got what and why, and what it was reckoned from."""
        yield sentences_section(_("How it came about"), month_words.told(sums_of_closed(row)))
        session = db.session()
        awards = session.scalars(
            sa.select(Award)
            .where(Award.closed_month_id == row.id)
            .order_by(Award.amount_fen.desc(), Award.id)
            .limit(STORY_MAX)
        )
        paid = story_section(
            _("Who got what, and why"), awards, url=url_for("awards.index_view", month=row.id)
        )
        yield paid
        refusals = session.scalars(
            sa.select(AwardRefusal)
            .where(AwardRefusal.closed_month_id == row.id)
            .order_by(AwardRefusal.id)
            .limit(STORY_MAX)
        )
        refused_url = url_for("award_refusals.index_view", month=row.id)
        refused = story_section(_("Who got nothing, and why"), (), refusals, url=refused_url)
        if refused.facts:
            yield refused
        yield _people(books_from_json(row.inputs).people)
        yield entries_about(closed_month_id=row.id)

    # Closing

    def close_url(self, due: Due) -> str:
        """Return the address of what closing a month would bring."""
        values = {"plan": due.plan_id, "month": due.month, "store": due.store_id}
        return with_query(self.get_url(".preview_view"), values)

    @expose("/close/", methods=("GET", "POST"))
    def close_view(self) -> Response | str:
        """Show what is due and what runs; close a month that is sent."""
        if request.method == "POST":
            return self._close()
        now = database_now()
        session = db.session()
        return self.render(
            "backoffice/month_close.html",
            due=self._table(months.due_months(session, now=now)),
            running=self._table(months.running_months(session, now=now)),
        )

    @expose("/close/preview/")
    def preview_view(self) -> str:
        """Show what closing a month would bring to each person, and why others get nothing."""
        due = _wanted(request.args)
        now = database_now()
        try:
            books, outcome = months.preview(db.session(), due, now=now)
        except NothingToClose:
            abort(404)
        is_over = due.month < month_of(now)
        is_closed = _closed(due) is not None
        earlier = _earlier(due) if is_over and not is_closed else ""
        return self.render(
            "backoffice/month_preview.html",
            due=due,
            badge=_standing(is_over=is_over, is_closed=is_closed),
            may_close=is_over and not (is_closed or earlier) and staff.may(Permission.MONTHS_CLOSE),
            earlier=earlier,
            is_over=is_over,
            facts=_figures(due, books, outcome),
            sections=list(_preview(books, outcome)),
        )

    def _close(self) -> Response:
        if not staff.may(Permission.MONTHS_CLOSE):
            abort(403)
        due = _wanted(request.form)
        who, now = staff.actor(), database_now()
        try:
            closed = retrying(lambda: months.close(due, actor=who, now=now))
        except DomainError as error:
            flash(say_error(error), "error")
            return redirect(self.get_url(".close_view"))
        flash(gettext("%(month)s was closed.", month=due.month), "success")
        return redirect(self.get_url(".details_view", id=closed.id))

    def _table(self, dues: Iterable[Due]) -> Table:
        visible = staff.visible_store_ids()
        shown = [one for one in dues if visible is None or one.store_id in visible]
        return Table(shown, DUES, url=self.close_url)


def _wanted(values: Any) -> Due:
    """Return the month that was asked for; 404 where it is none, or none of the reader's."""
    plan_id = as_id(values.get("plan", ""))
    store_id = as_id(values.get("store", ""))
    month = values.get("month", "")
    visible = staff.visible_store_ids()
    if plan_id is None or not statements.is_month(month):
        abort(404)
    if visible is not None and store_id not in visible:
        abort(404)
    return Due(plan_id, month, store_id)


def _closed(due: Due) -> int | None:
    return db.session.scalar(
        sa.select(ClosedMonth.id).where(
            ClosedMonth.plan_id == due.plan_id,
            ClosedMonth.month == due.month,
            ClosedMonth.store_id.is_not_distinct_from(due.store_id),
        )
    )


def _earlier(due: Due) -> str:
    """Return the oldest month of the same plan and store that has to be closed before this one.

    A month begins with what the one before has left over, so they are closed in their order.
    """
    dues = months.due_months(db.session(), now=database_now())
    same = [
        one.month
        for one in dues
        if (one.plan_id, one.store_id) == (due.plan_id, due.store_id) and one.month < due.month
    ]
    return min(same, default="")


def _standing(*, is_over: bool, is_closed: bool) -> Badge:
    if is_closed:
        return Badge(pgettext("month", "Closed"), "calm")
    return Badge(gettext("To be closed"), "wait") if is_over else Badge(gettext("Running"), "busy")


def _figures(due: Due, books: MonthBooks, outcome: MonthClose) -> Any:
    values = {
        "plan_id": due.plan_id,
        "store_id": due.store_id,
        "net_fen": books.net_fen,
        "pool_fen": outcome.pool_fen,
        "awarded_fen": outcome.total_fen,
        "carried_fen": outcome.carried_fen,
        "deficit_fen": outcome.deficit_fen,
    }
    labels = FIGURES | {"plan_id": _("Plan"), "awarded_fen": _("Would be paid")}
    return pairs_of(values, labels)


def _preview(books: MonthBooks, outcome: MonthClose) -> Iterable[Section]:
    said = month_words.told(sums_of_preview(books.net_fen, outcome))
    yield sentences_section(_("How it comes about"), said)
    awards = sorted(outcome.awards, key=lambda one: (-one.amount_fen, one.beneficiary_id))
    for title, decisions in (
        (_("Who would get what, and why"), story(awards)),
        (_("Who would get nothing, and why"), story(outcome.refusals)),
    ):
        if decisions:
            yield Section(title, "story", template="backoffice/story.html", facts=decisions)
    yield _people(books.people)


def _people(people: tuple[Earner, ...]) -> Section:
    """Return the figures of those who had most to do with a month."""
    shown = sorted(people, key=lambda one: (-abs(one.sales_fen), one.member_id))[:PEOPLE_SHOWN]
    title = gettext("Reckoned from these figures: %(count)s people", count=len(people))
    return rows_section(title, shown, PEOPLE)
