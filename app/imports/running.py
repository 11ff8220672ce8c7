"""Writing the rows of a run: batch by batch, each row at most once, however often a worker dies.

A worker takes a run with a lease that each batch renews; one that dies loses it, and the next goes
on where the last batch ended. A row's state changes in the very transaction that holds its effect,
and rows are claimed with SKIP LOCKED, so that even two workers on one run write no row twice.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from app.imports.checking import check_run, look_up, read_stored
from app.imports.columns import Fault
from app.imports.contract import Kind, Scene
from app.imports.errors import RowRefused
from app.imports.kinds import KINDS
from app.imports.models import ImportRow, ImportRun
from app.imports.rights import scene_of
from app.imports.services import facts_of, lock_run
from app.imports.states import WORKING, ImportState, RowState
from app.kernel import audit
from app.kernel.audit import SYSTEM, Actor, Change, Subject
from app.kernel.db import atomic, database_now, retrying
from app.kernel.errors import DomainError
from app.kernel.i18n import N_, Message

Clock: TypeAlias = Callable[[], datetime]
Tell: TypeAlias = Callable[[int], None]

LEASE: Final = timedelta(minutes=2)
"""Longer than one batch, or the check of one large file, can take."""
BATCH_ROWS: Final = 100
BROKEN: Final = N_("This row could not be written: another one holds the same.")

log = structlog.get_logger()


def work(clock: Clock = database_now) -> int:
    """Check and write every run that waits; return how many were taken up."""
    count = 0
    while (run_id := _claim(clock())) is not None:
        work_on(run_id, clock)
        count += 1
    return count


def work_now(run_id: int, clock: Clock = database_now, *, tell: Tell | None = None) -> None:
    """Work on one run here, unless a worker has it already; `tell` hears of each batch."""
    if _claim(clock(), run_id) is not None:
        work_on(run_id, clock, tell=tell)


def _claim(now: datetime, run_id: int | None = None) -> int | None:
    """Take a run that waits and that no living worker has."""
    query = (
        sa.select(ImportRun)
        .where(
            ImportRun.state.in_(WORKING),
            sa.or_(ImportRun.lease_until_at.is_(None), ImportRun.lease_until_at < now),
        )
        .order_by(ImportRun.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if run_id is not None:
        query = query.where(ImportRun.id == run_id)
    with atomic() as session:
        run = session.scalar(query)
        if run is None:
            return None
        run.lease_until_at = now + LEASE
        return run.id


def work_on(run_id: int, clock: Clock = database_now, *, tell: Tell | None = None) -> None:
    """Go on with a run until it is checked, or has ended, or somebody calls it off."""
    try:
        while count := retrying(lambda: step(run_id, now=clock())):
            if tell is not None:
                tell(count)
    except Exception as error:
        log.exception("import_failed", run_id=run_id)
        code = error.code if isinstance(error, DomainError) else type(error).__name__
        _fail(run_id, code, now=clock())


def step(run_id: int, *, now: datetime) -> int:
    """Check a run, or write its next batch; return how many rows that took, 0 at the end."""
    with atomic() as session:
        run = lock_run(session, run_id)
        if run.state is ImportState.UPLOADED:
            check_run(session, run, now=now)
            return 0
        if run.state is not ImportState.RUNNING:
            return 0
        scene = scene_of(session, run, KINDS[run.kind], now=now)
        written = _write_batch(session, run, scene)
        if written:
            run.lease_until_at = now + LEASE
        else:
            _end(session, run, ImportState.DONE, now=now)
        session.flush()
        return written


def _write_batch(session: Session, run: ImportRun, scene: Scene) -> int:
    rows = session.scalars(
        sa.select(ImportRow)
        .where(ImportRow.run_id == run.id, ImportRow.state == RowState.VALID)
        .order_by(ImportRow.line)
        .limit(BATCH_ROWS)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    kind = KINDS[run.kind]
    for row in rows:
        _write_row(session, kind, row, scene)
    states = [one.state for one in rows]
    run.done_count += states.count(RowState.DONE)
    run.skipped_count += states.count(RowState.SKIPPED)
    run.failed_count += states.count(RowState.FAILED)
    return len(rows)


def _write_row(session: Session, kind: Kind, stored: ImportRow, scene: Scene) -> None:
    """Write one row; what is refused is undone by itself and says why."""
    row = read_stored(kind, stored.line, stored.values_sealed)
    faults: Sequence[Fault] = ()
    subject_id = None
    try:
        with session.begin_nested():
            look_up(session, kind, row, scene)
            subject_id = kind.write(session, row, scene)
    except RowRefused as refused:
        faults = refused.faults
    except DomainError as error:
        faults = [Fault("", error.code, Message(error.text, _plain(error)))]
    except (IntegrityError, DataError):
        faults = [Fault("", "row_broken", Message(BROKEN))]
    if faults:
        stored.state, stored.faults = RowState.FAILED, [one.to_json() for one in faults]
    elif subject_id is None:
        stored.state = RowState.SKIPPED
    else:
        stored.state, stored.subject_id = RowState.DONE, subject_id
    session.flush()


def _plain(error: DomainError) -> dict[str, str | int]:
    """Return the facts of a refusal as a row can store them."""
    facts = error.parameters()
    return {name: one if isinstance(one, int) else str(one) for name, one in facts.items()}


def _fail(run_id: int, code: str, *, now: datetime) -> None:
    with atomic() as session:
        run = lock_run(session, run_id)
        if run.state in WORKING:
            run.error = code
            _end(session, run, ImportState.FAILED, now=now)


def _end(session: Session, run: ImportRun, state: ImportState, *, now: datetime) -> None:
    run.state, run.ended_at, run.lease_until_at = state, now, None
    session.flush()
    actor = SYSTEM if run.staff_id is None else Actor("staff", run.staff_id)
    audit.record(
        session,
        actor,
        f"import.{state.value}",
        Subject("imports", run.id),
        Change(after=facts_of(run)),
        now=now,
    )
