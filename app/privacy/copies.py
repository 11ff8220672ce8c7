"""The copy of what we hold about a person: an archive that people and programs can read.

One JSON document with everything, the same as CSV for each kind of row, and a page that says what
is what (PIPL art. 45: access, copy, and transfer in a common format).
"""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.i18n import CHINESE, ENGLISH, N_, translate
from app.kernel.secrecy import vault
from app.privacy.register import TRACES, Trace

ABOUT: Final = N_(
    "This archive holds what the brand keeps about you, as of %(at)s. data.json has everything;"
    " the CSV files hold the same, a file for each kind of row. Amounts ending in _fen are in"
    " 1/100 yuan, times are UTC."
)
Rows = list[dict[str, Any]]


def gather(session: Session, member_id: int) -> dict[str, Rows]:
    """Return every row about a person by the table it stands in, sealed values in clear."""
    return {trace.table: list(_rows(session, trace, member_id)) for trace in TRACES if trace.title}


def _rows(session: Session, trace: Trace, member_id: int) -> Iterable[dict[str, Any]]:
    columns = ", ".join(filter(None, [trace.shown, *trace.opened]))
    statement = f"SELECT {columns} FROM {trace.table} WHERE {trace.whose} ORDER BY 1"  # noqa: S608 - our register
    for found in session.execute(sa.text(statement), {"id": member_id}).mappings():
        row = dict(found)
        for sealed, name in trace.opened.items():
            text = row.pop(sealed)
            row[name] = vault().open(text) if text else None
        yield row


def archive(found: Mapping[str, Rows], *, now: datetime) -> bytes:
    """Pack what was gathered; the same facts make the same archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        _add(files, "README.txt", _about(found, now=now), now)
        document = {"made_at": now.isoformat(), **found}
        text = json.dumps(document, ensure_ascii=False, indent=1, default=_plain)
        _add(files, "data.json", text, now)
        for table, rows in found.items():
            if rows:
                _add(files, f"{table}.csv", _csv(rows), now)
    return packed.getvalue()


def _add(files: zipfile.ZipFile, name: str, text: str, now: datetime) -> None:
    made = now.astimezone(UTC).timetuple()[:6]
    info = zipfile.ZipInfo(name, date_time=made)
    info.compress_type = zipfile.ZIP_DEFLATED
    files.writestr(info, text.encode("utf-8-sig" if name.endswith(".csv") else "utf-8"))


def _about(found: Mapping[str, Rows], *, now: datetime) -> str:
    titles = {trace.table: trace.title for trace in TRACES}
    parts = []
    for locale in (CHINESE, ENGLISH):
        lines = [translate(ABOUT, locale) % {"at": now.isoformat(timespec="seconds")}, ""]
        lines += [
            f"{table}: {translate(titles[table], locale)} ({len(rows)})"
            for table, rows in found.items()
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(rows[0])
    lines.writerows([_cell(value) for value in row.values()] for row in rows)
    return written.getvalue()


def _cell(value: Any) -> str:
    """Return a value as text that no spreadsheet takes for a formula."""
    text = "" if value is None else str(_plain(value))
    return (
        f"'{text}"
        if text.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
        else text
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value
