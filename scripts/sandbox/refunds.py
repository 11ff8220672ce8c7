"""Refunds at WeChat Pay: asked for, queried, and ended well or badly.

Rules and codes: Pay v3 documents of refunds.
"""

import re
from dataclasses import replace
from typing import Any

from scripts.sandbox.books import Books
from scripts.sandbox.config import Config
from scripts.sandbox.notices import new_notice
from scripts.sandbox.rows import Refund, Row, Trade
from scripts.sandbox.shapes import check, check_length, check_notify_url
from scripts.sandbox.wording import DAY_SECONDS, PayError, digits, param_error, wechat_time

OUT_REFUND_NO = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
REFUNDS_MAX = 50
REFUND_DAYS = 365


class Refunds:
    """What a merchant can do with refunds, and how they end."""

    def __init__(self, config: Config, books: Books) -> None:
        self._config = config
        self._books = books

    def refund(self, body: Any) -> dict[str, Any]:
        """Take a refund; the same refund again is answered for the first."""
        amount = self._read_request(body)
        with self._books.lock:
            trade = self._trade_of(body)
            if trade is None or not trade.transaction_id:
                raise PayError(404, "RESOURCE_NOT_EXISTS", "订单不存在")
            wanted = Refund(
                out_refund_no=body["out_refund_no"],
                refund_id=digits("503", 28),
                out_trade_no=trade.out_trade_no,
                transaction_id=trade.transaction_id,
                openid=trade.openid,
                refund=amount["refund"],
                total=amount["total"],
                reason=body.get("reason", ""),
                notify_url=body.get("notify_url", ""),
                created_at=self._books.now(),
            )
            known = self._books.get(Refund, wanted.out_refund_no)
            if known is not None:
                return self.describe(_same_refund(known, wanted))
            self._check_room(trade, wanted)
            numbers = (*trade.refund_numbers, wanted.out_refund_no)
            self._books.put(wanted, replace(trade, state="REFUND", refund_numbers=numbers))
        return self.describe(wanted)

    def _read_request(self, body: Any) -> dict[str, Any]:
        check(
            body,
            required={"out_refund_no": str, "amount": dict},
            optional={
                "transaction_id": str,
                "out_trade_no": str,
                "reason": str,
                "notify_url": str,
                "funds_account": str,
                "goods_detail": list,
            },
        )
        amount = check(
            body["amount"],
            required={"refund": int, "total": int, "currency": str},
            optional={},
            where="/amount",
        )
        if not OUT_REFUND_NO.fullmatch(body["out_refund_no"]):
            raise param_error("输入源“/out_refund_no”不合法")
        if amount["refund"] < 1 or amount["currency"] != "CNY":
            raise param_error("输入源“/amount”不合法")
        if "reason" in body:
            check_length(body["reason"], 1, 80, "reason")
        if "notify_url" in body:
            check_notify_url(body["notify_url"])
        return amount

    def _trade_of(self, body: dict[str, Any]) -> Trade | None:
        if "transaction_id" in body:
            return self._books.find(Trade, body["transaction_id"])
        return self._books.get(Trade, body.get("out_trade_no", ""))

    def _check_room(self, trade: Trade, wanted: Refund) -> None:
        """Refuse what the payment does not cover, is too late, one too many or not funded."""
        if wanted.total != trade.total:
            raise PayError(400, "INVALID_REQUEST", "订单金额与支付时不一致")
        earlier = [self._books.get(Refund, number) for number in trade.refund_numbers]
        spent = sum(one.refund for one in earlier if one and one.status != "CLOSED")
        if spent + wanted.refund > trade.total:
            raise PayError(400, "INVALID_REQUEST", "申请退款金额超过订单可退金额")
        if len(earlier) >= REFUNDS_MAX:
            raise PayError(400, "INVALID_REQUEST", "部分退款次数超过上限")
        if wanted.created_at - trade.paid_at > REFUND_DAYS * DAY_SECONDS:
            raise PayError(400, "INVALID_REQUEST", "订单已超过可退款期限")
        if self._books.balance_fen < wanted.refund:
            raise PayError(403, "NOT_ENOUGH", "余额不足")

    def query(self, out_refund_no: str) -> dict[str, Any]:
        """Return a refund."""
        refund = self._books.get(Refund, out_refund_no)
        if refund is None:
            raise PayError(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        return self.describe(refund)

    def settle(self, out_refund_no: str, status: str) -> Refund:
        """End a refund as SUCCESS, ABNORMAL or CLOSED and tell the merchant."""
        with self._books.lock:
            refund = self._books.get(Refund, out_refund_no)
            if refund is None:
                raise PayError(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
            if refund.status != "PROCESSING":
                raise PayError(409, "INVALID_REQUEST", "退款已结束")
            now = self._books.now()
            ended = replace(refund, status=status, success_at=now if status == "SUCCESS" else 0)
            rows: list[Row] = [ended]
            if ended.notify_url:
                rows.append(self._notice(ended, now))
            self._books.put(*rows)
        return ended

    def settle_all(self) -> None:
        """End every refund under way well, as WeChat does within moments or days."""
        with self._books.lock:
            for refund in self._books.pending(Refund):
                self.settle(refund.out_refund_no, "SUCCESS")

    def _notice(self, refund: Refund, now: float) -> Any:
        told = {
            "mchid": self._config.mch_id,
            "out_trade_no": refund.out_trade_no,
            "transaction_id": refund.transaction_id,
            "out_refund_no": refund.out_refund_no,
            "refund_id": refund.refund_id,
            "refund_status": refund.status,
            "user_received_account": "支付用户零钱",
            "amount": {
                "total": refund.total,
                "refund": refund.refund,
                "payer_total": refund.total,
                "payer_refund": refund.refund,
            },
        }
        if refund.success_at:
            told["success_time"] = wechat_time(refund.success_at)
        return new_notice(
            event_type=f"REFUND.{refund.status}",
            original_type="refund",
            summary="退款结果",
            url=refund.notify_url,
            resource=told,
            now=now,
        )

    def describe(self, refund: Refund) -> dict[str, Any]:
        """Write a refund as answers show it."""
        told: dict[str, Any] = {
            "refund_id": refund.refund_id,
            "out_refund_no": refund.out_refund_no,
            "transaction_id": refund.transaction_id,
            "out_trade_no": refund.out_trade_no,
            "channel": "ORIGINAL",
            "user_received_account": "支付用户零钱",
            "create_time": wechat_time(refund.created_at),
            "status": refund.status,
            "funds_account": "UNSETTLED",
            "promotion_detail": [],
            "amount": {
                "total": refund.total,
                "refund": refund.refund,
                "payer_total": refund.total,
                "payer_refund": refund.refund,
                "settlement_refund": refund.refund,
                "settlement_total": refund.total,
                "discount_refund": 0,
                "currency": "CNY",
            },
        }
        if refund.success_at:
            told["success_time"] = wechat_time(refund.success_at)
        return told


def _same_refund(known: Refund, wanted: Refund) -> Refund:
    """Return the known refund if the repeat equals it."""
    terms = ("out_trade_no", "refund", "total")
    if any(getattr(known, name) != getattr(wanted, name) for name in terms):
        raise PayError(400, "INVALID_REQUEST", "商户退款单号已存在但信息不一致")
    return known
