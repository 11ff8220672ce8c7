"""WeChat's callbacks about payments and refunds."""

from datetime import datetime

from app.access import settings
from app.kernel.inbox import Received
from app.orders.payments import confirm_payment
from app.orders.refund_reports import record_refund
from app.wechat.values import Notice, PaymentReport, RefundReport


def handle(notice: Notice, *, now: datetime) -> bool:
    """Note what a verified notice says; False where it is about neither payment nor refund.

    A copy of a notice has no second effect. Whatever it did, WeChat is to be answered with success
    once this returns; where it raises, WeChat repeats the notice.
    """
    match notice.report:
        case PaymentReport() as payment:
            received = Received(notice.notice_id, notice.event_type, payment.out_trade_no)
            confirm_payment(payment, received=received, settings=settings(), now=now)
            return True
        case RefundReport() as refund:
            received = Received(notice.notice_id, notice.event_type, refund.out_refund_no)
            record_refund(refund, received=received, settings=settings(), now=now)
            return True
        case _:
            return False
