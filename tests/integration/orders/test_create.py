"""An order copies all that will ever decide about it, and sets its goods aside."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution.models import Binding
from app.catalog.errors import ProductNotFound, StockOut
from app.catalog.models import Product, StockLevel
from app.kernel.errors import DomainError
from app.orders import services
from app.orders.errors import (
    FulfilmentInvalid,
    LinesInvalid,
    OrderTooLarge,
    ProductNotOnSale,
    QuantityInvalid,
)
from app.orders.models import Fulfilment, Order
from app.orders.pricing import WantedLine
from app.orders.queries import order_for_member
from app.orders.services import Basket
from app.orders.states import OrderState
from app.settings import Settings
from app.stores.errors import StoreNotFound
from app.stores.models import Store
from app.stores.states import StoreState
from tests.factories.orders import make_goods, make_product
from tests.factories.people import make_binding, make_distributor, make_member, make_store


def basket(
    store: Store, *wanted: tuple[Product, int], fulfilment: Fulfilment = Fulfilment.SERVICE
) -> Basket:
    lines = [WantedLine(product.id, quantity) for product, quantity in wanted]
    return Basket(store_id=store.id, lines=lines, fulfilment=fulfilment)


def orders(session: Session) -> int:
    return session.scalars(sa.select(sa.func.count()).select_from(Order)).one()


def test_an_order_holds_prices_titles_and_its_hour_to_pay(
    session: Session, settings: Settings, now: datetime
) -> None:
    store, member = make_store(session), make_member(session)
    facial = make_product(session, title="Facial", price_fen=29_900)
    mask = make_goods(session, store, price_fen=1_250)
    wanted = basket(store, (facial, 1), (mask, 3), fulfilment=Fulfilment.PICKUP)

    order = services.create(session, member_id=member.id, basket=wanted, settings=settings, now=now)

    facts = [(line.title, line.is_service, line.quantity, line.net_fen) for line in order.lines]
    assert facts == [("Facial", True, 1, 29_900), (mask.title, False, 3, 3_750)]
    assert (order.goods_fen, order.discount_fen, order.payable_fen) == (33_650, 0, 33_650)
    assert (order.state, order.paid_fen) == (OrderState.CREATED, 0)
    assert order.pay_by_at == now + timedelta(seconds=settings.order_pay_seconds)


def test_a_preview_costs_the_same_and_promises_nothing(
    session: Session, settings: Settings, now: datetime
) -> None:
    store, member = make_store(session), make_member(session)
    mask = make_goods(session, store, on_hand=2, price_fen=1_250)
    wanted = basket(store, (mask, 2), fulfilment=Fulfilment.PICKUP)

    considered = services.preview(
        session, member_id=member.id, basket=wanted, settings=settings, now=now
    )

    assert considered.quote.preview.payable_fen == 2_500
    assert session.get_one(StockLevel, (mask.id, store.id)).reserved == 0
    assert orders(session) == 0


def test_two_lines_of_one_product_share_its_stock(
    session: Session, settings: Settings, now: datetime
) -> None:
    store, member = make_store(session), make_member(session)
    mask = make_goods(session, store, on_hand=5)
    wanted = basket(store, (mask, 2), (mask, 3), fulfilment=Fulfilment.PICKUP)

    order = services.create(session, member_id=member.id, basket=wanted, settings=settings, now=now)

    level = session.get_one(StockLevel, (mask.id, store.id), populate_existing=True)
    assert [line.quantity for line in order.lines] == [5]
    assert (level.on_hand, level.reserved) == (5, 5)


def test_goods_that_are_out_are_named_and_no_order_is_left(
    session: Session, settings: Settings, now: datetime
) -> None:
    store, member = make_store(session), make_member(session)
    plenty, scarce = make_goods(session, store), make_goods(session, store, on_hand=1)
    wanted = basket(store, (plenty, 1), (scarce, 2), fulfilment=Fulfilment.PICKUP)

    with pytest.raises(StockOut) as refusal, session.begin_nested():
        services.create(session, member_id=member.id, basket=wanted, settings=settings, now=now)

    assert (refusal.value.title, refusal.value.available) == (scarce.title, 1)
    assert session.get_one(StockLevel, (plenty.id, store.id), populate_existing=True).reserved == 0
    assert orders(session) == 0


def test_the_owner_of_the_customer_is_copied_and_stays(
    session: Session, settings: Settings, now: datetime
) -> None:
    member, owner = make_member(session), make_distributor(session)
    binding = make_binding(session, customer=member, owner=owner)
    wanted = basket(make_store(session), (make_product(session), 1))

    order = services.create(session, member_id=member.id, basket=wanted, settings=settings, now=now)

    binding.valid_until_at = now
    session.flush()
    session.expire(order)
    assert (order.owner_id, order.binding_id) == (owner.member_id, binding.id)


def test_a_lapsed_binding_and_a_store_s_binding_name_no_distributor(
    session: Session, settings: Settings, now: datetime
) -> None:
    lapsed, of_store, store = make_member(session), make_member(session), make_store(session)
    make_binding(session, customer=lapsed, valid_until_at=now)
    by_store = make_binding(session, customer=of_store, store=store)
    wanted = basket(store, (make_product(session), 1))

    first, second = (
        services.create(session, member_id=member.id, basket=wanted, settings=settings, now=now)
        for member in (lapsed, of_store)
    )

    assert (first.owner_id, first.binding_id) == (None, None)
    assert (second.owner_id, second.binding_id) == (None, by_store.id)
    assert session.get_one(Binding, by_store.id).owner_store_id == store.id


def test_a_change_of_product_moves_no_order(
    session: Session, settings: Settings, now: datetime
) -> None:
    member, product = make_member(session), make_product(session, title="Facial", price_fen=100)
    wanted = basket(make_store(session), (product, 2))
    order = services.create(session, member_id=member.id, basket=wanted, settings=settings, now=now)

    product.price_fen, product.list_price_fen, product.title = 900, 900, "Peeling"
    product.is_distributable = False
    session.flush()
    session.expire_all()

    order = order_for_member(session, order.number, member.id)
    line = order.lines[0]
    assert (line.unit_price_fen, line.title, line.is_distributable) == (100, "Facial", True)
    assert order.payable_fen == 200


def test_each_bad_basket_has_its_own_error_and_leaves_nothing(
    session: Session, settings: Settings, now: datetime
) -> None:
    member, store = make_member(session), make_store(session)
    service, goods = make_product(session), make_goods(session, store)
    hidden = make_product(session, is_published=False)
    dear = make_product(session, price_fen=100_000_000)
    good = basket(store, (service, 1))
    unknown = WantedLine(goods.id + 1_000, 1)
    cases: list[tuple[Basket, type[DomainError]]] = [
        (replace(good, lines=[]), LinesInvalid),
        (replace(good, lines=[WantedLine(service.id, 0)]), QuantityInvalid),
        (replace(good, lines=[WantedLine(service.id, -1)]), QuantityInvalid),
        (replace(good, lines=[WantedLine(service.id, 1_000)]), QuantityInvalid),
        (replace(good, lines=[unknown]), ProductNotFound),
        (basket(store, (hidden, 1)), ProductNotOnSale),
        (basket(store, (dear, 11)), OrderTooLarge),
        (replace(good, store_id=store.id + 1_000), StoreNotFound),
        (basket(store, (goods, 1)), FulfilmentInvalid),
        (basket(store, (service, 1), fulfilment=Fulfilment.PICKUP), FulfilmentInvalid),
        (
            basket(store, (service, 1), (goods, 1), fulfilment=Fulfilment.DELIVERY),
            FulfilmentInvalid,
        ),
    ]

    for wanted, error in cases:
        with pytest.raises(error):
            services.create(session, member_id=member.id, basket=wanted, settings=settings, now=now)

    assert orders(session) == 0


def test_a_closed_store_takes_no_orders(
    session: Session, settings: Settings, now: datetime
) -> None:
    store, member = make_store(session), make_member(session)
    store.state = StoreState.PAUSED
    session.flush()

    with pytest.raises(StoreNotFound):
        services.preview(
            session,
            member_id=member.id,
            basket=basket(store, (make_product(session), 1)),
            settings=settings,
            now=now,
        )
