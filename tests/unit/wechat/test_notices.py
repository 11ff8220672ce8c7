"""Only WeChat can say "paid": what is refused before anybody acts on it."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.kernel.errors import ErrorKind
from app.wechat.errors import NoticeFlaw, NoticeRefused
from app.wechat.pay import Pay
from app.wechat.values import (
    PaymentReport,
    PaymentState,
    RefundReport,
    RefundState,
    TransferReport,
    TransferState,
)
from scripts.sandbox.crypto import PROBE, stamp
from scripts.sandbox.notices import new_notice, seal
from tests.unit.wechat.conftest import API_V3_KEY, APPID, MCHID, SECOND_SERIAL, SERIAL
from tests.unit.wechat.keys import key

SENT = 1_772_366_400
NOW = datetime.fromtimestamp(SENT, UTC)

PAYMENT: dict[str, Any] = {
    "mchid": MCHID,
    "appid": APPID,
    "out_trade_no": "T202603010001",
    "transaction_id": "4200000001202603011234567890",
    "trade_type": "JSAPI",
    "trade_state": "SUCCESS",
    "trade_state_desc": "支付成功",
    "bank_type": "OTHERS",
    "success_time": "2026-03-01T20:00:00+08:00",
    "payer": {"openid": "oPayer0001"},
    "amount": {"total": 9900, "payer_total": 9900, "currency": "CNY", "payer_currency": "CNY"},
}
REFUND: dict[str, Any] = {
    "mchid": MCHID,
    "out_trade_no": "T202603010001",
    "transaction_id": "4200000001202603011234567890",
    "out_refund_no": "R202603010001",
    "refund_id": "50300000012026030112345678900",
    "refund_status": "SUCCESS",
    "success_time": "2026-03-01T20:00:00+08:00",
    "user_received_account": "支付用户零钱",
    "amount": {"total": 9900, "refund": 100, "payer_total": 9900, "payer_refund": 100},
}
TRANSFER: dict[str, Any] = {
    "out_bill_no": "P1",
    "transfer_bill_no": "13300000012026030112345678900000",
    "state": "SUCCESS",
    "mch_id": MCHID,
    "transfer_amount": 1000,
    "openid": "oPayee0001",
    "create_time": "2026-03-01T19:00:00+08:00",
    "update_time": "2026-03-01T20:00:00+08:00",
}


def envelope(
    resource: Any, *, event_type: str = "TRANSACTION.SUCCESS", api_v3_key: str = API_V3_KEY
) -> bytes:
    notice = new_notice(
        event_type=event_type,
        original_type="transaction",
        summary="",
        url="",
        resource={},
        now=SENT,
    )
    return seal(api_v3_key.encode(), notice, resource)


def signed(body: bytes, *, at: int = SENT, who: str = "wechat") -> dict[str, str]:
    return stamp(key(who), SERIAL, body, timestamp=at)


def refusal(pay: Pay, headers: dict[str, str], body: bytes, now: datetime = NOW) -> NoticeFlaw:
    with pytest.raises(NoticeRefused) as refused:
        pay.read_notice(headers, body, now=now)
    assert refused.value.kind is ErrorKind.UNAUTHORIZED
    return refused.value.flaw


def test_a_payment_notice_becomes_a_report(pay: Pay) -> None:
    body = envelope(PAYMENT)

    notice = pay.read_notice(signed(body), body, now=NOW)

    assert notice.event_type == "TRANSACTION.SUCCESS"
    assert notice.created_at == NOW
    assert notice.report == PaymentReport(
        out_trade_no="T202603010001",
        state=PaymentState.PAID,
        transaction_id="4200000001202603011234567890",
        amount_fen=9900,
        currency="CNY",
        payer_openid="oPayer0001",
        paid_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("SUCCESS", RefundState.SUCCESS),
        ("ABNORMAL", RefundState.ABNORMAL),
        ("CLOSED", RefundState.CLOSED),
    ],
)
def test_a_refund_notice_becomes_a_report(pay: Pay, status: str, state: RefundState) -> None:
    body = envelope(REFUND | {"refund_status": status}, event_type=f"REFUND.{status}")

    notice = pay.read_notice(signed(body), body, now=NOW)

    assert notice.report == RefundReport(
        out_refund_no="R202603010001",
        state=state,
        refund_id="50300000012026030112345678900",
        out_trade_no="T202603010001",
        transaction_id="4200000001202603011234567890",
        refund_fen=100,
        total_fen=9900,
        currency="CNY",
        refunded_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    )


def test_a_transfer_notice_becomes_a_report(pay: Pay) -> None:
    body = envelope(
        TRANSFER | {"state": "FAIL", "fail_reason": "OVERDUE_CLOSE"},
        event_type="MCHTRANSFER.BILL.FINISHED",
    )

    notice = pay.read_notice(signed(body), body, now=NOW)

    assert notice.report == TransferReport(
        out_bill_no="P1",
        state=TransferState.FAIL,
        transfer_bill_no="13300000012026030112345678900000",
        amount_fen=1000,
        openid="oPayee0001",
        fail_reason="OVERDUE_CLOSE",
        updated_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    )


def test_both_of_wechats_keys_are_good_while_it_rotates_them(pay: Pay) -> None:
    body = envelope(PAYMENT)

    first = pay.read_notice(signed(body), body, now=NOW)
    second = pay.read_notice(
        stamp(key("wechat2"), SECOND_SERIAL, body, timestamp=SENT), body, now=NOW
    )

    assert first == second


def test_header_names_in_any_case_are_understood(pay: Pay) -> None:
    body = envelope(PAYMENT)
    headers = {name.lower(): value for name, value in signed(body).items()}

    assert pay.read_notice(headers, body, now=NOW).report is not None


def test_an_exact_repetition_is_the_same_notice(pay: Pay) -> None:
    body = envelope(PAYMENT)
    headers = signed(body)

    assert pay.read_notice(headers, body, now=NOW) == pay.read_notice(headers, body, now=NOW)


def test_a_stranger_may_not_use_a_known_serial(pay: Pay) -> None:
    body = envelope(PAYMENT)
    assert refusal(pay, signed(body, who="stranger"), body) is NoticeFlaw.SIGNATURE


def test_the_serial_of_one_key_with_the_signature_of_the_other_is_refused(pay: Pay) -> None:
    body = envelope(PAYMENT)
    headers = stamp(key("wechat2"), SERIAL, body, timestamp=SENT)
    assert refusal(pay, headers, body) is NoticeFlaw.SIGNATURE


@pytest.mark.parametrize("place", [0, 40, -1])
def test_one_flipped_bit_of_the_body_is_noticed(pay: Pay, place: int) -> None:
    body = bytearray(envelope(PAYMENT))
    headers = signed(bytes(body))
    body[place] ^= 1
    assert refusal(pay, headers, bytes(body)) is NoticeFlaw.SIGNATURE


def test_the_same_json_in_another_order_is_not_what_was_signed(pay: Pay) -> None:
    body = envelope(PAYMENT)
    turned = json.dumps(dict(reversed(json.loads(body).items())), ensure_ascii=False).encode()
    assert refusal(pay, signed(body), turned) is NoticeFlaw.SIGNATURE


@pytest.mark.parametrize("seconds", [301, -301, 24 * 3600, -24 * 3600])
def test_a_notice_that_is_not_of_these_five_minutes_is_refused(pay: Pay, seconds: int) -> None:
    body = envelope(PAYMENT)
    later = NOW + timedelta(seconds=seconds)
    assert refusal(pay, signed(body), body, now=later) is NoticeFlaw.NOT_FRESH


@pytest.mark.parametrize("seconds", [300, -300])
def test_a_notice_of_these_five_minutes_is_taken(pay: Pay, seconds: int) -> None:
    body = envelope(PAYMENT)
    now = NOW + timedelta(seconds=seconds)
    assert pay.read_notice(signed(body), body, now=now).report is not None


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1e9", "１７７２３６６４００", "9" * 400])
def test_a_timestamp_that_is_no_number_is_refused(pay: Pay, timestamp: str) -> None:
    body = envelope(PAYMENT)
    headers = signed(body) | {"Wechatpay-Timestamp": timestamp}
    wanted = NoticeFlaw.NOT_FRESH if timestamp else NoticeFlaw.HEADER_MISSING
    assert refusal(pay, headers, body) is wanted


def test_the_signature_covers_timestamp_and_nonce(pay: Pay) -> None:
    body = envelope(PAYMENT)
    headers = signed(body)
    assert refusal(pay, headers | {"Wechatpay-Timestamp": str(SENT + 1)}, body) is (
        NoticeFlaw.SIGNATURE
    )
    assert refusal(pay, headers | {"Wechatpay-Nonce": "another"}, body) is NoticeFlaw.SIGNATURE


@pytest.mark.parametrize(
    "serial", ["7132D72A03E93CDDF8C03BBD1F37EEDF", "not hex at all", "0x", "PUB_KEY_ID_", "'; --"]
)
def test_an_unknown_serial_is_refused_before_anything_is_computed(pay: Pay, serial: str) -> None:
    headers = signed(b"") | {"Wechatpay-Serial": serial}
    assert refusal(pay, headers, b"neither signed nor JSON") is NoticeFlaw.SERIAL_UNKNOWN


@pytest.mark.parametrize("name", sorted(stamp(key("wechat"), SERIAL, b"")))
def test_each_of_the_five_headers_is_needed(pay: Pay, name: str) -> None:
    body = envelope(PAYMENT)
    headers = signed(body)
    assert refusal(pay, headers | {name: ""}, body) is NoticeFlaw.HEADER_MISSING
    del headers[name]
    assert refusal(pay, headers, body) is NoticeFlaw.HEADER_MISSING


def test_wechats_own_probe_is_refused(pay: Pay) -> None:
    body = envelope(PAYMENT)
    headers = signed(body)
    headers["Wechatpay-Signature"] = PROBE + headers["Wechatpay-Signature"]
    assert refusal(pay, headers, body) is NoticeFlaw.PROBE


def test_another_kind_of_signature_is_refused(pay: Pay) -> None:
    body = envelope(PAYMENT)
    headers = signed(body) | {"Wechatpay-Signature-Type": "WECHATPAY2-SM2-WITH-SM3"}
    assert refusal(pay, headers, body) is NoticeFlaw.SIGNATURE_TYPE


@pytest.mark.parametrize(
    "spoil",
    [lambda text: text + "=", lambda text: text[:9] + "!" + text[9:], lambda _: "Wechatpay"],
)
def test_a_signature_in_sloppy_base64_is_refused(pay: Pay, spoil: Callable[[str], str]) -> None:
    body = envelope(PAYMENT)
    headers = signed(body)
    headers["Wechatpay-Signature"] = spoil(headers["Wechatpay-Signature"])
    assert refusal(pay, headers, body) is NoticeFlaw.SIGNATURE


def test_what_another_merchants_key_encrypted_is_refused(pay: Pay) -> None:
    body = envelope(PAYMENT, api_v3_key="another merchant's key, 32 bytes")
    assert refusal(pay, signed(body), body) is NoticeFlaw.NOT_ENCRYPTED


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("algorithm", "AEAD_SM4_GCM"),
        ("ciphertext", base64.b64encode(b"short").decode()),
        ("ciphertext", "%%%"),
        ("nonce", ""),
        ("nonce", "1"),
        ("associated_data", "refund"),
    ],
)
def test_a_resource_that_does_not_decrypt_is_refused(pay: Pay, member: str, value: str) -> None:
    data = json.loads(envelope(PAYMENT))
    data["resource"][member] = value
    body = json.dumps(data).encode()
    assert refusal(pay, signed(body), body) is NoticeFlaw.NOT_ENCRYPTED


def test_a_resource_that_was_not_encrypted_is_refused(pay: Pay) -> None:
    data = json.loads(envelope(PAYMENT)) | {"resource_type": "plain"}
    body = json.dumps(data).encode()
    assert refusal(pay, signed(body), body) is NoticeFlaw.NOT_ENCRYPTED


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"id": 1}'])
def test_a_signed_body_that_is_no_notice_is_refused(pay: Pay, body: bytes) -> None:
    assert refusal(pay, signed(body), body) is NoticeFlaw.CONTENTS


def test_a_body_of_a_megabyte_is_refused_unread(pay: Pay) -> None:
    body = b" " * 1_000_000
    assert refusal(pay, {}, body) is NoticeFlaw.TOO_LARGE


@pytest.mark.parametrize(
    ("event_type", "resource"),
    [
        ("TRANSACTION.SUCCESS", PAYMENT | {"mchid": "1900000002"}),
        ("TRANSACTION.SUCCESS", PAYMENT | {"appid": "wx0000000000000000"}),
        ("REFUND.SUCCESS", REFUND | {"mchid": "1900000002"}),
        ("MCHTRANSFER.BILL.FINISHED", TRANSFER | {"mch_id": "1900000002"}),
    ],
)
def test_a_notice_for_another_merchant_or_app_is_refused(
    pay: Pay, event_type: str, resource: dict[str, Any]
) -> None:
    body = envelope(resource, event_type=event_type)
    assert refusal(pay, signed(body), body) is NoticeFlaw.NOT_FOR_US


@pytest.mark.parametrize(
    "resource",
    [
        {name: value for name, value in PAYMENT.items() if name != "transaction_id"},
        {name: value for name, value in PAYMENT.items() if name != "amount"},
        {name: value for name, value in PAYMENT.items() if name != "payer"},
        {name: value for name, value in PAYMENT.items() if name != "out_trade_no"},
        PAYMENT | {"transaction_id": ""},
        PAYMENT | {"amount": {"total": "9900"}},
        PAYMENT | {"amount": {"total": 9900.0}},
        PAYMENT | {"amount": {"total": True}},
        PAYMENT | {"amount": None},
        PAYMENT | {"success_time": "2026-03-01T20:00:00"},
        PAYMENT | {"success_time": "yesterday"},
        PAYMENT | {"payer": {"openid": 1}},
        ["paid"],
    ],
    ids=lambda _: "",
)
def test_a_payment_without_its_facts_is_refused(pay: Pay, resource: Any) -> None:
    body = envelope(resource)
    assert refusal(pay, signed(body), body) is NoticeFlaw.CONTENTS


def test_amount_currency_and_payer_are_told_as_they_are_for_the_caller_to_compare(
    pay: Pay,
) -> None:
    body = envelope(
        PAYMENT | {"amount": {"total": 1, "currency": "USD"}, "payer": {"openid": "oElse"}}
    )

    report = pay.read_notice(signed(body), body, now=NOW).report

    assert isinstance(report, PaymentReport)
    assert (report.amount_fen, report.currency, report.payer_openid) == (1, "USD", "oElse")


def test_a_state_never_heard_of_is_unknown_and_not_paid(pay: Pay) -> None:
    body = envelope(PAYMENT | {"trade_state": "SUCCESSFUL"})

    report = pay.read_notice(signed(body), body, now=NOW).report

    assert isinstance(report, PaymentReport)
    assert report.state is PaymentState.UNKNOWN


def test_a_genuine_notice_of_a_kind_nobody_waits_for_has_no_report(pay: Pay) -> None:
    body = envelope({"anything": 1}, event_type="COUPON.USE")

    notice = pay.read_notice(signed(body), body, now=NOW)

    assert notice.event_type == "COUPON.USE"
    assert notice.report is None
