"""Files to bring in, and runs made of them."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from openpyxl import Workbook  # type: ignore[import-untyped]
from sqlalchemy.orm import Session

from app.imports import running, services
from app.imports.models import HistoricOrder, ImportKind, ImportRow, ImportRun
from app.imports.services import Upload
from app.kernel.audit import SYSTEM, Actor
from app.kernel.secrecy import vault
from app.members.expected import ExpectedMember
from app.stores.models import Staff, Store
from tests.factories.people import NOON

HEADINGS: Final[Mapping[ImportKind, tuple[str, ...]]] = {
    ImportKind.MEMBERS: ("phone", "nickname", "birthday", "store", "first_paid", "old_number"),
    ImportKind.HISTORIC_ORDERS: ("number", "phone", "store", "paid", "amount", "title"),
    ImportKind.DISTRIBUTORS: (
        "phone",
        "real_name",
        "agreement",
        "kind",
        "level",
        "store",
        "recommender_phone",
    ),
    ImportKind.PRODUCTS: ("product_no", "title", "kind", "price", "list_price", "on_sale"),
    ImportKind.STOCK: ("store", "product", "counted", "received"),
}


def csv_of(headings: Sequence[str], rows: Sequence[Sequence[Any]], *, delimiter: str = ",") -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue()


def xlsx_of(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """A workbook as openpyxl writes it; texts are texts, whatever they begin with."""
    book = Workbook()
    sheet = book.active
    for line, cells in enumerate([headings, *rows], start=1):
        for column, value in enumerate(cells, start=1):
            cell = sheet.cell(line, column)
            cell.value = value
            if isinstance(value, str) and value:
                cell.data_type = "s"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def acting(staff: Staff | None) -> Actor:
    return SYSTEM if staff is None else Actor("staff", staff.id)


def bring(
    session: Session,
    kind: ImportKind,
    rows: Sequence[Sequence[Any]],
    *,
    staff: Staff | None = None,
    headings: Sequence[str] = (),
    now: datetime = NOON,
) -> ImportRun:
    """Upload rows as a CSV file and check them."""
    data = csv_of(headings or HEADINGS[kind], rows).encode()
    actor = acting(staff)
    session.commit()
    wish = Upload(kind, "rows.csv", data, consent=True)
    run_id = services.upload(wish, actor=actor, now=now)
    running.work_now(run_id, lambda: now)
    return run_of(session, run_id)


def carry_out(
    session: Session, run: ImportRun, *, staff: Staff | None = None, now: datetime = NOON
) -> ImportRun:
    """Begin a checked run and write its rows."""
    services.begin(session, run.id, actor=acting(staff), now=now)
    session.commit()
    running.work_now(run.id, lambda: now)
    return run_of(session, run.id)


def run_of(session: Session, run_id: int) -> ImportRun:
    session.expire_all()
    return session.get_one(ImportRun, run_id)


def rows_of(session: Session, run: ImportRun) -> list[ImportRow]:
    session.expire_all()
    query = sa.select(ImportRow).where(ImportRow.run_id == run.id).order_by(ImportRow.line)
    return list(session.scalars(query))


def faults_of(session: Session, run: ImportRun) -> dict[int, list[tuple[str, str]]]:
    """By line: column and code of everything that is wrong."""
    return {
        row.line: [(one["column"], one["code"]) for one in row.faults]
        for row in rows_of(session, run)
        if row.faults
    }


def make_expected(
    session: Session,
    *,
    phone: str = "+8613911112222",
    store: Store | None = None,
    old_number: str = "",
    first_paid_at: datetime | None = None,
) -> ExpectedMember:
    row = ExpectedMember(
        phone_hash=vault().look_up("phone", phone),
        nickname="Expected",
        origin_store_id=store.id if store else None,
        old_number=old_number,
        first_paid_at=first_paid_at,
        expected_at=NOON,
        actor="system",
    )
    session.add(row)
    session.flush()
    return row


def make_run(
    session: Session, *, store: Store | None = None, staff: Staff | None = None, name: str = "f.csv"
) -> ImportRun:
    """A checked run of one valid row of stock."""
    run = ImportRun(
        kind=ImportKind.STOCK,
        file_name=name,
        file_sha256="0" * 64,
        file_bytes=10,
        columns=["store", "product", "counted"],
        state="checked",
        staff_id=staff.id if staff else None,
        store_ids=[store.id] if store else None,
        rows_count=1,
        valid_count=0,
        wrong_count=1,
        uploaded_at=NOON,
        checked_at=NOON,
    )
    session.add(run)
    session.flush()
    return run


def make_historic_order(
    session: Session,
    *,
    run: ImportRun,
    store: Store,
    member_id: int | None = None,
    expected_id: int | None = None,
    number: str = "OLD-1",
    amount_fen: int = 29_800,
) -> HistoricOrder:
    row = HistoricOrder(
        number=number,
        member_id=member_id,
        expected_member_id=expected_id,
        store_id=store.id,
        title="Old serum",
        amount_fen=amount_fen,
        paid_at=NOON,
        import_run_id=run.id,
        recorded_at=NOON,
        actor="system",
    )
    session.add(row)
    session.flush()
    return row
