"""Products, stock, orders, payments and refunds for tests.

Each function takes the session, fills in what the test does not care about, flushes and returns
the row. What it writes holds every invariant: amounts, steps, stock, payments. It emits no events
and tells WeChat nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

from sqlalchemy.orm import Session

import app.tables  # noqa: F401 - foreign keys need every table
from app.attribution.models import Binding
from app.catalog import services as catalog
from app.catalog.models import Product, ProductKind, StockLevel, StockMove, StockMovement
from app.kernel.audit import Actor
from app.kernel.ids import random_text
from app.members.models import Distributor, Member
from app.orders import promises, services
from app.orders.models import (
    Fulfilment,
    Order,
    OrderLine,
    Payment,
    Refund,
    RefundLine,
)
from app.orders.states import (
    FINAL_REFUND_STATES,
    OrderEvent,
    OrderState,
    RefundEvent,
    RefundState,
)
from app.orders.values import Seat
from app.settings import Settings
from app.stores.models import Store
from app.wechat.access import pay
from app.wechat.values import CNY, PaymentReport, PaymentState, RefundReport
from app.wechat.values import RefundState as ReportedRefund
from scripts.sandbox.client import SandboxClient
from tests.factories.discounts import NOTHING, PaidWith, quote_of
from tests.factories.discounts import LineOf as LineOf
from tests.factories.people import make_member, make_store

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAY_WITHIN: Final = timedelta(minutes=30)
AFTER_SALE: Final = timedelta(days=7)
UPLINE_MAX: Final = 9
_numbers = count(1)

_PATHS: Final[Mapping[OrderState, Sequence[OrderEvent]]] = {
    OrderState.CREATED: (),
    OrderState.PAID: (OrderEvent.PAY,),
    OrderState.COMPLETED: (OrderEvent.PAY, OrderEvent.COMPLETE),
    OrderState.SETTLED: (OrderEvent.PAY, OrderEvent.COMPLETE, OrderEvent.SETTLE),
    OrderState.CLOSED: (OrderEvent.CLOSE,),
    OrderState.PAID_LATE: (OrderEvent.CLOSE, OrderEvent.PAY_LATE),
    OrderState.REFUNDED: (OrderEvent.PAY,),
}
_REFUND_PATHS: Final[Mapping[RefundState, Sequence[RefundEvent]]] = {
    RefundState.REQUESTED: (),
    RefundState.REJECTED: (RefundEvent.REJECT,),
    RefundState.APPROVED: (RefundEvent.APPROVE,),
    RefundState.SENT: (RefundEvent.APPROVE, RefundEvent.SEND),
    RefundState.ABNORMAL: (RefundEvent.APPROVE, RefundEvent.SEND, RefundEvent.GET_STUCK),
    RefundState.FAILED: (RefundEvent.APPROVE, RefundEvent.SEND, RefundEvent.FAIL),
    RefundState.SUCCEEDED: (RefundEvent.APPROVE, RefundEvent.SEND, RefundEvent.SUCCEED),
}


def make_product(
    session: Session,
    *,
    kind: ProductKind = ProductKind.SERVICE,
    title: str | None = None,
    price_fen: int = 10_000,
    is_published: bool = True,
    is_distributable: bool = True,
) -> Product:
    """A product on sale; a service, which needs no stock, unless `kind` says goods."""
    product = Product(
        kind=kind,
        title=title or f"Product {next(_numbers)}",
        price_fen=price_fen,
        list_price_fen=price_fen,
        is_published=is_published,
        is_distributable=is_distributable,
        created_at=NOON,
    )
    session.add(product)
    session.flush()
    return product


def make_stock(session: Session, product: Product, store: Store, on_hand: int = 100) -> StockLevel:
    """Goods on the shelf of a store, with the movement that brought them."""
    level = StockLevel(product_id=product.id, store_id=store.id, on_hand=on_hand, reserved=0)
    movement = StockMovement(
        product_id=product.id,
        store_id=store.id,
        move=StockMove.RECEIVE,
        on_hand_change=on_hand,
        reserved_change=0,
        at=NOON,
        actor="system",
    )
    session.add_all([level, movement])
    session.flush()
    return level


def make_goods(
    session: Session, store: Store, *, on_hand: int = 100, price_fen: int = 10_000
) -> Product:
    """Goods on sale with stock in a store."""
    product = make_product(session, kind=ProductKind.GOODS, price_fen=price_fen)
    make_stock(session, product, store, on_hand)
    return product


def make_order(
    session: Session,
    *,
    member: Member | None = None,
    store: Store | None = None,
    lines: Sequence[LineOf] = (),
    price_fen: int = 10_000,
    shipping_fen: int = 0,
    state: OrderState = OrderState.PAID,
    binding: Binding | None = None,
    owner: Distributor | None = None,
    upline: Sequence[Seat] | None = None,
    plan_version_id: int | None = None,
    paid_with: PaidWith = NOTHING,
    now: datetime = NOON,
) -> Order:
    """An order that went the whole way to `state` at `now`; one service of `price_fen` by default.

    A paid one has a payment that succeeded, and its upline: that of `owner`, or of the binding's
    owner, unless `upline` is given. Goods need stock (`make_goods`): it moves along. A late paid
    one has its refund approved, a refunded one has it behind it. Where the after-sale window
    matters, change `after_sale_until_at`. Coupons, points and the deal of `paid_with` go the same
    way: set aside, used, let free, given back.
    """
    member, store = member or make_member(session), store or make_store(session)
    lines = lines or [LineOf(product=make_product(session, price_fen=price_fen))]
    owner_id = owner.member_id if owner else binding.owner_id if binding else None
    quote = quote_of(session, lines, paid_with, member_id=member.id, store_id=store.id, now=now)
    priced, deal = quote.preview, paid_with.deal
    has_goods = any(line.product.kind is ProductKind.GOODS for line in lines)
    order = Order(
        number=f"T{random_text(19)}",
        member_id=member.id,
        store_id=store.id,
        state=OrderState.CREATED,
        fulfilment=Fulfilment.PICKUP if has_goods else Fulfilment.SERVICE,
        goods_fen=priced.goods_fen,
        discount_fen=priced.discount_fen,
        shipping_fen=shipping_fen,
        payable_fen=priced.net_fen + shipping_fen,
        paid_fen=0,
        refunding_fen=0,
        refunded_fen=0,
        owner_id=owner_id,
        binding_id=binding.id if binding else None,
        created_at=now,
        pay_by_at=now + PAY_WITHIN,
        deal=deal.to_json() if deal else None,
        held_for=deal.holder if deal else None,
    )
    order.lines = [
        OrderLine(
            product_id=line.product.id,
            title=line.product.title,
            is_service=line.product.kind is ProductKind.SERVICE,
            is_distributable=cost.offer.is_distributable,
            unit_price_fen=line.product.price_fen,
            quantity=line.quantity,
            net_fen=cost.net_fen,
            refunding_fen=0,
            refunded_fen=0,
            refunded_quantity=0,
            plan_version_id=line.plan_version_id or plan_version_id,
        )
        for line, cost in zip(lines, priced.lines, strict=True)
    ]
    session.add(order)
    session.flush()
    promises.make(session, order, quote, now=now)
    catalog.reserve(session, order.id, _goods(order), store_id=store.id, now=now)
    seats = seats_of(session, member.id, owner_id) if upline is None else upline
    for event in _PATHS[state]:
        _apply(session, order, event, seats, now=now)
    session.flush()
    if state is OrderState.REFUNDED:
        make_refund(session, order, now=now)
    return order


def paid_order(
    session: Session,
    *,
    member: Member | None = None,
    price_fen: int = 10_000,
    binding: Binding | None = None,
    owner: Distributor | None = None,
    plan_version_id: int | None = None,
    now: datetime = NOON,
) -> Order:
    """A paid order for one service."""
    return make_order(
        session,
        member=member,
        price_fen=price_fen,
        binding=binding,
        owner=owner,
        plan_version_id=plan_version_id,
        now=now,
    )


def make_refund(
    session: Session,
    order: Order,
    *,
    amounts: Mapping[int, int] | None = None,
    state: RefundState = RefundState.SUCCEEDED,
    by: Actor | None = None,
    now: datetime = NOON,
) -> Refund:
    """A refund of an order that went the whole way to `state`, its amounts where they belong.

    `amounts` gives fen by the id of the order line. By default everything that is left goes back,
    and every piece with it.
    """
    lines = {line.id: line for line in order.lines}
    wanted = amounts or {line.id: _rest_fen(line) for line in order.lines if _rest_fen(line)}
    refund = Refund(
        number=f"R{random_text(19)}",
        order_id=order.id,
        amount_fen=sum(wanted.values()) if amounts else _rest_of_order_fen(order),
        reason="test",
        state=RefundState.REQUESTED,
        requested_by=str(by or Actor("member", order.member_id)),
        returns_stock=order.state is OrderState.PAID,
        requested_at=now,
        attempts=0,
    )
    for line_id, fen in wanted.items():
        line = lines[line_id]
        quantity = line.quantity - line.refunded_quantity if amounts is None else 0
        refund.lines.append(RefundLine(order_line_id=line_id, quantity=quantity, amount_fen=fen))
        line.refunding_fen += fen
    order.refunding_fen += refund.amount_fen
    session.add(refund)
    session.flush()
    for event in _REFUND_PATHS[state]:
        refund.advance(event, now=now, actor="system")
    _settle_refund(session, order, refund, now=now)
    session.flush()
    return refund


def seats_of(session: Session, buyer_id: int, owner_id: int | None) -> list[Seat]:
    """Return the buyer, their owner and the owner's recommenders as they stand now."""
    buyer = session.get(Distributor, buyer_id)
    seats = [_seat(buyer_id, buyer)]
    above = session.get(Distributor, owner_id) if owner_id else None
    while above is not None and len(seats) <= UPLINE_MAX:
        seats.append(_seat(above.member_id, above))
        above = (
            session.get(Distributor, above.recommender_id)
            if above.recommender_id is not None
            else None
        )
    return seats


def _seat(member_id: int, row: Distributor | None) -> Seat:
    if row is None:
        return Seat(member_id, None, None, is_household=False)
    return Seat(member_id, row.level, row.standing.value, is_household=False)


def _apply(
    session: Session, order: Order, event: OrderEvent, seats: Sequence[Seat], *, now: datetime
) -> None:
    order.advance(event, now=now, actor="system")
    match event:
        case OrderEvent.PAY:
            _pay(session, order, now=now)
            order.upline = [seat.to_json() for seat in seats]
            promises.use(session, order, now=now)
            catalog.sell(session, order.id, _goods(order), store_id=order.store_id, now=now)
        case OrderEvent.CLOSE:
            order.closed_at = now
            promises.release(session, order, now=now)
            catalog.release(session, order.id, _goods(order), store_id=order.store_id, now=now)
        case OrderEvent.PAY_LATE:
            _pay(session, order, now=now)
            make_refund(session, order, state=RefundState.APPROVED, now=now)
        case OrderEvent.COMPLETE:
            order.completed_at = now
            order.after_sale_until_at = now + AFTER_SALE
        case OrderEvent.SETTLE:
            order.after_sale_until_at = order.settled_at = now
        case OrderEvent.REFUND:
            raise AssertionError("an order becomes refunded by its refunds")


def _pay(session: Session, order: Order, *, now: datetime) -> None:
    member = session.get_one(Member, order.member_id)
    if order.state is OrderState.PAID and member.first_paid_at is None:
        member.first_paid_at = now
    order.paid_fen, order.paid_at = order.payable_fen, now
    session.add(
        Payment(
            order_id=order.id,
            payer_openid=member.wechat_openid,
            offered_at=now,
            wechat_transaction_id=f"4200{random_text(20)}",
            succeeded_at=now,
        )
    )
    session.flush()


def _settle_refund(session: Session, order: Order, refund: Refund, *, now: datetime) -> None:
    """Put the amounts of a refund where its state wants them."""
    if refund.state not in FINAL_REFUND_STATES:
        refund.due_at = None if refund.state is RefundState.REQUESTED else now
        return
    refund.ended_at = now
    succeeded = refund.state is RefundState.SUCCEEDED
    lines = {line.id: line for line in order.lines}
    order.refunding_fen -= refund.amount_fen
    order.refunded_fen += refund.amount_fen * succeeded
    back: dict[int, int] = {}
    for part in refund.lines:
        line = lines[part.order_line_id]
        line.refunding_fen -= part.amount_fen
        line.refunded_fen += part.amount_fen * succeeded
        line.refunded_quantity += part.quantity * succeeded
        if succeeded and refund.returns_stock and part.quantity and not line.is_service:
            back[line.product_id] = part.quantity
    if succeeded and order.state is not OrderState.PAID_LATE:
        returned = promises.give_back(session, order, now=now)
        refund.points_back, refund.coupons_back = returned.points, returned.coupons
    catalog.take_back(session, order.id, back, store_id=order.store_id, now=now)
    if succeeded:
        refund.wechat_refund_id = f"5030{random_text(20)}"
    if order.refunded_fen == order.paid_fen:
        order.advance(OrderEvent.REFUND, now=now, actor="system")


def _goods(order: Order) -> dict[int, int]:
    return {line.product_id: line.quantity for line in order.lines if not line.is_service}


def _rest_fen(line: OrderLine) -> int:
    return line.net_fen - line.refunded_fen - line.refunding_fen


def _rest_of_order_fen(order: Order) -> int:
    return order.paid_fen - order.refunded_fen - order.refunding_fen


def payment_report(order: Order, *, openid: str, **changes: Any) -> PaymentReport:
    """What WeChat says of the payment of an order; `changes` make it say something else."""
    report = PaymentReport(
        out_trade_no=order.number,
        state=PaymentState.PAID,
        transaction_id=f"4200{order.number}",
        amount_fen=order.payable_fen,
        currency=CNY,
        payer_openid=openid,
        paid_at=NOON,
    )
    return replace(report, **changes)


def refund_report(
    session: Session,
    refund: Refund,
    state: ReportedRefund = ReportedRefund.SUCCESS,
    **changes: Any,
) -> RefundReport:
    """What WeChat says of a refund; `changes` make it say something else."""
    order = session.get_one(Order, refund.order_id)
    payment = session.get_one(Payment, order.id)
    report = RefundReport(
        out_refund_no=refund.number,
        state=state,
        refund_id=f"5030{refund.number}",
        out_trade_no=order.number,
        transaction_id=payment.wechat_transaction_id,
        refund_fen=refund.amount_fen,
        total_fen=order.paid_fen,
        currency=CNY,
        refunded_at=NOON,
    )
    return replace(report, **changes)


def offer(session: Session, order: Order, *, now: datetime = NOON) -> Payment:
    """The intent to be paid, as if the order had been announced to WeChat."""
    member = session.get_one(Member, order.member_id)
    payment = Payment(
        order_id=order.id,
        payer_openid=member.wechat_openid,
        prepay_id=f"wx{order.number}",
        prepay_expires_at=order.pay_by_at,
        offered_at=now,
        due_at=now + timedelta(minutes=1),
        queries=0,
    )
    session.add(payment)
    session.flush()
    return payment


def pay_at_wechat(
    session: Session, sandbox: SandboxClient, order: Order, *, settings: Settings, now: datetime
) -> None:
    """Offer an order to the sandbox, pay it there and hear of it by asking; commits."""
    session.commit()
    services.offer_payment(order.number, member_id=order.member_id, settings=settings, now=now)
    sandbox.pay(out_trade_no=order.number)
    report = pay().query_payment(order.number)
    services.confirm_payment(report, received=None, settings=settings, now=now)
