"""The part of a view that sends its list as a file; mixed into `ScopedView`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import ClassVar, Final

from flask import abort, flash, request, send_file
from flask_admin import expose
from werkzeug.wrappers import Response

from admin import exports, listing, staff
from admin.cells import Plain
from admin.i18n import gettext, locale
from admin.part import Part
from admin.tables import Shape, Table
from app.kernel import audit
from app.kernel.audit import Change, Subject
from app.kernel.db import atomic, database_now
from app.stores.permissions import Permission

LONG_NUMBER: Final = re.compile(r"\d{7,}")
"""What could be a phone number stays out of the trail."""


class Exports(Part):
    """What staff with the right to it may take out: the rows they see, as they see them."""

    exported: ClassVar[tuple[str, ...]] = ()
    """Columns of the file; those of the list where none are named."""

    def may_export(self) -> bool:
        """Tell whether the person here may take these rows out."""
        return bool(self.can_export) and staff.may(Permission.EXPORTS)

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Response:
        """Send the list as it is narrowed now as a file, and audit it."""
        if export_type not in exports.TYPES:
            abort(404)
        if not self.may_export():
            abort(403)
        wish = listing.Request.read(request.args, sortable=self.sortable, size=exports.BATCH)
        shape = Shape(
            self.exported or tuple(self.column_list), self.labels, self.references, self.computed
        )
        counter = _Counter()
        heads = [str(column.label) for column in shape.heads()]
        file = exports.write(export_type, heads, counter.over(self._exported_rows(wish, shape)))
        self._audit_export(export_type, counter.count)
        if counter.count >= exports.ROWS_MAX:
            flash(gettext("The file ends after %(max)s rows.", max=exports.ROWS_MAX), "error")
        now = database_now()
        name = f"tuoke-{self.endpoint}-{now:%Y%m%d-%H%M%S}.{export_type}"
        return send_file(
            file, mimetype=exports.MIME[export_type], as_attachment=True, download_name=name
        )

    def _exported_rows(self, wish: listing.Request, shape: Shape) -> Iterator[list[Plain]]:
        """Yield rows in batches, each found by its place, until there are no more or too many."""
        sent = 0
        step = replace(wish, sort="", after=None, before=None, size=exports.BATCH)
        while sent < exports.ROWS_MAX:
            page = self.page_of(self.loaded(self.narrowed(wish.search)), step)
            table = Table(page.rows[: exports.ROWS_MAX - sent], shape)
            yield from map(table.plain, table.rows)
            sent += len(table.rows)
            if page.older is None:
                return
            step = replace(step, after=page.older["after"])

    def _audit_export(self, export_type: str, count: int) -> None:
        who, now = staff.actor(), database_now()
        wanted = {name: LONG_NUMBER.sub("…", text) for name, text in request.args.items()}
        facts = {"rows": count, "type": export_type, "filters": wanted}
        with atomic() as session:
            audit.record(
                session,
                who,
                "exported",
                Subject(self.endpoint),
                Change(after={**facts, "locale": locale()}),
                now=now,
            )


class _Counter:
    """Counts what passes through."""

    count = 0

    def over(self, rows: Iterable[list[Plain]]) -> Iterator[list[Plain]]:
        """Yield the rows and count them."""
        for row in rows:
            self.count += 1
            yield row
