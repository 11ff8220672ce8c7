"""WeChat Pay's hand: callbacks that are signed and sealed as only it can."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.orders.models import Order, Refund
from app.settings import Settings
from scripts.sandbox.crypto import encrypt_resource, stamp

URL = "/api/v1/wechat/notices"


@dataclass(frozen=True, slots=True)
class Notifier:
    """Sends callbacks to an application, signed with a key of WeChat's."""

    client: FlaskClient
    settings: Settings
    serial: str
    key: RSAPrivateKey

    @classmethod
    def of(cls, client: FlaskClient, settings: Settings, env: Mapping[str, str]) -> "Notifier":
        """Take the key that the sandbox of this test session signs with."""
        serial, _, path = env["WECHAT_PAY_PRIVATE_KEY_FILES"].split(",")[0].partition("=")
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
        assert isinstance(key, RSAPrivateKey)
        return cls(client, settings, serial, key)

    def envelope(
        self, event_type: str, contents: Mapping[str, Any], *, notice_id: str = ""
    ) -> bytes:
        """Return the body of a callback."""
        secret = self.settings.wechat_api_v3_key.encode()
        sealed = encrypt_resource(secret, json.dumps(contents).encode(), "transaction")
        body = {
            "id": notice_id or str(uuid4()),
            "create_time": "2026-03-01T20:00:00+08:00",
            "resource_type": "encrypt-resource",
            "event_type": event_type,
            "summary": "test",
            "resource": {"original_type": "transaction", **sealed},
        }
        return json.dumps(body).encode()

    def vouch(self, body: bytes, *, age_seconds: int = 0) -> dict[str, str]:
        """Return the headers that vouch for a body."""
        return stamp(self.key, self.serial, body, timestamp=int(time.time()) - age_seconds)

    def send(
        self, body: bytes, headers: Mapping[str, str] | None = None, *, age_seconds: int = 0
    ) -> TestResponse:
        """Send a body with the headers that vouch for it, but for those given."""
        sent = self.vouch(body, age_seconds=age_seconds) | dict(headers or {})
        return self.client.post(URL, data=body, headers=sent, content_type="application/json")

    def payment(self, order: Order, openid: str, **changes: Any) -> dict[str, Any]:
        """Return what WeChat says of an order that was paid."""
        return {
            "appid": self.settings.wechat_app_id,
            "mchid": self.settings.wechat_mch_id,
            "out_trade_no": order.number,
            "transaction_id": f"42000000{order.id:020}",
            "trade_type": "JSAPI",
            "trade_state": "SUCCESS",
            "trade_state_desc": "ok",
            "bank_type": "OTHERS",
            "success_time": "2026-03-01T20:00:00+08:00",
            "payer": {"openid": openid},
            "amount": {
                "total": order.payable_fen,
                "payer_total": order.payable_fen,
                "currency": "CNY",
                "payer_currency": "CNY",
            },
        } | changes

    def refund(self, refund: Refund, order: Order, transaction_id: str) -> dict[str, Any]:
        """Return what WeChat says of a refund that went through."""
        return {
            "mchid": self.settings.wechat_mch_id,
            "out_trade_no": order.number,
            "transaction_id": transaction_id,
            "out_refund_no": refund.number,
            "refund_id": f"50300000{refund.id:020}",
            "refund_status": "SUCCESS",
            "success_time": "2026-03-01T20:00:00+08:00",
            "user_received_account": "balance",
            "amount": {
                "total": order.paid_fen,
                "refund": refund.amount_fen,
                "payer_total": order.paid_fen,
                "payer_refund": refund.amount_fen,
            },
        }
