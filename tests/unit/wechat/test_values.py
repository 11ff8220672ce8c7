from datetime import UTC, datetime
from typing import Any

import pytest

from app.wechat.values import PrepayOrder, RefundOrder, TransferOrder

PREPAY: dict[str, Any] = {
    "out_trade_no": "T20260301",
    "description": "护理",
    "amount_fen": 1,
    "payer_openid": "o1",
    "expires_at": datetime(2026, 3, 1, tzinfo=UTC),
}
REFUND: dict[str, Any] = {
    "out_refund_no": "R1",
    "out_trade_no": "T20260301",
    "refund_fen": 1,
    "total_fen": 1,
}
TRANSFER: dict[str, Any] = {
    "out_bill_no": "P1",
    "openid": "o1",
    "amount_fen": 1,
    "remark": "佣金",
}


@pytest.mark.parametrize(
    ("kind", "values", "change"),
    [
        (PrepayOrder, PREPAY, {"amount_fen": 0}),
        (PrepayOrder, PREPAY, {"amount_fen": -1}),
        (PrepayOrder, PREPAY, {"out_trade_no": "short"}),
        (PrepayOrder, PREPAY, {"out_trade_no": "T" * 33}),
        (PrepayOrder, PREPAY, {"out_trade_no": "T2026/../1"}),
        (PrepayOrder, PREPAY, {"description": ""}),
        (RefundOrder, REFUND, {"refund_fen": 0}),
        (RefundOrder, REFUND, {"total_fen": 0}),
        (RefundOrder, REFUND, {"out_refund_no": ""}),
        (RefundOrder, REFUND, {"out_trade_no": "T?2026"}),
        (TransferOrder, TRANSFER, {"amount_fen": 0}),
        (TransferOrder, TRANSFER, {"out_bill_no": "P_1"}),
        (TransferOrder, TRANSFER, {"out_bill_no": "P" * 33}),
        (TransferOrder, TRANSFER, {"out_bill_no": "٣"}),
        (TransferOrder, TRANSFER, {"openid": ""}),
        (TransferOrder, TRANSFER, {"remark": ""}),
    ],
    ids=str,
)
def test_what_no_caller_may_ask_for_cannot_be_written_down(
    kind: type[Any], values: dict[str, Any], change: dict[str, Any]
) -> None:
    kind(**values)

    with pytest.raises(ValueError, match=r"WeChat|amount|receiver"):
        kind(**(values | change))
