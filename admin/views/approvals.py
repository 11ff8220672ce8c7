"""What waits for a second person: who asks for what, about whom, and what would change."""

from collections.abc import Iterable
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import g, request
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.sql import Select
from wtforms import TextAreaField
from wtforms.validators import Length

from admin import approving, staff
from admin.actions import joined, with_reason
from admin.approval_words import changes_asked_for, changes_found, kind_name, subject_of
from admin.audit_diff import label
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.details import Section, rows_section, sentences_section, steps_section
from admin.filters import Choice, Days, Options
from admin.forms import REASON_MAX, ReasonForm
from admin.i18n import gettext
from admin.scopes import StoreIds
from admin.tables import Shape
from app.approvals import queries, services
from app.approvals.kinds import KINDS
from app.approvals.models import Approval, ApprovalState
from app.attribution.dispute_models import OwnershipDispute
from app.kernel.db import db
from app.stores import queries as stores
from app.stores.permissions import Permission

LIST: str = "index_view"


class NoteForm(FlaskForm):
    """What a colleague who agrees has to add, if anything."""

    note = TextAreaField(_("Note"), validators=[Length(max=REASON_MAX)])


def _my_id() -> int:
    me = staff.current()
    return me.id if me is not None else 0


def _my_permissions() -> frozenset[Permission]:
    me = staff.current()
    return stores.staff_permissions(me) if me is not None else frozenset()


def _of_my_stores_or_mine(store_ids: StoreIds) -> sa.ColumnElement[bool]:
    """Requests of the person's stores, and those they brought up themselves."""
    return sa.or_(Approval.store_id.in_(store_ids), Approval.asked_by_id == _my_id())


def _waits_for_me() -> sa.ColumnElement[bool]:
    waiting = queries.waiting_for(_my_id(), _my_permissions())
    store_ids = staff.visible_store_ids()
    return waiting if store_ids is None else sa.and_(waiting, Approval.store_id.in_(store_ids))


def _is_mine(row: Approval) -> bool:
    return row.state is ApprovalState.REQUESTED and row.asked_by_id == _my_id()


def _is_for_me(row: Approval) -> bool:
    """Tell whether the person here may decide; the service has the last word."""
    kind = KINDS.get(row.kind)
    store_ids = staff.visible_store_ids()
    return (
        row.state is ApprovalState.REQUESTED
        and row.asked_by_id != _my_id()
        and kind is not None
        and staff.may(kind.decide)
        and (store_ids is None or row.store_id in store_ids)
    )


def _withdraw(key: int, act: Act) -> None:
    reason = act.form.note.data or ""
    joined(services.withdraw, key, actor=act.actor, reason=reason, now=act.now)


class ApprovalsView(ScopedView):
    """Requests that one person made and another decides."""

    permission = Permission.APPROVALS_VIEW
    scope = _of_my_stores_or_mine
    icon = "badge-check"
    intro = _(
        "What takes two people and was asked for by one. Nothing happens before a colleague "
        "agrees; nobody decides what they asked for themselves."
    )

    column_list = (
        "kind",
        "subject",
        "state",
        "asked_by_id",
        "asked_at",
        "expires_at",
        "reason",
    )
    references: ClassVar = {"asked_by_id": "staff", "decided_by_id": "staff"}
    computed: ClassVar = {"kind": kind_name, "subject": subject_of}
    tabs = Options(
        "inbox",
        _("Requests"),
        {
            "mine": (_("Waiting for me"), _waits_for_me),
            "asked": (_("Asked by me"), lambda: Approval.asked_by_id == _my_id()),
            "decided": (_("Decided"), lambda: Approval.state != ApprovalState.REQUESTED),
        },
    )
    filters = (
        Choice("state", _("State"), Approval.state, ApprovalState),
        Days("asked", _("Asked"), Approval.asked_at),
    )
    facts = (
        "subject",
        "asked_by_id",
        "asked_at",
        "expires_at",
        "store_id",
        "decided_by_id",
        "ended_at",
        "decision_reason",
    )
    badge = "state"
    decisions = (
        Decision(
            name="approve",
            label=_("Approve"),
            permission=Permission.APPROVALS_VIEW,
            question=_("Agree to this request?"),
            warning=_("What is asked for happens at once, in the name of both of you."),
            run=approving.approve,
            form=NoteForm,
            possible=_is_for_me,
            is_primary=True,
        ),
        Decision(
            name="refuse",
            label=_("Refuse"),
            permission=Permission.APPROVALS_VIEW,
            question=_("Refuse this request?"),
            warning=_("Nothing changes. The person who asked sees your reason."),
            run=with_reason(services.refuse),
            form=ReasonForm,
            possible=_is_for_me,
            is_danger=True,
        ),
        Decision(
            name="withdraw",
            label=_("Withdraw"),
            permission=Permission.APPROVALS_VIEW,
            question=_("Take this request back?"),
            run=_withdraw,
            form=NoteForm,
            possible=_is_mine,
        ),
    )

    def allowed_decisions(self) -> list[Decision]:
        """Return the decisions, but on no list: what is decided has to be read first."""
        on_list = (request.endpoint or "").endswith(f".{LIST}")
        return [] if on_list else super().allowed_decisions()

    def prepared(self, query: Select[Any]) -> Select[Any]:
        """Keep requests about matters that the person may see, and their own."""
        seen = Approval.kind.in_(queries.kinds_to_see(_my_permissions()))
        return query.where(sa.or_(seen, Approval.asked_by_id == _my_id()))

    def waiting_count(self) -> int:
        """Return how many requests wait for the person here, for the navigation."""
        if "approvals_waiting" not in g:
            g.approvals_waiting = queries.waiting_count(
                db.session(), _my_id(), _my_permissions(), staff.visible_store_ids()
            )
        count: int = g.approvals_waiting
        return count

    def title_of(self, row: Approval) -> str:
        """Return what is asked for and the number of the request."""
        return gettext("%(what)s, request %(id)s", what=kind_name(row), id=row.id)

    def sections(self, row: Approval) -> Iterable[Section | None]:
        """Tell what would change and why, and what happened to the request."""
        yield sentences_section(_("Reason"), [row.reason])
        yield rows_section(
            _("What would change") if row.ended_at is None else _("What was asked for"),
            changes_asked_for(row),
            _changes("before", "after"),
        )
        if row.facts_found is not None:
            yield rows_section(
                _("What had changed meanwhile"), changes_found(row), _changes("before", "found")
            )
        if row.subject_type == "ownership_dispute":
            yield self.related(
                "disputes", OwnershipDispute.id == row.subject_id, title=_("The dispute")
            )
        yield steps_section(
            _("What happened"),
            queries.approval_steps(db.session(), row.id),
            Shape(("event", "at", "actor", "reason")),
        )


def _changes(*columns: str) -> Shape:
    """Return a table of values with a column for each moment."""
    return Shape(
        ("value", *columns),
        labels={
            "value": _("Value"),
            "before": _("When it was asked"),
            "after": _("As it is to be"),
            "found": _("As it was found"),
        },
        computed={"value": lambda one: label(one["value"])},
    )
