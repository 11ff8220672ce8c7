"""Many customers, few goods: exactly as many orders as there are pieces."""

from collections import Counter
from datetime import datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.catalog.errors import StockOut
from app.catalog.models import StockLevel, StockMove, StockMovement
from app.kernel.db import atomic, retrying
from app.orders import services, unpaid
from app.orders.models import Fulfilment, Order
from app.orders.pricing import WantedLine
from app.orders.services import Basket
from app.orders.states import OrderState
from app.settings import Settings
from tests.factories.orders import LineOf, make_goods, make_order
from tests.factories.people import make_member, make_store
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
CLIENTS = 20
TRIES = 50
PIECES = 100
STOCK = ("B10o", "B12", "S1")


def test_a_hundred_pieces_make_a_hundred_orders_among_a_thousand_tries(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=PIECES)
    members = [make_member(session).id for _ in range(CLIENTS)]
    basket = Basket(
        store_id=store.id, lines=[WantedLine(goods.id, 1)], fulfilment=Fulfilment.PICKUP
    )
    session.commit()

    def order(member_id: int) -> str:
        def act() -> None:
            with atomic() as inner:
                services.create(
                    inner, member_id=member_id, basket=basket, settings=settings, now=now
                )

        try:
            retrying(act)
        except StockOut:
            return "out"
        return "made"

    def client(member_id: int) -> Counter[str]:
        return Counter(order(member_id) for _ in range(TRIES))

    counts = at_once(app, *[partial(client, member_id) for member_id in members])
    answers = sum((count for count in counts if isinstance(count, Counter)), Counter[str]())

    level = session.get_one(StockLevel, (goods.id, store.id), populate_existing=True)
    reserved = sa.select(sa.func.count()).where(StockMovement.move == StockMove.RESERVE)
    assert answers == {"made": PIECES, "out": CLIENTS * TRIES - PIECES}
    assert (level.on_hand, level.reserved) == (PIECES, PIECES)
    assert session.scalar(reserved) == PIECES
    assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == PIECES
    assert broken(session, *STOCK) == []


def test_baskets_filled_in_opposite_order_never_wait_for_each_other(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    store, member_id = make_store(session), make_member(session).id
    first, second = make_goods(session, store), make_goods(session, store)
    lines = [WantedLine(first.id, 1), WantedLine(second.id, 1)]
    baskets = [
        Basket(store_id=store.id, lines=order, fulfilment=Fulfilment.PICKUP)
        for order in (lines, lines[::-1])
    ]
    session.commit()

    def fill(basket: Basket) -> None:
        for _ in range(20):
            with atomic() as inner:
                services.create(
                    inner, member_id=member_id, basket=basket, settings=settings, now=now
                )

    at_once(app, *[partial(fill, basket) for basket in baskets])

    levels = session.execute(sa.select(StockLevel.reserved)).scalars().all()
    assert levels == [40, 40]


def test_workers_that_close_the_same_orders_release_each_piece_once(
    app: Flask, session: Session, now: datetime
) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=60)
    for _ in range(30):
        line = LineOf(product=goods, quantity=2)
        make_order(session, store=store, lines=[line], state=OrderState.CREATED, now=now)
    order = session.scalars(sa.select(Order)).first()
    assert order is not None
    at = order.pay_by_at
    session.commit()

    def work() -> int:
        count = 0
        while unpaid.close_never_offered(now=at):
            count += 1
        return count

    closed = at_once(app, *[work] * 6)

    level = session.get_one(StockLevel, (goods.id, store.id), populate_existing=True)
    assert sum(int(count) for count in closed) == 30
    assert (level.on_hand, level.reserved) == (60, 0)
    assert broken(session, *STOCK) == []
