"""WeChat Pay v3 over HTTP: every request's signature checked, every answer signed."""

import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from flask import Blueprint, Response, g, request

from scripts.sandbox.calls import CallCounter, strike_after, strike_before
from scripts.sandbox.config import Config
from scripts.sandbox.crypto import is_authorized, read_authorization, stamp
from scripts.sandbox.faults import DURING_CALL, Fault, Faults
from scripts.sandbox.refunds import Refunds
from scripts.sandbox.trades import Trades
from scripts.sandbox.transfers import Transfers
from scripts.sandbox.wording import PayError, param_error

TRANSFER_BILLS = "/v3/fund-app/mch-transfer/transfer-bills"
NOT_FOUND_CODES = {
    "/v3/pay/": "ORDER_NOT_EXIST",
    "/v3/refund/": "RESOURCE_NOT_EXISTS",
    "/v3/": "NOT_FOUND",
}
BODY_BYTES_MAX = 256 * 1024


@dataclass(frozen=True)
class PayApi:
    """What the endpoints need."""

    config: Config
    faults: Faults
    calls: CallCounter
    trades: Trades
    refunds: Refunds
    transfers: Transfers

    def blueprint(self) -> Blueprint:
        """Return the endpoints."""
        blueprint = Blueprint("pay", __name__)
        self._add_guards(blueprint)
        self._add_trades(blueprint)
        self._add_refunds(blueprint)
        self._add_transfers(blueprint)
        return blueprint

    def _add_guards(self, blueprint: Blueprint) -> None:
        foreign_key = generate_private_key(public_exponent=65537, key_size=2048)

        @blueprint.before_request
        def check() -> Response | None:
            self.calls.add(request.path)
            refused = self._check_signature()
            struck = refused or strike_before(self.faults, ANSWERS_OF_FAULTS)
            g.was_struck = struck is not None
            return struck

        @blueprint.errorhandler(PayError)
        def refuse(error: PayError) -> Response:
            return _json(error.body(), error.status)

        @blueprint.after_request
        def finish(response: Response) -> Response:
            response = strike_after(self.faults, _failed, response)
            serial = self._answering_serial()
            key = foreign_key if g.get("is_badly_signed") else self.config.keys[serial]
            for name, value in stamp(key, serial, response.get_data()).items():
                response.headers[name] = value
            return response

    def _answering_serial(self) -> str:
        """Return the key that the request asked for, or the first."""
        asked = request.headers.get("Wechatpay-Serial", "")
        return asked if asked in self.config.keys else next(iter(self.config.keys))

    def _check_signature(self) -> Response | None:
        """Refuse who is not the merchant, over the raw target and the raw body."""
        header = read_authorization(request.headers.get("Authorization", ""))
        whole = bool(request.headers.get("Accept") and request.headers.get("User-Agent"))
        if header is None or not whole or (request.content_length or 0) > BODY_BYTES_MAX:
            return _json(PayError(401, "SIGN_ERROR", "Http头缺少必要参数").body(), 401)
        target = request.environ["RAW_URI"]
        names = (header.mchid, header.serial_no)
        is_known = names == (self.config.mch_id, self.config.mch_cert_serial)
        key, body = self.config.mch_public_key, request.get_data()
        if is_known and is_authorized(key, header, request.method, target, body):
            return None
        return _json(PayError(401, "SIGN_ERROR", "错误的签名，验签失败").body(), 401)

    def _check_mchid(self) -> None:
        if request.args.get("mchid") != self.config.mch_id:
            raise param_error("输入源“/query/mchid”映射到字段“直连商户号”必填性规则校验失败")

    def _add_trades(self, blueprint: Blueprint) -> None:
        @blueprint.post("/v3/pay/transactions/jsapi")
        def prepay() -> Response:
            return _json(self.trades.prepay(_body()))

        @blueprint.get("/v3/pay/transactions/out-trade-no/<out_trade_no>")
        def query(out_trade_no: str) -> Response:
            self._check_mchid()
            return _json(self.trades.query(out_trade_no=out_trade_no))

        @blueprint.get("/v3/pay/transactions/id/<transaction_id>")
        def query_by_id(transaction_id: str) -> Response:
            self._check_mchid()
            return _json(self.trades.query(transaction_id=transaction_id))

        @blueprint.post("/v3/pay/transactions/out-trade-no/<out_trade_no>/close")
        def close(out_trade_no: str) -> Response:
            self.trades.close(out_trade_no, _body())
            return Response(status=204)

    def _add_refunds(self, blueprint: Blueprint) -> None:
        @blueprint.post("/v3/refund/domestic/refunds")
        def refund() -> Response:
            return _json(self.refunds.refund(_body()))

        @blueprint.get("/v3/refund/domestic/refunds/<out_refund_no>")
        def query_refund(out_refund_no: str) -> Response:
            return _json(self.refunds.query(out_refund_no))

    def _add_transfers(self, blueprint: Blueprint) -> None:
        @blueprint.post(TRANSFER_BILLS)
        def transfer() -> Response:
            is_slow = self.faults.strike(request.path, DURING_CALL) is not None
            serial = request.headers.get("Wechatpay-Serial", "")
            return _json(self.transfers.create(_body(), serial=serial, is_slow=is_slow))

        @blueprint.get(f"{TRANSFER_BILLS}/out-bill-no/<out_bill_no>")
        def query_transfer(out_bill_no: str) -> Response:
            return _json(self.transfers.query(out_bill_no=out_bill_no))

        @blueprint.get(f"{TRANSFER_BILLS}/transfer-bill-no/<transfer_bill_no>")
        def query_transfer_by_id(transfer_bill_no: str) -> Response:
            return _json(self.transfers.query(transfer_bill_no=transfer_bill_no))

        @blueprint.post(f"{TRANSFER_BILLS}/out-bill-no/<out_bill_no>/cancel")
        def cancel(out_bill_no: str) -> Response:
            return _json(self.transfers.cancel(out_bill_no))


def _body() -> Any:
    try:
        return json.loads(request.get_data())
    except ValueError:
        raise param_error("请求体不是合法的JSON") from None


def _json(data: Any, status: int = 200) -> Response:
    text = json.dumps(data, ensure_ascii=False)
    return Response(text, status=status, content_type="application/json; charset=utf-8")


def _failed(_fault: Fault | None = None) -> Response:
    return _json(PayError(500, "SYSTEM_ERROR", "系统异常，请用相同参数重新调用").body(), 500)


def _slowed(_fault: Fault) -> Response:
    return _json(PayError(429, "FREQUENCY_LIMITED", "频率超限").body(), 429)


def _hidden(_fault: Fault) -> Response:
    """Deny what may well be booked, as WeChat does for a while after a send."""
    code = next(code for prefix, code in NOT_FOUND_CODES.items() if request.path.startswith(prefix))
    return _json(PayError(404, code, "记录不存在").body(), 404)


def _refused(fault: Fault) -> Response:
    status, code = int(fault.changes["status"]), str(fault.changes["code"])
    return _json(PayError(status, code, "不予受理").body(), status)


ANSWERS_OF_FAULTS = {
    "error_before": _failed,
    "status_429": _slowed,
    "not_found": _hidden,
    "refuse": _refused,
}
