"""Receiving money: offering an order to WeChat Pay, and what WeChat says of its payment.

`confirm_payment` is the only way to paid, whether a notice, a query or a refused close tells of
the money. The order's row lock decides between copies of a notice and between paying and closing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.attribution import services as attribution
from app.catalog import services as catalog
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, retrying
from app.kernel.errors import DomainError
from app.kernel.inbox import Received, accept, is_known
from app.kernel.outbox import emit
from app.members import queries as members
from app.members.models import Member
from app.orders import promises
from app.orders.errors import OrderNotFound, OrderNotInState, PayTimeOver
from app.orders.models import Order, Payment
from app.orders.queries import goods_of, lock_order_by_number
from app.orders.refunds import give_back_late_payment
from app.orders.states import OrderEvent, OrderState
from app.orders.values import BREAKS, PaymentOutcome, Seat
from app.settings import Settings
from app.wechat.access import pay
from app.wechat.errors import PrepayRefused
from app.wechat.values import CNY, PaymentReport, PaymentState, PrepayOrder

PREPAY_LIVES: Final = timedelta(hours=2)
DESCRIPTION_LENGTH_MAX: Final = 127
UPLINES_MAX: Final = 9
MONEY_CAME: Final = frozenset({PaymentState.PAID, PaymentState.REFUNDED})
ALREADY_PAID: Final = frozenset({"ORDERPAID", "ORDER_PAID"})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to be announced to WeChat, or the announcement that still lives."""

    order: PrepayOrder
    prepay_id: str | None


def offer_payment(
    number: str, *, member_id: int, settings: Settings, now: datetime
) -> dict[str, str]:
    """Announce a member's order to WeChat Pay and return what `wx.requestPayment` needs.

    Repeat it freely: the number is always the order's own, and while an announcement lives it is
    handed out again. Raises `OrderNotInState` and `PayTimeOver` where the order takes no money,
    `WeChatUnavailable` where WeChat does not answer.
    """
    intent = retrying(lambda: _intend(number, member_id, settings=settings, now=now))
    prepay_id = intent.prepay_id
    if prepay_id is None:
        try:
            prepay_id = pay().prepay(intent.order)
        except PrepayRefused as refusal:
            if refusal.wechat_code in ALREADY_PAID:
                report = pay().query_payment(number)
                confirm_payment(report, received=None, settings=settings, now=now)
                raise OrderNotInState(OrderState.PAID, OrderEvent.PAY) from None
            raise
        announced = prepay_id
        retrying(lambda: _announced(number, member_id, announced, now=now))
    return pay().client_parameters(prepay_id, now=now)


def confirm_payment(
    report: PaymentReport, *, received: Received | None, settings: Settings, now: datetime
) -> PaymentOutcome:
    """Note what WeChat says of a payment, from a notice (`received`) or in answer to us.

    Repeats and any order of notices end in the same state. Money for an order that was closed goes
    back by itself. What does not fit the order changes nothing, but is kept and shouted about.
    """
    return retrying(lambda: _confirm(report, received, settings=settings, now=now))


def _intend(number: str, member_id: int, *, settings: Settings, now: datetime) -> Intent:
    """Commit the intent to be paid, before WeChat hears of it; from now on WeChat is asked."""
    with atomic() as session:
        order = lock_order_by_number(session, number, member_id=member_id)
        refusal = _refusal(order, now=now)
        if refusal is not None:
            raise refusal
        payment = session.get(Payment, order.id)
        if payment is None:
            payment = Payment(
                order_id=order.id,
                payer_openid=session.get_one(Member, member_id).wechat_openid,
                offered_at=now,
                due_at=now + timedelta(seconds=settings.payment_query_seconds),
                queries=0,
            )
            session.add(payment)
        lives = payment.prepay_expires_at is not None and payment.prepay_expires_at > now
        wanted = PrepayOrder(
            out_trade_no=order.number,
            description=describe([line.title for line in order.lines]),
            amount_fen=order.payable_fen,
            payer_openid=payment.payer_openid,
            expires_at=order.pay_by_at,
        )
        return Intent(wanted, payment.prepay_id if lives else None)


def _announced(number: str, member_id: int, prepay_id: str, *, now: datetime) -> None:
    """Keep the announcement; refuse to hand it out if the order was given up in the meantime."""
    with atomic() as session:
        order = lock_order_by_number(session, number, member_id=member_id)
        payment = session.get_one(Payment, order.id)
        payment.prepay_id = prepay_id
        payment.prepay_expires_at = min(now + PREPAY_LIVES, order.pay_by_at)
        if payment.succeeded_at is None and order.state is not OrderState.CREATED:
            payment.due_at = now
        refusal = _refusal(order, now=now)
    if refusal is not None:
        raise refusal


def _refusal(order: Order, *, now: datetime) -> DomainError | None:
    """Say why an order takes no money; None where it does."""
    if order.state is not OrderState.CREATED:
        return OrderNotInState(order.state, OrderEvent.PAY)
    if order.close_requested_at is not None or order.pay_by_at <= now:
        return PayTimeOver()
    return None


def describe(titles: list[str]) -> str:
    """Return what the customer reads in WeChat; the same in every repetition.

    >>> describe(["Facial", "Mask", "Serum"])
    'Facial +2'
    """
    more = f" +{len(titles) - 1}" if len(titles) > 1 else ""
    return titles[0][: DESCRIPTION_LENGTH_MAX - len(more)] + more


def _confirm(
    report: PaymentReport, received: Received | None, *, settings: Settings, now: datetime
) -> PaymentOutcome:
    with atomic() as session:
        try:
            order = lock_order_by_number(session, report.out_trade_no)
        except OrderNotFound:
            _keep(session, report, received, PaymentOutcome.UNKNOWN_ORDER, now=now)
            return PaymentOutcome.UNKNOWN_ORDER
        if received is not None and is_known(session, received):
            return PaymentOutcome.REPEATED
        payment = session.get(Payment, order.id, populate_existing=True)
        outcome = _judge(order, payment, report)
        if payment is not None and outcome in {PaymentOutcome.PAID, PaymentOutcome.PAID_LATE}:
            payment.wechat_transaction_id = report.transaction_id
            payment.succeeded_at = report.paid_at or now
            payment.due_at = None
            order.paid_fen, order.paid_at = order.payable_fen, now
            if outcome is PaymentOutcome.PAID:
                _receive(session, order, settings=settings, now=now)
            else:
                _receive_late(session, order, now=now)
        elif payment is not None and outcome is PaymentOutcome.REPEATED:
            payment.due_at = None
        _keep(session, report, received, outcome, now=now)
    return outcome


def _judge(order: Order, payment: Payment | None, report: PaymentReport) -> PaymentOutcome:
    """Say what a report means for a locked order."""
    if report.state not in MONEY_CAME:
        return PaymentOutcome.NOT_PAID
    if payment is None:
        return PaymentOutcome.UNKNOWN_ORDER
    if payment.wechat_transaction_id is not None:
        is_same = payment.wechat_transaction_id == report.transaction_id
        return PaymentOutcome.REPEATED if is_same else PaymentOutcome.SECOND_TRANSACTION
    ours = (order.payable_fen, CNY, payment.payer_openid)
    if report.transaction_id is None or ours != (
        report.amount_fen,
        report.currency,
        report.payer_openid,
    ):
        return PaymentOutcome.MISMATCH
    in_time = order.state is OrderState.CREATED
    return PaymentOutcome.PAID if in_time else PaymentOutcome.PAID_LATE


def _receive(session: Session, order: Order, *, settings: Settings, now: datetime) -> None:
    """Make a locked order paid, with all that follows at once."""
    order.advance(OrderEvent.PAY, now=now, actor=str(SYSTEM))
    order.upline = [seat.to_json() for seat in _seats(session, order)]
    session.flush()
    promises.use(session, order, now=now)
    catalog.sell(session, order.id, goods_of(order), store_id=order.store_id, now=now)
    session.execute(
        sa.update(Member)
        .where(Member.id == order.member_id, Member.first_paid_at.is_(None))
        .values(first_paid_at=now)
        .execution_options(synchronize_session=False)
    )
    if order.binding_id is not None:
        attribution.lock_binding(
            session,
            customer_id=order.member_id,
            binding_id=order.binding_id,
            order_id=order.id,
            settings=settings,
            now=now,
        )
    emit(session, "order_paid", order.id, now=now)


def _receive_late(session: Session, order: Order, *, now: datetime) -> None:
    """Book money for a locked order that was closed, and send it back."""
    order.advance(OrderEvent.PAY_LATE, now=now, actor=str(SYSTEM))
    session.flush()
    refund = give_back_late_payment(session, order, now=now)
    log.warning("late_payment_given_back", order_id=order.id, refund_id=refund.id)


def _seats(session: Session, order: Order) -> list[Seat]:
    """Return who stands around an order now: the buyer, the owner, then recommenders upwards."""
    buyer = members.distributor(session, order.member_id)
    above: list[tuple[int, int, str]] = []
    if order.owner_id is not None:
        owner = members.distributor(session, order.owner_id)
        assert owner is not None, "a foreign key says that the owner is a distributor"
        above = [(owner.member_id, owner.level, owner.standing)]
        above += [
            (row.member_id, row.level, row.standing)
            for row in members.upline(session, owner.member_id, UPLINES_MAX - 1)
        ]
    household = members.household_of(session, order.member_id, [seat[0] for seat in above])
    seats = [
        Seat(
            member_id=order.member_id,
            level=buyer.level if buyer else None,
            standing=buyer.standing.value if buyer else None,
            is_household=False,
        )
    ]
    return seats + [
        Seat(
            member_id=member_id,
            level=level,
            standing=str(standing),
            is_household=member_id in household,
        )
        for member_id, level, standing in above
    ]


def _keep(
    session: Session,
    report: PaymentReport,
    received: Received | None,
    outcome: PaymentOutcome,
    *,
    now: datetime,
) -> None:
    """Keep a notice with what it did, and whatever does not fit, however we heard of it."""
    is_break = outcome in BREAKS
    if is_break:
        log.error("payment_break_found", number=report.out_trade_no, outcome=outcome)
    if received is None and not is_break:
        return
    found = received or Received(
        f"query:{report.out_trade_no}:{outcome}:{report.transaction_id}",
        "QUERY",
        report.out_trade_no,
    )
    accept(session, replace(found, facts=_facts(report)), outcome, now=now)


def _facts(report: PaymentReport) -> dict[str, Any]:
    """Return what is kept of a report; not the payer, who is a person."""
    return {
        "state": report.state,
        "transaction_id": report.transaction_id,
        "amount_fen": report.amount_fen,
        "currency": report.currency,
    }
