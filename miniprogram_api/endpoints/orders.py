"""Buying: what it would cost, the order, its payment, and how it ends."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import Field
from sqlalchemy.orm import Session

from app.access import settings
from app.kernel.db import db
from app.orders import handovers, promises, queries, services
from app.orders.discount_models import OrderDiscount
from app.orders.models import Fulfilment, Order, OrderLine
from app.orders.pricing import WantedLine
from app.orders.services import Basket
from app.orders.states import OrderState
from miniprogram_api import keyed
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import actor, caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.errors import RedeemedInStore
from miniprogram_api.fields import Body, RowId, View, example
from miniprogram_api.keyed import Kept
from miniprogram_api.order_prices import (
    DISCOUNT,
    DealView,
    DiscountView,
    PreviewView,
    discount_views,
)
from miniprogram_api.routing import Group

group = Group("orders", about="Orders and their payment.")

BASKET = {
    "store_id": 1,
    "fulfilment": "pickup",
    "lines": [{"product_id": 7, "quantity": 2}],
    "coupon_ids": [31],
    "points": 500,
}
COUPONS_MAX: Final = 10
POINTS_MAX: Final = 1_000_000_000


class LineWish(Body):
    """So many pieces of a product."""

    product_id: RowId
    quantity: Annotated[int, Field(ge=1, le=999)]


class BasketRequest(Body):
    """What is to be bought, where, how it gets to the customer, and what lowers the price.

    Prices are the brand's. Of `points` only as many are used as take whole fen off.
    """

    model_config = Body.model_config | example(BASKET)

    store_id: RowId
    fulfilment: Fulfilment
    lines: Annotated[list[LineWish], Field(min_length=1, max_length=50)]
    coupon_ids: Annotated[list[RowId], Field(default_factory=list, max_length=COUPONS_MAX)]
    points: Annotated[int, Field(ge=0, le=POINTS_MAX)] = 0

    def basket(self) -> Basket:
        """Return the request as orders want it."""
        lines = [WantedLine(line.product_id, line.quantity) for line in self.lines]
        return Basket(
            store_id=self.store_id,
            lines=lines,
            fulfilment=self.fulfilment,
            coupon_ids=self.coupon_ids,
            points=self.points,
        )


class OrderLineView(View):
    """One line of an order, with price and title as they were when it was made."""

    id: int
    product_id: int
    title: str
    is_service: bool
    unit_price_fen: int
    quantity: int
    net_fen: int
    refunding_fen: int
    refunded_fen: int
    refunded_quantity: int

    @classmethod
    def of(cls, line: OrderLine) -> Self:
        """Show a line."""
        return cls(
            id=line.id,
            product_id=line.product_id,
            title=line.title,
            is_service=line.is_service,
            unit_price_fen=line.unit_price_fen,
            quantity=line.quantity,
            net_fen=line.net_fen,
            refunding_fen=line.refunding_fen,
            refunded_fen=line.refunded_fen,
            refunded_quantity=line.refunded_quantity,
        )


class OrderView(View):
    """An order. `close_requested_at` says that it is being closed.

    `is_held` says that it waits for its activity, as a group that is not full, before it can be
    picked up.
    """

    model_config = View.model_config | example(
        {
            "number": "O20260301K3J9X0QW7RT2MN5B",
            "state": "created",
            "store_id": 1,
            "fulfilment": "pickup",
            "goods_fen": 25_800,
            "discount_fen": 2_000,
            "shipping_fen": 0,
            "payable_fen": 23_800,
            "paid_fen": 0,
            "refunding_fen": 0,
            "refunded_fen": 0,
            "created_at": "2026-03-01T12:00:00Z",
            "pay_by_at": "2026-03-01T12:30:00Z",
            "close_requested_at": None,
            "paid_at": None,
            "completed_at": None,
            "after_sale_until_at": None,
            "settled_at": None,
            "closed_at": None,
            "deal": None,
            "is_held": False,
            "discounts": [DISCOUNT],
            "lines": [
                {
                    "id": 31,
                    "product_id": 7,
                    "title": "修护洗发水",
                    "is_service": False,
                    "unit_price_fen": 12_900,
                    "quantity": 2,
                    "net_fen": 23_800,
                    "refunding_fen": 0,
                    "refunded_fen": 0,
                    "refunded_quantity": 0,
                }
            ],
        }
    )

    number: str
    state: OrderState
    store_id: int
    fulfilment: Fulfilment
    goods_fen: int
    discount_fen: int
    shipping_fen: int
    payable_fen: int
    paid_fen: int
    refunding_fen: int
    refunded_fen: int
    created_at: datetime
    pay_by_at: datetime
    close_requested_at: datetime | None
    paid_at: datetime | None
    completed_at: datetime | None
    after_sale_until_at: datetime | None
    settled_at: datetime | None
    closed_at: datetime | None
    deal: DealView | None
    is_held: bool
    discounts: list[DiscountView]
    lines: list[OrderLineView]

    @classmethod
    def many(cls, session: Session, orders: Sequence[Order]) -> list[Self]:
        """Show orders whose lines are loaded, with what was taken off each."""
        found = promises.discounts_of(session, [order.id for order in orders])
        return [cls.of(order, found[order.id]) for order in orders]

    @classmethod
    def of(cls, order: Order, discounts: Sequence[OrderDiscount] | None = None) -> Self:
        """Show an order whose lines are loaded; finds its discounts where none are given."""
        if discounts is None:
            discounts = _discounts_of(order)
        return cls(
            number=order.number,
            state=order.state,
            store_id=order.store_id,
            fulfilment=order.fulfilment,
            goods_fen=order.goods_fen,
            discount_fen=order.discount_fen,
            shipping_fen=order.shipping_fen,
            payable_fen=order.payable_fen,
            paid_fen=order.paid_fen,
            refunding_fen=order.refunding_fen,
            refunded_fen=order.refunded_fen,
            created_at=order.created_at,
            pay_by_at=order.pay_by_at,
            close_requested_at=order.close_requested_at,
            paid_at=order.paid_at,
            completed_at=order.completed_at,
            after_sale_until_at=order.after_sale_until_at,
            settled_at=order.settled_at,
            closed_at=order.closed_at,
            deal=DealView.of(order),
            is_held=order.held_for is not None,
            discounts=discount_views(order, discounts),
            lines=[OrderLineView.of(line) for line in order.lines],
        )


def _discounts_of(order: Order) -> Sequence[OrderDiscount]:
    if order.discount_fen == 0:
        return ()
    return promises.discounts_of(db.session(), [order.id])[order.id]


class OrdersView(View):
    """A page of orders, the newest first."""

    items: list[OrderView]
    next_cursor: str | None


class OrdersQuery(PageQuery):
    """Which orders."""

    state: Annotated[OrderState | None, Field(description="Only orders in this state")] = None


class PaymentView(View):
    """What to hand to `wx.requestPayment`, letter by letter."""

    timeStamp: str  # noqa: N815 - these names are WeChat's
    nonceStr: str  # noqa: N815
    package: str
    signType: str  # noqa: N815
    paySign: str  # noqa: N815

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Self:
        """Show what was signed."""
        return cls(**parameters)


class PickupCodeView(View):
    """What to show as a QR code at the counter, and until when."""

    code: str
    expires_at: datetime


@group.operation("POST", "/orders/preview")
def preview_order(body: BasketRequest) -> PreviewView:
    """Say what an order would cost, how it gets there, and what else could be used for it.

    Nothing is reserved. Coupons that are named and cannot be used are refused; leave them out to
    see why.
    """
    considered = services.preview(
        db.session(),
        member_id=caller().member_id,
        basket=body.basket(),
        settings=settings(),
        now=moment(),
    )
    return PreviewView.of(considered)


@group.operation("POST", "/orders")
def create_order(body: BasketRequest) -> Kept[OrderView]:
    """Order what is in the basket.

    Goods, coupons and points are reserved until `pay_by_at`.
    """
    now, who = moment(), caller()

    def act(session: Session) -> OrderView:
        order = services.create(
            session,
            member_id=who.member_id,
            basket=body.basket(),
            settings=settings(),
            now=now,
        )
        return OrderView.of(order)

    return keyed.once(act, body, now=now)


@group.operation("GET", "/orders")
def list_orders(query: OrdersQuery) -> OrdersView:
    """List the caller's orders, the newest first."""
    rows: Sequence[Order] = queries.orders_page(
        db.session(),
        caller().member_id,
        after_id=query.after,
        limit=query.one_more,
        states=() if query.state is None else (query.state,),
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return OrdersView(items=OrderView.many(db.session(), shown), next_cursor=next_cursor)


@group.operation("GET", "/orders/<number:number>")
def show_order(number: str) -> OrderView:
    """Show one of the caller's orders."""
    return OrderView.of(queries.order_for_member(db.session(), number, caller().member_id))


@group.operation("POST", "/orders/<number:number>/payment")
def offer_payment(number: str) -> PaymentView:
    """Announce the order to WeChat Pay and return what the mini-program hands to it.

    May be repeated: an order has one payment. That it was paid is told by WeChat, never by the
    mini-program.
    """
    parameters = services.offer_payment(
        number, member_id=caller().member_id, settings=settings(), now=moment()
    )
    return PaymentView.of(parameters)


@group.operation("POST", "/orders/<number:number>/cancel")
def cancel_order(number: str) -> OrderView:
    """Give an unpaid order up. It is closed once WeChat has closed its payment."""
    now, who = moment(), caller()

    def act(session: Session) -> OrderView:
        order = services.request_close(session, number, member_id=who.member_id, now=now)
        return OrderView.of(order)

    return at_once(act)


@group.operation("POST", "/orders/<number:number>/pickup-code", status=201)
def show_pickup_code(number: str) -> PickupCodeView:
    """Make a code that staff scan when the order is picked up or redeemed in the store.

    It lasts a minute and is good once; the page that shows it asks for a new one in time.
    """
    now, who = moment(), caller()

    def act(session: Session) -> PickupCodeView:
        code = handovers.show_pickup_code(session, number, member_id=who.member_id, now=now)
        return PickupCodeView(code=str(code), expires_at=code.expires_at)

    return at_once(act)


@group.operation("POST", "/orders/<number:number>/receipt")
def confirm_receipt(number: str) -> OrderView:
    """Confirm that goods were picked up or delivered. Services are redeemed in the store."""
    now, who, by = moment(), caller(), actor()

    def act(session: Session) -> OrderView:
        order = queries.order_for_member(session, number, who.member_id)
        if any(line.is_service for line in order.lines):
            raise RedeemedInStore
        done = services.complete(session, order.id, actor=by, settings=settings(), now=now)
        return OrderView.of(done)

    return at_once(act)
