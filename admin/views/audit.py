"""The audit trail: who did what, when and why, what it changed, and the proof that it is whole."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from flask import Response, abort, jsonify, request
from flask_admin import expose
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from sqlalchemy.sql import Select

from admin import staff
from admin.actions import joined
from admin.audit_diff import DIFF, changes
from admin.audit_filters import Named, Person
from admin.audit_subjects import register_of
from admin.base import ScopedView
from admin.cells import Badge, Who
from admin.decisions import Act
from admin.details import Section, pairs_of, rows_section
from admin.directory import Reference
from admin.filters import Days, Exactly, OfStore, Options, contains
from admin.form_pages import FormPage
from admin.i18n import gettext, moment
from admin.scopes import brand_only, by_store
from admin.urls import as_id
from admin.words import action_name, action_names, subject_name, subject_names
from app.kernel import audit_checks
from app.kernel.audit import AuditRecord
from app.kernel.audit_checks import AuditCheck
from app.stores.permissions import Permission

PROGRESS_FULL: Final = 10_000


def _actor(row: AuditRecord) -> Who:
    return Who(row.actor_kind if row.actor_id is None else f"{row.actor_kind}:{row.actor_id}")


def _subject(row: AuditRecord) -> Any:
    register = register_of(row)
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
    list_template = "backoffice/audit.html"
    is_counted = False

    column_list = ("at", "actor", "action", "subject_type", "subject", "store_id", "reason")
    labels: ClassVar = {"subject_type": _("About")}
    computed: ClassVar = {
        "actor": _actor,
        "action": lambda row: action_name(row.action),
        "subject_type": lambda row: subject_name(row.subject_type),
        "subject": _subject,
    }
    search_hint = _("Words of the reason, or no.")
    filters = (
        Person("staff", lazy_pgettext("audit", "Person")),
        Named("action", _("Action"), AuditRecord.action, action_names),
        Named("type", _("About"), AuditRecord.subject_type, subject_names),
        Exactly("subject", _("Its no."), AuditRecord.subject_id, is_id=True),
        OfStore("store", _("Store"), AuditRecord.store_id),
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
        """Find words of a reason, or a row by its number."""
        found = contains(AuditRecord.reason, text)
        key = as_id(text)
        return query.where(found if key is None else sa.or_(found, AuditRecord.id == key))

    def checks_url(self) -> str:
        """Return where looks over the whole trail are, for those who may begin one."""
        if not staff.may(Permission.AUDIT_VIEW) or staff.visible_store_ids() is not None:
            return ""
        return str(self.get_url("audit_checks.index_view"))

    def title_of(self, row: AuditRecord) -> str:
        """Return what was done."""
        return action_name(row.action)

    def sections(self, row: AuditRecord) -> Iterable[Section | None]:
        """Show what changed, what else was done to the same thing, and the seal."""
        yield rows_section(_("What changed"), changes(row), DIFF)
        if row.subject_id is not None:
            same = sa.and_(
                AuditRecord.subject_type == row.subject_type,
                AuditRecord.subject_id == row.subject_id,
                AuditRecord.id != row.id,
            )
            yield self.related(
                "audit",
                same,
                title=_("What else was done to it"),
                without=("subject_type", "subject", "store_id"),
                hides_empty=True,
                type=row.subject_type,
                subject=row.subject_id,
            )
        seal = {"previous_hash": row.previous_hash, "hash": row.hash}
        labels = {"previous_hash": _("Seal of the row before"), "hash": _("Seal of this row")}
        yield Section(_("Seal"), "facts", facts=pairs_of(seal, labels))


def _state(row: AuditCheck) -> Badge:
    if row.broken_count:
        return Badge(gettext("Broken"), "bad")
    if row.done_at is None:
        return Badge(gettext("Looking"), "busy")
    return Badge(gettext("Whole"), "good")


def _progress_bp(row: AuditCheck) -> int:
    if row.done_at is not None or not row.row_count:
        return PROGRESS_FULL
    return min(PROGRESS_FULL, row.seen_count * PROGRESS_FULL // row.row_count)


def _broken(row: AuditCheck) -> Reference | str | None:
    return None if row.first_broken_id is None else f"#{row.first_broken_id}"


def _begin(_row: Any, act: Act) -> str:
    """Let staff who see the whole brand begin a look; it reads the rows of all stores."""
    if staff.visible_store_ids() is not None:
        abort(403)
    return str(joined(_begun, actor=act.actor, now=act.now))


def _begun(session: Any, **named: Any) -> int:
    return audit_checks.begin(session, **named).id


class AuditChecksView(ScopedView):
    """Looks over the whole trail: how far they came, and whether every seal held."""

    permission = Permission.AUDIT_VIEW
    scope = brand_only
    icon = "shield-check"
    intro = _(
        "Each look reads every row of the audit trail, works its seal out again, and demands the"
        " last row that the look before it saw. Keep the last seal elsewhere to prove it yourself."
    )
    can_export = False
    details_template = "backoffice/audit_check.html"

    column_list = ("asked_at", "asked_by", "state", "progress_bp", "seen_count", "seen_hash")
    labels: ClassVar = {
        "asked_at": lazy_pgettext("check", "Asked at"),
        "asked_by": _("By"),
        "progress_bp": _("Progress"),
        "seen_count": _("Rows seen"),
        "seen_id": _("Last row"),
        "seen_hash": _("Its seal"),
        "broken_count": _("Broken seals"),
        "first_broken_id": _("First broken row"),
        "done_at": lazy_pgettext("time", "Done"),
    }
    computed: ClassVar = {
        "asked_by": lambda row: Who(row.asked_by),
        "state": _state,
        "progress_bp": _progress_bp,
        "first_broken_id": _broken,
    }
    tabs = Options(
        "state",
        _("State"),
        {
            "whole": (
                _("Whole"),
                lambda: sa.and_(AuditCheck.done_at.is_not(None), AuditCheck.broken_count == 0),
            ),
            "broken": (_("Broken"), lambda: AuditCheck.broken_count > 0),
        },
    )
    facts = (
        "asked_at",
        "asked_by",
        "done_at",
        "seen_count",
        "seen_id",
        "seen_hash",
        "broken_count",
        "first_broken_id",
    )
    badge = "state"
    form_pages = (
        FormPage(
            name="new",
            label=_("Look over the trail"),
            title=_("Look over the whole audit trail"),
            intro=_(
                "It runs beside the work of everybody, a million rows in a few minutes, and"
                " begins within seconds."
            ),
            permission=Permission.AUDIT_VIEW,
            form=FlaskForm,
            run=_begin,
            done=_("The look was asked for; this page tells how far it is."),
            is_primary=True,
        ),
    )

    def title_of(self, row: AuditCheck) -> str:
        """Return when the look was asked for."""
        return gettext("Look of %(when)s", when=moment(row.asked_at))

    @expose("/status/")
    def status(self) -> Response:
        """Tell a page that waits how far a look is."""
        row = self.get_one(request.args.get("id", ""))
        if row is None:
            abort(404)
        return jsonify(progress_bp=_progress_bp(row), is_open=row.done_at is None)

    def sections(self, row: AuditCheck) -> Iterable[Section | None]:
        """Show how far it is while it runs."""
        if row.done_at is None:
            yield Section(
                _("How far it is"),
                "own",
                template="backoffice/audit_progress.html",
                facts={"id": row.id, "progress_bp": _progress_bp(row)},
            )
