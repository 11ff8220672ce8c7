"""Imports: files that were brought, what was found in them, and what became of their rows."""

from collections.abc import Iterable
from typing import Any, ClassVar

from flask import abort, jsonify
from flask_admin import expose
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy.sql import Select
from werkzeug.wrappers import Response

from admin import exports, imports_files, imports_pages, staff
from admin.actions import by_id
from admin.base import ScopedView
from admin.decisions import Decision
from admin.details import Section
from admin.directory import Reference
from admin.filters import Choice, Days, Exactly, OfStore, Options
from admin.imports_forms import form_pages
from admin.labels import label_of
from admin.scopes import by_store, within_stores
from app.imports import services
from app.imports.columns import REASON_NAME
from app.imports.kinds import KINDS
from app.imports.models import HistoricOrder, ImportRun
from app.imports.states import OPEN, WORKING, ImportKind, ImportState
from app.kernel import audit
from app.kernel.audit import Change, Subject
from app.kernel.db import atomic, database_now
from app.members.expected import ExpectedMember
from app.stores.permissions import Permission


def _can_begin(row: ImportRun) -> bool:
    """Tell whether the person here could begin a run; a service has the last word."""
    me = staff.current()
    is_own = me is not None and me.id == row.staff_id
    is_ready = row.state is ImportState.CHECKED and row.valid_count > 0
    return is_ready and not (row.needs_second and is_own)


class ImportsView(ScopedView):
    """Files that staff brought in."""

    permission = Permission.IMPORTS
    scope = within_stores(ImportRun.store_ids)
    icon = "upload"
    intro = _(
        "Rows out of files. A file is checked first, row by row, and nothing of it is written "
        "until somebody begins it. Choose above what the rows are."
    )
    details_template = "backoffice/import_run.html"
    can_export = False

    column_list = (
        "file_name",
        "kind",
        "state",
        "rows_count",
        "wrong_count",
        "done_count",
        "failed_count",
        "actor",
        "uploaded_at",
    )
    labels: ClassVar = {
        "file_name": _("File"),
        "columns": _("Columns"),
        "rows_count": _("Rows"),
        "valid_count": _("Can be imported"),
        "wrong_count": lazy_pgettext("rows", "Wrong"),
        "done_count": lazy_pgettext("rows", "Imported"),
        "skipped_count": lazy_pgettext("rows", "Nothing to do"),
        "failed_count": lazy_pgettext("rows", "Failed"),
        "uploaded_at": _("Brought in"),
        "checked_at": _("Checked at"),
        "begun_at": _("Begun at"),
        "second_staff_id": _("Begun by"),
    }
    references: ClassVar = {"second_staff_id": "staff"}
    tabs = Choice("state", _("State"), ImportRun.state, ImportState)
    filters = (
        Choice("kind", _("Kind"), ImportRun.kind, ImportKind),
        Days("uploaded", _("Brought in"), ImportRun.uploaded_at),
    )
    searched = (ImportRun.file_name,)
    search_hint = _("Name of the file, or no.")
    facts = (
        "kind",
        "actor",
        "second_staff_id",
        "uploaded_at",
        "begun_at",
        "ended_at",
        "rows_count",
        "valid_count",
        "wrong_count",
        "done_count",
        "skipped_count",
        "failed_count",
    )
    badge = "state"
    decisions = (
        Decision(
            name="begin",
            label=_("Import these rows"),
            permission=Permission.IMPORTS,
            question=_("Import the rows of this file?"),
            warning=_(
                "Every row that was found right is written now. What is written by mistake has to "
                "be put right row by row."
            ),
            run=by_id(services.begin),
            possible=_can_begin,
            is_primary=True,
        ),
        Decision(
            name="resume",
            label=_("Go on"),
            permission=Permission.IMPORTS,
            question=_("Go on with this import?"),
            warning=_("Rows that were written are not written again."),
            run=by_id(services.resume),
            possible=lambda row: row.state is ImportState.FAILED,
            is_primary=True,
        ),
        Decision(
            name="cancel",
            label=lazy_pgettext("import", "Call off"),
            permission=Permission.IMPORTS,
            question=_("Call this import off?"),
            warning=_("Rows that were written already stay."),
            run=by_id(services.cancel),
            possible=lambda row: row.state in OPEN,
            is_danger=True,
        ),
    )
    form_pages = form_pages()

    def get_query(self) -> Select[Any]:
        """Return the runs of kinds that the person here may see, within their stores."""
        kinds = [one.code for one in KINDS.values() if imports_pages.may_see(one)]
        return super().get_query().where(ImportRun.kind.in_(kinds))

    def title_of(self, row: ImportRun) -> str:
        """Return the name of the file."""
        return str(row.file_name)

    def sections(self, row: ImportRun) -> Iterable[Section | None]:
        """Tell how far it is, and show the rows."""
        return imports_pages.sections(row)

    @expose("/status/")
    def status(self) -> Response:
        """Tell a page that waits how far the run is."""
        row = self.wanted()
        answer: Response = jsonify(
            {
                "state": row.state.value,
                "said": str(label_of(row.state)),
                "progress_bp": imports_pages.progress_of(row).progress_bp,
                "is_open": row.state in WORKING,
            }
        )
        return answer

    @expose("/template/<kind_name>/<file_type>/")
    def template_file(self, kind_name: str, file_type: str) -> Response:
        """Send an empty file of a kind to be filled in."""
        kind = KINDS.get(ImportKind(kind_name)) if kind_name in set(ImportKind) else None
        if kind is None or file_type not in exports.TYPES:
            abort(404)
        return imports_files.template(kind, file_type)

    @expose("/rows/<file_type>/")
    def wrong_rows(self, file_type: str) -> Response:
        """Send the rows that are wrong as a file that can be mended and brought again."""
        if file_type not in exports.TYPES:
            abort(404)
        row = self.wanted()
        kind, run_id = KINDS[row.kind], row.id
        names = [one for one in row.columns if one != REASON_NAME]
        lines = list(imports_pages.wrong_lines(row))
        if not lines:
            abort(404)
        who, now = staff.actor(), database_now()
        change = Change(after={"rows": len(lines), "type": file_type})
        with atomic() as session:
            subject = Subject("imports", run_id)
            audit.record(session, who, "import.rows_taken", subject, change, now=now)
        name = f"tuoke-import-{run_id}-wrong"
        return imports_files.wrong_rows(kind, names, lines, name=name, file_type=file_type)


def _customer(row: HistoricOrder) -> Reference | None:
    return Reference("members", row.member_id) if row.member_id is not None else None


class HistoricOrdersView(ScopedView):
    """Orders of former systems."""

    permission = Permission.ORDERS_VIEW
    scope = by_store(HistoricOrder.store_id)
    icon = "archive"
    intro = _(
        "What customers bought before this system, as it was imported. It is no money of ours and "
        "earns nobody commission."
    )

    column_list = (
        "number",
        "member_id",
        "expected_member_id",
        "store_id",
        "title",
        "amount_fen",
        "paid_at",
    )
    labels: ClassVar = {
        "expected_member_id": _("Expected customer"),
        "import_run_id": _("Import"),
        "recorded_at": _("Brought in"),
        "title": _("What was bought"),
    }
    references: ClassVar = {
        "expected_member_id": "expected_members",
        "import_run_id": "imports",
    }
    computed: ClassVar = {"member_id": _customer}
    searched = (HistoricOrder.number,)
    search_hint = _("Order number, or no.")
    is_counted = False
    filters = (
        OfStore("store", _("Store"), HistoricOrder.store_id),
        Days("paid", _("Paid on"), HistoricOrder.paid_at),
        Exactly("member", _("Customer no."), HistoricOrder.member_id, is_id=True),
    )
    facts = (
        "member_id",
        "expected_member_id",
        "store_id",
        "title",
        "amount_fen",
        "paid_at",
        "import_run_id",
        "recorded_at",
        "actor",
    )


class ExpectedMembersView(ScopedView):
    """Earlier customers who have not signed in, and who they turned out to be."""

    permission = Permission.MEMBERS_VIEW
    scope = by_store(ExpectedMember.origin_store_id)
    icon = "users"
    intro = _(
        "Customers of a former system. Name and birthday stay sealed off until somebody proves the "
        "phone number in the mini-program."
    )

    column_list = (
        "old_number",
        "id",
        "origin_store_id",
        "first_paid_at",
        "expected_at",
        "claimed_by_id",
        "claimed_at",
    )
    labels: ClassVar = {
        "old_number": _("Former customer no."),
        "expected_at": _("Brought in"),
        "claimed_by_id": _("Signed in as"),
        "claimed_at": _("Signed in at"),
    }
    references: ClassVar = {"claimed_by_id": "members"}
    searched = (ExpectedMember.old_number,)
    search_hint = _("Former customer no., or no.")
    is_counted = False
    filters = (
        Options(
            "claimed",
            _("Has signed in"),
            {
                "yes": (_("Yes"), lambda: ExpectedMember.claimed_at.is_not(None)),
                "no": (
                    lazy_pgettext("sign-in", "Not yet"),
                    lambda: ExpectedMember.claimed_at.is_(None),
                ),
            },
        ),
        OfStore("store", _("Store of origin"), ExpectedMember.origin_store_id),
        Days("expected", _("Brought in"), ExpectedMember.expected_at),
    )
    facts = (
        "old_number",
        "origin_store_id",
        "first_paid_at",
        "expected_at",
        "actor",
        "claimed_by_id",
        "claimed_at",
    )

    def title_of(self, row: ExpectedMember) -> str:
        """Return the number of the former system, or ours."""
        return row.old_number or f"#{row.id}"

    def sections(self, row: ExpectedMember) -> Iterable[Section | None]:
        """Show the orders of the former system."""
        yield self.related(
            "historic_orders",
            HistoricOrder.expected_member_id == row.id,
            without=("member_id", "expected_member_id"),
        )
