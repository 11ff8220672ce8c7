"""Lists as files: CSV that Excel opens in Chinese, and XLSX.

A cell that begins like a formula would be one in a spreadsheet (OWASP, CSV injection), so texts
are put behind an apostrophe; numbers are written as numbers. Who took which rows out is audited
before the file leaves.
"""

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import IO, Any, Final

from openpyxl import Workbook  # type: ignore[import-untyped]  # it has no stubs of its own
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]
from openpyxl.styles import Font  # type: ignore[import-untyped]

from admin.cells import Plain

ROWS_MAX: Final = 100_000
BATCH: Final = 1_000
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00")
FULL_WIDTH_STARTS: Final = ("＝", "＋", "－", "＠")
"""Excel reads these as their half-width twins."""
CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What XML, and so XLSX, cannot hold."""
MEMORY_MAX: Final = 8 * 1024 * 1024
MIME: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
TYPES: Final = tuple(MIME)


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


def write(kind: str, heads: Sequence[str], rows: Iterable[Sequence[Plain]]) -> IO[bytes]:
    """Write a file of a kind; returns it at its beginning. Small ones stay in memory."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=MEMORY_MAX)  # noqa: SIM115 - sent on
    safe_rows = ([safe(cell) for cell in row] for row in rows)
    if kind == "csv":
        _write_csv(file, heads, safe_rows)
    else:
        _write_xlsx(file, heads, safe_rows)
    file.seek(0)
    return file


def _write_csv(file: IO[bytes], heads: Sequence[str], rows: Iterable[Sequence[Plain]]) -> None:
    file.write(b"\xef\xbb\xbf")
    for row in _chain(heads, rows):
        line = io.StringIO()
        csv.writer(line).writerow(row)
        file.write(line.getvalue().encode())


def _chain(heads: Sequence[str], rows: Iterable[Sequence[Plain]]) -> Iterator[Sequence[Plain]]:
    yield heads
    yield from rows


def _write_xlsx(file: IO[bytes], heads: Sequence[str], rows: Iterable[Sequence[Plain]]) -> None:
    """Texts are written as texts whatever they begin with, yuan with two decimals."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    sheet.append([_bold(sheet, head) for head in heads])
    for row in rows:
        sheet.append([_xlsx_cell(sheet, value) for value in row])
    book.save(file)


def _bold(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, value=text)
    cell.font = Font(bold=True)
    return cell


def _xlsx_cell(sheet: Any, value: Plain) -> Any:
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        cell.data_type = "s"
    elif isinstance(value, Decimal):
        cell.number_format = "#,##0.00"
    return cell
