"""`flask import`: bring a file in from the command line, checked first, row by row."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
import sqlalchemy as sa
from rich.console import Console
from rich.progress import Progress

from app.imports import running, services
from app.imports.columns import Fault
from app.imports.models import ImportRow, ImportRun
from app.imports.states import TROUBLED, ImportKind, ImportState
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, database_now, db
from app.kernel.errors import DomainError
from app.kernel.i18n import ENGLISH, translate

NAMED_MAX: Final = 50
"""How many wrong rows are named; JSON names all."""
COUNTS: Final = ("rows", "valid", "wrong", "done", "skipped", "failed")


@click.command("import")
@click.argument("kind", type=click.Choice([one.value for one in ImportKind]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check only; nothing is written.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--we-hold-consent", is_flag=True, help="The brand holds the consent of the people in the file."
)
def import_file(
    *, kind: str, file: Path, dry_run: bool, as_json: bool, we_hold_consent: bool
) -> None:
    """Bring in the rows of FILE (CSV or XLSX); those that are wrong are named and left out.

    Ends with status 1 where a row was wrong, with status 2 where the file was refused.
    """
    wish = services.Upload(ImportKind(kind), file.name, file.read_bytes(), we_hold_consent)
    try:
        run_id = services.upload(wish, actor=SYSTEM, now=database_now())
        running.work_now(run_id)
        if dry_run:
            _call_off(run_id)
        elif _run(run_id).valid_count:
            _write(run_id, is_quiet=as_json)
    except DomainError as error:
        raise click.UsageError(translate(error.message(), ENGLISH)) from None
    run = _run(run_id)
    _tell(run, _wrong_rows(run), as_json=as_json)
    is_well = run.wrong_count + run.failed_count == 0 and run.state is not ImportState.FAILED
    sys.exit(0 if is_well else 1)


def _run(run_id: int) -> ImportRun:
    return db.session.get_one(ImportRun, run_id, populate_existing=True)


def _call_off(run_id: int) -> None:
    now = database_now()
    with atomic() as session:
        services.cancel(session, run_id, actor=SYSTEM, now=now)


def _write(run_id: int, *, is_quiet: bool) -> None:
    """Begin the run and write its rows here, under a progress bar."""
    now = database_now()
    with atomic() as session:
        total = services.begin(session, run_id, actor=SYSTEM, now=now).valid_count
    with Progress(console=Console(stderr=True, quiet=is_quiet)) as shown:
        task = shown.add_task("Importing", total=total)
        running.work_now(run_id, tell=lambda count: shown.advance(task, count))


def _wrong_rows(run: ImportRun) -> list[dict[str, Any]]:
    rows = db.session.scalars(
        sa.select(ImportRow)
        .where(ImportRow.run_id == run.id, ImportRow.state.in_(list(TROUBLED)))
        .order_by(ImportRow.line)
    )
    return [
        {
            "line": row.line,
            "state": row.state.value,
            "faults": [_fault(Fault.from_json(one)) for one in row.faults],
        }
        for row in rows
    ]


def _fault(fault: Fault) -> dict[str, str]:
    return {
        "column": fault.column,
        "code": fault.code,
        "says": translate(fault.message, ENGLISH),
    }


def _tell(run: ImportRun, wrong: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    counts = {name: getattr(run, f"{name}_count") for name in COUNTS}
    if as_json:
        told = {"run": run.id, "state": run.state.value, "error": run.error, **counts}
        click.echo(json.dumps({**told, "wrong_rows": wrong}, ensure_ascii=False))
        return
    for row in wrong[:NAMED_MAX]:
        says = " ".join(f"{one['column'] or 'row'}: {one['says']}" for one in row["faults"])
        click.echo(f"row {row['line']}  {says}")
    if len(wrong) > NAMED_MAX:
        click.echo(f"... and {len(wrong) - NAMED_MAX} more; --json names all")
    listed = ", ".join(f"{count} {name}" for name, count in counts.items())
    click.echo(f"import {run.id} {run.state.value}: {listed}")
