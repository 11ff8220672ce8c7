"""Files on their way: piece by piece, one at a time, never half a file that looks whole."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from openpyxl import load_workbook  # type: ignore[import-untyped]  # it has no stubs of its own
from sqlalchemy.orm import Session

from admin import exports, listing, workbook
from admin.exporting import NoLongerAllowed
from app.kernel.audit import AuditRecord
from app.kernel.db import database_now
from app.stores import export_slots
from app.stores.models import Staff
from app.stores.view_models import ExportSlot
from tests.admin.conftest import Desk
from tests.factories.people import make_member

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def written(kind: str, heads: list[str], *batches: list[list[Any]]) -> bytes:
    pieces = exports.write(kind, heads, batches, now=NOON, when_full=lambda: ["full"])
    return b"".join(pieces)


def sheet_of(data: bytes) -> Any:
    return load_workbook(io.BytesIO(data)).active


def trail(session: Session, action: str) -> list[Any]:
    query = sa.select(AuditRecord).where(AuditRecord.action == action).order_by(AuditRecord.id)
    return [row.after for row in session.scalars(query)]


def open_stream(desk: Desk, path: str) -> Any:
    """Begin to receive a file, without reading it."""
    return desk.client.get(f"/admin{path}", headers={"Accept-Language": "en"}, buffered=False)


def receive(answer: Any, into: list[bytes]) -> None:
    """Read a file as far as it comes."""
    for piece in answer.response:
        into.append(piece)


@pytest.fixture
def members(session: Session, monkeypatch: pytest.MonkeyPatch) -> int:
    """Twelve customers, of whom a file reads five at a time."""
    for number in range(12):
        make_member(session, nickname=f"member {number}")
    session.commit()
    monkeypatch.setattr(exports, "BATCH", 5)
    return 12


# What the files hold


def test_a_workbook_is_read_by_others_as_it_was_written() -> None:
    rows = [
        ["Mei", 12, Decimal("1234.50")],
        ["  spaces  ", -3, Decimal("-0.01")],
        ["<&>\"'", 0, Decimal(0)],
        ["小美 🙂\nline", 10**18, Decimal("99999999999.99")],
    ]

    sheet = sheet_of(written("xlsx", ["Name", "Count", "Yuan"], rows[:2], [], rows[2:]))

    assert [cell.value for cell in sheet[1]] == ["Name", "Count", "Yuan"]
    assert all(cell.font.bold for cell in sheet[1])
    assert sheet.freeze_panes == "A2"
    assert [cell.value for cell in sheet[2]] == ["Mei", 12, 1234.5]
    assert sheet["C3"].value == -0.01
    assert {sheet.cell(row, 3).number_format for row in range(2, 6)} == {"#,##0.00"}
    assert sheet["A3"].value == "  spaces  "
    assert sheet["A4"].value == "<&>\"'"
    assert sheet["A5"].value == "小美 🙂\nline"
    assert sheet["B5"].value == str(10**18)
    assert sheet.max_row == 5


def test_a_workbook_holds_what_xml_cannot_and_what_is_too_long_as_far_as_it_goes() -> None:
    long = "x" * (workbook.TEXT_MAX + 5)

    sheet = sheet_of(written("xlsx", ["Text"], [["a\x01b\ufffec"], [long]]))

    assert sheet["A2"].value == "abc"
    assert sheet["A3"].value == "x" * workbook.TEXT_MAX


def test_a_workbook_is_an_archive_that_needs_no_winding_back() -> None:
    """Excel opens streamed archives of the 32-bit kind only: descriptors behind the data."""
    data = written("xlsx", ["Text"], [["a"]])

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
    assert all(one.flag_bits & 0x08 for one in infos)
    assert all(one.extract_version < 45 for one in infos)


def test_a_workbook_that_excel_could_not_read_any_more_ends_before_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workbook, "BYTES_MAX", 4_000)
    batches = [[["x" * 1_000]] for _ in range(9)]

    rows = [row[0].value for row in sheet_of(written("xlsx", ["Text"], *batches)).iter_rows()]

    assert rows[-1] == "full"
    assert 3 <= len(rows) < 9


@pytest.mark.parametrize("kind", exports.TYPES)
def test_a_file_without_rows_is_whole(kind: str) -> None:
    data = written(kind, ["Name"])

    if kind == "csv":
        assert data == b"\xef\xbb\xbfName\r\n"
    else:
        assert sheet_of(data).max_row == 1


@pytest.mark.parametrize("kind", exports.TYPES)
def test_memory_holds_one_batch_whatever_the_length_of_the_file(kind: str) -> None:
    alive: list[int] = []

    class Batch(list[Any]):
        living = 0

        def __init__(self) -> None:
            super().__init__([["x", 1]] * 10)
            Batch.living += 1

        def __del__(self) -> None:
            Batch.living -= 1

    def batches() -> Iterator[Any]:
        for _ in range(50):
            alive.append(Batch.living)
            yield Batch()

    for _ in exports.write(kind, ["A", "B"], batches(), now=NOON, when_full=lambda: ["full"]):
        pass

    assert max(alive) <= 1


# How they leave


@pytest.mark.parametrize("kind", exports.TYPES)
def test_the_first_bytes_leave_before_a_row_is_read(
    session: Session, owner: Desk, members: int, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    read: list[int] = []
    page_of = listing.by_place

    def watched(*args: Any, **kwargs: Any) -> Any:
        read.append(1)
        return page_of(*args, **kwargs)

    monkeypatch.setattr(listing, "by_place", watched)
    answer = open_stream(owner, f"/members/export/{kind}/")

    pieces = iter(answer.response)
    first = next(pieces)

    assert first
    assert read == []
    assert "Content-Length" not in answer.headers
    assert answer.headers["X-Accel-Buffering"] == "no"
    rest = b"".join(pieces)
    assert len(read) == 3
    assert len(first + rest) > len(first)
    answer.close()


def test_that_a_file_begins_is_in_the_trail_before_its_first_byte(
    session: Session, owner: Desk, members: int
) -> None:
    answer = open_stream(owner, "/members/export/csv/?bought=no")

    [begun] = trail(session, "exported")
    assert (begun["type"], begun["filters"]) == ("csv", {"bought": "no"})
    assert trail(session, "export_ended") == []

    b"".join(answer.response)
    answer.close()
    assert trail(session, "export_ended") == [{"type": "csv", "rows": 12, "outcome": "whole"}]


def test_no_transaction_stays_open_between_two_pieces(
    session: Session, owner: Desk, members: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_of = listing.by_place
    reading: list[Session] = []

    def watched(own: Session, *args: Any, **kwargs: Any) -> Any:
        reading.append(own)
        return page_of(own, *args, **kwargs)

    monkeypatch.setattr(listing, "by_place", watched)
    answer = open_stream(owner, "/members/export/csv/")

    open_ones = [any(one.in_transaction() for one in reading) for _ in answer.response]
    answer.close()

    assert open_ones == [False] * 4
    assert len(reading) == 3
    assert session not in reading


def test_a_second_file_of_the_same_person_waits_for_the_first(
    session: Session, owner: Desk, sit_down: Callable[..., Desk], members: int
) -> None:
    first = open_stream(owner, "/members/export/csv/")
    next(iter(first.response))

    second = owner.get("/orders/export/xlsx/")
    other = sit_down("owner").get("/orders/export/xlsx/")

    assert second.status_code == 429
    assert second.headers["Retry-After"] == "30"
    assert "Another file of yours is still on its way." in second.get_data(as_text=True)
    assert other.status_code == 200
    first.close()
    assert owner.get("/orders/export/xlsx/").status_code == 200


def test_a_file_that_is_broken_off_says_so_in_the_trail_and_frees_the_slot(
    session: Session, owner: Desk, members: int
) -> None:
    answer = open_stream(owner, "/members/export/csv/")
    pieces = iter(answer.response)
    next(pieces)
    next(pieces)

    answer.close()

    assert trail(session, "export_ended") == [{"type": "csv", "rows": 5, "outcome": "broken_off"}]
    assert session.scalars(sa.select(ExportSlot)).all() == []


@pytest.mark.parametrize("kind", exports.TYPES)
def test_a_file_that_fails_in_the_middle_does_not_look_whole(
    session: Session, owner: Desk, members: int, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The error reaches the server, which breaks the connection off without the last chunk."""
    page_of, asked = listing.by_place, []

    def fails_later(*args: Any, **kwargs: Any) -> Any:
        asked.append(1)
        if len(asked) > 1:
            raise OSError("the database went away")
        return page_of(*args, **kwargs)

    monkeypatch.setattr(listing, "by_place", fails_later)
    answer = open_stream(owner, f"/members/export/{kind}/")
    got: list[bytes] = []
    with pytest.raises(OSError, match="went away"):
        receive(answer, got)
    answer.close()

    assert trail(session, "export_ended") == [{"type": kind, "rows": 5, "outcome": "broken_off"}]
    assert session.scalars(sa.select(ExportSlot)).all() == []
    if kind == "xlsx":
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(io.BytesIO(b"".join(got)))


@pytest.mark.parametrize(
    "change", [{"active": False}, {"fs_uniquifier": "signed-out-everywhere"}], ids=str
)
def test_whoever_is_sent_away_meanwhile_gets_no_further_rows(
    session: Session, owner: Desk, members: int, change: dict[str, Any]
) -> None:
    answer = open_stream(owner, "/members/export/csv/")
    pieces = iter(answer.response)
    next(pieces)
    got = next(pieces)
    session.execute(sa.update(Staff).where(Staff.id == owner.staff_id).values(**change))
    session.commit()

    with pytest.raises(NoLongerAllowed):
        next(pieces)
    answer.close()

    assert got.count(b"member ") == 5
    assert trail(session, "export_ended") == [{"type": "csv", "rows": 5, "outcome": "broken_off"}]


def test_asking_for_the_heads_of_a_file_takes_no_slot(session: Session, owner: Desk) -> None:
    answer = owner.client.head("/admin/members/export/csv/")

    assert answer.status_code == 200
    assert session.scalars(sa.select(ExportSlot)).all() == []
    assert owner.get("/members/export/csv/").status_code == 200


def test_a_slot_that_nobody_keeps_is_free_again_after_a_while(
    app: Flask, session: Session, owner: Desk
) -> None:
    assert owner.staff_id is not None
    now = database_now()
    lost, kept = now - 2 * export_slots.LOST_AFTER, now - timedelta(seconds=1)
    assert export_slots.take(session, owner.staff_id, token="a", now=lost)
    assert export_slots.take(session, owner.staff_id, token="b", now=kept)

    assert not export_slots.take(session, owner.staff_id, token="c", now=now)

    export_slots.leave(session, owner.staff_id, token="a")
    assert not export_slots.take(session, owner.staff_id, token="c", now=now)
    export_slots.leave(session, owner.staff_id, token="b")
    assert export_slots.take(session, owner.staff_id, token="c", now=now)


def test_both_kinds_hold_the_same_rows(session: Session, owner: Desk, members: int) -> None:
    text = owner.get("/members/export/csv/").get_data().decode("utf-8-sig")
    book = sheet_of(owner.get("/members/export/xlsx/").get_data())

    from_csv = [[str(one) for one in row] for row in csv.reader(io.StringIO(text))]
    from_xlsx = [[str(cell.value or "") for cell in row] for row in book.iter_rows()]
    assert from_xlsx == from_csv
    assert len(from_csv) == 1 + members
