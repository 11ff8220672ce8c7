"""Sending refunds to WeChat and asking what became of them.

Each step is committed before WeChat is called, under a number that never changes, so a process
that dies at any point leaves a row that is due again: what went out is asked for first and sent
again, equal in every field, only when WeChat has not known it for long enough.

A refund is given up, and its amount released, on one answer alone: "refused" to a send, with no
earlier send in doubt. `attempts` fences it: an answer that comes after someone else has turned to
WeChat again concludes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog

from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, retrying
from app.orders import refunds
from app.orders.models import Order, Refund
from app.orders.queries import lock_refund
from app.orders.refund_reports import record_refund
from app.orders.states import RefundEvent, RefundState
from app.orders.values import ask_again_at
from app.settings import Settings
from app.wechat.access import pay
from app.wechat.values import RefundOrder, RefundReport
from app.wechat.values import RefundState as Reported

WAITING_STATES: Final = (RefundState.APPROVED, RefundState.SENT, RefundState.ABNORMAL)
UNCERTAIN: Final = frozenset({Reported.UNKNOWN, Reported.NOT_FOUND, Reported.NOT_NOW})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Errand:
    """One turn to WeChat about a refund: send it, or ask for it."""

    refund_id: int
    attempt: int
    order: RefundOrder
    is_send: bool


def claim_refund(*, settings: Settings, now: datetime) -> int | None:
    """Take the refund that has been due longest, for as long as one turn may take."""
    due = (
        sa.select(Refund.id)
        .where(Refund.due_at <= now, Refund.state.in_(WAITING_STATES))
        .order_by(Refund.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    with atomic() as session:
        return session.scalar(
            sa.update(Refund)
            .where(Refund.id == due)
            .values(due_at=now + timedelta(seconds=settings.refund_query_seconds))
            .returning(Refund.id)
            .execution_options(synchronize_session=False)
        )


def send_refund(refund_id: int, *, settings: Settings, now: datetime) -> bool:
    """Turn to WeChat about a refund, once or, where it has to be sent again, twice.

    Safe to repeat at any time. Returns False where WeChat gave no usable answer.
    """
    errand = retrying(lambda: _begin(refund_id, settings=settings, now=now))
    if errand is None:
        return True
    if not errand.is_send:
        report = pay().query_refund(errand.order.out_refund_no)
        again = _begin_again(errand, report, settings=settings, now=now)
        if again is None:
            record_refund(report, received=None, settings=settings, now=now)
            return report.state not in UNCERTAIN
        errand = again
    report = pay().refund(errand.order)
    if report.state in {Reported.REFUSED, Reported.NOT_NOW}:
        _note_nothing_done(errand, report, now=now)
    else:
        record_refund(report, received=None, settings=settings, now=now)
    return report.state not in UNCERTAIN


def _begin(refund_id: int, *, settings: Settings, now: datetime) -> Errand | None:
    """Commit what is about to be done; None where nothing is left to do."""
    with atomic() as session:
        order, refund = lock_refund(session, refund_id)
        if refund.state not in WAITING_STATES:
            return None
        if refund.state is RefundState.APPROVED:
            refund.advance(RefundEvent.SEND, now=now, actor=str(SYSTEM))
        is_send = refund.state is RefundState.SENT and refund.sent_at is None
        return _count(order, refund, is_send=is_send, settings=settings, now=now)


def _begin_again(
    errand: Errand, report: RefundReport, *, settings: Settings, now: datetime
) -> Errand | None:
    """Commit a repetition, if WeChat does not know the number long after it last went out."""
    if report.state is not Reported.NOT_FOUND:
        return None
    patience = timedelta(seconds=settings.refund_not_found_seconds)

    def begin() -> Errand | None:
        with atomic() as session:
            order, refund = lock_refund(session, errand.refund_id)
            if refund.state is not RefundState.SENT or refund.attempts != errand.attempt:
                return None
            if refund.sent_at is None or now < refund.sent_at + patience:
                return None
            return _count(order, refund, is_send=True, settings=settings, now=now)

    return retrying(begin)


def _count(
    order: Order, refund: Refund, *, is_send: bool, settings: Settings, now: datetime
) -> Errand:
    refund.attempts += 1
    refund.sent_at = now if is_send else refund.sent_at
    refund.due_at = ask_again_at(
        refund.number,
        refund.attempts - 1,
        base_seconds=settings.refund_query_seconds,
        most_seconds=2 * settings.refund_query_seconds,
        now=now,
    )
    wanted = RefundOrder(
        out_refund_no=refund.number,
        out_trade_no=order.number,
        refund_fen=refund.amount_fen,
        total_fen=order.paid_fen,
    )
    return Errand(refund.id, refund.attempts, wanted, is_send)


def _note_nothing_done(errand: Errand, report: RefundReport, *, now: datetime) -> None:
    """Note that this send did nothing: the end if WeChat refused it, else a reason to wait."""

    def note() -> None:
        with atomic() as session:
            order, refund = lock_refund(session, errand.refund_id)
            if refund.state is not RefundState.SENT or refund.attempts != errand.attempt:
                return
            facts = {"refund_id": refund.id, "wechat_code": report.wechat_code}
            if report.state is Reported.REFUSED:
                refunds.fail(order, refund, note=report.wechat_code or "refused", now=now)
                log.error("refund_refused", **facts)
            else:
                refund.sent_at = None
                log.error("refund_held_up", **facts)

    retrying(note)
