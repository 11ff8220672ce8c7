"""The dry run: every row is read and looked up, and nothing is written but what was found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.imports.columns import Row, read_row
from app.imports.contract import Kind, Scene
from app.imports.errors import RowRefused
from app.imports.kinds import KINDS
from app.imports.models import ImportRow, ImportRun
from app.imports.rights import scene_of
from app.imports.sealing import MORE, open_texts
from app.imports.states import ImportState, RowState
from app.kernel.db import take_time
from app.kernel.i18n import N_

CHECKED_AT_ONCE: Final = 1_000


@dataclass(slots=True)
class _Seen:
    """What earlier rows of the same file hold."""

    lines: dict[str, int] = field(default_factory=dict)
    """The line of the first row with a key, right or wrong."""
    valid: set[str] = field(default_factory=set)
    needs_second: bool = False
    valid_count: int = 0
    wrong_count: int = 0


def check_run(session: Session, run: ImportRun, *, now: datetime) -> None:
    """Check every row of a run that is locked, and say how many can be written.

    In sets of rows, so that a large file needs little memory and few queries. Raises
    `ImportForbidden` where the person lost the right meanwhile.
    """
    take_time(session)
    kind = KINDS[run.kind]
    scene = scene_of(session, run, kind, now=now, is_trial=True)
    seen = _Seen()
    for rows in _sets(session, run.id, kind):
        kind.check(session, [one for one in rows if one.values], scene)
        for row in rows:
            _compare(kind, row, seen)
        _keep(session, run.id, rows)
    run.valid_count, run.wrong_count = seen.valid_count, seen.wrong_count
    run.needs_second = seen.needs_second
    run.state, run.checked_at, run.lease_until_at = ImportState.CHECKED, now, None
    session.flush()


def look_up(session: Session, kind: Kind, row: Row, scene: Scene) -> None:
    """Look one row up just before it is written. Raises `RowRefused` where that is wrong now."""
    if not row.faults:
        kind.check(session, [row], scene)
    if row.faults:
        raise RowRefused(tuple(row.faults))


def read_stored(kind: Kind, line: int, sealed: str | None) -> Row:
    """Read a row as it is stored."""
    texts = open_texts(sealed)
    has_more = texts.pop(MORE, None) is not None
    row = read_row(kind.columns, line, texts, rule=kind.rule)
    if has_more:
        row.refuse("", "too_many_cells", N_("This row has cells beyond the last heading."))
    return row


def _sets(session: Session, run_id: int, kind: Kind) -> Iterator[list[Row]]:
    last = 0
    while True:
        stored = session.execute(
            sa.select(ImportRow.line, ImportRow.values_sealed)
            .where(ImportRow.run_id == run_id, ImportRow.line > last)
            .order_by(ImportRow.line)
            .limit(CHECKED_AT_ONCE)
        ).all()
        if not stored:
            return
        yield [read_stored(kind, one.line, one.values_sealed) for one in stored]
        last = stored[-1].line


def _compare(kind: Kind, row: Row, seen: _Seen) -> None:
    """Refuse what stands in an earlier row already, or waits for one that is not there."""
    key = kind.key(row)
    if key and (first := seen.lines.setdefault(key, row.line)) != row.line:
        text = N_("The same stands in row %(line)s.")
        row.refuse("", "twice_in_file", text, line=first)
    kind.settle_waiting(row, seen.valid)
    if row.faults:
        seen.wrong_count += 1
        return
    seen.valid_count += 1
    seen.valid.add(key)
    seen.needs_second = seen.needs_second or kind.needs_second(row)


def _keep(session: Session, run_id: int, rows: Sequence[Row]) -> None:
    good = [one.line for one in rows if not one.faults]
    if good:
        session.execute(
            sa.update(ImportRow)
            .where(ImportRow.run_id == run_id, ImportRow.line.in_(good))
            .values(state=RowState.VALID, faults=[])
            .execution_options(synchronize_session=False)
        )
    bad: list[dict[str, Any]] = [
        {
            "run_id": run_id,
            "line": one.line,
            "state": RowState.WRONG,
            "faults": [fault.to_json() for fault in one.faults],
        }
        for one in rows
        if one.faults
    ]
    if bad:
        session.execute(sa.update(ImportRow), bad)
