"""Files that leave: whole, within scope, harmless in a spreadsheet, and audited."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook  # type: ignore[import-untyped]  # it has no stubs of its own
from sqlalchemy.orm import Session

from admin import exports
from app.kernel.audit import AuditRecord
from app.orders.states import OrderState
from tests.admin.conftest import Desk
from tests.factories.orders import make_order
from tests.factories.people import make_member, make_store

FORMULAS = [
    '=HYPERLINK("http://evil","x")',
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\x00=1+1".replace("\x00", "＝"),
    " =1+1",
]


def read_csv(desk: Desk, endpoint: str, **query: Any) -> list[list[str]]:
    answer = desk.get(f"/{endpoint}/export/csv/", **query)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def read(desk: Desk, endpoint: str, kind: str) -> list[list[Any]]:
    """Return the rows of a file of either kind."""
    if kind == "csv":
        return list(read_csv(desk, endpoint))
    sheet = load_workbook(io.BytesIO(desk.get(f"/{endpoint}/export/xlsx/").get_data())).active
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def ended(session: Session) -> Any:
    """Return what the trail says of the only file that was sent."""
    query = sa.select(AuditRecord).where(AuditRecord.action == "export_ended")
    return session.scalars(query).one().after


@pytest.mark.parametrize("nickname", FORMULAS)
def test_a_text_that_begins_like_a_formula_stays_a_text(
    session: Session, owner: Desk, nickname: str
) -> None:
    make_member(session, nickname=nickname)
    session.commit()

    [_, row] = read_csv(owner, "members")
    sheet = load_workbook(io.BytesIO(owner.get("/members/export/xlsx/").get_data())).active
    cell = sheet["A2"]

    assert row[0].startswith("'")
    assert cell.data_type == "s"
    assert str(cell.value).startswith("'")


def test_a_csv_tells_excel_that_it_is_unicode(session: Session, owner: Desk) -> None:
    make_member(session, nickname="小美")
    session.commit()

    raw = owner.get("/members/export/csv/").get_data()

    assert raw.startswith(b"\xef\xbb\xbf")
    assert "小美".encode() in raw


def test_money_is_a_number_in_yuan(session: Session, owner: Desk) -> None:
    make_order(session, price_fen=12_345, state=OrderState.PAID)
    session.commit()

    heads, row = read_csv(owner, "orders")
    sheet = load_workbook(io.BytesIO(owner.get("/orders/export/xlsx/").get_data())).active

    place = heads.index("Payable")
    assert row[place] == "123.45"
    assert sheet.cell(2, place + 1).value == 123.45
    assert sheet.cell(2, place + 1).number_format == "#,##0.00"


def test_phone_numbers_leave_masked(session: Session, owner: Desk) -> None:
    make_member(session, phone="+8613812345678")
    session.commit()

    text = owner.get("/members/export/csv/").get_data(as_text=True)

    assert "138****5678" in text
    assert "13812345678" not in text


def test_a_file_holds_what_the_list_is_narrowed_to(session: Session, owner: Desk) -> None:
    make_order(session, state=OrderState.PAID)
    closed = make_order(session, state=OrderState.CLOSED)
    session.commit()

    rows = read_csv(owner, "orders", state="closed")

    assert [row[0] for row in rows[1:]] == [closed.number]


def test_a_long_list_is_written_in_batches_without_losing_or_doubling_a_row(
    session: Session, owner: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(23):
        make_member(session, nickname=f"member {number}")
    session.commit()
    monkeypatch.setattr(exports, "BATCH", 5)

    rows = read_csv(owner, "members")

    assert sorted(row[0] for row in rows[1:]) == sorted(f"member {n}" for n in range(23))


@pytest.mark.parametrize("kind", exports.TYPES)
def test_a_file_that_ends_at_the_limit_says_so_in_its_last_row(
    session: Session, owner: Desk, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for number in range(9):
        make_member(session, nickname=f"member {number}")
    session.commit()
    monkeypatch.setattr(exports, "BATCH", 4)
    monkeypatch.setattr(exports, "ROWS_MAX", 6)

    rows = read(owner, "members", kind)

    assert [row[0] for row in rows[1:-1]] == [f"member {n}" for n in (8, 7, 6, 5, 4, 3)]
    assert str(rows[-1][0]).startswith("Cut off here: this file holds 6 rows")
    assert ended(session) == {"type": kind, "rows": 6, "outcome": "cut"}


@pytest.mark.parametrize("kind", exports.TYPES)
def test_a_file_of_just_as_many_rows_as_there_may_be_is_whole(
    session: Session, owner: Desk, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for number in range(6):
        make_member(session, nickname=f"member {number}")
    session.commit()
    monkeypatch.setattr(exports, "BATCH", 4)
    monkeypatch.setattr(exports, "ROWS_MAX", 6)

    rows = read(owner, "members", kind)

    assert len(rows) == 1 + 6
    assert ended(session) == {"type": kind, "rows": 6, "outcome": "whole"}


def test_who_took_which_rows_out_is_audited_without_phone_numbers(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    make_member(session)
    session.commit()
    desk = sit_down("operations")

    read_csv(desk, "members", search="13812345678")

    row = session.scalars(sa.select(AuditRecord).where(AuditRecord.action == "exported")).one()
    assert (row.actor_kind, row.actor_id, row.subject_type) == ("staff", desk.staff_id, "members")
    assert row.after["filters"] == {"search": "…"}
    assert row.after["columns"][0] == "Nickname"
    assert row.request_id is not None
    assert ended(session) == {"type": "csv", "rows": 0, "outcome": "whole"}


def test_a_store_takes_out_its_own_rows_only(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    mine = make_order(session, store=here)
    make_order(session, store=there)
    session.commit()

    rows = read_csv(sit_down("finance", here), "orders")

    assert [row[0] for row in rows[1:]] == [mine.number]


def test_a_file_of_another_kind_does_not_exist(owner: Desk) -> None:
    assert owner.get("/orders/export/pdf/").status_code == 404
