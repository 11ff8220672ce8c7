"""Lists as files that leave while they are written: CSV that Excel opens in Chinese, and XLSX.

A cell that begins like a formula would be one in a spreadsheet (OWASP, CSV injection), so texts
are put behind an apostrophe; numbers are written as numbers. Memory holds one batch of rows,
whatever the length of the file.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from admin import workbook
from admin.cells import Plain

ROWS_MAX: Final = 1_000_000
XLSX_ROWS_MAX: Final = 1_048_574
"""What a sheet of Excel holds, less the head and the row that tells where a file was cut."""
BATCH: Final = 1_000
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00")
FULL_WIDTH_STARTS: Final = ("＝", "＋", "－", "＠")
"""Excel reads these as their half-width twins."""
CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What XML, and so XLSX, cannot hold."""
MIME: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
TYPES: Final = tuple(MIME)

Batches = Iterable[Sequence[Sequence[Plain]]]


def safe(value: Plain) -> Plain:
    """Return a cell that no spreadsheet takes for a formula.

    >>> safe("=1+1"), safe("-5"), safe(-5), safe("A=1"), safe(" @x")
    ("'=1+1", "'-5", -5, 'A=1', "' @x")
    """
    if not isinstance(value, str):
        return value
    risky = value.startswith(FORMULA_STARTS) or value.lstrip().startswith(
        FORMULA_STARTS + FULL_WIDTH_STARTS
    )
    text = CONTROL.sub("", value)
    return f"'{text}" if risky else text


def most_rows(kind: str) -> int:
    """Return how many rows a file of a kind may have at most."""
    return min(ROWS_MAX, XLSX_ROWS_MAX) if kind == "xlsx" else ROWS_MAX


def write(
    kind: str,
    heads: Sequence[str],
    batches: Batches,
    *,
    now: datetime,
    when_full: Callable[[], Sequence[Plain]],
) -> Iterator[bytes]:
    """Yield a file of a kind, piece by piece, as batches of rows come in.

    Where no program could read a longer file, what `when_full` returns is its last row. An error
    among the rows comes out of the iterator: whoever sends the pieces must break off, so that half
    a file does not look like a whole one.
    """
    safe_batches = ([[safe(cell) for cell in row] for row in rows] for rows in batches)
    if kind == "csv":
        return _csv([safe(head) for head in heads], safe_batches)
    return workbook.pieces(heads, safe_batches, now=now, when_full=when_full)


def _csv(heads: Sequence[Plain], batches: Batches) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf" + _lines([heads])
    for rows in batches:
        yield _lines(rows)


def _lines(rows: Iterable[Sequence[Plain]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
