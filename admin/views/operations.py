"""What the machine does by itself: work that waits or failed, and the trail of who did what."""

from collections.abc import Iterable
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from sqlalchemy.sql import Select

from admin.actions import joined
from admin.base import ScopedView
from admin.cells import Badge, Who
from admin.decisions import Act, Decision
from admin.details import Section, pairs_of
from admin.directory import Reference
from admin.filters import Days, Exactly, Options
from admin.i18n import gettext
from admin.scopes import brand_only, by_store
from admin.words import BREAK_OUTCOMES, action_name, outcome_name, subject_name
from app.kernel.audit import AuditRecord
from app.kernel.inbox import InboxNotice
from app.kernel.outbox import Task
from app.operations.retries import retry_task
from app.stores.permissions import Permission

SUBJECTS = {
    "order": "orders",
    "refund": "refunds",
    "payout": "payouts",
    "member": "members",
    "distributor": "distributors",
    "product": "products",
    "plan_version": "plan_versions",
    "share_code": "share_codes",
    "setting": "settings",
    "staff": "staff",
    "store": "stores",
    "approval": "approvals",
    "ownership_dispute": "disputes",
}
"""Which register the subject of an audited action is in."""


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


def _actor(row: AuditRecord) -> Who:
    return Who(row.actor_kind if row.actor_id is None else f"{row.actor_kind}:{row.actor_id}")


def _subject(row: AuditRecord) -> Any:
    register = SUBJECTS.get(row.subject_type)
    if register and row.subject_id is not None:
        return Reference(register, row.subject_id)
    return f"#{row.subject_id}" if row.subject_id is not None else None


class AuditView(ScopedView):
    """Who did what, when and why."""

    permission = Permission.AUDIT_VIEW
    scope = by_store(AuditRecord.store_id)
    icon = "history"
    intro = _(
        "Every decision and every export. Rows are only ever added, and each seals the one before."
    )
    is_counted = False

    column_list = ("at", "actor", "action", "subject_type", "subject", "store_id", "reason")
    labels: ClassVar = {"subject_type": _("About")}
    computed: ClassVar = {
        "actor": _actor,
        "action": lambda row: action_name(row.action),
        "subject_type": lambda row: subject_name(row.subject_type),
        "subject": _subject,
    }
    search_hint = _("Action, such as payout.approved")
    filters = (
        Exactly("staff", _("Staff no."), AuditRecord.actor_id, is_id=True),
        Exactly("type", _("Subject type"), AuditRecord.subject_type),
        Exactly("subject", _("Subject no."), AuditRecord.subject_id, is_id=True),
        Days("at", _("Time"), AuditRecord.at),
    )
    exported = (
        "id",
        "at",
        "actor",
        "action",
        "subject_type",
        "subject_id",
        "store_id",
        "reason",
        "before",
        "after",
        "request_id",
        "hash",
    )
    facts = ("at", "actor", "subject_type", "subject", "store_id", "reason", "request_id")

    def search(self, query: Select[Any], text: str) -> Select[Any]:
        """Find actions by the beginning of their name."""
        return query.where(AuditRecord.action.startswith(text.strip(), autoescape=True))

    def title_of(self, row: AuditRecord) -> str:
        """Return what was done."""
        return action_name(row.action)

    def sections(self, row: AuditRecord) -> Iterable[Section | None]:
        """Show what changed, and the seal."""
        changes = {"before": row.before, "after": row.after}
        yield Section(_("What changed"), "facts", facts=pairs_of(changes, {}))
        seal = {"previous_hash": row.previous_hash, "hash": row.hash}
        labels = {"previous_hash": _("Seal of the row before"), "hash": _("Seal of this row")}
        yield Section(_("Seal"), "facts", facts=pairs_of(seal, labels))
