"""Forms end in one call of a service, refuse what is wrong, and lose nothing that was typed."""

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask_security import verify_password
from sqlalchemy.orm import Session

from app.attribution.models import ShareCode
from app.catalog.models import Product, ProductKind, StockLevel
from app.kernel.audit import AuditRecord
from app.orders.models import Refund
from app.orders.states import OrderState
from app.stores.models import Staff, Store
from tests.admin.colleagues import make_colleague
from tests.admin.conftest import Desk
from tests.factories.orders import make_goods, make_order, make_product
from tests.factories.people import (
    make_distributor,
    make_member,
    make_staff,
    make_store,
)

PRODUCT = {
    "title": "精华",
    "title_en": "Serum",
    "kind": "goods",
    "price_fen": "128.5",
    "list_price_fen": "168",
    "is_published": "y",
}


def test_a_product_is_added_and_edited(session: Session, owner: Desk) -> None:
    owner.post("/products/form/new/", PRODUCT)
    row = session.scalars(sa.select(Product)).one()
    assert (row.price_fen, row.list_price_fen, row.is_published) == (12_850, 16_800, True)

    begun = owner.get("/products/form/edit/", id=row.id).get_data(as_text=True)
    owner.post(
        "/products/form/edit/",
        PRODUCT | {"price_fen": "99.99", "is_published": ""},
        query_string={"id": row.id},
    )

    assert 'value="128.50"' in begun
    session.refresh(row)
    assert row.price_fen == 9_999


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price_fen", "-1"),
        ("price_fen", "1e3"),
        ("price_fen", "1.234"),
        ("price_fen", "abc"),
        ("price_fen", "9" * 20),
        ("price_fen", ""),
        ("price_fen", "0"),
        ("list_price_fen", "1"),
        ("title", ""),
        ("title", "x" * 81),
        ("kind", "magic"),
    ],
)
def test_a_product_that_makes_no_sense_is_refused_beside_its_field(
    session: Session, owner: Desk, field: str, value: str
) -> None:
    answer = owner.post("/products/form/new/", PRODUCT | {field: value})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert f'id="{field}-errors"' in page
    assert session.scalars(sa.select(Product)).all() == []


def test_what_was_typed_stands_there_again(owner: Desk) -> None:
    page = owner.post("/products/form/new/", PRODUCT | {"title": ""}).get_data(as_text=True)

    assert 'value="Serum"' in page
    assert 'value="128.5"' in page


def test_stock_is_received_and_counted_in_ones_own_store_only(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    product = make_product(session, kind=ProductKind.GOODS)
    desk = sit_down("store_manager", here)
    about = {"id": product.id}

    desk.post("/products/form/receive/", {"store_id": here.id, "quantity": 12}, query_string=about)
    refused = desk.post(
        "/products/form/receive/", {"store_id": there.id, "quantity": 12}, query_string=about
    )
    desk.post(
        "/products/form/count/",
        {"store_id": here.id, "counted": 10, "reason": "two broken"},
        query_string=about,
    )

    assert refused.status_code == 200
    levels = session.execute(sa.select(StockLevel.store_id, StockLevel.on_hand)).all()
    assert [tuple(row) for row in levels] == [(here.id, 10)]


def test_a_share_code_is_made_for_a_store_or_a_distributor_not_both(
    session: Session, owner: Desk
) -> None:
    store, seller = make_store(session), make_distributor(session)
    session.commit()
    common = {"channel_name": "Counter", "channel_kind": "counter", "page": "pages/index/index"}

    owner.post("/share_codes/form/issue/", common | {"owner_store_id": store.id})
    owner.post(
        "/share_codes/form/issue/",
        common | {"distributor_id": seller.member_id, "owner_store_id": ""},
    )
    both = owner.post(
        "/share_codes/form/issue/",
        common | {"owner_store_id": store.id, "distributor_id": seller.member_id},
    )

    assert both.status_code == 200
    owners = session.execute(
        sa.select(ShareCode.owner_store_id, ShareCode.distributor_id).order_by(ShareCode.id)
    ).all()
    assert [tuple(row) for row in owners] == [(store.id, None), (None, seller.member_id)]


def test_a_foreign_distributor_cannot_be_picked(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    foreign = make_distributor(session, store_id=there.id)
    desk = sit_down("store_manager", here)

    answer = desk.post(
        "/share_codes/form/issue/",
        {
            "distributor_id": foreign.member_id,
            "channel_name": "Counter",
            "channel_kind": "counter",
            "page": "pages/index/index",
        },
    )

    assert 'id="distributor_id-errors"' in answer.get_data(as_text=True)
    assert session.scalars(sa.select(ShareCode)).all() == []


def test_some_of_an_order_is_refunded(session: Session, owner: Desk) -> None:
    order = make_order(session, price_fen=10_000, state=OrderState.COMPLETED)
    line_id = order.lines[0].id
    session.commit()

    owner.post(
        "/orders/form/refund/",
        {"how_much": "some", f"amount_{line_id}": "30", "reason": "one part missing"},
        query_string={"id": order.id},
    )

    refund = session.scalars(sa.select(Refund)).one()
    assert (refund.amount_fen, refund.reason) == (3_000, "one part missing")


def test_everything_left_of_an_order_is_refunded(session: Session, owner: Desk) -> None:
    goods = make_goods(session, make_store(session))
    order = make_order(session, price_fen=10_000, state=OrderState.COMPLETED)
    assert goods.id
    session.commit()

    page = owner.get("/orders/form/refund/", id=order.id).get_data(as_text=True)
    owner.post(
        "/orders/form/refund/",
        {"how_much": "all", "reason": "not satisfied"},
        query_string={"id": order.id},
    )

    assert "¥100.00" in page
    assert session.scalars(sa.select(Refund.amount_fen)).one() == 10_000


@pytest.mark.parametrize("amount", ["", "0", "100.01", "-5", "abc"])
def test_a_refund_of_nothing_or_too_much_is_refused(
    session: Session, owner: Desk, amount: str
) -> None:
    order = make_order(session, price_fen=10_000, state=OrderState.COMPLETED)
    line_id = order.lines[0].id
    session.commit()

    answer = owner.post(
        "/orders/form/refund/",
        {"how_much": "some", f"amount_{line_id}": amount, "reason": "test"},
        query_string={"id": order.id},
    )

    assert answer.status_code == 200
    assert session.scalars(sa.select(Refund)).all() == []


def test_somebody_is_appointed_and_has_to_choose_a_password(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    store = make_store(session)
    session.commit()
    owner.post(
        "/staff/form/new/",
        {
            "name": "New",
            "email": "New@Example.com",
            "password": "a first password",
            "roles": ["front_desk"],
            "store_ids": [store.id],
        },
    )

    staff = session.scalars(sa.select(Staff).where(Staff.email == "new@example.com")).one()
    assert [role.name for role in staff.roles] == ["front_desk"]
    assert [one.id for one in staff.stores] == [store.id]
    assert staff.password is not None
    assert verify_password("a first password", staff.password)
    gated = sit_down(staff=staff).get("/orders/")
    assert gated.headers["Location"] == "/admin/account/password/"


def test_roles_and_stores_are_set(session: Session, owner: Desk) -> None:
    colleague, store = make_staff(session, "finance"), make_store(session)
    session.commit()

    owner.post(
        "/staff/form/duties/",
        {
            "roles": ["store_manager", "front_desk"],
            "store_ids": [store.id],
            "reason": "covers for a colleague",
        },
        query_string={"id": colleague.id},
    )

    session.refresh(colleague)
    assert {role.name for role in colleague.roles} == {"store_manager", "front_desk"}
    assert [one.id for one in colleague.stores] == [store.id]
    assert colleague.sees_all_stores is False


def test_a_lost_phone_is_forgotten_and_sessions_end(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    colleague = make_colleague(session)
    desk = sit_down(staff=colleague)

    owner.post(
        "/staff/form/reset/",
        {"password": "another first password", "reason": "phone lost"},
        query_string={"id": colleague.id},
    )

    assert desk.get("/").status_code == 302
    session.refresh(colleague)
    assert (colleague.tf_totp_secret, colleague.must_change_password) == (None, True)


def test_a_store_is_opened(session: Session, owner: Desk) -> None:
    owner.post("/stores/form/new/", {"name": "徐汇店", "address": "衡山路 8 号", "region_id": ""})
    again = owner.post("/stores/form/new/", {"name": "徐汇店", "address": "", "region_id": ""})

    assert session.scalars(sa.select(Store.name)).all() == ["徐汇店"]
    assert "A store of this name exists." in again.get_data(as_text=True)


def test_a_whole_phone_number_is_shown_for_a_reason_and_recorded(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    member = make_member(session, phone="+8613812345678")
    desk = sit_down("operations")

    silent = desk.post("/members/phone/", {"id": member.id, "reason": " "})
    shown = desk.post("/members/phone/", {"id": member.id, "reason": "confirm a visit"})

    assert "13812345678" not in silent.get_data(as_text=True)
    assert "+8613812345678" in shown.get_data(as_text=True)
    record = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "phone_revealed")
    ).one()
    assert (record.subject_id, record.reason) == (member.id, "confirm a visit")
    assert "138" not in json.dumps([record.before, record.after])


def test_whole_phone_numbers_are_for_those_with_the_right(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    member = make_member(session, phone="+8613812345678")
    desk = sit_down("auditor")

    assert desk.post("/members/phone/", {"id": member.id, "reason": "x"}).status_code == 403


def test_nobody_sees_more_than_fifty_whole_numbers_a_day(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    member = make_member(session, phone="+8613812345678")
    desk = sit_down("operations")
    for _ in range(50):
        desk.post("/members/phone/", {"id": member.id, "reason": "calls"})

    refused = desk.post("/members/phone/", {"id": member.id, "reason": "calls"})

    page = refused.get_data(as_text=True)
    assert "+8613812345678" not in page
    assert "You have seen 50 phone numbers today" in page
