"""Bringing a file: one form for each kind, whose page says what each column means."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from flask import Flask, flash, request
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField
from wtforms.validators import InputRequired

from admin import staff
from admin.decisions import Act
from admin.form_pages import FormPage
from admin.i18n import gettext, moment, say_error
from app.imports import running, services
from app.imports.contract import Kind
from app.imports.kinds import KINDS
from app.imports.models import ImportRun
from app.imports.reading import FILE_BYTES_MAX
from app.imports.states import ImportKind
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.stores.permissions import Permission

ROUTE: Final = "imports.form_view"
REQUEST_BYTES_MAX: Final = FILE_BYTES_MAX + 1_048_576
"""The largest file, and what a form around it takes."""
CHECKED_AT_ONCE: Final = 2_000
"""So many rows are checked before the page answers; more of them in the background."""
PERMISSIONS: Final[Mapping[ImportKind, Permission]] = {
    ImportKind.MEMBERS: Permission.MEMBERS_PHONE,
    ImportKind.HISTORIC_ORDERS: Permission.MEMBERS_PHONE,
    ImportKind.DISTRIBUTORS: Permission.DISTRIBUTORS_DECIDE,
    ImportKind.PRODUCTS: Permission.CATALOG_EDIT,
    ImportKind.STOCK: Permission.STOCK_EDIT,
}
"""What the button to each form asks for; the service asks for everything."""


class UploadForm(FlaskForm):
    """The file itself."""

    kind: ClassVar[Kind]

    file = FileField(
        _("File"),
        validators=[FileRequired()],
        description=_("CSV or Excel (.xlsx), at most 10 MB and 50,000 rows."),
        render_kw={"accept": ".csv,.xlsx,.txt"},
    )


class PeopleForm(UploadForm):
    """A file about people, which needs the brand's word on their consent."""

    consent = BooleanField(
        _("The brand holds the consent of everybody in this file to pass on their data."),
        validators=[InputRequired()],
    )


def form_pages() -> tuple[FormPage, ...]:
    """Return one page for each kind."""
    return tuple(_page(one) for one in KINDS.values())


def _page(kind: Kind) -> FormPage:
    base = PeopleForm if kind.needs_consent else UploadForm
    form = type(f"{kind.code.name.title()}Form", (base,), {"kind": kind, "__doc__": base.__doc__})
    return FormPage(
        name=kind.code.value,
        label=_(kind.title),
        title=_(kind.title),
        intro=_(kind.intro),
        button=_("Check the file"),
        permission=PERMISSIONS[kind.code],
        form=form,
        run=_take(kind),
        explain=explain,
        done=_("The file was read. Nothing of it has been written yet."),
        template="backoffice/import_upload.html",
        has_files=True,
    )


def _take(kind: Kind) -> Callable[[Any, Act], str]:
    def take(_row: None, act: Act) -> str:
        sent, consent = act.form.file.data, act.form.data.get("consent", False)
        data = sent.read(FILE_BYTES_MAX + 1)
        wish = services.Upload(kind.code, sent.filename or "", data, consent=bool(consent))
        run_id = services.upload(wish, actor=act.actor, now=act.now)
        rows = db.session.scalar(sa.select(ImportRun.rows_count).where(ImportRun.id == run_id))
        db.session.rollback()
        if rows is not None and rows <= CHECKED_AT_ONCE:
            running.work_now(run_id)
        _warn_of_same(run_id)
        return str(run_id)

    return take


def _warn_of_same(run_id: int) -> None:
    run = db.session.get_one(ImportRun, run_id)
    earlier = services.earlier_run(db.session(), run)
    if earlier is not None:
        flash(same_file(earlier), "warning")


def same_file(earlier: ImportRun) -> str:
    """Tell that a file was brought in before."""
    return gettext(
        "This very file was imported before, on %(day)s (import %(number)s).",
        day=moment(earlier.uploaded_at),
        number=earlier.id,
    )


def explain(error: DomainError, form: Any) -> bool:
    """Put what is wrong with a file beside the field of the file."""
    form.file.errors = [say_error(error)]
    return True


def init_app(app: Flask) -> None:
    """Let this one form take larger requests than all others, from those who may use it."""

    @app.url_value_preprocessor
    def allow_files(endpoint: str | None, _values: dict[str, Any] | None) -> None:
        if endpoint == ROUTE and request.method == "POST" and staff.may(Permission.IMPORTS):
            request.max_content_length = REQUEST_BYTES_MAX
