import json

import pytest
import requests

from app.settings import Settings
from app.wechat.errors import NoticeFlaw, PrepayRefused, WeChatUnavailable
from app.wechat.gateway import Answer, Verdict, ask, judge
from app.wechat.pay import Pay, transfer_report_infos
from app.wechat.signatures import Untrusted
from app.wechat.values import (
    CloseOutcome,
    PaymentState,
    PrepayOrder,
    RefundOrder,
    RefundState,
    TransferOrder,
    TransferState,
)
from scripts.sandbox.crypto import is_signed, lines
from tests.unit.wechat.conftest import APPID, MCHID
from tests.unit.wechat.keys import key
from tests.unit.wechat.test_notices import NOW, SENT


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (404, "ORDER_NOT_EXIST", Verdict.NOT_FOUND),
        (404, "NOT_FOUND", Verdict.NOT_FOUND),
        (404, "RESOURCE_NOT_EXISTS", Verdict.NOT_FOUND),
        (403, "NOT_ENOUGH", Verdict.NOT_NOW),
        (403, "NO_AUTH", Verdict.NOT_NOW),
        (401, "SIGN_ERROR", Verdict.NOT_NOW),
        (429, "FREQUENCY_LIMITED", Verdict.NOT_NOW),
        (400, "PARAM_ERROR", Verdict.REFUSED),
        (400, "INVALID_REQUEST", Verdict.REFUSED),
        (400, "ORDERPAID", Verdict.REFUSED),
        (500, "SYSTEM_ERROR", Verdict.UNKNOWN),
        (502, "PARAM_ERROR", Verdict.UNKNOWN),
        (400, "A_CODE_OF_NEXT_YEAR", Verdict.UNKNOWN),
    ],
)
def test_the_code_decides_what_a_refusal_means(status: int, code: str, verdict: Verdict) -> None:
    text = json.dumps({"code": code, "message": "NOT_ENOUGH PARAM_ERROR 余额不足"})

    assert judge(status, text) == Answer(verdict, code=code)


@pytest.mark.parametrize("status", [200, 204])
def test_a_success_without_a_body_is_done(status: int) -> None:
    assert judge(status, b"") == Answer(Verdict.DONE)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "<html>"),
        (200, "[]"),
        (202, '{"code": "ACCEPTED"}'),
        (302, ""),
        (403, "<html>a proxy's page</html>"),
        (404, "<html>a proxy's page</html>"),
        (404, '{"message": "no code"}'),
    ],
)
def test_an_answer_that_may_not_be_wechats_leaves_the_outcome_unknown(
    status: int, text: str
) -> None:
    assert judge(status, text).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("reset"),
        requests.ReadTimeout("slow"),
        requests.exceptions.ChunkedEncodingError("cut"),
        Untrusted(NoticeFlaw.SIGNATURE),
    ],
)
def test_no_answer_and_an_unproven_answer_are_unknown(error: Exception) -> None:
    def call() -> tuple[int, str]:
        raise error

    assert ask(call) == Answer(Verdict.UNKNOWN)


def test_where_nobody_listens_nothing_is_known_and_nothing_raises(pay: Pay) -> None:
    transfer = TransferOrder(out_bill_no="P1", openid="o1", amount_fen=100, remark="佣金")
    refund = RefundOrder(
        out_refund_no="R1", out_trade_no="T202601", refund_fen=1, total_fen=1, reason=""
    )

    assert pay.query_payment("T202601").state is PaymentState.UNKNOWN
    assert pay.close("T202601") is CloseOutcome.UNKNOWN
    assert pay.refund(refund).state is RefundState.UNKNOWN
    assert pay.query_refund("R1").state is RefundState.UNKNOWN
    assert pay.send_transfer(transfer).state is TransferState.UNKNOWN
    assert pay.query_transfer("P1").state is TransferState.UNKNOWN
    assert pay.cancel_transfer("P1").state is TransferState.UNKNOWN


def test_a_prepay_that_nobody_answered_is_unavailable_and_not_refused(pay: Pay) -> None:
    order = PrepayOrder(
        out_trade_no="T202601",
        description="护理",
        amount_fen=1,
        payer_openid="o1",
        expires_at=NOW,
    )
    with pytest.raises(WeChatUnavailable):
        pay.prepay(order)


def test_a_refusal_says_which_code_in_its_text() -> None:
    assert str(PrepayRefused("ORDERPAID")) == "WeChat Pay does not accept this order (ORDERPAID)."


def test_an_amount_that_needs_a_name_is_refused_without_one_and_without_a_call(pay: Pay) -> None:
    order = TransferOrder(out_bill_no="P1", openid="o1", amount_fen=200_000, remark="佣金")

    report = pay.send_transfer(order)

    assert report.state is TransferState.REFUSED
    assert report.wechat_code == "NAME_REQUIRED"


def test_what_the_mini_program_gets_to_pay_is_signed_with_the_merchants_key(pay: Pay) -> None:
    parameters = pay.client_parameters("wx20141027", now=NOW)

    assert parameters.keys() == {"timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert parameters["timeStamp"] == str(SENT)
    assert parameters["package"] == "prepay_id=wx20141027"
    assert parameters["signType"] == "RSA"
    message = lines(APPID, str(SENT), parameters["nonceStr"], "prepay_id=wx20141027")
    assert is_signed(key("merchant").public_key(), message, parameters["paySign"])


def test_what_the_mini_program_gets_to_confirm_names_merchant_and_app(pay: Pay) -> None:
    assert pay.confirmation_parameters("abc==") == {
        "mchId": MCHID,
        "appId": APPID,
        "package": "abc==",
    }


def test_the_reports_of_a_commission_bear_wechats_exact_names(wechat_settings: Settings) -> None:
    assert transfer_report_infos(wechat_settings) == [
        {"info_type": "岗位类型", "info_content": "分销员"},
        {"info_type": "报酬说明", "info_content": "推广佣金"},
    ]
