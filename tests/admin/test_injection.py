"""What people typed is text: on every page, and in every file, whichever column it stands in.

Every text column of every table is filled with an attack, as far as its constraints allow; then
every page and every file of the back office is read. So a new column or page is covered without
anybody thinking of it.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask import Flask
from openpyxl import load_workbook  # type: ignore[import-untyped]  # it has no stubs of its own
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from app.kernel.db import Base
from app.settings import Settings
from tests.admin.conftest import Desk
from tests.admin.world import World, build

SCRIPT: Final = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"
SHORT_SCRIPT: Final = "<b onclick=x>\"'"
FORMULA: Final = "=cmd|'/c calc'!A1"
KEPT: Final = frozenset({"roles.name", "staff.password", "staff.fs_uniquifier", "plans.model"})
"""Words of the machine: without these nobody would be signed in, and no plan known."""
SEALED: Final = ("_sealed", "_hash", "_secret", "_method")
"""Endings of what nobody types: it is encrypted, or a keyed hash."""
REFUSED: Final = (IntegrityError, DataError, ProgrammingError)
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def text_columns() -> Iterator[sa.Column[Any]]:
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            is_text = isinstance(column.type, sa.Text | sa.String) and not isinstance(
                column.type, sa.Enum
            )
            is_ours = str(column) in KEPT or column.name.endswith(SEALED)
            if is_text and not is_ours and not column.foreign_keys:
                yield column


def fill(session: Session, *attacks: str) -> set[str]:
    """Write an attack into every text column that takes one; return which did."""
    filled = set()
    for column in text_columns():
        for attack in attacks:
            value: sa.ColumnElement[str] = sa.literal(attack)
            if column.unique or column.primary_key:
                value = value + sa.cast(sa.func.random(), sa.Text)
            try:
                with session.begin_nested():
                    session.execute(sa.update(column.table).values({column.name: value}))
            except REFUSED:
                continue
            filled.add(str(column))
            break
    session.commit()
    return filled


@pytest.fixture
def world(session: Session, settings: Settings) -> World:
    return build(session, settings)


def pages_of(app: Flask, world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every page there is: lists, details, forms and questions."""
    for endpoint, view in app.extensions["backoffice"].items():
        yield f"/{endpoint}/", {}
        rows = [p.ids[endpoint] for p in (world.here, world.brand) if endpoint in p.ids]
        if view.can_view_details:
            yield from ((f"/{endpoint}/details/", {"id": row}) for row in rows)
        for page in view.form_pages:
            path = f"/{endpoint}/form/{page.name}/"
            yield from ((path, {"id": row}) for row in rows)


def test_no_page_runs_what_somebody_typed(
    app: Flask, session: Session, world: World, owner: Desk
) -> None:
    filled = fill(session, SCRIPT, SHORT_SCRIPT)
    session.expire_all()
    seen = 0

    for path, query in [("/", {}), *pages_of(app, world)]:
        answer = owner.get(path, **query)
        text = answer.get_data(as_text=True)
        assert answer.status_code in {200, 404, 409}, f"{path}: {answer.status_code}"
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert "<b onclick" not in text, path
        seen += "&lt;script&gt;alert" in text or "&lt;b onclick" in text

    assert len(filled) > 40, sorted(filled)
    assert seen > 40


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_cell_of_a_file_begins_like_a_formula(
    app: Flask, session: Session, world: World, owner: Desk, kind: str
) -> None:
    assert world.here.ids
    filled = fill(session, FORMULA, "=1+1")
    session.expire_all()
    quoted = 0

    for endpoint, view in app.extensions["backoffice"].items():
        if not view.can_export:
            continue
        answer = owner.get(f"/{endpoint}/export/{kind}/")
        assert answer.status_code == 200, endpoint
        for cell in cells_of(answer.get_data(), kind):
            assert not cell.startswith(FORMULA_STARTS), f"{cell!r} in {endpoint}.{kind}"
            quoted += cell.startswith("'=")

    assert len(filled) > 40, sorted(filled)
    assert quoted > 20


def cells_of(data: bytes, kind: str) -> Iterator[str]:
    """Yield the texts of a file; a number is none."""
    if kind == "csv":
        for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))):
            yield from (cell for cell in row if not _is_number(cell))
        return
    sheet = load_workbook(io.BytesIO(data)).active
    for cells in sheet.iter_rows():
        for cell in cells:
            assert cell.data_type != "f", cell.value
            if isinstance(cell.value, str):
                yield cell.value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
