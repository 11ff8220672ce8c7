"""One try at a bill: commit what is about to be done, talk to WeChat, commit what came of it.

The number of a bill never changes, so WeChat can be asked about it and a repeat is no second
transfer. Between the two commits no transaction is open; if the process dies there, the bill falls
due again, is found `sending`, and WeChat is asked before anything is sent.

* Nothing is sent while an earlier send may still have an effect (`sent_at` stands): the number is
  asked about, and "not found" counts only after `Settings.payout_not_found_seconds`.
* Hence a refusal is about this very send, and may end the bill.
* A worker that lost its lease has its outcome ignored: someone else has asked since.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.kernel.clock import business_day, day_begins_at, next_day_begins_at
from app.kernel.db import atomic, retrying
from app.kernel.secrecy import vault
from app.members.models import Distributor
from app.payouts import holds, pacing
from app.payouts.models import Payout, PayoutBill
from app.payouts.reports import CANCELLABLE
from app.payouts.states import BillEvent, BillState
from app.settings import Settings
from app.wechat.access import pay
from app.wechat.values import TransferOrder, TransferReport, TransferState

LIMITS_LOCK: Final = 7_310_020
"""Advisory lock under which the sums of a day are read and added to."""
REMARK_LENGTH_MAX: Final = 32

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Errand:
    """What a worker has to do at WeChat for one bill, and the lease under which it does it.

    With an `order` it sends, without one it asks. `until` is when the lease ends, by this
    machine's steady clock.
    """

    bill_id: int
    number: str
    lease: int
    until: float
    order: TransferOrder | None = None
    wants_cancel: bool = False


def begin_next_bill(*, settings: Settings, now: datetime) -> Errand | None:
    """Claim the bill that has been due longest, passing over those of other workers.

    None means that nothing is due. Bills that may not be sent yet are put off on the way.
    """
    while True:
        found, errand = retrying(lambda: _begin_next(settings=settings, now=now))
        if errand is not None or not found:
            return errand


def begin_bill(bill_id: int, *, settings: Settings, now: datetime) -> Errand | None:
    """Claim one bill whether due or not; None where there is nothing to do, or not yet."""
    with atomic() as session:
        bill = session.get_one(PayoutBill, bill_id, with_for_update=True, populate_existing=True)
        if bill.due_at is None:
            return None
        return _begin(session, bill, settings=settings, now=now)


def carry_out(errand: Errand) -> TransferReport:
    """Send or ask. Call it outside any transaction; nothing remote is raised.

    A worker that slept through its lease says nothing any more: the bill may have gone on without
    it, and even been given back.
    """
    if time.monotonic() >= errand.until:
        log.warning("payout_errand_too_late", bill_id=errand.bill_id)
        return TransferReport(out_bill_no=errand.number, state=TransferState.UNKNOWN)
    if errand.order is not None:
        return pay().send_transfer(errand.order)
    report = pay().query_transfer(errand.number)
    if errand.wants_cancel and report.state in CANCELLABLE:
        return pay().cancel_transfer(errand.number)
    return report


def _begin_next(*, settings: Settings, now: datetime) -> tuple[bool, Errand | None]:
    """Return whether a bill was due, and what is to be done about it now."""
    with atomic() as session:
        bill = _claim(session, now=now)
        if bill is None:
            return False, None
        return True, _begin(session, bill, settings=settings, now=now)


def _claim(session: Session, *, now: datetime) -> PayoutBill | None:
    return session.scalar(
        sa.select(PayoutBill)
        .where(PayoutBill.due_at <= now)
        .order_by(PayoutBill.due_at, PayoutBill.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _begin(
    session: Session, bill: PayoutBill, *, settings: Settings, now: datetime
) -> Errand | None:
    """Take the lease, put the bill out of the others' reach, and say what is to be done."""
    bill.lease += 1
    is_send = _lacks_package(bill)
    if _may_be_sent(bill):
        until = _put_off_until(session, bill, settings=settings, now=now)
        if until is not None:
            bill.due_at = until
            return None
        _mark_sent(session, bill, settings=settings, now=now)
        is_send = True
    span = pacing.claimed_for(settings.wechat_timeout_seconds)
    bill.due_at = now + span
    session.flush()
    return Errand(
        bill_id=bill.id,
        number=bill.number,
        lease=bill.lease,
        until=time.monotonic() + span.total_seconds(),
        order=_order(bill) if is_send else None,
        wants_cancel=bill.state is BillState.CANCELLING,
    )


def _may_be_sent(bill: PayoutBill) -> bool:
    """Tell whether no send of this number can have had an effect, or still have one."""
    is_open = bill.state in {BillState.CREATED, BillState.SENDING}
    return is_open and bill.sent_at is None


def _lacks_package(bill: PayoutBill) -> bool:
    """Tell whether only a repeat of the same order brings what the receiver needs to accept."""
    return bill.state is BillState.WAITING_USER and bill.package_info is None


def _mark_sent(session: Session, bill: PayoutBill, *, settings: Settings, now: datetime) -> None:
    """Write down that it is being sent, and what, before it is."""
    if bill.state is BillState.CREATED:
        bill.request = _request(session, bill, settings)
        bill.advance(BillEvent.SEND, now=now)
    bill.sent_at = now
    bill.attempts += 1
    bill.last_error = None


def _request(session: Session, bill: PayoutBill, settings: Settings) -> dict[str, Any]:
    """Return what is sent under this number from now on; a name is kept sealed."""
    name = None
    if bill.amount_fen >= settings.transfer_name_required_fen:
        name = _distributor(session, bill).real_name_sealed
    return {
        "out_bill_no": bill.number,
        "openid": bill.payee_openid,
        "amount_fen": bill.amount_fen,
        "remark": settings.wechat_transfer_pay_note[:REMARK_LENGTH_MAX],
        "user_name_sealed": name,
    }


def _order(bill: PayoutBill) -> TransferOrder:
    assert bill.request is not None, "what was sent is kept"
    sealed = bill.request["user_name_sealed"]
    return TransferOrder(
        out_bill_no=bill.request["out_bill_no"],
        openid=bill.request["openid"],
        amount_fen=bill.request["amount_fen"],
        remark=bill.request["remark"],
        user_name=None if sealed is None else vault().open(sealed),
    )


def _distributor(session: Session, bill: PayoutBill) -> Distributor:
    return session.scalars(
        sa.select(Distributor)
        .join(Payout, Payout.member_id == Distributor.member_id)
        .where(Payout.id == bill.payout_id)
    ).one()


def _put_off_until(
    session: Session, bill: PayoutBill, *, settings: Settings, now: datetime
) -> datetime | None:
    """Return until when a bill may not be sent, having noted why; None where it may be now."""
    if holds.waits(session, bill.payout_id):
        bill.last_error = "on_hold"
        return now + pacing.held_for(settings.payout_query_seconds)
    exceeded = _limit_exceeded(session, bill, settings=settings, now=now)
    if exceeded is None:
        return None
    bill.last_error = exceeded
    log.info("payout_bill_deferred", bill_id=bill.id, limit=exceeded)
    return next_day_begins_at(now)


def _limit_exceeded(
    session: Session, bill: PayoutBill, *, settings: Settings, now: datetime
) -> str | None:
    """Return which limit of the business day this bill would pass, counting what was sent.

    The lock is held until this transaction has written `sent_at`, so two workers cannot both find
    room for the last bill of a day.
    """
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(LIMITS_LOCK)))
    amount = sa.func.sum(PayoutBill.amount_fen)
    mine = amount.filter(PayoutBill.payee_openid == bill.payee_openid)
    member_fen, merchant_fen = session.execute(
        sa.select(sa.func.coalesce(mine, 0), sa.func.coalesce(amount, 0)).where(
            PayoutBill.sent_at >= day_begins_at(business_day(now)),
            PayoutBill.sent_at < next_day_begins_at(now),
            PayoutBill.state.not_in([BillState.FAILED, BillState.CANCELLED]),
        )
    ).one()
    if member_fen + bill.amount_fen > settings.transfer_member_day_fen:
        return "member_day_limit"
    if merchant_fen + bill.amount_fen > settings.transfer_merchant_day_fen:
        return "merchant_day_limit"
    return None
