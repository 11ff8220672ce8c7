"""Files as people and programs write them, and files that must not be opened."""

import io
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]

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
from app.imports.reading import COLUMNS_MAX, FILE_BYTES_MAX, ROWS_MAX, read_sheet
from tests.factories.imports import csv_of, xlsx_of

HEADS: Final = ["手机号", "昵称"]
ROW: Final = ["13800138000", "小美 👩‍👧"]
PLAIN: Final = csv_of(HEADS, [ROW])


def repacked(data: bytes, **parts: bytes) -> bytes:
    """The same archive with some parts added or replaced; `__` in a name stands for a slash."""
    named = {name.replace("__", "/").replace("DOT", "."): one for name, one in parts.items()}
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as before,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            if name not in named:
                after.writestr(name, before.read(name))
        for name, content in named.items():
            after.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_text_is_read_in_every_encoding_and_with_every_delimiter(
    encoding: str, delimiter: str
) -> None:
    text = csv_of(HEADS, [ROW], delimiter=delimiter)

    sheet = read_sheet(text.encode(encoding))

    assert (sheet.headings, sheet.rows) == (HEADS, [(2, ROW)])


def test_the_content_decides_what_a_file_is_not_its_name() -> None:
    sheet = read_sheet(xlsx_of(HEADS, [ROW]))

    assert (sheet.headings, sheet.rows) == (HEADS, [(2, ROW)])


def test_lines_are_counted_as_a_spreadsheet_shows_them() -> None:
    text = 'a,b\n\n"two\nlines",1\n,,\nlast,2\n'

    assert read_sheet(text.encode()).rows == [(3, ["two\nlines", "1"]), (5, ["last", "2"])]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (13800138000, "13800138000"),
        (13800138000.0, "13800138000"),
        (128.5, "128.5"),
        (0.1 + 0.2, "0.3"),
        (Decimal("19.99"), "19.99"),
        (True, "yes"),
        (date(2025, 3, 1), "2025-03-01"),
        (datetime(2025, 3, 1, 8, 30), "2025-03-01 08:30:00"),  # noqa: DTZ001 - as Excel has it
        ("1.38E+10", "1.38E+10"),
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("'=1+1", "=1+1"),
        ("'s Hertogenbosch", "'s Hertogenbosch"),
    ],
)
def test_cells_of_excel_are_read_as_they_show(value: Any, text: str) -> None:
    assert read_sheet(xlsx_of(["a"], [[value]])).rows == [(2, [text])]


def test_a_formula_gives_what_the_spreadsheet_stored_and_is_never_run() -> None:
    book = Workbook()
    book.active.append(["a", "b"])
    book.active.append(["=1+1", "x"])
    file = io.BytesIO()
    book.save(file)

    assert read_sheet(file.getvalue()).rows == [(2, ["", "x"])]


def test_a_sheet_that_was_formatted_to_its_end_is_read_to_the_end_of_its_rows() -> None:
    book = Workbook()
    book.active.append(["a"])
    book.active.append(["1"])
    book.active.cell(1_048_576, 1).number_format = "@"
    file = io.BytesIO()
    book.save(file)

    assert read_sheet(file.getvalue()).rows == [(2, ["1"])]


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 truncated",
        xlsx_of(HEADS, [ROW])[:2_000],
        repacked(xlsx_of(HEADS, [ROW]), xl__workbookDOTxml=b"<no"),
        repacked(xlsx_of(HEADS, [ROW]), xl__worksheets__sheet1DOTxml=b"<worksheet><row"),
        repacked(
            xlsx_of(HEADS, [ROW]),
            xl__sharedStringsDOTxml=b'<!DOCTYPE x [<!ENTITY a "aaaa">]><sst>&a;</sst>',
        ),
        bytes(range(255, 127, -1)) * 50,
        b'a,b\n"broken"quote,1\n',
        b"a" * 200_000 + b",b\n1,2\n",
    ],
    ids=["stub", "cut", "book", "sheet", "entity", "binary", "quote", "field"],
)
def test_broken_files_are_refused_with_one_clear_error(data: bytes) -> None:
    with pytest.raises(FileNotReadable):
        read_sheet(data)


def test_a_picture_in_an_archive_is_no_workbook() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("picture.png", b"\x89PNG")

    with pytest.raises(FileNotReadable):
        read_sheet(file.getvalue())


def test_a_file_with_macros_is_refused() -> None:
    with pytest.raises(FileHasMacros):
        read_sheet(repacked(xlsx_of(HEADS, [ROW]), xl__vbaProjectDOTbin=b"\x00"))


def test_a_file_with_a_password_or_of_old_excel_is_refused() -> None:
    with pytest.raises(FileLocked):
        read_sheet(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 512)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = repacked(xlsx_of(HEADS, [ROW]), xl__worksheets__sheet2DOTxml=b" " * 70 * 1024 * 1024)
    assert len(bomb) < 100_000

    with pytest.raises(FileTooLarge):
        read_sheet(bomb)


def test_an_archive_of_a_thousand_parts_is_refused() -> None:
    parts = {f"part{number}": b"" for number in range(1_000)}

    with pytest.raises(FileTooLarge):
        read_sheet(repacked(xlsx_of(HEADS, [ROW]), **parts))


def test_more_bytes_than_a_file_may_have_are_refused() -> None:
    with pytest.raises(FileTooLarge):
        read_sheet(b"a" * (FILE_BYTES_MAX + 1))


def test_exactly_so_many_rows_are_taken_and_not_one_more() -> None:
    most = "a\n" + "1\n" * ROWS_MAX

    assert len(read_sheet(most.encode()).rows) == ROWS_MAX
    with pytest.raises(TooManyRows):
        read_sheet(f"{most}1\n".encode())


def test_exactly_so_many_columns_are_taken_and_not_one_more() -> None:
    most = [str(number) for number in range(COLUMNS_MAX)]

    assert read_sheet(csv_of(most, [most]).encode()).headings == most
    with pytest.raises(TooManyColumns):
        read_sheet(csv_of([*most, "x"], [most]).encode())
    with pytest.raises(TooManyColumns):
        read_sheet(xlsx_of([*most, "x"], [most]))


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\n", b"a,b\n", b"a,b\n,\n ,\n"])
def test_a_file_without_rows_is_empty(data: bytes) -> None:
    with pytest.raises(FileEmpty):
        read_sheet(data)


def test_a_long_cell_is_kept_only_as_far_as_it_shows_that_it_is_too_long() -> None:
    sheet = read_sheet(csv_of(["a"], [["x" * 100_000]]).encode())

    assert len(sheet.rows[0][1][0]) == CELL_LENGTH_MAX + 1
