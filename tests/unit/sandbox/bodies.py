"""Requests as a merchant writes them."""

from typing import Any

from tests.unit.sandbox.conftest import OPENID

PREPAY: dict[str, Any] = {
    "appid": "wx1234567890abcdef",
    "mchid": "1900000001",
    "description": "护理",
    "out_trade_no": "T20260301",
    "notify_url": "https://example.com/notices",
    "amount": {"total": 9_900, "currency": "CNY"},
    "payer": {"openid": OPENID},
}
REFUND: dict[str, Any] = {
    "out_refund_no": "R1",
    "out_trade_no": "T20260301",
    "notify_url": "https://example.com/notices",
    "amount": {"refund": 100, "total": 9_900, "currency": "CNY"},
}
TRANSFER: dict[str, Any] = {
    "appid": "wx1234567890abcdef",
    "out_bill_no": "P1",
    "transfer_scene_id": "1005",
    "openid": OPENID,
    "transfer_amount": 1_000,
    "transfer_remark": "推广佣金",
    "notify_url": "https://example.com/notices",
    "transfer_scene_report_infos": [
        {"info_type": "岗位类型", "info_content": "分销员"},
        {"info_type": "报酬说明", "info_content": "推广佣金"},
    ],
}
