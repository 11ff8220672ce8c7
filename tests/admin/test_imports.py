"""Bringing files in through the back office: templates, dry run, wrong rows, importing."""

import io
from collections.abc import Callable
from typing import Any, Final

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook  # type: ignore[import-untyped]
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from app.catalog.models import Product, StockLevel
from app.imports import running
from app.imports.kinds import KINDS
from app.imports.models import ImportKind, ImportRun, ImportState
from app.imports.reading import FILE_BYTES_MAX, read_sheet
from app.kernel.audit import AuditRecord
from app.members.expected import ExpectedMember
from tests.admin.conftest import Desk
from tests.factories.imports import (
    csv_of,
    make_expected,
    make_historic_order,
    make_run,
    run_of,
    xlsx_of,
)
from tests.factories.orders import make_goods
from tests.factories.people import NOON, make_member, make_store

STOCK: Final = ("Store", "Product", "Pieces counted")


def send(desk: Desk, kind: str, data: bytes | str, *, name: str = "rows.csv", **fields: Any) -> Any:
    """Send a file as a browser does; encoded here, because the client would leave files open."""
    content = data.encode() if isinstance(data, str) else data
    sent = {"csrf_token": desk.token(), "file": FileStorage(io.BytesIO(content), name), **fields}
    boundary, body = encode_multipart(sent)
    return desk.client.post(
        f"/admin/imports/form/{kind}/",
        data=body,
        content_type=f'multipart/form-data; boundary="{boundary}"',
        headers={"Accept-Language": "en"},
    )


def runs(session: Session) -> list[ImportRun]:
    session.expire_all()
    return list(session.scalars(sa.select(ImportRun).order_by(ImportRun.id)))


@pytest.mark.parametrize("kind", list(ImportKind))
@pytest.mark.parametrize("file_type", ["csv", "xlsx"])
def test_a_template_can_be_brought_back_and_its_example_is_never_imported(
    owner: Desk, session: Session, kind: ImportKind, file_type: str
) -> None:
    template = owner.get(f"/imports/template/{kind.value}/{file_type}/")

    answer = send(owner, kind.value, template.get_data(), name=f"t.{file_type}", consent="y")

    [run] = runs(session)
    assert answer.status_code == 302
    assert (run.kind, run.rows_count, run.wrong_count) == (kind, 1, 1)
    assert set(run.columns) == {one.name for one in KINDS[kind].columns}
    page = owner.get("/imports/details/", id=run.id).get_data(as_text=True)
    assert "This is the example of the template. Delete this row." in page


def test_the_template_for_excel_explains_each_column_and_keeps_numbers_as_text(owner: Desk) -> None:
    data = owner.get("/imports/template/members/xlsx/").get_data()

    book = load_workbook(io.BytesIO(data))
    rows, told = book.worksheets
    assert rows["A1"].value == "Phone*"
    assert rows.column_dimensions["A"].number_format == "@"
    assert told["A2"].value == "Phone"
    assert told["C2"].value == "A mobile number of eleven digits, each once."


def test_a_file_is_checked_shown_begun_and_written(owner: Desk, session: Session) -> None:
    store = make_store(session, "North")
    product = make_goods(session, store, on_hand=5)
    product.title = "Serum"
    session.commit()

    answer = send(owner, "stock", csv_of(STOCK, [["North", "Serum", 7], ["South", "Serum", 1]]))

    [run] = runs(session)
    page = owner.get("/imports/details/", id=run.id).get_data(as_text=True)
    assert answer.location.endswith(f"/imports/details/?id={run.id}")
    assert "1 row can be imported. 1 row is wrong and would be left out." in page
    assert "Store: There is no such store among yours." in page
    assert session.get_one(StockLevel, (product.id, store.id)).on_hand == 5
    assert "Import the rows of this file?" in owner.post(
        "/imports/action/", {"action": "begin", "rowid": run.id}
    ).get_data(as_text=True)

    owner.decide("imports", "begin", run.id)
    waiting = owner.get("/imports/details/", id=run.id).get_data(as_text=True)
    assert f'data-progress="/admin/imports/status/?id={run.id}"' in waiting
    assert owner.get("/imports/status/", id=run.id).get_json()["is_open"] is True
    session.commit()
    running.work()

    session.expire_all()
    assert session.get_one(StockLevel, (product.id, store.id)).on_hand == 7
    told = owner.get("/imports/status/", id=run.id).get_json()
    assert told == {"state": "done", "said": "Done", "progress_bp": 10_000, "is_open": False}
    done = owner.get("/imports/details/", id=run.id, rows="done").get_data(as_text=True)
    assert f'href="/admin/products/details/?id={product.id}"' in done
    actions = session.scalars(
        sa.select(AuditRecord.action)
        .where(AuditRecord.subject_type == "imports")
        .order_by(AuditRecord.id)
    ).all()
    assert actions == ["import.uploaded", "import.begun", "import.done"]


@pytest.mark.parametrize("file_type", ["csv", "xlsx"])
def test_wrong_rows_come_back_as_they_were_and_can_be_mended(
    owner: Desk, session: Session, file_type: str
) -> None:
    attack = "=cmd|' /C calc'!A0"
    rows = [["Good", "service", "12.00"], [attack, "service", "x"], ["@SUM(1)", "-", "+1"]]
    send(owner, "products", csv_of(["Title", "Kind", "Price in yuan"], rows))
    [run] = runs(session)

    file = owner.get(f"/imports/rows/{file_type}/", id=run.id)

    sheet = read_sheet(file.get_data())
    assert sheet.headings == ["Title*", "Kind", "Price in yuan", "What is wrong"]
    assert [row[1][:3] for row in sheet.rows] == rows[1:]
    assert "not an amount in yuan" in sheet.rows[0][1][3]
    if file_type == "csv":
        assert f"\n{attack}" not in file.get_data(as_text=True)
    taken = session.scalars(sa.select(AuditRecord).where(AuditRecord.action.like("%taken"))).one()
    assert taken.after == {"rows": 2, "type": file_type}
    again = send(owner, "products", file.get_data(), name=f"mended.{file_type}")
    assert again.status_code == 302
    assert [one.wrong_count for one in runs(session)] == [2, 2]


def test_the_same_file_again_is_allowed_but_said(owner: Desk, session: Session) -> None:
    text = csv_of(["title", "kind", "price"], [["Massage", "服务", "99"]])
    send(owner, "products", text)
    [run] = runs(session)
    owner.decide("imports", "begin", run.id)
    session.commit()
    running.work()

    send(owner, "products", text)

    second = runs(session)[1]
    page = owner.get("/imports/details/", id=second.id).get_data(as_text=True)
    assert f"(import {run.id})" in page


BROKEN: Final[dict[str, tuple[str, bytes, str]]] = {
    "wrong columns": ("a.csv", b"colour,size\nred,1\n", "Unknown columns: colour, size."),
    "missing columns": ("a.csv", b"Title\nx\n", "Missing columns: Store."),
    "twice": ("a.csv", "门店,store,product\na,b,c\n".encode(), "there twice: store."),
    "empty": ("a.csv", b"", "no rows below its headings"),
    "headings only": ("a.csv", b"store,product\n\n,,\n", "no rows below its headings"),
    "binary": ("a.csv", bytes(range(255, 127, -1)) * 40, "cannot be read"),
    "broken workbook": ("a.xlsx", b"PK\x03\x04 no archive at all", "cannot be read"),
    "old or locked": ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 600, "password"),
}


@pytest.mark.parametrize("case", list(BROKEN))
def test_a_file_that_is_none_of_ours_is_refused_beside_the_field(
    owner: Desk, session: Session, case: str
) -> None:
    name, data, told = BROKEN[case]

    answer = send(owner, "stock", data, name=name)

    assert answer.status_code == 200
    assert told in answer.get_data(as_text=True)
    assert runs(session) == []


def test_larger_files_than_other_forms_take_are_taken_here_up_to_a_limit(
    owner: Desk, session: Session
) -> None:
    rows = [[f"Product {number}", "service", "9.00", "x" * 1_900] for number in range(1_500)]
    data = csv_of(["title", "kind", "price", "description"], rows).encode()
    assert len(data) > 2 * 1_048_576

    assert send(owner, "products", data).status_code == 302
    [run] = runs(session)
    assert (run.rows_count, run.valid_count) == (1_500, 1_500)
    too_large = send(owner, "products", data + b"x" * (FILE_BYTES_MAX - len(data) + 10))
    assert "too large: at most 10 MB" in too_large.get_data(as_text=True)
    assert send(owner, "products", b"x" * (FILE_BYTES_MAX + 2_000_000)).status_code == 413
    elsewhere = owner.post("/products/form/new/", {"title": "x" * 1_200_000})
    assert elsewhere.status_code == 413
    assert len(runs(session)) == 1


def test_a_stranger_cannot_send_a_large_file(stranger: Desk) -> None:
    answer = send(stranger, "stock", b"x" * 2_000_000)

    assert answer.status_code == 413


def test_people_are_brought_in_only_with_the_brands_word_on_their_consent(
    owner: Desk, session: Session
) -> None:
    text = csv_of(["phone"], [["13911112222"]])

    page = send(owner, "members", text)

    assert page.status_code == 200
    assert "This field is required." in page.get_data(as_text=True)
    assert runs(session) == []
    assert send(owner, "members", text, consent="y").status_code == 302
    [run] = runs(session)
    assert run.consent_declared is True


def test_pages_mask_phones_and_show_what_was_typed_as_text(owner: Desk, session: Session) -> None:
    attack = "<script>alert(1)</script>"
    rows = [["13911112222", attack], ["1391111222X", attack]]
    send(owner, "members", csv_of(["phone", "nickname"], rows), consent="y")
    [run] = runs(session)

    page = owner.get("/imports/details/", id=run.id, rows="all").get_data(as_text=True)

    assert "139****2222" in page
    assert "13911112222" not in page
    assert attack not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_store_manager_cannot_import(session: Session, sit_down: Callable[..., Desk]) -> None:
    manager = sit_down("store_manager", make_store(session))

    assert send(manager, "stock", csv_of(STOCK, [["x", "y", 1]])).status_code == 403
    assert manager.get("/imports/").status_code == 403
    assert runs(session) == []


def test_who_works_at_one_store_writes_stock_of_that_store_only(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session, "Here"), make_store(session, "There")
    products = [make_goods(session, store, on_hand=5) for store in (here, there)]
    for one, title in zip(products, ("A", "B"), strict=True):
        one.title = title
    desk = sit_down("operations", here)

    send(desk, "stock", csv_of(STOCK, [["Here", "A", 9], ["There", "B", 9], [there.id, "B", 9]]))
    [run] = runs(session)
    desk.decide("imports", "begin", run.id)
    session.commit()
    running.work()

    run = run_of(session, run.id)
    assert (run.state, run.done_count, run.wrong_count) == (ImportState.DONE, 1, 2)
    levels = {one.store_id: one.on_hand for one in session.scalars(sa.select(StockLevel))}
    assert levels == {here.id: 9, there.id: 5}


def test_a_run_of_the_whole_brand_is_not_shown_to_one_store(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    store = make_store(session)
    of_brand = make_run(session)
    desk = sit_down("operations", store)

    assert desk.get("/imports/details/", id=of_brand.id).status_code == 404
    assert desk.get("/imports/rows/csv/", id=of_brand.id).status_code == 404
    assert desk.get("/imports/status/", id=of_brand.id).status_code == 404


def test_what_there_is_no_file_of_is_not_found(owner: Desk, session: Session) -> None:
    run = make_run(session)
    session.commit()

    assert owner.get("/imports/template/orders/csv/").status_code == 404
    assert owner.get("/imports/template/stock/pdf/").status_code == 404
    assert owner.get("/imports/rows/pdf/", id=run.id).status_code == 404
    assert owner.get("/imports/rows/csv/", id=run.id).status_code == 404


def test_expected_customers_are_listed_without_name_and_birthday(
    owner: Desk, session: Session
) -> None:
    send(owner, "members", csv_of(["phone", "nickname"], [["13911112222", "Meimei"]]), consent="y")
    [run] = runs(session)
    owner.decide("imports", "begin", run.id)
    session.commit()
    running.work()
    [row] = session.scalars(sa.select(ExpectedMember)).all()

    for path in ("/expected_members/", f"/expected_members/details/?id={row.id}"):
        assert "Meimei" not in owner.get(path).get_data(as_text=True)


def test_a_historic_order_leads_to_its_customer_and_its_import(
    owner: Desk, session: Session
) -> None:
    store, run = make_store(session), make_run(session, name="old.xlsx")
    member = make_member(session, nickname="Old customer")
    order = make_historic_order(session, run=run, store=store, member_id=member.id)
    session.commit()

    page = owner.get("/historic_orders/details/", id=order.id).get_data(as_text=True)

    assert f'href="/admin/members/details/?id={member.id}"' in page
    assert f'href="/admin/imports/details/?id={run.id}"' in page
    assert "¥298.00" in page
    customer = owner.get("/members/details/", id=member.id).get_data(as_text=True)
    assert f'href="/admin/historic_orders/details/?id={order.id}"' in customer


def test_what_was_bought_before_signing_in_stands_on_the_customers_page(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    store, other = make_store(session), make_store(session)
    run, member = make_run(session), make_member(session, origin_store_id=other.id)
    expected = make_expected(session, store=store)
    order = make_historic_order(session, run=run, store=store, expected_id=expected.id)
    expected.nickname, expected.claimed_by_id, expected.claimed_at = "", member.id, NOON
    session.commit()
    elsewhere = sit_down("store_manager", other)

    for desk, is_shown in ((owner, True), (elsewhere, False)):
        page = desk.get("/members/details/", id=member.id).get_data(as_text=True)
        assert (order.number in page) is is_shown


def test_an_excel_file_with_chinese_headings_makes_products(owner: Desk, session: Session) -> None:
    data = xlsx_of(["商品名称", "类型", "售价", "是否上架"], [["面膜", "商品", 128.5, True]])

    send(owner, "products", data, name="商品.xlsx")
    [run] = runs(session)
    owner.decide("imports", "begin", run.id)
    session.commit()
    running.work()

    product = session.scalars(sa.select(Product).where(Product.title == "面膜")).one()
    assert (product.price_fen, product.is_published) == (12_850, True)
    assert run_of(session, run.id).file_name == "商品.xlsx"
