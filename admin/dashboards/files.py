"""Figures as CSV files that Excel opens in Chinese; who took which out is audited first."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from flask import Response, request

from admin import staff
from admin.cells import Plain
from admin.exports import safe
from admin.i18n import locale
from app.kernel import audit
from app.kernel.audit import Change, Subject
from app.kernel.db import atomic, database_now

BOM: Final = "\ufeff"


def cell_of(figure: str, value: int) -> Plain:
    """Return a figure as a file holds it: money as exact yuan."""
    return Decimal(value).scaleb(-2) if figure.endswith("_fen") else value


def send_csv(name: str, heads: Sequence[str], rows: Iterable[Sequence[Plain]]) -> Response:
    """Send rows as a file. They are few: a line for each day of a quarter, or for each store."""
    lines: list[Sequence[Plain]] = [heads, *rows]
    who, now = staff.actor(), database_now()
    facts = {"rows": len(lines) - 1, "type": "csv", "filters": request.args.to_dict()}
    with atomic() as session:
        audit.record(
            session,
            who,
            "exported",
            Subject("figures"),
            Change(after={**facts, "file": name, "locale": locale()}),
            now=now,
        )
    file = f"tuoke-{name}-{now:%Y%m%d-%H%M%S}.csv"
    return Response(
        "".join(_written(lines)),
        mimetype="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


def _written(lines: Iterable[Sequence[Plain]]) -> Iterator[str]:
    yield BOM
    for line in lines:
        buffer = io.StringIO()
        csv.writer(buffer).writerow([safe(cell) for cell in line])
        yield buffer.getvalue()
