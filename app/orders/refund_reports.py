"""What WeChat says became of refunds, however often and in whatever order it says so."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, retrying
from app.kernel.inbox import Received, accept, is_known
from app.orders import refunds
from app.orders.models import Order, Payment, Refund
from app.orders.queries import lock_refund
from app.orders.states import FINAL_REFUND_STATES, RefundEvent, RefundState, after_refund
from app.orders.values import BREAKS, RefundOutcome, ask_again_at
from app.settings import Settings
from app.wechat.values import CNY, RefundReport
from app.wechat.values import RefundState as Reported

EVENT_OF: Final[Mapping[Reported, RefundEvent]] = {
    Reported.SUCCESS: RefundEvent.SUCCEED,
    Reported.CLOSED: RefundEvent.FAIL,
    Reported.ABNORMAL: RefundEvent.GET_STUCK,
}
STATE_OF: Final[Mapping[RefundEvent, RefundState]] = {
    RefundEvent.SUCCEED: RefundState.SUCCEEDED,
    RefundEvent.FAIL: RefundState.FAILED,
    RefundEvent.GET_STUCK: RefundState.ABNORMAL,
}

SENT_STATES: Final = frozenset({RefundState.SENT, RefundState.ABNORMAL})
PROCESSING_SECONDS_MAX: Final = 3600

log = structlog.get_logger()


def record_refund(
    report: RefundReport, *, received: Received | None, settings: Settings, now: datetime
) -> RefundOutcome:
    """Note what WeChat says of a refund, from a notice (`received`) or a query.

    Repeating it, and any order of notices and queries, ends in the same state. Not knowing, and
    "not found", change nothing. What contradicts our books changes nothing but is kept.
    """
    return retrying(lambda: _record(report, received, settings=settings, now=now))


def _record(
    report: RefundReport, received: Received | None, *, settings: Settings, now: datetime
) -> RefundOutcome:
    with atomic() as session:
        wanted = sa.select(Refund.id).where(Refund.number == report.out_refund_no)
        refund_id = session.scalar(wanted)
        if refund_id is None:
            outcome = RefundOutcome.UNKNOWN_REFUND
            _look_at_payment(session, report.out_trade_no, now=now)
        else:
            order, refund = lock_refund(session, refund_id)
            if received is not None and is_known(session, received):
                return RefundOutcome.REPEATED
            outcome = _apply(session, order, refund, report, settings=settings, now=now)
        _keep(session, report, received, outcome, now=now)
    return outcome


def _apply(
    session: Session,
    order: Order,
    refund: Refund,
    report: RefundReport,
    *,
    settings: Settings,
    now: datetime,
) -> RefundOutcome:
    if report.refund_id is None:
        return RefundOutcome.WAITING
    if not _fits(session, order, refund, report):
        return RefundOutcome.MISMATCH
    event = EVENT_OF.get(report.state)
    if event is None or after_refund(refund.state, event) is None:
        return _without_effect(refund, event, settings=settings, now=now)
    if event is RefundEvent.FAIL:
        refunds.fail(order, refund, note=report.state, now=now)
        return RefundOutcome.FAILED
    refund.wechat_refund_id = report.refund_id
    refund.advance(event, now=now, actor=str(SYSTEM))
    if event is RefundEvent.GET_STUCK:
        refund.due_at = _later(refund, settings, now=now)
        log.error("refund_got_stuck", refund_id=refund.id, order_id=order.id)
        return RefundOutcome.ABNORMAL
    refunds.settle(session, order, refund, now=now)
    return RefundOutcome.SUCCEEDED


def _without_effect(
    refund: Refund, event: RefundEvent | None, *, settings: Settings, now: datetime
) -> RefundOutcome:
    """Say what a report means that moves nothing: old news, no news, or a contradiction.

    ABNORMAL and PROCESSING may arrive after the end, which they came before; that is old news.
    """
    if event in {RefundEvent.SUCCEED, RefundEvent.FAIL} and STATE_OF[event] != refund.state:
        return RefundOutcome.CONTRADICTION
    if refund.state in SENT_STATES:
        refund.due_at = _later(refund, settings, now=now)
    is_old_news = refund.state in FINAL_REFUND_STATES or event is RefundEvent.GET_STUCK
    return RefundOutcome.REPEATED if is_old_news else RefundOutcome.WAITING


def _fits(session: Session, order: Order, refund: Refund, report: RefundReport) -> bool:
    payment = session.get(Payment, order.id)
    ours = (
        order.number,
        payment.wechat_transaction_id if payment else None,
        refund.amount_fen,
        order.paid_fen,
        CNY,
    )
    return ours == (
        report.out_trade_no,
        report.transaction_id,
        report.refund_fen,
        report.total_fen,
        report.currency,
    )


def _later(refund: Refund, settings: Settings, *, now: datetime) -> datetime:
    """Return when to look again at what WeChat is at work on: hours may pass, or days."""
    return ask_again_at(
        refund.number,
        refund.attempts,
        base_seconds=settings.refund_query_seconds,
        most_seconds=PROCESSING_SECONDS_MAX,
        now=now,
    )


def _look_at_payment(session: Session, order_number: str | None, *, now: datetime) -> None:
    """Have an unpaid order asked for soon whose refund, unknown to us, WeChat speaks of."""
    session.execute(
        sa.update(Payment)
        .where(
            Payment.order_id.in_(sa.select(Order.id).where(Order.number == order_number)),
            Payment.succeeded_at.is_(None),
        )
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


def _keep(
    session: Session,
    report: RefundReport,
    received: Received | None,
    outcome: RefundOutcome,
    *,
    now: datetime,
) -> None:
    """Keep a notice with what it did, and whatever does not fit, however we heard of it."""
    is_break = outcome in BREAKS
    if is_break:
        log.error("refund_break_found", number=report.out_refund_no, outcome=outcome)
    if received is None and not is_break:
        return
    found = received or Received(
        f"query:{report.out_refund_no}:{outcome}:{report.state}", "QUERY", report.out_refund_no
    )
    facts = {
        "state": report.state,
        "out_trade_no": report.out_trade_no,
        "refund_fen": report.refund_fen,
        "total_fen": report.total_fen,
        "currency": report.currency,
    }
    accept(session, replace(found, facts=facts), outcome, now=now)
