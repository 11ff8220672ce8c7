"""Monthly statements: on the page of a distributor, and of everybody as a file."""

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa
from flask import abort, request
from flask_admin import expose
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response

from admin import exports, staff
from admin.cells import Plain
from admin.details import Section, rows_section
from admin.exporting import Exports, File
from admin.tables import Shape, Table
from app.distribution import statements
from app.distribution.month_books import month_of
from app.distribution.statements import Statement
from app.kernel.db import database_now, db
from app.members.models import Distributor
from app.stores.permissions import Permission

MONTHS_SHOWN: Final = 12
BATCH: Final = 1_000
LABELS: Final = {
    "member_id": _("Distributor"),
    "month": _("Month"),
    "opening_fen": _("At the beginning"),
    "earned_fen": _("Earned"),
    "matured_fen": _("Matured"),
    "taken_back_fen": _("Taken back"),
    "paid_out_fen": _("Paid out"),
    "closing_fen": _("At the end"),
}
SUMS: Final = tuple(name for name in LABELS if name.endswith("_fen"))
OF_ONE: Final = Shape(("month", *SUMS), LABELS)
OF_ALL: Final = Shape(("member_id", "month", *SUMS), LABELS, {"member_id": "distributors"})


class Statements(Exports):
    """The part of the distributors' view that shows statements; mixed in."""

    def statements_section(self, member_id: int) -> Section | None:
        """Return the latest months of a distributor, for those who may see commission."""
        if not staff.may(Permission.AWARDS_VIEW):
            return None
        session = db.session()
        months = statements.months(session, member_id)[:MONTHS_SHOWN]
        rows = [statements.statement(session, member_id, month) for month in months]
        return rows_section(_("Monthly statements"), rows, OF_ONE)

    @expose("/statements/")
    def statements_export(self) -> Response:
        """Send the statements of a month as a file, of all whom the reader sees, and audit it."""
        if not (self.may_export() and staff.may(Permission.AWARDS_VIEW)):
            abort(403)
        now = database_now()
        month = request.args.get("month", "") or month_of(now)
        if not statements.is_month(month):
            abort(404)
        heads = [str(column.label) for column in OF_ALL.heads()]
        name = f"statements-{month}"
        return self.send(File(kind="csv", name=name, heads=heads, batches=_batches(month)))


def _batches(month: str) -> Iterator[list[list[Plain]]]:
    """Yield the cells of each statement of a month, in batches, the reader's stores only."""
    batch: list[Statement] = []
    for one in _visible(month):
        batch.append(one)
        if len(batch) == BATCH:
            yield _cells(batch)
            batch = []
    yield _cells(batch)


def _cells(batch: list[Statement]) -> list[list[Plain]]:
    table = Table(batch, OF_ALL)
    return [table.plain(row) for row in table.rows]


def _visible(month: str) -> Iterator[Statement]:
    session = db.session()
    store_ids = staff.visible_store_ids()
    everybody = list(statements.statements(session, month))[: exports.ROWS_MAX]
    if store_ids is None:
        yield from everybody
        return
    own = set(
        session.scalars(sa.select(Distributor.member_id).where(Distributor.store_id.in_(store_ids)))
    )
    yield from (one for one in everybody if one.member_id in own)
