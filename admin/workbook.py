"""An Excel file written row by row into a stream that cannot be wound back.

The usual libraries build a workbook in memory or in a temporary file first. A workbook of one
sheet is little: five small documents and one long one inside a ZIP archive, which Python can write
as it goes. Texts are always texts, whatever they begin with; yuan have two decimals.
"""

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias
from xml.sax.saxutils import escape

Cell: TypeAlias = str | int | Decimal

TEXT_MAX: Final = 32_767
"""What a cell of Excel holds."""
DIGITS_MAX: Final = 15
"""Longer numbers lose digits in Excel, so they are written as texts."""
BYTES_MAX: Final = 2_000_000_000
"""Excel reads no streamed archive of the 64-bit kind, which begins at 2 GiB."""
UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_PARTS: Final = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATED}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}">'
        '<sheets><sheet name="Sheet" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATED}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_RELATED}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}">'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        "</cellStyleXfs>"
        '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
        '<xf numFmtId="4" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        "</cellXfs>"
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    ),
}
_BOLD: Final = ' s="1"'
_MONEY: Final = ' s="2"'
"""Number format 4 is `#,##0.00` in every version of Excel."""
_BEGIN: Final = (
    f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    '</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><sheetData>'
)
_END: Final = "</sheetData></worksheet>"


class _Stream:
    """A file that only ever grows; what was written is taken out and passed on."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        """Keep what the archive writes."""
        self._chunks.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        data = b"".join(self._chunks)
        self._chunks.clear()
        return data


class Workbook:
    """One workbook on its way out; `write` may be asked until `is_full`."""

    def __init__(self, *, now: datetime) -> None:
        """Begin the archive; `now` is the date that its parts carry."""
        self._stream = _Stream()
        self._archive = zipfile.ZipFile(self._stream, "w", zipfile.ZIP_DEFLATED)
        self._date = (now.year, now.month, now.day, now.hour, now.minute, now.second)
        self._bytes = 0
        self._rows = 0
        for name, text in _PARTS.items():
            self._archive.writestr(self._part(name), _HEAD + text)
        self._sheet = self._archive.open(self._part("xl/worksheets/sheet1.xml"), "w")
        self._put(_HEAD + _BEGIN)

    @property
    def is_full(self) -> bool:
        """Tell whether Excel could not read a longer file."""
        return self._bytes >= BYTES_MAX

    def head(self, texts: Sequence[str]) -> bytes:
        """Write the bold first row; returns what can be sent by now."""
        self._put(self._row(texts, style=_BOLD))
        return self._stream.taken()

    def write(self, rows: Iterable[Sequence[Cell]]) -> bytes:
        """Write rows; returns what can be sent by now, which lags behind the compression."""
        self._put("".join([self._row(row) for row in rows]))
        return self._stream.taken()

    def end(self) -> bytes:
        """Close the sheet and the archive; without this no program opens the file."""
        self._put(_END)
        self._sheet.close()
        self._archive.close()
        return self._stream.taken()

    def _part(self, name: str) -> zipfile.ZipInfo:
        part = zipfile.ZipInfo(name, self._date)
        part.compress_type = zipfile.ZIP_DEFLATED
        return part

    def _put(self, text: str) -> None:
        data = text.encode()
        self._bytes += len(data)
        self._sheet.write(data)

    def _row(self, cells: Sequence[Cell], *, style: str = "") -> str:
        self._rows += 1
        inner = "".join([_cell(value, style) for value in cells])
        return f'<row r="{self._rows}">{inner}</row>'


def _cell(value: Cell, style: str) -> str:
    if isinstance(value, Decimal):
        return f"<c{style or _MONEY}><v>{value:f}</v></c>"
    if isinstance(value, int) and len(str(abs(value))) <= DIGITS_MAX:
        return f"<c{style}><v>{value}</v></c>"
    text = escape(UNWRITABLE.sub("", str(value))[:TEXT_MAX]).replace("\r", "&#13;")
    return f'<c t="inlineStr"{style}><is><t xml:space="preserve">{text}</t></is></c>'


def pieces(
    heads: Sequence[str],
    batches: Iterable[Iterable[Sequence[Cell]]],
    *,
    now: datetime,
    when_full: Callable[[], Sequence[Cell]],
) -> Iterator[bytes]:
    """Yield a whole workbook, piece by piece, as its rows come in.

    Where Excel could read no longer file, what `when_full` returns is its last row.
    """
    book = Workbook(now=now)
    yield book.head(heads)
    for rows in batches:
        if book.is_full:
            yield book.write([when_full()])
            break
        yield book.write(rows)
    yield book.end()
