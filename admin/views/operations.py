"""What the machine does by itself: work that waits or failed, and what WeChat told."""

from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from sqlalchemy.sql import Select

from admin.actions import joined
from admin.base import ScopedView
from admin.cells import Badge
from admin.decisions import Act, Decision
from admin.filters import Options
from admin.i18n import gettext
from admin.scopes import brand_only
from admin.words import BREAK_OUTCOMES, outcome_name
from app.kernel.inbox import InboxNotice
from app.kernel.outbox import Task
from app.operations.retries import retry_task
from app.stores.permissions import Permission


def _task_state(row: Task) -> Badge:
    if row.quarantined_at is not None:
        return Badge(gettext("Quarantined"), "bad")
    if row.attempts:
        return Badge(gettext("Will be tried again"), "wait")
    return Badge(gettext("Waiting"), "busy")


def _retry(key: int, act: Act) -> None:
    joined(retry_task, key, actor=act.actor, now=act.now)


class TasksView(ScopedView):
    """Work that jobs still have to do."""

    permission = Permission.OPERATIONS_VIEW
    scope = brand_only
    icon = "list-checks"
    intro = _(
        "Work that waits for a job. What failed too often is put into quarantine: it blocks nobody "
        "and waits for a person."
    )
    can_export = False

    column_list = ("job", "subject_id", "state", "attempts", "due_at", "created_at", "last_error")
    computed: ClassVar = {"state": _task_state}
    tabs = Options(
        "state",
        _("State"),
        {
            "quarantined": (_("Quarantined"), lambda: Task.quarantined_at.is_not(None)),
            "waiting": (_("Waiting"), lambda: Task.quarantined_at.is_(None)),
        },
    )
    facts = (
        "job",
        "subject_id",
        "attempts",
        "created_at",
        "due_at",
        "quarantined_at",
        "last_error",
    )
    badge = "state"
    decisions = (
        Decision(
            name="retry",
            label=_("Try again"),
            permission=Permission.OPERATIONS_RETRY,
            question=_("Try these again?"),
            warning=_("Do so when the cause is mended; otherwise they come back here."),
            run=_retry,
            possible=lambda row: row.quarantined_at is not None,
            is_primary=True,
        ),
    )

    def title_of(self, row: Task) -> str:
        """Return the job and what it is about."""
        return f"{row.job} #{row.subject_id}"


def _is_break() -> sa.ColumnElement[bool]:
    return InboxNotice.outcome.in_(BREAK_OUTCOMES)


def _outcome(row: InboxNotice) -> Badge:
    """Return what a word of WeChat did; what does not fit our books needs a person."""
    is_break = row.outcome in BREAK_OUTCOMES
    return Badge(outcome_name(row.outcome), "bad" if is_break else "calm")


class NoticesView(ScopedView):
    """What WeChat told us, with what it did to our books."""

    permission = Permission.OPERATIONS_VIEW
    scope = brand_only
    icon = "info"
    intro = _(
        "Every verified word of WeChat and what it did. What does not fit our books changes "
        "nothing and needs a person."
    )
    is_counted = False
    can_view_details = False
    can_export = False

    column_list = ("received_at", "event_type", "subject_number", "outcome")
    labels: ClassVar = {
        "received_at": _("Time"),
        "event_type": _("Notice"),
        "subject_number": _("Number"),
    }
    computed: ClassVar = {"outcome": _outcome}
    tabs = Options("fits", _("Fits"), {"no": (_("Needs a person"), _is_break)})
    search_hint = _("Order, refund or transfer number")

    def search(self, query: Select[Any], text: str) -> Select[Any]:
        """Find notices by the whole number they are about, which an index serves."""
        return query.where(InboxNotice.subject_number == text.strip())
