"""One request to WeChat Pay, and what can be concluded from its answer.

The SDK builds and signs the requests. This module adds what it lacks: a base URL from the
settings, timeouts, the check of answers against a list of keys and of their age, and a verdict
that tells "no" from "unknown". Verdicts follow the code, never the message.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import requests
import structlog
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core

from app.kernel.clock import utc_now
from app.settings import Settings
from app.wechat.proxies import NO_PROXIES, is_on_this_machine
from app.wechat.signatures import Headers, Untrusted, Verifier

CONNECT_SECONDS_MAX: Final = 3

NOT_FOUND_CODES: Final = frozenset(
    {"NOT_FOUND", "ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS", "REFUND_NOT_EXISTS"}
)
NOT_NOW_CODES: Final = frozenset(
    {
        "NOT_ENOUGH",
        "FREQUENCY_LIMITED",
        "FREQUENCY_LIMIT_EXCEED",
        "RATELIMIT_EXCEEDED",
        "QUOTA_EXCEEDED",
        "SIGN_ERROR",
        "NO_AUTH",
    }
)
"""Nothing was done, for a reason outside the request: balance, rate, our clock, our rights."""
REFUSED_CODES: Final = frozenset(
    {
        "PARAM_ERROR",
        "INVALID_REQUEST",
        "APPID_MCHID_NOT_MATCH",
        "MCH_NOT_EXISTS",
        "OPENID_MISMATCH",
        "ORDERPAID",
        "ORDER_PAID",
        "ORDER_CLOSED",
        "OUT_TRADE_NO_USED",
        "RULE_LIMIT",
        "TRADE_ERROR",
        "USER_ACCOUNT_ABNORMAL",
        "ACCOUNT_ERROR",
    }
)
"""Nothing was done and nothing will be. A code that is in no set leaves the outcome unknown."""

log = structlog.get_logger(__name__)


class Verdict(StrEnum):
    """What an answer allows us to conclude."""

    DONE = "done"
    NOT_FOUND = "not_found"
    NOT_NOW = "not_now"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict; `data` where it is DONE, WeChat's `code` where there was one."""

    verdict: Verdict
    data: Mapping[str, Any] = field(default_factory=dict)
    code: str | None = None


class _CheckingCore(Core):  # type: ignore[misc]
    """The SDK's core, believing only answers that are signed by a known key, and fresh."""

    verifier: Verifier

    def _verify_signature(self, headers: Headers, body: str | bytes) -> bool:
        raw = body if isinstance(body, bytes) else body.encode()
        self.verifier.check(headers, raw, now=utc_now())
        return True


def build_client(settings: Settings, verifier: Verifier, *, notify_url: str) -> Any:
    """Return the SDK in public-key mode against the base URL of the settings.

    The SDK has no argument for the base URL and makes its own core, hence the replaced attribute.
    """
    serial, public_key = next(iter(settings.wechat_pay_public_keys().items()))
    timeout = settings.wechat_timeout_seconds
    keys = {
        "mchid": settings.wechat_mch_id,
        "cert_serial_no": settings.wechat_mch_cert_serial,
        "private_key": Path(settings.wechat_mch_private_key_file).read_text(),
        "apiv3_key": settings.wechat_api_v3_key,
        "timeout": (min(CONNECT_SECONDS_MAX, timeout), timeout),
        "proxy": NO_PROXIES if is_on_this_machine(settings.wechat_pay_base_url) else None,
        "public_key": public_key,
        "public_key_id": serial,
    }
    client = WeChatPay(
        WeChatPayType.MINIPROG, appid=settings.wechat_app_id, notify_url=notify_url, **keys
    )
    core = _CheckingCore(**keys)
    core.verifier = verifier
    core._gate_way = settings.wechat_pay_base_url.rstrip("/")
    client._core = core
    return client


def ask(call: Callable[[], tuple[int, str | bytes]]) -> Answer:
    """Make one request through the SDK and judge its answer; nothing remote is raised.

    What an exception says may hold addresses and numbers, so only its kind is logged.
    """
    try:
        status, text = call()
    except requests.RequestException as error:
        log.warning("wechat_pay_unanswered", error=type(error).__name__)
        return Answer(Verdict.UNKNOWN)
    except Untrusted as error:
        log.warning("wechat_pay_answer_untrusted", flaw=error.flaw)
        return Answer(Verdict.UNKNOWN)
    answer = judge(status, text)
    if answer.verdict is not Verdict.DONE:
        log.warning(
            "wechat_pay_refused", status=status, wechat_code=answer.code, verdict=answer.verdict
        )
    return answer


def judge(status: int, text: str | bytes) -> Answer:
    """Conclude from status and code.

    202 means "accepted, repeat the request", which is as good as no answer.

    >>> judge(404, '{"code": "NOT_FOUND", "message": ""}').verdict
    <Verdict.NOT_FOUND: 'not_found'>
    >>> judge(404, "<html>a proxy's page</html>").verdict
    <Verdict.UNKNOWN: 'unknown'>
    """
    data = _read_object(text)
    if status in {200, 204}:
        return Answer(Verdict.UNKNOWN) if data is None else Answer(Verdict.DONE, data)
    code = str((data or {}).get("code", "")) or None
    return Answer(_verdict_of_refusal(status, code), code=code)


def _verdict_of_refusal(status: int, code: str | None) -> Verdict:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Verdict.UNKNOWN
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in NOT_NOW_CODES:
        return Verdict.NOT_NOW
    if status == HTTPStatus.NOT_FOUND and code in NOT_FOUND_CODES:
        return Verdict.NOT_FOUND
    return Verdict.REFUSED if code in REFUSED_CODES else Verdict.UNKNOWN


def _read_object(text: str | bytes) -> Mapping[str, Any] | None:
    """Read a JSON object; an empty body is an empty object, anything else is None."""
    if not text:
        return {}
    try:
        data = json.loads(text)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None
