from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.kernel.clock import utc_now
from app.wechat.errors import PrepayRefused, WeChatUnavailable
from app.wechat.pay import Pay
from app.wechat.values import (
    CloseOutcome,
    PaymentReport,
    PaymentState,
    PrepayOrder,
    RefundOrder,
    RefundReport,
    RefundState,
)
from scripts.sandbox.client import SandboxClient, SandboxRefused
from tests.integration.wechat.conftest import Inbox

JSAPI = "/v3/pay/transactions/jsapi"
NUMBER = "T2026030100000001"
UNKNOWN_AFTER_BOOKING = ["error_after", "drop", "bad_signature"]


def an_order(openid: str, **values: object) -> PrepayOrder:
    order = PrepayOrder(
        out_trade_no=NUMBER,
        description="水光护理 ×1",
        amount_fen=9_900,
        payer_openid=openid,
        expires_at=utc_now() + timedelta(minutes=30),
    )
    return replace(order, **values)  # type: ignore[arg-type]


def a_refund(number: str = "R1", refund_fen: int = 100) -> RefundOrder:
    return RefundOrder(
        out_refund_no=number,
        out_trade_no=NUMBER,
        refund_fen=refund_fen,
        total_fen=9_900,
        reason="顾客申请",
    )


@pytest.fixture
def openid(sandbox: SandboxClient) -> str:
    return sandbox.user()


@pytest.fixture
def paid(pay: Pay, sandbox: SandboxClient, openid: str) -> str:
    """A paid order's number, its callback delivered."""
    sandbox.pay(prepay_id=pay.prepay(an_order(openid)))
    sandbox.flush()
    return NUMBER


def test_an_order_is_announced_paid_told_and_queried(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, openid: str, notice_path: str
) -> None:
    prepay_id = pay.prepay(an_order(openid))
    assert pay.query_payment(NUMBER).state is PaymentState.NOT_PAID

    trade = sandbox.pay(prepay_id=prepay_id, openid=openid)
    results = sandbox.flush()

    (notice,) = inbox.notices
    assert [result["status"] for result in results] == [204]
    assert inbox.paths == [notice_path]
    assert notice.event_type == "TRANSACTION.SUCCESS"
    assert notice.report == PaymentReport(
        out_trade_no=NUMBER,
        state=PaymentState.PAID,
        transaction_id=trade["transaction_id"],
        amount_fen=9_900,
        currency="CNY",
        payer_openid=openid,
        paid_at=datetime.fromtimestamp(int(trade["paid_at"]), UTC),
    )
    assert pay.query_payment(NUMBER) == notice.report


def test_announcing_the_same_order_twice_is_one_order(
    pay: Pay, sandbox: SandboxClient, openid: str
) -> None:
    first, second = pay.prepay(an_order(openid)), pay.prepay(an_order(openid))

    assert first == second
    assert len(sandbox.books()["payments"]) == 1


def test_a_number_used_for_another_order_is_refused(pay: Pay, openid: str) -> None:
    pay.prepay(an_order(openid))

    with pytest.raises(PrepayRefused) as refused:
        pay.prepay(an_order(openid, amount_fen=1))

    assert refused.value.wechat_code == "OUT_TRADE_NO_USED"


@pytest.mark.parametrize(
    "change",
    [
        {"payer_openid": "oNobody"},
        {"description": "长" * 128},
        {"expires_at": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
    ids=str,
)
def test_an_order_that_wechat_does_not_take_is_refused(
    pay: Pay, sandbox: SandboxClient, openid: str, change: dict[str, object]
) -> None:
    with pytest.raises(PrepayRefused) as refused:
        pay.prepay(an_order(openid, **change))

    assert refused.value.wechat_code == "PARAM_ERROR"
    assert sandbox.books()["payments"] == []


def test_a_paid_order_is_not_announced_again(pay: Pay, paid: str, openid: str) -> None:
    with pytest.raises(PrepayRefused) as refused:
        pay.prepay(an_order(openid))

    assert refused.value.wechat_code == "ORDERPAID"


@pytest.mark.parametrize("fault", [*UNKNOWN_AFTER_BOOKING, "error_before", "status_429"])
def test_a_prepay_without_an_answer_is_unavailable_and_may_be_repeated(
    pay: Pay, sandbox: SandboxClient, openid: str, fault: str
) -> None:
    sandbox.fault(JSAPI, fault)
    with pytest.raises(WeChatUnavailable):
        pay.prepay(an_order(openid))

    assert pay.prepay(an_order(openid)).startswith("wx")
    assert len(sandbox.books()["payments"]) == 1


def test_an_unknown_number_is_not_found(pay: Pay) -> None:
    assert pay.query_payment("T0000000") == PaymentReport(
        out_trade_no="T0000000",
        state=PaymentState.NOT_FOUND,
        wechat_code="ORDER_NOT_EXIST",
    )
    assert pay.close("T0000000") is CloseOutcome.NOT_FOUND


@pytest.mark.parametrize("fault", [*UNKNOWN_AFTER_BOOKING, "error_before", "drop_before"])
def test_a_query_without_an_answer_is_unknown_and_not_unpaid(
    pay: Pay, sandbox: SandboxClient, paid: str, fault: str
) -> None:
    sandbox.fault("/v3/pay/transactions/out-trade-no/", fault)

    assert pay.query_payment(paid).state is PaymentState.UNKNOWN
    assert pay.query_payment(paid).state is PaymentState.PAID


def test_a_slow_answer_is_unknown(hasty_pay: Pay, sandbox: SandboxClient, paid: str) -> None:
    sandbox.fault("/v3/pay/transactions/out-trade-no/", "delay", seconds=3)

    assert hasty_pay.query_payment(paid).state is PaymentState.UNKNOWN


def test_asking_too_often_is_not_now(pay: Pay, sandbox: SandboxClient, paid: str) -> None:
    sandbox.fault("/v3/pay/", "status_429")

    report = pay.query_payment(paid)

    assert (report.state, report.wechat_code) == (PaymentState.NOT_NOW, "FREQUENCY_LIMITED")


def test_an_answer_about_another_merchant_is_not_believed(
    pay: Pay, sandbox: SandboxClient, paid: str
) -> None:
    other = Pay(replace(pay._settings, wechat_app_id="wx0000000000000000"))

    assert other.query_payment(paid).state is PaymentState.UNKNOWN


def test_a_closed_order_cannot_be_paid(pay: Pay, sandbox: SandboxClient, openid: str) -> None:
    prepay_id = pay.prepay(an_order(openid))

    assert pay.close(NUMBER) is CloseOutcome.CLOSED
    assert pay.close(NUMBER) is CloseOutcome.CLOSED

    with pytest.raises(SandboxRefused) as refused:
        sandbox.pay(prepay_id=prepay_id)
    assert refused.value.code == "ORDER_CLOSED"
    assert pay.query_payment(NUMBER).state is PaymentState.CLOSED
    with pytest.raises(PrepayRefused):
        pay.prepay(an_order(openid))


def test_an_order_that_was_paid_meanwhile_does_not_close(pay: Pay, paid: str) -> None:
    assert pay.close(paid) is CloseOutcome.PAID
    assert pay.query_payment(paid).state is PaymentState.PAID


@pytest.mark.parametrize("fault", UNKNOWN_AFTER_BOOKING)
def test_a_close_without_an_answer_is_unknown(
    pay: Pay, sandbox: SandboxClient, openid: str, fault: str
) -> None:
    pay.prepay(an_order(openid))
    sandbox.fault("/v3/pay/transactions/out-trade-no/", fault)

    assert pay.close(NUMBER) is CloseOutcome.UNKNOWN
    assert pay.query_payment(NUMBER).state is PaymentState.CLOSED


def test_an_expired_order_cannot_be_paid(pay: Pay, sandbox: SandboxClient, openid: str) -> None:
    prepay_id = pay.prepay(an_order(openid))
    sandbox.advance(1801)

    with pytest.raises(SandboxRefused):
        sandbox.pay(prepay_id=prepay_id)


def test_a_payment_under_way_while_the_order_closed_arrives_late(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, openid: str
) -> None:
    prepay_id = pay.prepay(an_order(openid))
    pay.close(NUMBER)

    sandbox.pay(prepay_id=prepay_id, force=True)
    sandbox.flush()

    assert len(inbox.notices) == 1
    assert pay.query_payment(NUMBER).state is PaymentState.PAID


def test_a_refund_is_taken_settled_told_and_queried(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, paid: str
) -> None:
    taken = pay.refund(a_refund())
    assert taken.state is RefundState.PROCESSING
    assert (taken.refund_fen, taken.total_fen, taken.currency) == (100, 9_900, "CNY")

    settled = sandbox.settle_refund("R1")
    sandbox.flush()

    report = inbox.notices[-1].report
    assert report == RefundReport(
        out_refund_no="R1",
        state=RefundState.SUCCESS,
        refund_id=taken.refund_id,
        out_trade_no=paid,
        transaction_id=taken.transaction_id,
        refund_fen=100,
        total_fen=9_900,
        currency="CNY",
        refunded_at=datetime.fromtimestamp(int(settled["success_at"]), UTC),
    )
    assert pay.query_refund("R1") == report
    assert pay.query_payment(paid).state is PaymentState.REFUNDED
    assert sandbox.books()["per_openid"].popitem()[1]["refunded_fen"] == 100


@pytest.mark.parametrize("status", ["ABNORMAL", "CLOSED"])
def test_a_refund_may_end_badly(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, paid: str, status: str
) -> None:
    pay.refund(a_refund())
    sandbox.settle_refund("R1", status)
    sandbox.flush()

    report = inbox.notices[-1].report
    assert isinstance(report, RefundReport)
    assert report.state.name == status
    assert pay.query_refund("R1").state is report.state


def test_the_same_refund_twice_is_one_refund(pay: Pay, sandbox: SandboxClient, paid: str) -> None:
    first, second = pay.refund(a_refund()), pay.refund(a_refund())

    assert first == second
    assert [one["refund"] for one in sandbox.books()["refunds"]] == [100]


@pytest.mark.parametrize("fault", UNKNOWN_AFTER_BOOKING)
def test_a_refund_whose_answer_is_lost_is_found_by_its_number(
    pay: Pay, sandbox: SandboxClient, paid: str, fault: str
) -> None:
    sandbox.fault("/v3/refund/", fault)

    assert pay.refund(a_refund()).state is RefundState.PROCESSING
    assert len(sandbox.books()["refunds"]) == 1


def test_a_refund_that_may_still_be_under_way_is_unknown(
    pay: Pay, sandbox: SandboxClient, paid: str
) -> None:
    sandbox.fault("/v3/refund/", "error_before")

    assert pay.refund(a_refund()).state is RefundState.UNKNOWN
    assert pay.query_refund("R1").state is RefundState.NOT_FOUND


def test_more_than_was_paid_is_not_refunded(pay: Pay, sandbox: SandboxClient, paid: str) -> None:
    pay.refund(a_refund("R1", 9_000))

    report = pay.refund(a_refund("R2", 901))

    assert (report.state, report.wechat_code) == (RefundState.REFUSED, "INVALID_REQUEST")
    assert pay.refund(a_refund("R3", 900)).state is RefundState.PROCESSING
    assert sum(one["refund"] for one in sandbox.books()["refunds"]) == 9_900


def test_the_fifty_first_refund_is_refused(pay: Pay, paid: str) -> None:
    for number in range(50):
        assert pay.refund(a_refund(f"R{number}", 1)).state is RefundState.PROCESSING

    assert pay.refund(a_refund("R50", 1)).state is RefundState.REFUSED


def test_a_refund_of_an_unpaid_order_is_refused(pay: Pay, openid: str) -> None:
    pay.prepay(an_order(openid))

    report = pay.refund(a_refund())

    assert (report.state, report.wechat_code) == (RefundState.REFUSED, "RESOURCE_NOT_EXISTS")


def test_a_refund_number_with_other_terms_tells_of_the_first(
    pay: Pay, sandbox: SandboxClient, paid: str
) -> None:
    pay.refund(a_refund("R1", 100))

    report = pay.refund(a_refund("R1", 200))

    assert (report.state, report.refund_fen) == (RefundState.PROCESSING, 100)
    assert [one["refund"] for one in sandbox.books()["refunds"]] == [100]


def test_a_refund_without_funds_is_not_now_and_works_with_the_same_number_later(
    pay: Pay, sandbox: SandboxClient, paid: str
) -> None:
    sandbox.balance(99)
    held = pay.refund(a_refund())
    sandbox.balance(100)

    assert (held.state, held.wechat_code) == (RefundState.NOT_NOW, "NOT_ENOUGH")
    assert pay.refund(a_refund()).state is RefundState.PROCESSING


def test_a_refund_after_a_year_is_refused(pay: Pay, sandbox: SandboxClient, paid: str) -> None:
    sandbox.advance(366 * 24 * 3600)

    assert pay.refund(a_refund()).state is RefundState.REFUSED
