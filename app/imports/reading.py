"""From the bytes of a file to rows of text, whatever spreadsheet wrote it.

What a file is decides its content, not its name. Nothing in it is ever run: formulas give the
result the spreadsheet stored, programs are refused. Limits hold before anything is unpacked, so
that a small file cannot fill the memory. Pure.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook  # type: ignore[import-untyped]  # it has no stubs of its own
from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]

from app.imports.errors import (
    FileEmpty,
    FileHasMacros,
    FileLocked,
    FileNotReadable,
    FileTooLarge,
    TooManyColumns,
    TooManyRows,
)
from app.imports.fields import CELL_LENGTH_MAX

FILE_MB_MAX: Final = 10
FILE_BYTES_MAX: Final = FILE_MB_MAX * 1024 * 1024
UNPACKED_MB_MAX: Final = 64
PARTS_MAX: Final = 500
ROWS_MAX: Final = 50_000
COLUMNS_MAX: Final = 60
EMPTY_ROWS_MAX: Final = 10_000
"""So many empty rows in a line end a sheet: somebody formatted a million of them."""
ZIP: Final = b"PK\x03\x04"
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
DELIMITERS: Final = (",", ";", "\t")
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
DECLARATIONS: Final = (b"<!DOCTYPE", b"<!ENTITY")
DECLARED_WITHIN: Final = 4_096
EXACT_BELOW: Final = 10**15
"""Spreadsheets keep fifteen digits."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The headings of a file, and its rows by the line they stand on in the spreadsheet."""

    headings: list[str]
    rows: list[tuple[int, list[str]]]


def read_sheet(data: bytes) -> Sheet:
    """Read a CSV or XLSX file; rows without any text are passed over.

    Raises `FileNotReadable`, `FileLocked`, `FileHasMacros`, `FileEmpty`, `FileTooLarge`,
    `TooManyRows` and `TooManyColumns`.
    """
    if len(data) > FILE_BYTES_MAX:
        raise FileTooLarge(FILE_MB_MAX)
    if data.startswith(OLE):
        raise FileLocked
    lines = _xlsx(data) if data.startswith(ZIP) else _csv(data)
    return _sheet(lines)


def _sheet(lines: Iterator[tuple[int, list[str]]]) -> Sheet:
    headings: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    for line, cells in lines:
        filled = _without_empty_end(cells)
        if len(filled) > COLUMNS_MAX:
            raise TooManyColumns(COLUMNS_MAX)
        if not filled:
            continue
        if not headings:
            headings = filled
            continue
        if len(rows) == ROWS_MAX:
            raise TooManyRows(ROWS_MAX)
        rows.append((line, [unprotected(one)[: CELL_LENGTH_MAX + 1] for one in filled]))
    if not rows:
        raise FileEmpty
    return Sheet(headings, rows)


def _without_empty_end(cells: Sequence[str]) -> list[str]:
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return list(cells[:end])


def unprotected(text: str) -> str:
    """Take off the apostrophe that our own files put before what looks like a formula.

    >>> unprotected("'=1+1"), unprotected("'s"), unprotected("'+8613800001111")
    ('=1+1', "'s", '+8613800001111')
    """
    rest = text[1:]
    is_ours = text.startswith("'") and (rest.startswith(FORMULA_STARTS) or _is_risky(rest))
    return rest if is_ours else text


def _is_risky(text: str) -> bool:
    return text.lstrip().startswith(FORMULA_STARTS)


def _csv(data: bytes) -> Iterator[tuple[int, list[str]]]:
    text = _decoded(data)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        yield from enumerate(reader, start=1)
    except csv.Error:
        raise FileNotReadable from None


def _decoded(data: bytes) -> str:
    """Read UTF-8, what Excel saves as Unicode text, or the GB18030 of Chinese Windows."""
    is_utf_16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if is_utf_16 else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileNotReadable


def _delimiter(text: str) -> str:
    """Return what separates most headings."""
    first = next((one for one in io.StringIO(text) if one.strip()), "")
    return max(DELIMITERS, key=first.count)


def _xlsx(data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        _look_inside(data)
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            yield from _lines(sheet)
        finally:
            book.close()
    except UNREADABLE:
        raise FileNotReadable from None


UNREADABLE: Final = (
    zipfile.BadZipFile,
    InvalidFileException,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    EOFError,
    OSError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
)
"""What openpyxl and zipfile raise over files that are broken in one of a hundred ways."""


def _look_inside(data: bytes) -> None:
    """Refuse what must not be unpacked, before it is."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        unpacked = sum(one.file_size for one in parts)
        if len(parts) > PARTS_MAX or unpacked > UNPACKED_MB_MAX * 1024 * 1024:
            raise FileTooLarge(FILE_MB_MAX)
        if any("vbaproject" in one.filename.lower() for one in parts):
            raise FileHasMacros
        if any(one.flag_bits & 1 for one in parts):
            raise FileLocked
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as file:
                    beginning = file.read(DECLARED_WITHIN)
                if any(one in beginning for one in DECLARATIONS):
                    raise FileNotReadable


def _lines(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    empty = 0
    for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        texts = [_text(one) for one in islice(cells, COLUMNS_MAX + 1)]
        empty = 0 if any(texts) else empty + 1
        if empty > EMPTY_ROWS_MAX:
            return
        yield line, texts


def _text(value: Any) -> str:
    """Return what a cell shows: whole numbers without a point, days without a midnight."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            is_whole = value.is_integer() and abs(value) < EXACT_BELOW
            return str(int(value)) if is_whole else format(value, ".15g")
        case datetime():
            return (
                value.isoformat(" ", "seconds") if value.time() != time() else _text(value.date())
            )
        case date():
            return value.isoformat()
        case _:
            return str(value)
