"""What WeChat says of a bill becomes what we know of it: the only door, whoever brings the word.

Answers to a send, answers to a question and callbacks arrive here, in any order, any number of
times. What is not news changes nothing.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.kernel import inbox
from app.kernel.db import atomic, retrying
from app.kernel.inbox import Received
from app.kernel.outbox import emit
from app.payouts import pacing
from app.payouts.locks import lock_bill
from app.payouts.models import PayoutBill
from app.payouts.reports import EVENT_OF, contradiction, news
from app.payouts.sending import Errand
from app.payouts.settling import end_bill
from app.payouts.states import FINAL_BILL_STATES, BillEvent, BillState
from app.settings import Settings
from app.wechat.values import Notice, TransferReport, TransferState

UNKNOWN_BILL: Final = "unknown_bill"

log = structlog.get_logger()


class Recorded(StrEnum):
    """What a report did."""

    MOVED = "moved"
    UNCHANGED = "unchanged"
    REPEATED = "repeated"
    """The same notice was accepted before."""
    STALE = "stale"
    """The try that brings it no longer holds the bill."""
    CONTRADICTED = "contradicted"


def record_bill(
    bill_id: int,
    report: TransferReport,
    *,
    errand: Errand | None = None,
    received: Received | None = None,
    settings: Settings,
    now: datetime,
) -> Recorded:
    """Move a bill on by what WeChat says of it, and settle it where that is its end.

    `errand` is the try that brings the report, `received` the notice; the notice is kept in the
    same transaction as its effect.
    """

    def act() -> Recorded:
        with atomic() as session:
            bill = lock_bill(session, bill_id)
            if received is not None and inbox.is_known(session, received):
                return Recorded.REPEATED
            outcome = _record(session, bill, report, errand=errand, settings=settings, now=now)
            if received is not None:
                inbox.accept(session, received, outcome, now=now)
            return outcome

    outcome = retrying(act)
    log.info("payout_bill_reported", bill_id=bill_id, state=report.state, outcome=outcome)
    return outcome


def handle_transfer_notice(notice: Notice, *, settings: Settings, now: datetime) -> bool:
    """Record what a callback about a transfer says; False where it is about something else.

    A number that is not ours to know, as after going back to a backup, is kept and said out loud.
    """
    report = notice.report
    if not isinstance(report, TransferReport):
        return False
    received = Received(
        notice.notice_id,
        notice.event_type,
        report.out_bill_no,
        {"state": report.state, "amount_fen": report.amount_fen, "reason": report.fail_reason},
    )
    bill_id = _find_bill(report.out_bill_no, received, now=now)
    if bill_id is not None:
        record_bill(bill_id, report, received=received, settings=settings, now=now)
    return True


def _find_bill(number: str, received: Received, *, now: datetime) -> int | None:
    """Return the bill of a number; a notice about a number we do not know is kept."""
    with atomic() as session:
        bill_id = session.scalar(sa.select(PayoutBill.id).where(PayoutBill.number == number))
        if bill_id is None and inbox.accept(session, received, UNKNOWN_BILL, now=now):
            log.error("payout_notice_unknown_bill", number=number)
    return bill_id


def _record(
    session: Session,
    bill: PayoutBill,
    report: TransferReport,
    *,
    errand: Errand | None,
    settings: Settings,
    now: datetime,
) -> Recorded:
    flaw = contradiction(bill, report)
    if flaw is not None:
        log.error("payout_report_contradicted", bill_id=bill.id, contradiction=flaw)
        return Recorded.CONTRADICTED
    if errand is not None and errand.lease != bill.lease:
        return Recorded.STALE
    if bill.state in FINAL_BILL_STATES:
        return Recorded.UNCHANGED
    if report.state in EVENT_OF:
        return _record_state(session, bill, report, errand=errand, settings=settings, now=now)
    if errand is None:
        return Recorded.UNCHANGED
    return _record_doubt(session, bill, report, errand=errand, settings=settings, now=now)


def _record_state(
    session: Session,
    bill: PayoutBill,
    report: TransferReport,
    *,
    errand: Errand | None,
    settings: Settings,
    now: datetime,
) -> Recorded:
    """Record what WeChat says the transfer has come to."""
    event = news(bill, report)
    bill.wechat_bill_number = bill.wechat_bill_number or report.transfer_bill_no
    bill.package_info = report.package_info or bill.package_info
    bill.sent_at = bill.sent_at or now
    bill.last_error = None
    if event is not None:
        bill.advance(event, now=now, note=report.fail_reason or "")
    if event is BillEvent.OFFER:
        emit(session, "payout_to_confirm", bill.id, now=now)
    if bill.state in FINAL_BILL_STATES:
        end_bill(session, bill, report.fail_reason, now=now)
    else:
        asked = errand is None or errand.order is None
        bill.due_at = now + _next_look(bill, settings, was_asked=asked, now=now)
    return Recorded.UNCHANGED if event is None else Recorded.MOVED


def _record_doubt(
    session: Session,
    bill: PayoutBill,
    report: TransferReport,
    *,
    errand: Errand,
    settings: Settings,
    now: datetime,
) -> Recorded:
    """Record an answer that is about our knowledge and not about the transfer."""
    bill.last_error = report.wechat_code or report.state
    was_sent = errand.order is not None and bill.state is BillState.SENDING
    wait = pacing.ask_again(settings.payout_query_seconds, age=None, salt=_salt(bill))
    if was_sent and report.state is TransferState.REFUSED:
        bill.advance(BillEvent.FAIL, now=now, note=report.wechat_code or "")
        end_bill(session, bill, report.wechat_code, now=now)
        return Recorded.MOVED
    if was_sent and report.state is TransferState.NOT_NOW:
        bill.sent_at = None
        log.warning("payout_bill_not_now", bill_id=bill.id, wechat_code=report.wechat_code)
        wait = pacing.try_again(
            settings.payout_query_seconds, attempts=bill.attempts, salt=_salt(bill)
        )
    elif report.state is TransferState.NOT_FOUND:
        wait = _after_not_found(bill, wait, settings, now=now)
    bill.due_at = now + wait
    return Recorded.UNCHANGED


def _after_not_found(
    bill: PayoutBill, wait: timedelta, settings: Settings, *, now: datetime
) -> timedelta:
    """Return when to look again at a bill WeChat does not know.

    Shortly after a send that proves nothing. Once it does, the same number may be sent again; it
    is never taken for a failure.
    """
    if bill.state is not BillState.SENDING:
        log.error("payout_bill_vanished", bill_id=bill.id, state=bill.state)
        return wait
    assert bill.sent_at is not None, "what was not sent is not asked about"
    proven_at = bill.sent_at + timedelta(seconds=settings.payout_not_found_seconds)
    if now < proven_at:
        return proven_at - now
    bill.sent_at = None
    return timedelta(0)


def _next_look(
    bill: PayoutBill, settings: Settings, *, was_asked: bool, now: datetime
) -> timedelta:
    """Return when to ask again; at once where only a repeated send brings what is missing."""
    age = None
    if bill.state is BillState.WAITING_USER:
        if bill.package_info is None and was_asked:
            return timedelta(0)
        age = now - (bill.sent_at or now)
    return pacing.ask_again(settings.payout_query_seconds, age=age, salt=_salt(bill))


def _salt(bill: PayoutBill) -> int:
    return bill.id + bill.lease
