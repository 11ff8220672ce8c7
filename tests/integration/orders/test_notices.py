"""A verified callback reaches the service for its kind, once."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.inbox import InboxNotice
from app.orders import notices
from app.orders.models import Order, Refund
from app.orders.states import OrderState, RefundState
from app.wechat.values import Notice, TransferReport, TransferState
from tests.factories.orders import make_order, make_refund, offer, payment_report, refund_report
from tests.factories.people import make_member


def kept(session: Session) -> list[tuple[str, str, str, str]]:
    rows = session.scalars(sa.select(InboxNotice).order_by(InboxNotice.id))
    return [(row.notice_id, row.event_type, row.subject_number, row.outcome) for row in rows]


def test_a_payment_notice_pays_its_order_once(session: Session, now: datetime) -> None:
    member = make_member(session)
    order = make_order(session, member=member, state=OrderState.CREATED)
    offer(session, order)
    report = payment_report(order, openid=member.wechat_openid)
    notice = Notice(
        notice_id="EV-1", event_type="TRANSACTION.SUCCESS", created_at=now, report=report
    )

    handled = [notices.handle(notice, now=now) for _ in range(3)]

    assert handled == [True, True, True]
    assert session.get_one(Order, order.id).state is OrderState.PAID
    assert kept(session) == [("EV-1", "TRANSACTION.SUCCESS", order.number, "paid")]


def test_a_refund_notice_ends_its_refund_once(session: Session, now: datetime) -> None:
    refund = make_refund(session, make_order(session), state=RefundState.SENT)
    report = refund_report(session, refund)
    notice = Notice(notice_id="EV-2", event_type="REFUND.SUCCESS", created_at=now, report=report)

    handled = [notices.handle(notice, now=now) for _ in range(3)]

    assert handled == [True, True, True]
    assert session.get_one(Refund, refund.id).state is RefundState.SUCCEEDED
    assert kept(session) == [("EV-2", "REFUND.SUCCESS", refund.number, "succeeded")]


def test_what_is_about_neither_is_for_others(session: Session, now: datetime) -> None:
    transfer = TransferReport(out_bill_no="B1", state=TransferState.SUCCESS)

    for report in (transfer, None):
        notice = Notice(notice_id="EV-3", event_type="OTHER", created_at=now, report=report)
        assert notices.handle(notice, now=now) is False

    assert kept(session) == []
