"""The tables of states say exactly this, for every pair of a state and an event."""

import pytest

from app.orders.states import (
    FINAL_ORDER_STATES,
    FINAL_REFUND_STATES,
    REFUNDABLE,
    OrderEvent,
    OrderState,
    RefundEvent,
    RefundState,
    after_order,
    after_refund,
)

ORDER_TABLE = {
    OrderState.CREATED: {"pay": "paid", "close": "closed"},
    OrderState.PAID: {"complete": "completed", "refund": "refunded"},
    OrderState.COMPLETED: {"settle": "settled", "refund": "refunded"},
    OrderState.SETTLED: {"refund": "refunded"},
    OrderState.CLOSED: {"pay_late": "paid_late"},
    OrderState.PAID_LATE: {"refund": "refunded"},
    OrderState.REFUNDED: {},
}
REFUND_TABLE = {
    RefundState.REQUESTED: {"approve": "approved", "reject": "rejected"},
    RefundState.APPROVED: {"send": "sent"},
    RefundState.SENT: {"succeed": "succeeded", "fail": "failed", "get_stuck": "abnormal"},
    RefundState.ABNORMAL: {"succeed": "succeeded", "fail": "failed"},
    RefundState.SUCCEEDED: {},
    RefundState.FAILED: {},
    RefundState.REJECTED: {},
}


@pytest.mark.parametrize("state", list(OrderState))
@pytest.mark.parametrize("event", list(OrderEvent))
def test_an_order_moves_as_the_table_says(state: OrderState, event: OrderEvent) -> None:
    assert after_order(state, event) == ORDER_TABLE[state].get(event)


@pytest.mark.parametrize("state", list(RefundState))
@pytest.mark.parametrize("event", list(RefundEvent))
def test_a_refund_moves_as_the_table_says(state: RefundState, event: RefundEvent) -> None:
    assert after_refund(state, event) == REFUND_TABLE[state].get(event)


def test_nothing_leaves_a_final_state() -> None:
    assert {state for state, row in ORDER_TABLE.items() if not row} == FINAL_ORDER_STATES
    assert {state for state, row in REFUND_TABLE.items() if not row} == FINAL_REFUND_STATES


def test_money_can_go_back_wherever_money_is() -> None:
    assert {
        OrderState.PAID,
        OrderState.COMPLETED,
        OrderState.SETTLED,
        OrderState.PAID_LATE,
    } == REFUNDABLE
