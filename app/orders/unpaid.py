"""Orders that wait for money: asking WeChat about them, and closing them in time.

Nothing is closed here that WeChat may hold money for. An order that was ever offered is closed at
WeChat first, and ours follows only if WeChat says that it cannot be paid any more.
"""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog import services as catalog
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, retrying
from app.kernel.outbox import emit
from app.orders import promises
from app.orders.errors import OrderNotInState
from app.orders.models import Order, Payment
from app.orders.payments import MONEY_CAME, confirm_payment
from app.orders.queries import goods_of, lock_order, lock_order_by_number
from app.orders.states import OrderEvent, OrderState
from app.settings import Settings
from app.wechat.access import pay
from app.wechat.values import CloseOutcome, PaymentState

LAST_LOOK_AFTER: Final = timedelta(minutes=1)
"""How long after the end of its time to pay an order is asked for that WeChat did not know."""

CERTAIN: Final = frozenset({PaymentState.NOT_PAID, PaymentState.NOT_FOUND, PaymentState.CLOSED})


def request_close(session: Session, number: str, *, member_id: int, now: datetime) -> Order:
    """Give a member's unpaid order up; once closed, a repeat returns it unchanged.

    One that was offered to WeChat stays open until a job has closed it there, and becomes paid
    instead if the money was faster.
    """
    order = lock_order_by_number(session, number, member_id=member_id)
    if order.state is OrderState.CLOSED:
        return order
    if order.state is not OrderState.CREATED:
        raise OrderNotInState(order.state, OrderEvent.CLOSE)
    payment = session.get(Payment, order.id)
    order.close_requested_at = order.close_requested_at or now
    if payment is None:
        _close(session, order, actor=f"member:{member_id}", now=now)
    else:
        payment.due_at = now
        emit(session, "order_close_requested", order.id, now=now)
    session.flush()
    return order


def close_never_offered(*, now: datetime) -> bool:
    """Close one order whose time is over and that WeChat never heard of; False where none is."""
    with atomic() as session:
        order_id = session.scalar(
            sa.select(Order.id)
            .where(_is_given_up(now), ~sa.exists().where(Payment.order_id == Order.id))
            .order_by(Order.pay_by_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if order_id is None:
            return False
        order = lock_order(session, order_id)
        if session.get(Payment, order_id) is None:
            _close(session, order, actor=str(SYSTEM), now=now)
        return True


def close_next(*, settings: Settings, now: datetime) -> bool | None:
    """Close the next given-up order at WeChat and then here.

    None where none is due, False where WeChat gave no usable answer; then it stays open.
    """
    number = _claim(settings=settings, now=now, is_given_up=True)
    if number is None:
        return None
    outcome = pay().close(number)
    match outcome:
        case CloseOutcome.UNKNOWN:
            return False
        case CloseOutcome.PAID:
            return _ask(number, settings=settings, now=now)
        case CloseOutcome.CLOSED | CloseOutcome.NOT_FOUND:
            is_final = outcome is CloseOutcome.CLOSED
            retrying(lambda: _closed_at_wechat(number, is_final=is_final, now=now))
            return True


def query_next(*, settings: Settings, now: datetime) -> bool | None:
    """Ask WeChat about the next payment that is due, as for one whose notice never came.

    None where none is due, False where WeChat gave no usable answer.
    """
    number = _claim(settings=settings, now=now, is_given_up=False)
    return None if number is None else _ask(number, settings=settings, now=now)


def _ask(number: str, *, settings: Settings, now: datetime) -> bool:
    report = pay().query_payment(number)
    if report.state in MONEY_CAME:
        confirm_payment(report, received=None, settings=settings, now=now)
        return True
    if report.state not in CERTAIN:
        return False
    if retrying(lambda: _is_closed_here(number, report.state, now=now)):
        return pay().close(number) is not CloseOutcome.UNKNOWN
    return True


def _claim(*, settings: Settings, now: datetime, is_given_up: bool) -> str | None:
    """Take the payment that has been due longest, for as long as one turn may take."""
    given_up = _is_given_up(now)
    due = (
        sa.select(Payment.order_id)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.due_at <= now, given_up if is_given_up else ~given_up)
        .order_by(Payment.due_at)
        .limit(1)
        .with_for_update(skip_locked=True, of=Payment)
        .scalar_subquery()
    )
    with atomic() as session:
        return session.scalar(
            sa.update(Payment)
            .where(Payment.order_id == due, Order.id == Payment.order_id)
            .values(
                due_at=now + timedelta(seconds=settings.payment_query_seconds),
                queries=Payment.queries + 1,
            )
            .returning(Order.number)
            .execution_options(synchronize_session=False)
        )


def _is_given_up(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        Order.state == OrderState.CREATED,
        sa.or_(Order.pay_by_at <= now, Order.close_requested_at.is_not(None)),
    )


def _closed_at_wechat(number: str, *, is_final: bool, now: datetime) -> None:
    """Close an order that WeChat takes no money for.

    Where WeChat did not know it, an announcement of ours may still be on its way there: the
    payment stays due for a last look after the time in which it could be paid.
    """
    with atomic() as session:
        order = lock_order_by_number(session, number)
        payment = session.get_one(Payment, order.id)
        if order.state is OrderState.CREATED:
            by_member = order.close_requested_at is not None
            actor = f"member:{order.member_id}" if by_member else str(SYSTEM)
            _close(session, order, actor=actor, now=now)
        if payment.succeeded_at is None:
            last_look_at = max(now, order.pay_by_at) + LAST_LOOK_AFTER
            payment.due_at = None if is_final else last_look_at


def _is_closed_here(number: str, state: PaymentState, *, now: datetime) -> bool:
    """Tell whether WeChat could still take money for an order that is closed here.

    Where it cannot, and the last time it could is over, WeChat is not asked again.
    """
    with atomic() as session:
        order = lock_order_by_number(session, number)
        payment = session.get_one(Payment, order.id)
        if order.state is not OrderState.CLOSED or payment.succeeded_at is not None:
            return False
        if state is PaymentState.NOT_PAID:
            return True
        if state is PaymentState.CLOSED or now >= order.pay_by_at + LAST_LOOK_AFTER:
            payment.due_at = None
        return False


def _close(session: Session, order: Order, *, actor: str, now: datetime) -> None:
    order.advance(OrderEvent.CLOSE, now=now, actor=actor)
    order.closed_at = now
    session.flush()
    promises.release(session, order, now=now)
    catalog.release(session, order.id, goods_of(order), store_id=order.store_id, now=now)
    emit(session, "order_closed", order.id, now=now)
