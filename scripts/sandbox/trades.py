"""Orders at WeChat Pay: announced, paid by a phone, queried, closed.

Rules and codes: Pay v3 documents of JSAPI orders.
"""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from scripts.sandbox.books import Books
from scripts.sandbox.config import Config
from scripts.sandbox.notices import new_notice
from scripts.sandbox.rows import Trade, User
from scripts.sandbox.shapes import check, check_length, check_notify_url
from scripts.sandbox.wording import PayError, digits, param_error, wechat_time

OUT_TRADE_NO = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
PREPAY_SECONDS = 2 * 3600
STATE_TEXTS = {
    "NOTPAY": "订单未支付",
    "SUCCESS": "支付成功",
    "REFUND": "转入退款",
    "CLOSED": "订单已关闭",
}


class Trades:
    """What a merchant and a phone can do with orders."""

    def __init__(self, config: Config, books: Books) -> None:
        self._config = config
        self._books = books

    def prepay(self, body: Any) -> dict[str, Any]:
        """Take an order; the same order again gets the same prepay id."""
        wanted = self._read_order(body)
        with self._books.lock:
            trade = self._books.get(Trade, wanted.out_trade_no)
            if trade is not None:
                return {"prepay_id": _same_order(trade, wanted).prepay_id}
            self._books.put(wanted)
        return {"prepay_id": wanted.prepay_id}

    def _read_order(self, body: Any) -> Trade:
        check(
            body,
            required={
                "appid": str,
                "mchid": str,
                "description": str,
                "out_trade_no": str,
                "notify_url": str,
                "amount": dict,
                "payer": dict,
            },
            optional={
                "time_expire": str,
                "attach": str,
                "goods_tag": str,
                "support_fapiao": bool,
                "detail": dict,
                "scene_info": dict,
                "settle_info": dict,
            },
        )
        amount = check(
            body["amount"], required={"total": int}, optional={"currency": str}, where="/amount"
        )
        check(body["payer"], required={"openid": str}, optional={}, where="/payer")
        if (body["appid"], body["mchid"]) != (self._config.app_id, self._config.mch_id):
            raise PayError(400, "APPID_MCHID_NOT_MATCH", "AppID和mch_id不匹配")
        check_length(body["description"], 1, 127, "description")
        check_notify_url(body["notify_url"])
        if not OUT_TRADE_NO.fullmatch(body["out_trade_no"]):
            raise param_error("输入源“/out_trade_no”不合法")
        if amount["total"] < 1 or amount.get("currency", "CNY") != "CNY":
            raise param_error("输入源“/amount”不合法")
        if self._books.get(User, body["payer"]["openid"]) is None:
            raise param_error("无效的openid")
        now = self._books.now()
        return Trade(
            out_trade_no=body["out_trade_no"],
            prepay_id=digits("wx", 36),
            openid=body["payer"]["openid"],
            description=body["description"],
            total=amount["total"],
            notify_url=body["notify_url"],
            attach=body.get("attach", ""),
            created_at=now,
            expires_at=_read_expiry(body.get("time_expire"), now),
        )

    def pay(
        self, *, prepay_id: str | None, out_trade_no: str | None, openid: str | None, force: bool
    ) -> Trade:
        """Let the payer's phone pay. `force` is the payment under way while the order closed."""
        with self._books.lock:
            trade = self._find(prepay_id, out_trade_no)
            if openid not in {None, trade.openid}:
                raise PayError(409, "PAYER_DIFFERS", "下单账号与支付账号不一致")
            if trade.transaction_id:
                raise PayError(409, "ORDERPAID", "该订单已支付")
            is_open = trade.state == "NOTPAY" and self._books.now() < trade.expires_at
            if not (is_open or force):
                raise PayError(409, "ORDER_CLOSED", "订单已关闭或已过期")
            paid = replace(
                trade,
                state="SUCCESS",
                transaction_id=digits("4200", 28),
                paid_at=self._books.now(),
            )
            notice = new_notice(
                event_type="TRANSACTION.SUCCESS",
                original_type="transaction",
                summary="支付成功",
                url=paid.notify_url,
                resource=self.describe(paid),
                now=self._books.now(),
            )
            self._books.put(paid, notice)
        return paid

    def _find(self, prepay_id: str | None, out_trade_no: str | None) -> Trade:
        trade = self._books.get(Trade, out_trade_no) if out_trade_no else None
        if trade is None and prepay_id:
            trade = self._books.find(Trade, prepay_id)
        if trade is None:
            raise PayError(404, "ORDER_NOT_EXIST", "订单不存在")
        return trade

    def query(self, *, out_trade_no: str | None = None, transaction_id: str = "") -> dict[str, Any]:
        """Return an order by the merchant's number or by ours."""
        trade = self._books.get(Trade, out_trade_no) if out_trade_no else None
        if trade is None and transaction_id:
            trade = self._books.find(Trade, transaction_id)
        if trade is None:
            raise PayError(404, "ORDER_NOT_EXIST", "订单不存在")
        return self.describe(trade)

    def close(self, out_trade_no: str, body: Any) -> None:
        """Make an order unpayable."""
        check(body, required={"mchid": str}, optional={})
        if body["mchid"] != self._config.mch_id:
            raise param_error("商户号不匹配")
        with self._books.lock:
            trade = self._books.get(Trade, out_trade_no)
            if trade is None:
                raise PayError(404, "ORDER_NOT_EXIST", "订单不存在")
            if trade.transaction_id:
                raise PayError(400, "ORDERPAID", "该订单已支付")
            self._books.put(replace(trade, state="CLOSED"))

    def describe(self, trade: Trade) -> dict[str, Any]:
        """Write an order as queries and callbacks show it."""
        told: dict[str, Any] = {
            "mchid": self._config.mch_id,
            "appid": self._config.app_id,
            "out_trade_no": trade.out_trade_no,
            "trade_state": trade.state,
            "trade_state_desc": STATE_TEXTS[trade.state],
            "attach": trade.attach,
            "amount": {"total": trade.total, "payer_currency": "CNY"},
            "promotion_detail": [],
        }
        if trade.transaction_id:
            told |= {
                "transaction_id": trade.transaction_id,
                "trade_type": "JSAPI",
                "bank_type": "OTHERS",
                "success_time": wechat_time(trade.paid_at),
                "payer": {"openid": trade.openid},
            }
            told["amount"] |= {"payer_total": trade.total, "currency": "CNY"}
        return told


def _read_expiry(text: str | None, now: float) -> float:
    """Return when an order ends; two hours from now unless it says otherwise."""
    if text is None:
        return now + PREPAY_SECONDS
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise param_error("输入源“/time_expire”格式错误") from None
    if at.tzinfo is None or at.timestamp() <= now:
        raise param_error("输入源“/time_expire”不合法")
    return at.timestamp()


def _same_order(trade: Trade, wanted: Trade) -> Trade:
    """Return the known order if it is open and the repeat equals it."""
    if trade.transaction_id:
        raise PayError(400, "ORDERPAID", "该订单已支付")
    if trade.state == "CLOSED":
        raise PayError(400, "ORDER_CLOSED", "订单已关闭")
    terms = ("openid", "description", "total", "notify_url", "attach")
    if any(getattr(trade, name) != getattr(wanted, name) for name in terms):
        raise PayError(403, "OUT_TRADE_NO_USED", "商户订单号重复")
    return trade
