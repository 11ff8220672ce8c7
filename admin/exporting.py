"""The part of a view that sends its list as a file; mixed into `ScopedView`.

A file leaves while its rows are read, batch by batch, each in a short transaction of its own, so
that neither memory nor the database feels how long it is. What happens is audited twice: that it
begins and what was asked for, before the first byte; how many rows left and whether all of them
did, after the last.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final

from flask import Response, abort, g, request, stream_with_context
from flask_admin import expose

from admin import exports, listing, staff
from admin.actions import joined
from admin.cells import Plain
from admin.i18n import gettext, locale
from admin.part import Part
from admin.tables import Shape, Table
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.db import atomic, database_now, db
from app.stores import export_slots
from app.stores.permissions import Permission

LONG_NUMBER: Final = re.compile(r"\d{7,}")
"""What could be a phone number stays out of the trail."""
FILTERS_KEPT: Final = 40
FILTER_LENGTH: Final = 200
SIGN_OF_LIFE: Final = timedelta(seconds=20)
RETRY_SECONDS: Final = 30
KNOWN_OF_PERSON: Final = ("_login_user", "backoffice_permissions", "backoffice_stores")
"""What a request remembers of who is here; Flask-Login and `admin.staff` ask again without it."""


class NoLongerAllowed(Exception):
    """Whoever asked for a file may not have it any more, and it is not whole yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What leaves: a kind of `exports.TYPES`, a name without it, and rows as they are read."""

    kind: str
    name: str
    heads: Sequence[str]
    batches: Iterable[Sequence[Sequence[Plain]]]


@dataclass(slots=True)
class _Run:
    """How far a file has come."""

    actor: Actor
    staff_id: int
    token: str
    kind: str
    seen_at: datetime
    is_allowed: Callable[[], bool]
    rows: int = 0
    outcome: str = "broken_off"

    def cut(self) -> list[Plain]:
        """Note that the file ends before its rows do; returns the row that says so."""
        self.outcome = "cut"
        text = gettext(
            "Cut off here: this file holds %(rows)s rows and there are more. Narrow the list and"
            " take the rest out with another file.",
            rows=self.rows,
        )
        return [text]


class _Stream:
    """A file that is read within the context of its request, from whichever thread.

    Servers ask for the pieces of one answer from several threads, and what Flask knows of a request
    is kept by thread; so each piece is made in a context that goes along.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = stream_with_context(pieces)
        self._context = copy_context()
        self._has_begun = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self._has_begun = True
        return self._context.run(next, self._pieces)

    def close(self) -> None:
        """End the file where it is; the server calls it when it was sent or broken off.

        What never began has to begin, or it could not say that it ended.
        """
        if not self._has_begun:
            next(self)
        self._context.run(self._pieces.close)  # type: ignore[attr-defined]  # it is a generator


class Exports(Part):
    """What staff with the right to it may take out: the rows they see, as they see them."""

    exported: ClassVar[tuple[str, ...]] = ()
    """Columns of the file where the reader chose none; those of the list where none are named."""

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
        shape = Shape(self.file_columns(), self.labels, self.references, self.computed)
        heads = [str(column.label) for column in shape.heads()]
        batches = self._exported_batches(wish, shape)
        return self.send(File(kind=export_type, name=self.endpoint, heads=heads, batches=batches))

    def send(self, file: File) -> Response:
        """Send a file while it is read: one at a time for each person, and audited."""
        me = staff.current()
        assert me is not None, "a view let in somebody who is not signed in"
        if request.method == "HEAD":
            return Response(mimetype=exports.MIME[file.kind])
        now = database_now()
        kind, token = file.kind, secrets.token_hex(8)
        run = _Run(staff.actor(), me.id, token, kind, now, self._is_still_allowed)
        if not joined(export_slots.take, run.staff_id, token=run.token, now=now):
            return self._busy()
        _audit(self.endpoint, run, "exported", {"type": kind, **_asked(file)}, now)
        pieces = exports.write(
            kind, file.heads, _watched(file.batches, run), now=now, when_full=run.cut
        )
        answer = Response(_Stream(_sent(pieces, run, self.endpoint)), mimetype=exports.MIME[kind])
        name = f"tuoke-{file.name}-{now:%Y%m%d-%H%M%S}.{kind}"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        answer.headers["X-Accel-Buffering"] = "no"
        return answer

    def _is_still_allowed(self) -> bool:
        return bool(self.is_accessible()) and self.may_export()

    def _busy(self) -> Response:
        text = gettext(
            "Another file of yours is still on its way. Wait until it is complete, or cancel it in"
            " the browser; then ask for this one again."
        )
        page = self.render(
            "backoffice/error.html", code=429, title=gettext("One file at a time"), text=text
        )
        return Response(page, status=429, headers={"Retry-After": str(RETRY_SECONDS)})

    def file_columns(self) -> tuple[str, ...]:
        """Return what a file shows of each row."""
        return self.chosen_columns() or self.exported or tuple(self.column_list)

    def _exported_batches(
        self, wish: listing.Request, shape: Shape
    ) -> Iterator[Sequence[Sequence[Plain]]]:
        """Yield rows in batches, newest first, each found by its place, until there are no more."""
        step = replace(wish, sort="", after=None, before=None, size=exports.BATCH)
        while True:
            page = self.page_of(self.loaded(self.narrowed(wish.search)), step)
            table = Table(page.rows, shape)
            yield [table.plain(row) for row in table.rows]
            if page.older is None:
                return
            step = replace(step, after=page.older["after"])


def _watched(
    batches: Iterable[Sequence[Sequence[Plain]]], run: _Run
) -> Iterator[Sequence[Sequence[Plain]]]:
    """Pass batches on up to the limit; each is read in a transaction of its own."""
    most = exports.most_rows(run.kind)
    coming = iter(batches)
    while True:
        _look_again(run)
        rows = next(coming, None)
        db.session.rollback()
        if rows is None:
            return
        if len(rows) > most - run.rows:
            kept = rows[: most - run.rows]
            run.rows = most
            yield [*kept, run.cut()]
            return
        run.rows += len(rows)
        yield rows


def _look_again(run: _Run) -> None:
    """Ask anew who is here, what they may do and whose rows they see; keep the slot.

    A file takes minutes. Whoever is disabled, signed out or moved to another store meanwhile gets
    nothing more that is not theirs.
    """
    for known in KNOWN_OF_PERSON:
        g.pop(known, None)
    if not run.is_allowed():
        raise NoLongerAllowed
    now = database_now()
    if now - run.seen_at > SIGN_OF_LIFE:
        run.seen_at = now
        joined(export_slots.keep, run.staff_id, token=run.token, now=now)


def _sent(pieces: Iterator[bytes], run: _Run, subject: str) -> Iterator[bytes]:
    """Yield a file; whether it was sent whole or not, say so in the trail and free the slot."""
    try:
        yield from pieces
        if run.outcome != "cut":
            run.outcome = "whole"
    finally:
        db.session.rollback()
        facts = {"type": run.kind, "rows": run.rows, "outcome": run.outcome}
        _audit(subject, run, "export_ended", facts, database_now())
        joined(export_slots.leave, run.staff_id, token=run.token)


def _asked(file: File) -> dict[str, object]:
    """Return what a file was asked for, without what could be a phone number."""
    wanted = {
        name[:FILTER_LENGTH]: LONG_NUMBER.sub("…", text[:FILTER_LENGTH])
        for name, text in list(request.args.items())[:FILTERS_KEPT]
    }
    return {"filters": wanted, "columns": list(file.heads), "locale": locale()}


def _audit(subject: str, run: _Run, action: str, facts: dict[str, object], now: datetime) -> None:
    with atomic() as session:
        audit.record(session, run.actor, action, Subject(subject), Change(after=facts), now=now)
