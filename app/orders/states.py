"""The lives of an order and of a refund, each as one table.

    created ─ pay ▶ paid ─ complete ▶ completed ─ settle ▶ settled
       │              └───── refund ────┴──── refund ────────┴──▶ refunded
       └─ close ▶ closed ─ pay_late ▶ paid_late ─ refund ▶ refunded

An order is `settled` when its after-sale window has closed; a refund may still come, and is never
held up by commission. Money that arrives for a closed order is kept by nobody: it is refunded.

    requested ─ approve ▶ approved ─ send ▶ sent ─ succeed ▶ succeeded
        └────── reject ─▶ rejected            ├─ fail ▶ failed
                                              └─ get_stuck ▶ abnormal ─ succeed | fail

A refund stays `sent` while WeChat has not said how it ended. Not knowing is no failure.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class OrderState(StrEnum):
    """Where an order stands."""

    CREATED = "created"
    PAID = "paid"
    COMPLETED = "completed"
    SETTLED = "settled"
    CLOSED = "closed"
    PAID_LATE = "paid_late"
    REFUNDED = "refunded"


class OrderEvent(StrEnum):
    """What can happen to an order."""

    PAY = "pay"
    CLOSE = "close"
    PAY_LATE = "pay_late"
    COMPLETE = "complete"
    SETTLE = "settle"
    REFUND = "refund"


ORDER_TRANSITIONS: Final[Mapping[tuple[OrderState, OrderEvent], OrderState]] = {
    (OrderState.CREATED, OrderEvent.PAY): OrderState.PAID,
    (OrderState.CREATED, OrderEvent.CLOSE): OrderState.CLOSED,
    (OrderState.CLOSED, OrderEvent.PAY_LATE): OrderState.PAID_LATE,
    (OrderState.PAID, OrderEvent.COMPLETE): OrderState.COMPLETED,
    (OrderState.COMPLETED, OrderEvent.SETTLE): OrderState.SETTLED,
    (OrderState.PAID, OrderEvent.REFUND): OrderState.REFUNDED,
    (OrderState.COMPLETED, OrderEvent.REFUND): OrderState.REFUNDED,
    (OrderState.SETTLED, OrderEvent.REFUND): OrderState.REFUNDED,
    (OrderState.PAID_LATE, OrderEvent.REFUND): OrderState.REFUNDED,
}
FINAL_ORDER_STATES: Final = frozenset({OrderState.REFUNDED})
REFUNDABLE: Final = frozenset(
    state for state, event in ORDER_TRANSITIONS if event is OrderEvent.REFUND
)


class RefundState(StrEnum):
    """Where a refund stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    SENT = "sent"
    ABNORMAL = "abnormal"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"


class RefundEvent(StrEnum):
    """What can happen to a refund."""

    APPROVE = "approve"
    REJECT = "reject"
    SEND = "send"
    SUCCEED = "succeed"
    FAIL = "fail"
    GET_STUCK = "get_stuck"


REFUND_TRANSITIONS: Final[Mapping[tuple[RefundState, RefundEvent], RefundState]] = {
    (RefundState.REQUESTED, RefundEvent.APPROVE): RefundState.APPROVED,
    (RefundState.REQUESTED, RefundEvent.REJECT): RefundState.REJECTED,
    (RefundState.APPROVED, RefundEvent.SEND): RefundState.SENT,
    (RefundState.SENT, RefundEvent.SUCCEED): RefundState.SUCCEEDED,
    (RefundState.SENT, RefundEvent.FAIL): RefundState.FAILED,
    (RefundState.SENT, RefundEvent.GET_STUCK): RefundState.ABNORMAL,
    (RefundState.ABNORMAL, RefundEvent.SUCCEED): RefundState.SUCCEEDED,
    (RefundState.ABNORMAL, RefundEvent.FAIL): RefundState.FAILED,
}
FINAL_REFUND_STATES: Final = frozenset(
    {RefundState.SUCCEEDED, RefundState.FAILED, RefundState.REJECTED}
)


def after_order(state: OrderState, event: OrderEvent) -> OrderState | None:
    """Return the state that `event` leads to from `state`, or None where it may not happen.

    >>> after_order(OrderState.CREATED, OrderEvent.PAY)
    <OrderState.PAID: 'paid'>
    >>> after_order(OrderState.REFUNDED, OrderEvent.PAY) is None
    True
    """
    return ORDER_TRANSITIONS.get((state, event))


def after_refund(state: RefundState, event: RefundEvent) -> RefundState | None:
    """Return the state that `event` leads to from `state`, or None where it may not happen.

    >>> after_refund(RefundState.SENT, RefundEvent.SUCCEED)
    <RefundState.SUCCEEDED: 'succeeded'>
    """
    return REFUND_TRANSITIONS.get((state, event))
