"""What the page of an import shows: how far it is, what would happen or has, and the rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from flask import request
from flask_babel import lazy_gettext as _
from sqlalchemy.sql import Select

from admin import staff
from admin.details import Section, sentences_section
from admin.directory import Reference
from admin.i18n import gettext, ngettext, say, say_error
from admin.imports_files import told
from admin.imports_forms import same_file
from admin.labels import label_of
from admin.tables import Shape, Table
from app.imports import services
from app.imports.columns import Fault
from app.imports.contract import Kind
from app.imports.errors import ImportForbidden
from app.imports.kinds import KINDS
from app.imports.models import ImportRow, ImportRun
from app.imports.sealing import MORE, open_texts
from app.imports.states import TROUBLED, WORKING, ImportKind, ImportState, RowState
from app.kernel.db import db
from app.kernel.money import BASIS_POINTS
from app.kernel.secrecy import mask_phone

ROWS_SHOWN: Final = 200
CELL_SHOWN: Final = 60
PARAMETER: Final = "rows"
REGISTERS: Final[Mapping[ImportKind, str]] = {
    ImportKind.MEMBERS: "expected_members",
    ImportKind.HISTORIC_ORDERS: "historic_orders",
    ImportKind.DISTRIBUTORS: "distributors",
    ImportKind.PRODUCTS: "products",
    ImportKind.STOCK: "products",
}
"""Where what a row made is found."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, as the page that waits shows it."""

    id: int
    progress_bp: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one state, and the other states there are."""

    table: Table
    tabs: Sequence[tuple[str, Any, int, bool]]
    """Value, label, count, and whether it is the one shown."""
    run_id: int
    has_wrong: bool
    is_cut: bool


def progress_of(run: ImportRun) -> Progress:
    """Return how much of a run is done."""
    written = run.done_count + run.skipped_count + run.failed_count
    return Progress(run.id, written * BASIS_POINTS // max(run.valid_count, 1))


def sections(run: ImportRun) -> Iterator[Section | None]:
    """Tell how far a run is, what comes next, and show its rows."""
    if run.state in WORKING:
        template = "backoffice/simulation_progress.html"
        yield Section(_("Progress"), "progress", template=template, facts=progress_of(run))
    sentences = list(_sentences(run))
    if sentences:
        yield sentences_section(_("What this means"), sentences)
    yield Section(_("Rows"), "rows", template="backoffice/import_rows.html", facts=_rows(run))


def _sentences(run: ImportRun) -> Iterable[str]:
    if run.state is ImportState.CHECKED:
        yield _can_be(run)
        yield gettext("Nothing has been written yet.")
        if run.needs_second:
            yield gettext("It gives levels by hand: a colleague with that right has to begin it.")
    if run.state is ImportState.FAILED:
        yield _why(run)
        yield gettext("What was written stays; going on writes only the rest.")
    if run.state is ImportState.CANCELLED and run.begun_at is not None:
        yield gettext("What was written before it was called off stays.")
    earlier = services.earlier_run(db.session(), run)
    if earlier is not None:
        yield same_file(earlier)


def _can_be(run: ImportRun) -> str:
    good = ngettext(
        "%(num)s row can be imported.", "%(num)s rows can be imported.", run.valid_count
    )
    if run.wrong_count == 0:
        return good
    bad = ngettext(
        "%(num)s row is wrong and would be left out.",
        "%(num)s rows are wrong and would be left out.",
        run.wrong_count,
    )
    return f"{good} {bad}"


def _why(run: ImportRun) -> str:
    if run.error == ImportForbidden.code:
        return say_error(ImportForbidden())
    return gettext("It broke off: %(error)s.", error=run.error)


def _rows(run: ImportRun) -> Rows:
    counts = _counts(run)
    shown = _wished(counts)
    query = sa.select(ImportRow).where(ImportRow.run_id == run.id)
    if shown is not None:
        query = query.where(ImportRow.state == shown)
    found = db.session.scalars(query.order_by(ImportRow.line).limit(ROWS_SHOWN + 1)).all()
    tabs = [("all", gettext("All"), run.rows_count, shown is None)]
    tabs += [
        (state.value, label_of(state), count, state is shown) for state, count in counts.items()
    ]
    return Rows(
        _table(run, found[:ROWS_SHOWN]),
        tabs,
        run.id,
        has_wrong=any(state in TROUBLED for state in counts),
        is_cut=len(found) > ROWS_SHOWN,
    )


def _counts(run: ImportRun) -> dict[RowState, int]:
    counted = db.session.execute(
        sa.select(ImportRow.state, sa.func.count())
        .where(ImportRow.run_id == run.id)
        .group_by(ImportRow.state)
    )
    found = {state: int(count) for state, count in counted}
    return {state: found[state] for state in RowState if state in found}


def _wished(counts: Mapping[RowState, int]) -> RowState | None:
    """Return the state that the address asks for; without one, what needs somebody's eye."""
    text = request.args.get(PARAMETER, "")
    if text == "all":
        return None
    asked = [state for state in counts if state.value == text]
    return next(iter(asked), next((one for one in counts if one in TROUBLED), None))


def _table(run: ImportRun, rows: Sequence[ImportRow]) -> Table:
    kind = KINDS[run.kind]
    columns = [one.name for one in kind.columns if one.name in run.columns]
    labels = {f"cell_{name}": say(kind.by_name[name].label) for name in columns}
    has_made = any(row.subject_id is not None for row in rows)
    has_faults = any(row.faults for row in rows)
    shape = Shape(
        (
            "line",
            "state",
            *(("note",) if has_faults else ()),
            *labels,
            *(("made",) if has_made else ()),
        ),
        {
            "line": gettext("Row"),
            "note": gettext("What is wrong"),
            "made": gettext("Result"),
            **labels,
        },
    )
    return Table([_source(kind, row, columns) for row in rows], shape)


def _source(kind: Kind, row: ImportRow, columns: Sequence[str]) -> dict[str, Any]:
    texts = open_texts(row.values_sealed)
    made = row.subject_id
    return {
        "line": row.line,
        "state": row.state,
        "note": told(kind, [Fault.from_json(one) for one in row.faults]),
        "made": Reference(REGISTERS[kind.code], made) if made is not None else None,
        **{f"cell_{name}": _shown(kind, name, texts.get(name, "")) for name in columns},
    }


def _shown(kind: Kind, name: str, text: str) -> str:
    """Return a cell as pages show it: short, and without a whole phone number."""
    if text and kind.by_name[name].is_phone:
        return mask_phone(text.strip())
    return text if len(text) <= CELL_SHOWN else f"{text[:CELL_SHOWN]}…"


def wrong_lines(run: ImportRun) -> Iterator[list[str]]:
    """Yield the rows that are wrong or failed as they were brought, each with what is wrong."""
    kind = KINDS[run.kind]
    names = list(run.columns)
    query: Select[Any] = (
        sa.select(ImportRow.values_sealed, ImportRow.faults)
        .where(
            ImportRow.run_id == run.id,
            ImportRow.state.in_(list(TROUBLED)),
            ImportRow.values_sealed.is_not(None),
        )
        .order_by(ImportRow.line)
    )
    for sealed, faults in db.session.execute(query):
        texts = open_texts(sealed)
        texts.pop(MORE, None)
        reason = told(kind, [Fault.from_json(one) for one in faults])
        yield [texts.get(name, "") for name in names if name in kind.by_name] + [reason]


def may_see(kind: Kind) -> bool:
    """Tell whether the person here may see files of a kind."""
    return all(staff.may(one) for one in kind.permissions)
