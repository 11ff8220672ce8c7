"""Results as tables for spreadsheets: names of columns and rows of whole numbers and codes. Pure.

Amounts are fen and shares basis points, as everywhere inside; what begins like a formula is put
behind an apostrophe (OWASP, CSV injection).
"""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_SUMS: Final = ("count", "amount_fen", "reversed_fen", "net_fen", "share_bp")
_MONTH: Final = (
    "orders",
    "paid_fen",
    "refunded_fen",
    "settled_fen",
    "awarded_fen",
    "monthly_fen",
    "reversed_fen",
)


class Sheet(NamedTuple):
    """One table."""

    heads: tuple[str, ...]
    rows: list[list[int | str]]


def sheets(result: Mapping[str, Any]) -> dict[str, Sheet]:
    """Return every table of a result by its name."""
    return {
        "people": _people(result),
        "months": _of_plans(result, "months", ("month", *_MONTH)),
        "levels": _of_plans(result, "levels", ("level", *_SUMS)),
        "kinds": _of_plans(result, "kinds", ("kind", *_SUMS)),
        "seats": _of_plans(result, "seats", ("seat", *_SUMS)),
        "refused": _of_plans(result, "refused", ("reason", "count")),
    }


def to_csv(sheet: Sheet) -> bytes:
    """Write a table as CSV that spreadsheets open in UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(sheet.heads)
    writer.writerows([[_safe(cell) for cell in row] for row in sheet.rows])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _safe(cell: int | str) -> int | str:
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


def _people(result: Mapping[str, Any]) -> Sheet:
    found = result["people"]
    if result["against"] is None:
        rows = [[member_id, fen] for member_id, fen, _ in found["rows"]]
        return Sheet(("member_id", "fen"), rows)
    rows = [
        [member_id, fen, against_fen, fen - against_fen]
        for member_id, fen, against_fen in found["rows"]
    ]
    return Sheet(("member_id", "fen", "against_fen", "difference_fen"), rows)


def _of_plans(result: Mapping[str, Any], name: str, columns: Sequence[str]) -> Sheet:
    """List a table of the plan, and after it that of the plan it is compared with."""
    rows = [
        [whose, *(row[column] for column in columns)]
        for whose in ("plan", "against")
        if result[whose] is not None
        for row in result[whose][name]
    ]
    return Sheet(("plan", *columns), rows)
