"""Reading orders, and locking them. Whoever locks an order and its refund takes the order first."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.kernel.inbox import InboxNotice
from app.orders.errors import OrderNotFound, RefundNotFound
from app.orders.models import (
    Order,
    OrderStep,
    Payment,
    Refund,
    RefundLine,
    RefundStep,
)
from app.orders.pricing import LineRest
from app.orders.states import FINAL_REFUND_STATES, OrderState, RefundState
from app.orders.values import BREAKS


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundStory:
    """A refund with every step of its life."""

    refund: Refund
    steps: Sequence[RefundStep]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStory:
    """An order with all that happened to it, oldest first. `notices` are WeChat's callbacks."""

    order: Order
    steps: Sequence[OrderStep]
    payment: Payment | None
    refunds: Sequence[RefundStory]
    notices: Sequence[InboxNotice]


def lock_order(session: Session, order_id: int) -> Order:
    """Lock an order, with its lines, against every other transaction that moves it."""
    return _lock_order(session, Order.id == order_id)


def lock_order_by_number(session: Session, number: str, *, member_id: int | None = None) -> Order:
    """Lock an order by its number; that of another member than `member_id` is the same as none."""
    is_theirs = sa.true() if member_id is None else Order.member_id == member_id
    return _lock_order(session, sa.and_(Order.number == number, is_theirs))


def lock_refund(session: Session, refund_id: int) -> tuple[Order, Refund]:
    """Lock a refund together with its order, the order first, and load the lines of both."""
    order_id = session.scalar(sa.select(Refund.order_id).where(Refund.id == refund_id))
    if order_id is None:
        raise RefundNotFound
    order = lock_order(session, order_id)
    refund = session.scalars(
        sa.select(Refund)
        .where(Refund.id == refund_id)
        .options(selectinload(Refund.lines))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    return order, refund


def refunded_at(session: Session, order_id: int) -> Sequence[datetime]:
    """Return when refunds of an order had reached its customer."""
    wanted = sa.select(Refund.ended_at).where(
        Refund.order_id == order_id, Refund.state == RefundState.SUCCEEDED
    )
    return [at for at in session.scalars(wanted) if at is not None]


def last_refund_at() -> sa.ScalarSelect[datetime | None]:
    """Return, for a statement over orders, when the last refund had reached the customer."""
    return (
        sa.select(sa.func.max(Refund.ended_at))
        .where(Refund.order_id == Order.id, Refund.state == RefundState.SUCCEEDED)
        .correlate(Order)
        .scalar_subquery()
    )


def order_for_member(session: Session, number: str, member_id: int) -> Order:
    """Return a member's own order with its lines; another's is the same as none."""
    order = session.scalar(
        sa.select(Order)
        .where(Order.number == number, Order.member_id == member_id)
        .options(selectinload(Order.lines))
    )
    if order is None:
        raise OrderNotFound
    return order


def orders_page(
    session: Session,
    member_id: int,
    *,
    after_id: int | None = None,
    limit: int,
    states: Collection[OrderState] = (),
) -> Sequence[Order]:
    """Return a member's orders with their lines, newest first, from below `after_id` on."""
    wanted = (
        sa.select(Order)
        .where(Order.member_id == member_id)
        .options(selectinload(Order.lines))
        .order_by(Order.id.desc())
        .limit(limit)
    )
    if after_id is not None:
        wanted = wanted.where(Order.id < after_id)
    if states:
        wanted = wanted.where(Order.state.in_(states))
    return session.scalars(wanted).all()


def refunds_of(session: Session, order_ids: Collection[int]) -> Mapping[int, Sequence[Refund]]:
    """Return the refunds of orders with their lines, oldest first, by order id."""
    rows = session.scalars(
        sa.select(Refund)
        .where(Refund.order_id.in_(order_ids))
        .options(selectinload(Refund.lines))
        .order_by(Refund.id)
    ).all()
    return {one: [row for row in rows if row.order_id == one] for one in order_ids}


def in_stores(store_ids: Collection[int] | None) -> sa.ColumnElement[bool]:
    """Return the condition that keeps orders of these stores; None stands for all of them.

    The base of every list, detail, action and export of the back office; refunds join their order.
    """
    return sa.true() if store_ids is None else Order.store_id.in_(store_ids)


def order_story(
    session: Session, order_id: int, *, store_ids: Collection[int] | None = None
) -> OrderStory:
    """Tell the whole life of an order; one outside of `store_ids` is the same as none."""
    order = session.scalar(
        sa.select(Order)
        .where(Order.id == order_id, in_stores(store_ids))
        .options(selectinload(Order.lines))
    )
    if order is None:
        raise OrderNotFound
    refunds = refunds_of(session, [order.id])[order.id]
    numbers = [order.number, *(refund.number for refund in refunds)]
    return OrderStory(
        order=order,
        steps=session.scalars(order.steps.select()).all(),
        payment=session.get(Payment, order.id),
        refunds=[
            RefundStory(refund=refund, steps=session.scalars(refund.steps.select()).all())
            for refund in refunds
        ],
        notices=session.scalars(
            sa.select(InboxNotice)
            .where(InboxNotice.subject_number.in_(numbers))
            .order_by(InboxNotice.id)
        ).all(),
    )


def goods_of(order: Order) -> dict[int, int]:
    """Return how many pieces of which product an order takes from stock."""
    return {line.product_id: line.quantity for line in order.lines if not line.is_service}


def line_rests(session: Session, order: Order) -> tuple[LineRest, ...]:
    """Return what is left of each line of a locked order, refunds under way counted."""
    rows = session.execute(
        sa.select(RefundLine.order_line_id, sa.func.sum(RefundLine.quantity))
        .join(Refund, Refund.id == RefundLine.refund_id)
        .where(Refund.order_id == order.id, Refund.state.not_in(FINAL_REFUND_STATES))
        .group_by(RefundLine.order_line_id)
    )
    under_way = {line_id: int(quantity) for line_id, quantity in rows}
    return tuple(
        LineRest(
            order_line_id=line.id,
            quantity=line.quantity,
            net_fen=line.net_fen,
            taken_quantity=line.refunded_quantity + under_way.get(line.id, 0),
            taken_fen=line.refunded_fen + line.refunding_fen,
        )
        for line in order.lines
    )


def open_breaks(session: Session, *, limit: int = 100) -> Sequence[InboxNotice]:
    """Return what WeChat said that does not fit our books, newest first; each needs a person."""
    return session.scalars(
        sa.select(InboxNotice)
        .where(InboxNotice.outcome.in_(BREAKS))
        .order_by(InboxNotice.id.desc())
        .limit(limit)
    ).all()


def late_money_kept(session: Session) -> Sequence[Order]:
    """Return orders that were paid too late and whose money nobody is giving back."""
    return session.scalars(
        sa.select(Order)
        .where(
            Order.state == OrderState.PAID_LATE,
            Order.refunding_fen + Order.refunded_fen < Order.paid_fen,
        )
        .order_by(Order.id)
    ).all()


def stuck_refunds(session: Session) -> Sequence[Refund]:
    """Return refunds that WeChat cannot finish without a person."""
    return session.scalars(
        sa.select(Refund)
        .where(Refund.state == RefundState.ABNORMAL, Refund.due_at.is_not(None))
        .order_by(Refund.id)
    ).all()


def _lock_order(session: Session, which: sa.ColumnElement[bool]) -> Order:
    order = session.scalar(
        sa.select(Order)
        .where(which)
        .options(selectinload(Order.lines))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if order is None:
        raise OrderNotFound
    return order
