"""Stock is never promised twice, and each change leaves a movement."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.catalog import queries, services
from app.catalog.errors import ProductNotFound, StockChangeInvalid, StockOut, StockPromised
from app.catalog.models import ProductKind, StockLevel, StockMovement
from app.catalog.services import StockCount
from app.kernel.audit import Actor, AuditRecord
from tests.factories.orders import make_goods, make_product
from tests.factories.people import make_staff, make_store


def level(session: Session, product_id: int, store_id: int) -> tuple[int, int]:
    row = session.get_one(StockLevel, (product_id, store_id), populate_existing=True)
    return row.on_hand, row.reserved


def movements(session: Session, product_id: int) -> list[tuple[str, int, int]]:
    rows = session.scalars(
        sa.select(StockMovement)
        .where(StockMovement.product_id == product_id)
        .order_by(StockMovement.id)
    )
    return [(row.move.value, row.on_hand_change, row.reserved_change) for row in rows]


def test_goods_go_from_shelf_to_customer_and_back(session: Session, now: datetime) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=10)
    wanted = {goods.id: 4}

    services.reserve(session, 1, wanted, store_id=store.id, now=now)
    reserved = level(session, goods.id, store.id)
    services.sell(session, 1, wanted, store_id=store.id, now=now)
    sold = level(session, goods.id, store.id)
    services.take_back(session, 1, {goods.id: 1}, store_id=store.id, now=now)

    assert (reserved, sold) == ((10, 4), (6, 0))
    assert level(session, goods.id, store.id) == (7, 0)
    assert movements(session, goods.id) == [
        ("receive", 10, 0),
        ("reserve", 0, 4),
        ("sell", -4, -4),
        ("return", 1, 0),
    ]


def test_a_promise_can_be_taken_back(session: Session, now: datetime) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=3)
    services.reserve(session, 1, {goods.id: 3}, store_id=store.id, now=now)

    services.release(session, 1, {goods.id: 3}, store_id=store.id, now=now)

    assert level(session, goods.id, store.id) == (3, 0)
    assert queries.available(session, [goods.id], store_id=store.id) == {goods.id: 3}


def test_what_is_promised_cannot_be_promised_again(session: Session, now: datetime) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=5)
    services.reserve(session, 1, {goods.id: 3}, store_id=store.id, now=now)

    with pytest.raises(StockOut) as refusal:
        services.reserve(session, 2, {goods.id: 3}, store_id=store.id, now=now)

    assert (refusal.value.title, refusal.value.available) == (goods.title, 2)
    assert str(refusal.value) == f"{goods.title} is out of stock: 2 left."
    assert level(session, goods.id, store.id) == (5, 3)


def test_another_store_s_stock_is_not_for_sale_here(session: Session, now: datetime) -> None:
    here, there = make_store(session), make_store(session)
    goods = make_goods(session, there)

    with pytest.raises(StockOut) as refusal:
        services.reserve(session, 1, {goods.id: 1}, store_id=here.id, now=now)

    assert refusal.value.available == 0


def test_the_database_itself_refuses_to_sell_what_was_not_promised(
    session: Session, now: datetime
) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=5)

    with pytest.raises(IntegrityError, match="never_oversold"):
        services.sell(session, 1, {goods.id: 1}, store_id=store.id, now=now)


def test_arriving_goods_add_up_and_are_audited(session: Session, now: datetime) -> None:
    store, product = make_store(session), make_product(session, kind=ProductKind.GOODS)
    actor = Actor("staff", make_staff(session).id)

    for quantity in (5, 7):
        services.receive_stock(
            session,
            product_id=product.id,
            store_id=store.id,
            quantity=quantity,
            actor=actor,
            now=now,
        )

    assert level(session, product.id, store.id) == (12, 0)
    entries = session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id)).all()
    assert [(row.action, row.store_id, row.after) for row in entries] == [
        ("stock_receive", store.id, {"on_hand_change": 5}),
        ("stock_receive", store.id, {"on_hand_change": 7}),
    ]


@pytest.mark.parametrize("quantity", [0, -1, 1_000_001])
def test_an_arrival_outside_all_reason_is_refused(
    session: Session, now: datetime, quantity: int
) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=1)

    with pytest.raises(StockChangeInvalid):
        services.receive_stock(
            session,
            product_id=goods.id,
            store_id=store.id,
            quantity=quantity,
            actor=Actor("staff", 1),
            now=now,
        )

    assert level(session, goods.id, store.id) == (1, 0)


def test_a_service_has_no_stock_and_an_unknown_product_is_unknown(
    session: Session, now: datetime
) -> None:
    store, service = make_store(session), make_product(session)
    cases = [(service.id, StockChangeInvalid), (service.id + 1_000, ProductNotFound)]

    for product_id, error in cases:
        with pytest.raises(error):
            services.receive_stock(
                session,
                product_id=product_id,
                store_id=store.id,
                quantity=1,
                actor=Actor("staff", 1),
                now=now,
            )


def test_a_count_becomes_the_stock_and_its_difference_a_movement(
    session: Session, now: datetime
) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=10)
    found = StockCount(product_id=goods.id, store_id=store.id, counted=8, reason="stocktaking")

    services.count_stock(session, found, actor=Actor("staff", make_staff(session).id), now=now)

    assert level(session, goods.id, store.id) == (8, 0)
    assert movements(session, goods.id)[-1] == ("count", -2, 0)


def test_a_count_below_what_was_promised_is_refused(session: Session, now: datetime) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=10)
    services.reserve(session, 1, {goods.id: 4}, store_id=store.id, now=now)
    found = StockCount(product_id=goods.id, store_id=store.id, counted=3, reason="stocktaking")

    with pytest.raises(StockPromised) as refusal:
        services.count_stock(session, found, actor=Actor("staff", 1), now=now)

    assert refusal.value.reserved == 4
    assert level(session, goods.id, store.id) == (10, 4)
