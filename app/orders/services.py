"""What can be done with orders; the names that callers use are all here.

What a basket costs is worked out in `quoting`, what becomes of its coupons and points in
`promises`, held orders in `holds`. What WeChat has a part in is written in the modules for its
subject: `payments`, `unpaid`, `refunds`, `refund_reports` and `refund_sending`.
"""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution import queries as attribution
from app.catalog import services as catalog
from app.kernel.audit import SYSTEM, Actor, Change, Subject, record
from app.kernel.db import atomic
from app.kernel.ids import business_number
from app.kernel.outbox import emit, emit_many
from app.orders import handovers, promises, quoting
from app.orders.deals import Deal
from app.orders.errors import RefundUnderWay
from app.orders.holds import give_back_all, let_go, require_free
from app.orders.models import Order, OrderLine, OrderStep
from app.orders.payments import confirm_payment, offer_payment
from app.orders.pricing import PricedLine
from app.orders.queries import (
    goods_of,
    last_refund_at,
    lock_order,
    lock_order_by_number,
    refunded_at,
)
from app.orders.quoting import Basket, Considered
from app.orders.refund_outlook import preview_refund
from app.orders.refund_reports import record_refund
from app.orders.refund_sending import send_refund
from app.orders.refunds import RefundWish, approve_refund, reject_refund, request_refund
from app.orders.states import OrderEvent, OrderState, after_order
from app.orders.unpaid import request_close
from app.plans import queries as plans
from app.settings import Settings

__all__ = [
    "Basket",
    "Deal",
    "RefundWish",
    "approve_refund",
    "complete",
    "confirm_payment",
    "create",
    "give_back_all",
    "let_go",
    "offer_payment",
    "preview",
    "preview_refund",
    "record_refund",
    "reject_refund",
    "request_close",
    "request_refund",
    "send_refund",
    "settle_due",
]

SETTLE_BATCH_MAX: Final = 500


def preview(
    session: Session, *, member_id: int, basket: Basket, settings: Settings, now: datetime
) -> Considered:
    """Say what a basket would cost a member now, and what else they could use for it.

    Nothing is promised.
    """
    return quoting.consider(session, member_id=member_id, basket=basket, settings=settings, now=now)


def create(
    session: Session,
    *,
    member_id: int,
    basket: Basket,
    deal: Deal | None = None,
    settings: Settings,
    now: datetime,
) -> Order:
    """Make an order that waits to be paid, with its coupons, points and goods set aside.

    Prices, discounts, the plan version and whose customer the buyer is are copied as they are now;
    nothing that is changed later moves them. `deal` is the offer of an activity, which only code
    above orders may name. Raises what `quoting.quote` raises, `CouponTaken` where another order
    was faster, and `StockOut` with the name of what is missing.
    """
    quote = quoting.quote(
        session, member_id=member_id, basket=basket, deal=deal, settings=settings, now=now
    )
    priced = quote.preview
    binding = attribution.binding_in_force(session, member_id, at=now)
    version_ids = plans.versions_for(
        session,
        store_id=basket.store_id,
        product_ids=[line.offer.product_id for line in priced.lines],
        at=now,
    )
    pay_seconds = (deal and deal.pay_seconds) or settings.order_pay_seconds

    order = Order(
        number=business_number("T", now),
        member_id=member_id,
        store_id=basket.store_id,
        state=OrderState.CREATED,
        fulfilment=basket.fulfilment,
        goods_fen=priced.goods_fen,
        discount_fen=priced.discount_fen,
        shipping_fen=priced.shipping_fen,
        payable_fen=priced.payable_fen,
        paid_fen=0,
        refunding_fen=0,
        refunded_fen=0,
        owner_id=binding.owner_id if binding else None,
        binding_id=binding.id if binding else None,
        created_at=now,
        pay_by_at=now + timedelta(seconds=pay_seconds),
        deal=deal.to_json() if deal else None,
        held_for=deal.holder if deal else None,
    )
    order.lines = [_line(line, version_ids.get(line.offer.product_id)) for line in priced.lines]
    session.add(order)
    session.flush()
    promises.make(session, order, quote, now=now)
    catalog.reserve(session, order.id, goods_of(order), store_id=order.store_id, now=now)
    return order


def complete(
    session: Session,
    order: int | str,
    *,
    actor: Actor,
    settings: Settings,
    now: datetime,
    pickup_code: str | None = None,
) -> Order:
    """Note that the customer got what they bought; `order` is an id or a number.

    From now on the after-sale window runs. What is all going back is not handed over, and what an
    activity holds is not either (`OrderHeld`). Staff must
    be assigned to the order's store and have no part in the order; see `handovers`. `pickup_code`
    is what the customer showed them, and is spent.
    """
    if isinstance(order, str):
        row = lock_order_by_number(session, order)
    else:
        row = lock_order(session, order)
    handover = None
    if actor.kind == "staff":
        handover = handovers.prepare(session, row, actor=actor, now=now)
    if row.state is OrderState.PAID and row.refunding_fen + row.refunded_fen == row.paid_fen:
        raise RefundUnderWay
    require_free(row)
    row.advance(OrderEvent.COMPLETE, now=now, actor=str(actor))
    row.completed_at = completed_at = max([now, *refunded_at(session, row.id)])
    row.after_sale_until_at = completed_at + timedelta(seconds=settings.after_sale_seconds)
    emit(session, "order_completed", row.id, now=now)
    if handover is not None:
        handovers.finish(session, handover, row, actor=actor, code=pickup_code)
        subject = Subject("order", row.id, row.store_id)
        after = {"state": row.state, "proof": handover.proof}
        change = Change(before={"state": OrderState.PAID}, after=after)
        record(session, actor, "order_completed", subject, change, now=now)
    session.flush()
    return row


def settle_due(*, now: datetime) -> int:
    """Settle a batch of completed orders whose after-sale window is over; return how many.

    One with a refund under way waits for its end, one that an activity holds for that. Other
    workers' rows are passed over.
    """
    target = after_order(OrderState.COMPLETED, OrderEvent.SETTLE)
    assert target is not None, "the table of states lets a completed order settle"
    due = (
        sa.select(Order.id)
        .where(
            Order.state == OrderState.COMPLETED,
            Order.after_sale_until_at <= now,
            Order.refunding_fen == 0,
            Order.held_for.is_(None),
        )
        .order_by(Order.after_sale_until_at)
        .limit(SETTLE_BATCH_MAX)
        .with_for_update(skip_locked=True)
    )
    with atomic() as session:
        order_ids = session.scalars(due).all()
        if not order_ids:
            return 0
        session.execute(
            sa.update(Order)
            .where(Order.id.in_(order_ids))
            .values(state=target, settled_at=sa.func.greatest(now, last_refund_at()))
            .execution_options(synchronize_session=False)
        )
        session.execute(sa.insert(OrderStep), [_settled(one, target, now) for one in order_ids])
        emit_many(session, "order_settled", order_ids, now=now)
        return len(order_ids)


def _settled(order_id: int, target: OrderState, now: datetime) -> dict[str, object]:
    return {
        "order_id": order_id,
        "event": OrderEvent.SETTLE,
        "to_state": target,
        "at": now,
        "actor": str(SYSTEM),
        "note": "",
    }


def _line(line: PricedLine, plan_version_id: int | None) -> OrderLine:
    return OrderLine(
        product_id=line.offer.product_id,
        title=line.offer.title,
        is_service=line.offer.is_service,
        is_distributable=line.offer.is_distributable,
        unit_price_fen=line.offer.unit_price_fen,
        quantity=line.quantity,
        net_fen=line.net_fen,
        refunding_fen=0,
        refunded_fen=0,
        refunded_quantity=0,
        plan_version_id=plan_version_id,
    )
