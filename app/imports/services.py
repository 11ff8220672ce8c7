"""What can be done with imports: bring a file, begin or call off a run, take one up again.

Nothing of a file is written before somebody begins its run; reading and checking only tell what
would happen. The work itself is `app.imports.running`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import PurePath
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.imports.columns import match
from app.imports.errors import (
    ConsentNotDeclared,
    ImportNeedsSecond,
    ImportNotFound,
    ImportNotInState,
    NothingToImport,
)
from app.imports.kinds import KINDS
from app.imports.models import ImportRow, ImportRun
from app.imports.reading import Sheet, read_sheet
from app.imports.rights import demand_rights, staff_of
from app.imports.sealing import seal_texts
from app.imports.states import OPEN, ImportKind, ImportState
from app.kernel import audit, outbox
from app.kernel.audit import Actor, Change, Subject
from app.kernel.db import atomic, take_time
from app.stores.independence import require_independent
from app.stores.permissions import Permission
from app.stores.queries import visible_store_ids

INSERTED_AT_ONCE: Final = 1_000
KEPT: Final = timedelta(days=30)
"""How long the values of a run that has ended are kept, to be downloaded and mended."""
FORGOTTEN_AFTER: Final = timedelta(days=7)
"""A run that nobody begins within this is called off."""
FORGOTTEN_AT_ONCE: Final = 20
UNNAMED: Final = "file"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as somebody brought it; `consent` says that the brand holds that of the people."""

    kind: ImportKind
    file_name: str
    data: bytes
    consent: bool = False


def upload(wish: Upload, *, actor: Actor, now: datetime) -> int:
    """Read a file and keep its rows, sealed; returns the number of the run that will check them.

    Raises `ImportForbidden`, `ConsentNotDeclared`, what `read_sheet` raises, and `ColumnsWrong`.
    Opens transactions of its own, because reading a large file takes seconds.
    """
    kind = KINDS[wish.kind]
    with atomic() as session:
        demand_rights(session, actor, kind)
    if kind.needs_consent and not wish.consent:
        raise ConsentNotDeclared
    sheet = read_sheet(wish.data)
    names = match(kind.columns, sheet.headings)
    with atomic() as session:
        take_time(session)
        staff = staff_of(session, actor)
        visible = visible_store_ids(staff) if staff is not None else None
        run = ImportRun(
            kind=wish.kind,
            file_name=_plain_name(wish.file_name),
            file_sha256=hashlib.sha256(wish.data).hexdigest(),
            file_bytes=len(wish.data),
            columns=[one for one in names if one],
            state=ImportState.UPLOADED,
            consent_declared=kind.needs_consent,
            staff_id=actor.id,
            store_ids=sorted(visible) if visible is not None else None,
            rows_count=len(sheet.rows),
            uploaded_at=now,
        )
        session.add(run)
        session.flush()
        rows = _rows(run.id, names, sheet)
        while some := list(islice(rows, INSERTED_AT_ONCE)):
            session.execute(sa.insert(ImportRow), some)
        _record(session, run, actor, "import.uploaded", now=now)
        outbox.emit(session, "import_uploaded", run.id, now=now)
        return run.id


def _rows(run_id: int, names: list[str], sheet: Sheet) -> Iterator[dict[str, Any]]:
    for line, cells in sheet.rows:
        texts = {name: cell for name, cell in zip(names, cells, strict=False) if name and cell}
        over = any(one.strip() for one in cells[len(names) :])
        yield {
            "run_id": run_id,
            "line": line,
            "values_sealed": seal_texts(texts, has_more=over),
        }


def _plain_name(text: str) -> str:
    """Return the name of a file without its folders and without what cannot be shown."""
    name = PurePath(text.replace("\\", "/")).name
    return "".join(one for one in name if one.isprintable())[:200] or UNNAMED


def begin(session: Session, run_id: int, *, actor: Actor, now: datetime) -> ImportRun:
    """Let the valid rows of a checked run be written.

    Where a row does what two people decide, somebody other than who brought the file begins it,
    and both must have that right. Raises `ImportNotFound`, `ImportNotInState`, `NothingToImport`,
    `ImportForbidden`, `ImportNeedsSecond`.
    """
    run = lock_run(session, run_id)
    demand_rights(session, actor, KINDS[run.kind])
    if run.state is not ImportState.CHECKED:
        raise ImportNotInState(run.state.value)
    if run.valid_count == 0:
        raise NothingToImport
    if run.needs_second:
        run.second_staff_id = _second(session, run, actor, now=now)
    run.state, run.begun_at = ImportState.RUNNING, now
    session.flush()
    _record(session, run, actor, "import.begun", now=now)
    outbox.emit(session, "import_begun", run.id, now=now)
    return run


def _second(session: Session, run: ImportRun, actor: Actor, *, now: datetime) -> int:
    if run.staff_id is None or actor.id is None or actor.id == run.staff_id:
        raise ImportNeedsSecond
    kind, people = KINDS[run.kind], (actor, Actor("staff", run.staff_id))
    for one in people:
        demand_rights(session, one, kind, more=Permission.DISTRIBUTORS_MOVE)
    require_independent(session, people, now=now)
    return actor.id


def cancel(session: Session, run_id: int, *, actor: Actor, now: datetime) -> ImportRun:
    """Call a run off; rows that were written stay, the batch under way ends first.

    Raises `ImportNotFound`, `ImportForbidden`, `ImportNotInState`.
    """
    run = lock_run(session, run_id)
    demand_rights(session, actor, KINDS[run.kind])
    if run.state not in OPEN:
        raise ImportNotInState(run.state.value)
    run.state, run.ended_at, run.lease_until_at = ImportState.CANCELLED, now, None
    session.flush()
    _record(session, run, actor, "import.cancelled", now=now)
    return run


def resume(session: Session, run_id: int, *, actor: Actor, now: datetime) -> ImportRun:
    """Take up a run again that failed; what was written is not written twice.

    Raises `ImportNotFound`, `ImportForbidden`, `ImportNotInState`.
    """
    run = lock_run(session, run_id)
    demand_rights(session, actor, KINDS[run.kind])
    if run.state is not ImportState.FAILED:
        raise ImportNotInState(run.state.value)
    run.state = ImportState.UPLOADED if run.begun_at is None else ImportState.RUNNING
    run.error, run.ended_at = None, None
    session.flush()
    _record(session, run, actor, "import.resumed", now=now)
    outbox.emit(session, "import_begun", run.id, now=now)
    return run


def lock_run(session: Session, run_id: int) -> ImportRun:
    """Lock a run. Raises `ImportNotFound`."""
    run = session.get(ImportRun, run_id, with_for_update=True, populate_existing=True)
    if run is None:
        raise ImportNotFound
    return run


def earlier_run(session: Session, run: ImportRun) -> ImportRun | None:
    """Return the latest run before this one of the very same file that wrote something."""
    return session.scalar(
        sa.select(ImportRun)
        .where(
            ImportRun.file_sha256 == run.file_sha256,
            ImportRun.kind == run.kind,
            ImportRun.id < run.id,
            ImportRun.done_count > 0,
        )
        .order_by(ImportRun.id.desc())
        .limit(1)
    )


def forget(session: Session, *, now: datetime) -> int:
    """Call off runs that nobody began, and forget the values of runs that ended long ago.

    Returns how many runs it touched, a batch at most.
    """
    idle = session.scalars(
        sa.select(ImportRun)
        .where(ImportRun.state == ImportState.CHECKED, ImportRun.checked_at < now - FORGOTTEN_AFTER)
        .order_by(ImportRun.id)
        .limit(FORGOTTEN_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for run in idle:
        run.state, run.ended_at = ImportState.CANCELLED, now
    session.flush()
    has_values = sa.exists().where(
        ImportRow.run_id == ImportRun.id, ImportRow.values_sealed.is_not(None)
    )
    old = session.scalars(
        sa.select(ImportRun.id)
        .where(ImportRun.ended_at < now - KEPT, has_values)
        .order_by(ImportRun.id)
        .limit(FORGOTTEN_AT_ONCE)
    ).all()
    session.execute(
        sa.update(ImportRow)
        .where(ImportRow.run_id.in_(old), ImportRow.state.in_(["read", "valid"]))
        .values(state="skipped")
        .execution_options(synchronize_session=False)
    )
    session.execute(
        sa.update(ImportRow)
        .where(ImportRow.run_id.in_(old))
        .values(values_sealed=None)
        .execution_options(synchronize_session=False)
    )
    return len(idle) + len(old)


def _record(session: Session, run: ImportRun, actor: Actor, action: str, *, now: datetime) -> None:
    """Write to the audit trail what was done to a run, with what it holds."""
    audit.record(
        session, actor, action, Subject("imports", run.id), Change(after=facts_of(run)), now=now
    )


def facts_of(run: ImportRun) -> dict[str, Any]:
    """Return what the audit trail tells of a run."""
    return {
        "kind": run.kind.value,
        "file_sha256": run.file_sha256,
        "rows_count": run.rows_count,
        "valid_count": run.valid_count,
        "wrong_count": run.wrong_count,
        "done_count": run.done_count,
        "skipped_count": run.skipped_count,
        "failed_count": run.failed_count,
    }
