"""Whatever valid rows somebody fills in, they are read as they were meant, from every format."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.exports import safe
from app.imports.columns import match, read_row
from app.imports.kinds import KINDS
from app.imports.reading import read_sheet, unprotected
from app.imports.states import ImportKind
from app.kernel.errors import DomainError
from tests.factories.imports import csv_of, xlsx_of

MEMBERS = KINDS[ImportKind.MEMBERS].columns
PRODUCTS = KINDS[ImportKind.PRODUCTS].columns
SHOWN = st.characters(
    exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"),
    exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe\uffff",
)
TEXT = st.text(SHOWN, max_size=40).map(str.strip).filter(lambda text: unprotected(text) == text)
"""An apostrophe before what looks like a formula is a spreadsheet's own mark for text."""
CHINESE = {"phone": "手机号", "title": "标题"}
"""One heading that tells GB18030 from UTF-8, as every Chinese file has."""
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "phone": st.from_regex(r"\+861[3-9][0-9]{9}", fullmatch=True),
            "nickname": TEXT,
            "birthday": st.dates(date(1900, 1, 1), date(2099, 12, 31)),
            "old_number": TEXT,
        }
    ),
    min_size=1,
    max_size=6,
)
GOODS = st.lists(
    st.fixed_dictionaries(
        {"title": TEXT.filter(bool), "price": st.integers(1, 999_999_999), "on_sale": st.booleans()}
    ),
    min_size=1,
    max_size=6,
)


def written(rows: list[dict[str, Any]], kind: str) -> bytes:
    """A file as our own templates and files of wrong rows are written."""
    names = [CHINESE.get(name, name) for name in rows[0]]
    lines = [[told(row[name]) for name in rows[0]] for row in rows]
    if kind == "xlsx":
        return xlsx_of(names, lines)
    encoding, delimiter = kind.split()
    safe_lines = [[safe(cell) for cell in line] for line in lines]
    mark = "\ufeff" if encoding == "utf-8-sig" else ""
    sign = {"comma": ",", "semicolon": ";", "tab": "\t"}[delimiter]
    text = csv_of(names, safe_lines, delimiter=sign)
    return (mark + text).encode("utf-8" if mark else encoding)


def told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "否"
    if isinstance(value, int):
        return f"{value // 100}.{value % 100:02d}"
    return value.isoformat() if isinstance(value, date) else str(value)


def meant(data: bytes, columns: Any) -> list[dict[str, Any]]:
    sheet = read_sheet(data)
    names = match(columns, sheet.headings)
    rows = [
        read_row(columns, line, dict(zip(names, cells, strict=False)), rule=None)
        for line, cells in sheet.rows
    ]
    assert [fault for row in rows for fault in row.faults] == []
    return [row.values for row in rows]


FORMATS = ["xlsx", "utf-8-sig comma", "utf-8 semicolon", "gb18030 tab"]


@pytest.mark.parametrize("kind", FORMATS)
@given(rows=PEOPLE)
def test_people_are_read_as_they_were_written(kind: str, rows: list[dict[str, Any]]) -> None:
    expected = [{name: one for name, one in row.items() if one != ""} for row in rows]

    assert meant(written(rows, kind), MEMBERS) == expected


@pytest.mark.parametrize("kind", FORMATS)
@given(rows=GOODS)
def test_products_are_read_to_the_fen(kind: str, rows: list[dict[str, Any]]) -> None:
    assert meant(written(rows, kind), PRODUCTS) == rows


@given(data=st.binary(max_size=400))
def test_no_bytes_at_all_break_the_reader(data: bytes) -> None:
    for content in (data, b"PK\x03\x04" + data):
        try:
            sheet = read_sheet(content)
        except DomainError:
            continue
        assert sheet.rows
