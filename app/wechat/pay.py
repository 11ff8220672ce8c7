"""WeChat Pay v3: receiving money, giving it back, and sending commissions.

Two rules keep money from moving twice. The number of a request is the caller's, fixed before the
first try and never replaced on doubt. And where the answer to a send is anything but a clean yes,
what WeChat knows of that number is asked before anything is concluded.
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from app.settings import Settings
from app.wechat.errors import PrepayRefused, WeChatUnavailable
from app.wechat.gateway import Answer, Verdict, ask, build_client
from app.wechat.notices import NoticeReader, Wire, is_ours
from app.wechat.signatures import Headers, Verifier
from app.wechat.values import (
    CNY,
    CloseOutcome,
    Notice,
    PaymentReport,
    PaymentState,
    PrepayOrder,
    RefundOrder,
    RefundReport,
    RefundState,
    TransferOrder,
    TransferReport,
    TransferState,
)
from app.wechat.wire import (
    Malformed,
    PaymentWire,
    RefundWire,
    TransferWire,
    parse,
    to_wechat_time,
)

NOTICE_PATH: Final = "/api/v1/wechat/notices"
"""Where callbacks of every kind arrive, below `Settings.notify_base_url`."""

NAME_REQUIRED: Final = "NAME_REQUIRED"
"""Our own refusal: WeChat wants the receiver's real name with an amount like this."""

REPORT_TYPES_OF_SCENE: Final[Mapping[str, tuple[str, str]]] = {
    "1000": ("活动名称", "奖励说明"),
    "1005": ("岗位类型", "报酬说明"),
}
"""What WeChat wants reported with a transfer, under exactly these names, by scene."""

CLOSE_OUTCOMES: Final[Mapping[str, CloseOutcome]] = {
    "ORDERPAID": CloseOutcome.PAID,
    "ORDER_PAID": CloseOutcome.PAID,
    "ORDER_CLOSED": CloseOutcome.CLOSED,
}

log = structlog.get_logger(__name__)


class Pay:
    """WeChat Pay for one merchant; safe to share between threads, not across a fork.

    Apart from `prepay` and `read_notice` nothing here raises because of WeChat: see `values`.
    """

    def __init__(self, settings: Settings) -> None:
        """Load keys and texts; a transfer scene whose reports we cannot fill in stops the start."""
        self._settings = settings
        self._verifier = Verifier(settings.wechat_pay_public_keys())
        self._client = build_client(
            settings, self._verifier, notify_url=settings.notify_base_url + NOTICE_PATH
        )
        self._report_infos = transfer_report_infos(settings)
        self._notices = NoticeReader(
            verifier=self._verifier,
            api_v3_key=settings.wechat_api_v3_key,
            mchid=settings.wechat_mch_id,
            appid=settings.wechat_app_id,
        )

    def prepay(self, order: PrepayOrder) -> str:
        """Announce an order and return its prepay id, which lives two hours.

        Repeating it with equal fields is harmless. Raises `PrepayRefused` where WeChat says no,
        `WeChatUnavailable` where it does not say.
        """
        answer = ask(
            lambda: self._client.pay(
                description=order.description,
                out_trade_no=order.out_trade_no,
                amount={"total": order.amount_fen, "currency": CNY},
                payer={"openid": order.payer_openid},
                time_expire=to_wechat_time(order.expires_at),
            )
        )
        prepay_id = answer.data.get("prepay_id")
        if isinstance(prepay_id, str) and prepay_id:
            return prepay_id
        if answer.verdict is Verdict.REFUSED and answer.code:
            raise PrepayRefused(answer.code)
        raise WeChatUnavailable

    def client_parameters(self, prepay_id: str, *, now: datetime) -> dict[str, str]:
        """Return what the mini-program hands to `wx.requestPayment`, signed with our key."""
        timestamp, nonce = str(int(now.timestamp())), secrets.token_hex(16)
        package = f"prepay_id={prepay_id}"
        signature = self._client.sign([self._settings.wechat_app_id, timestamp, nonce, package])
        return {
            "timeStamp": timestamp,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": signature,
        }

    def query_payment(self, out_trade_no: str) -> PaymentReport:
        """Ask what became of a payment."""
        answer = ask(lambda: self._client.query(out_trade_no=out_trade_no))
        wire = self._read(PaymentWire, answer)
        if wire is not None and wire.out_trade_no == out_trade_no:
            return wire.report()
        return PaymentReport(
            out_trade_no=out_trade_no,
            state=PaymentState(_state_without_report(answer)),
            wechat_code=answer.code,
        )

    def close(self, out_trade_no: str) -> CloseOutcome:
        """Make an unpaid order unpayable."""
        answer = ask(lambda: self._client.close(out_trade_no=out_trade_no))
        if answer.verdict is Verdict.DONE:
            return CloseOutcome.CLOSED
        if answer.verdict is Verdict.NOT_FOUND:
            return CloseOutcome.NOT_FOUND
        return CLOSE_OUTCOMES.get(answer.code or "", CloseOutcome.UNKNOWN)

    def refund(self, order: RefundOrder) -> RefundReport:
        """Give money back; a repeat with equal fields is answered for the first."""
        answer = ask(
            lambda: self._client.refund(
                out_refund_no=order.out_refund_no,
                out_trade_no=order.out_trade_no,
                amount={"refund": order.refund_fen, "total": order.total_fen, "currency": CNY},
                reason=order.reason or None,
            )
        )
        wire = self._read(RefundWire, answer)
        if wire is not None and wire.out_refund_no == order.out_refund_no:
            return wire.report()
        known = RefundReport(out_refund_no=order.out_refund_no, state=RefundState.NOT_NOW)
        if answer.verdict is not Verdict.NOT_NOW:
            known = self.query_refund(order.out_refund_no)
        verdict = _verdict_on_send(answer, known.state)
        if verdict is None:
            return known
        return replace(known, state=RefundState(verdict), wechat_code=answer.code)

    def query_refund(self, out_refund_no: str) -> RefundReport:
        """Ask what became of a refund."""
        answer = ask(lambda: self._client.query_refund(out_refund_no))
        wire = self._read(RefundWire, answer)
        if wire is not None and wire.out_refund_no == out_refund_no:
            return wire.report()
        return RefundReport(
            out_refund_no=out_refund_no,
            state=RefundState(_state_without_report(answer)),
            wechat_code=answer.code,
        )

    def send_transfer(self, order: TransferOrder) -> TransferReport:
        """Send money to a person; a repeat with equal fields is answered for the first."""
        name_due = order.amount_fen >= self._settings.transfer_name_required_fen
        if name_due and not order.user_name:
            return TransferReport(
                out_bill_no=order.out_bill_no,
                state=TransferState.REFUSED,
                wechat_code=NAME_REQUIRED,
            )
        answer = ask(
            lambda: self._client.mch_transfer_bills(
                out_bill_no=order.out_bill_no,
                transfer_scene_id=self._settings.wechat_transfer_scene_id,
                openid=order.openid,
                transfer_amount=order.amount_fen,
                transfer_remark=order.remark,
                user_name=order.user_name,
                user_recv_perception=self._settings.wechat_transfer_perception,
                transfer_scene_report_infos=self._report_infos,
            )
        )
        wire = self._read(TransferWire, answer)
        if wire is not None and wire.out_bill_no == order.out_bill_no:
            return wire.report()
        known = TransferReport(out_bill_no=order.out_bill_no, state=TransferState.NOT_NOW)
        if answer.verdict is not Verdict.NOT_NOW:
            known = self.query_transfer(order.out_bill_no)
        verdict = _verdict_on_send(answer, known.state)
        if verdict is None:
            return known
        return replace(known, state=TransferState(verdict), wechat_code=answer.code)

    def query_transfer(self, out_bill_no: str) -> TransferReport:
        """Ask what became of a transfer; WeChat answers for thirty days."""
        return self._transfer_report(
            out_bill_no, ask(lambda: self._client.mch_transfer_bills_query(out_bill_no))
        )

    def cancel_transfer(self, out_bill_no: str) -> TransferReport:
        """Take back a transfer that its receiver has not accepted; it ends CANCELLED later.

        Where WeChat will not, the report says in which state it stands instead.
        """
        answer = ask(lambda: self._client.mch_transfer_bills_cancel(out_bill_no))
        if answer.verdict is Verdict.REFUSED:
            return self.query_transfer(out_bill_no)
        return self._transfer_report(out_bill_no, answer)

    def confirmation_parameters(self, package_info: str) -> dict[str, str]:
        """Return what the mini-program hands to `wx.requestMerchantTransfer`."""
        return {
            "mchId": self._settings.wechat_mch_id,
            "appId": self._settings.wechat_app_id,
            "package": package_info,
        }

    def read_notice(self, headers: Headers, body: bytes, *, now: datetime) -> Notice:
        """Return what a callback says, or raise `NoticeRefused`. `body` is as it came in."""
        return self._notices.read(headers, body, now=now)

    def _transfer_report(self, out_bill_no: str, answer: Answer) -> TransferReport:
        wire = self._read(TransferWire, answer)
        if wire is not None and wire.out_bill_no == out_bill_no:
            return wire.report()
        return TransferReport(
            out_bill_no=out_bill_no,
            state=TransferState(_state_without_report(answer)),
            wechat_code=answer.code,
        )

    def _read(self, model: type[Wire], answer: Answer) -> Wire | None:
        """Read the data of a clean answer; None where there is none that is whole and ours."""
        if answer.verdict is not Verdict.DONE:
            return None
        try:
            wire = parse(model, answer.data)
        except Malformed as error:
            log.warning("wechat_pay_answer_malformed", fields=str(error))
            return None
        settings = self._settings
        if not is_ours(wire, mchid=settings.wechat_mch_id, appid=settings.wechat_app_id):
            log.error("wechat_pay_answer_not_for_us")
            return None
        return wire


def transfer_report_infos(settings: Settings) -> list[dict[str, str]]:
    """Return what every transfer has to report; WeChat refuses a transfer without it."""
    scene = settings.wechat_transfer_scene_id
    types = REPORT_TYPES_OF_SCENE.get(scene)
    texts = (settings.wechat_transfer_job_title, settings.wechat_transfer_pay_note)
    if types is None or not all(texts):
        raise ValueError(f"WECHAT_TRANSFER_*: the texts that scene {scene} reports are not known")
    return [
        {"info_type": info_type, "info_content": text}
        for info_type, text in zip(types, texts, strict=True)
    ]


def _state_without_report(answer: Answer) -> Verdict:
    """Say what an answer without a usable report is worth: a question is never refused."""
    is_unknown = answer.verdict in {Verdict.DONE, Verdict.REFUSED}
    return Verdict.UNKNOWN if is_unknown else answer.verdict


def _verdict_on_send(answer: Answer, known: RefundState | TransferState) -> Verdict | None:
    """Say what a send amounts to that was not answered with a clean yes.

    `known` is what the query of its number said afterwards; None means: believe that. Only if
    WeChat answers that it does not know the number is a refusal a refusal: INVALID_REQUEST, for
    one, is also what it says when the number exists with other contents. "Not found" in answer to
    a send is about something it refers to, such as the payment of a refund. Where nothing tells
    why, the send may still be under way.
    """
    match known:
        case RefundState.NOT_FOUND | TransferState.NOT_FOUND:
            refused = answer.verdict in {Verdict.REFUSED, Verdict.NOT_FOUND}
            return Verdict.REFUSED if refused else Verdict.UNKNOWN
        case RefundState.NOT_NOW | TransferState.NOT_NOW:
            is_held = answer.verdict is Verdict.NOT_NOW
            return Verdict.NOT_NOW if is_held else Verdict.UNKNOWN
        case RefundState.UNKNOWN | TransferState.UNKNOWN:
            return Verdict.UNKNOWN
        case _:
            return None
