"""The files that imports hand out: templates to be filled in, and wrong rows to be mended.

Both come in the reader's language and can be brought back as they are: headings of either language
are known, and the apostrophe before what looks like a formula is taken off again.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

from flask import Response, send_file
from openpyxl import Workbook  # type: ignore[import-untyped]  # it has no stubs of its own
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]
from openpyxl.styles import Font  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]

from admin import exports
from admin.i18n import gettext, say
from app.imports.columns import REASON, Column, Fault
from app.imports.contract import Kind

AS_TEXT: Final = "@"
"""The format that keeps a spreadsheet from shortening phone numbers and turning codes to dates."""
WIDTH: Final = 22
Lines = Iterable[Sequence[str]]


def template(kind: Kind, file_type: str) -> Response:
    """Send an empty file of a kind: headings, one example, and in Excel what each column means."""
    heads = [heading(one) for one in kind.columns]
    example = [one.example for one in kind.columns]
    if file_type == "csv":
        return _send(_csv([heads, example]), f"tuoke-{kind.code.value}-template", file_type)
    book = Workbook()
    sheet = book.active
    sheet.title = gettext("Rows")
    sheet.append(heads)
    sheet.append(example)
    for number in range(1, len(heads) + 1):
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].number_format = AS_TEXT
        sheet.column_dimensions[letter].width = WIDTH
        sheet.cell(1, number).font = Font(bold=True)
        sheet.cell(2, number).number_format = AS_TEXT
    sheet.freeze_panes = "A2"
    _explain(book, kind)
    return _send(_saved(book), f"tuoke-{kind.code.value}-template", file_type)


def _explain(book: Any, kind: Kind) -> None:
    sheet = book.create_sheet(gettext("What to fill in"))
    sheet.append([gettext("Column"), gettext("Required"), gettext("What may stand there")])
    for one in kind.columns:
        required = gettext("Yes") if one.is_required else gettext("No")
        sheet.append([say(one.label), required, say(one.hint)])
    sheet.append([gettext("Delete the row of the example before you bring the file in.")])
    for number, width in enumerate((WIDTH, 10, 80), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
        sheet.cell(1, number).font = Font(bold=True)


def heading(column: Column) -> str:
    """Return what a column is called in a file, with a star where it must be filled in."""
    return f"{say(column.label)}*" if column.is_required else say(column.label)


def wrong_rows(
    kind: Kind, names: Sequence[str], rows: Lines, *, name: str, file_type: str
) -> Response:
    """Send rows as they were brought, with what is wrong as the last cell of each."""
    heads = [heading(kind.by_name[one]) for one in names] + [say(REASON)]
    if file_type == "csv":
        safe = ([str(exports.safe(cell)) for cell in row] for row in rows)
        return _send(_csv([heads, *safe]), name, file_type)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(gettext("Rows"))
    sheet.freeze_panes = "A2"
    sheet.append([_text(sheet, head) for head in heads])
    for row in rows:
        sheet.append([_text(sheet, cell) for cell in row])
    return _send(_saved(book), name, file_type)


def told(kind: Kind, faults: Iterable[Fault]) -> str:
    """Return what is wrong with a row in the reader's language, column by column."""
    sentences = []
    for one in faults:
        column = kind.by_name.get(one.column)
        text = say(one.message)
        sentences.append(f"{say(column.label)}: {text}" if column is not None else text)
    return " ".join(sentences)


def _text(sheet: Any, text: str) -> Any:
    """Return a cell that is text whatever it begins with."""
    cell = WriteOnlyCell(sheet, value=exports.CONTROL.sub("", text))
    cell.data_type = "s"
    cell.number_format = AS_TEXT
    return cell


def _csv(lines: Lines) -> io.BytesIO:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    return io.BytesIO(b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace"))


def _saved(book: Any) -> io.BytesIO:
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def _send(file: io.BytesIO, name: str, file_type: str) -> Response:
    return send_file(
        file,
        mimetype=exports.MIME[file_type],
        as_attachment=True,
        download_name=f"{name}.{file_type}",
    )
