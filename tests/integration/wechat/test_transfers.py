from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.settings import Settings
from app.wechat.pay import Pay
from app.wechat.values import TransferOrder, TransferReport, TransferState
from scripts.sandbox.client import SandboxClient
from tests.integration.wechat.conftest import Inbox

BILLS = "/v3/fund-app/mch-transfer/transfer-bills"
DAY = 24 * 3600


@pytest.fixture
def openid(sandbox: SandboxClient) -> str:
    return sandbox.user(real_name="王小红")


@pytest.fixture
def order(openid: str) -> TransferOrder:
    return TransferOrder(out_bill_no="P1", openid=openid, amount_fen=1_000, remark="推广佣金")


def paid_out(sandbox: SandboxClient, openid: str) -> int:
    return int(sandbox.books()["per_openid"].get(openid, {"received_fen": 0})["received_fen"])


def test_a_transfer_is_offered_confirmed_told_and_queried(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, order: TransferOrder, openid: str
) -> None:
    offered = pay.send_transfer(order)
    assert offered.state is TransferState.WAIT_USER_CONFIRM
    assert offered.package_info

    bill = sandbox.confirm("P1")
    sandbox.flush()

    (notice,) = inbox.notices
    assert notice.event_type == "MCHTRANSFER.BILL.FINISHED"
    assert notice.report == TransferReport(
        out_bill_no="P1",
        state=TransferState.SUCCESS,
        transfer_bill_no=offered.transfer_bill_no,
        amount_fen=1_000,
        openid=openid,
        updated_at=datetime.fromtimestamp(int(bill["updated_at"]), UTC),
    )
    assert pay.query_transfer("P1") == notice.report
    assert paid_out(sandbox, openid) == 1_000


def test_the_same_transfer_again_is_answered_for_the_first(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder
) -> None:
    first, second = pay.send_transfer(order), pay.send_transfer(order)

    assert first == second
    assert len(sandbox.books()["transfers"]) == 1


def test_a_query_does_not_tell_the_package(pay: Pay, order: TransferOrder) -> None:
    pay.send_transfer(order)

    report = pay.query_transfer("P1")

    assert report.state is TransferState.WAIT_USER_CONFIRM
    assert report.package_info is None


@pytest.mark.parametrize("fault", ["error_after", "drop", "bad_signature"])
def test_a_transfer_whose_answer_is_lost_is_found_by_its_number_and_sent_once(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder, openid: str, fault: str
) -> None:
    sandbox.fault(BILLS, fault)

    report = pay.send_transfer(order)

    assert report.state is TransferState.WAIT_USER_CONFIRM
    assert (report.amount_fen, report.openid) == (1_000, openid)
    assert len(sandbox.books()["transfers"]) == 1
    assert sandbox.faults()[0]["hits"] == 1


def test_a_transfer_whose_answer_is_late_is_found_by_its_number(
    hasty_pay: Pay, sandbox: SandboxClient, order: TransferOrder
) -> None:
    sandbox.fault(BILLS, "delay", seconds=3)

    assert hasty_pay.send_transfer(order).state is TransferState.WAIT_USER_CONFIRM
    assert len(sandbox.books()["transfers"]) == 1


@pytest.mark.parametrize("fault", ["error_before", "drop_before"])
def test_a_transfer_that_may_still_be_under_way_is_unknown_and_sent_again_under_its_number(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder, fault: str
) -> None:
    sandbox.fault(BILLS, fault)

    assert pay.send_transfer(order).state is TransferState.UNKNOWN
    assert pay.query_transfer("P1").state is TransferState.NOT_FOUND
    assert pay.send_transfer(order).state is TransferState.WAIT_USER_CONFIRM


def test_while_wechat_does_not_answer_at_all_everything_is_unknown(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder
) -> None:
    sandbox.fault(BILLS, "error_after", times=0)

    assert pay.send_transfer(order).state is TransferState.UNKNOWN
    assert pay.query_transfer("P1").state is TransferState.UNKNOWN
    assert pay.cancel_transfer("P1").state is TransferState.UNKNOWN

    sandbox.clear_faults()
    assert pay.query_transfer("P1").state is TransferState.CANCELING


def test_a_booked_transfer_that_the_query_does_not_show_yet_is_unknown(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder
) -> None:
    sandbox.fault(f"{BILLS}/out-bill-no/", "not_found")
    sandbox.fault(BILLS, "error_after")

    assert pay.send_transfer(order).state is TransferState.UNKNOWN

    assert len(sandbox.books()["transfers"]) == 1
    assert pay.query_transfer("P1").state is TransferState.WAIT_USER_CONFIRM


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        (403, "NO_AUTH", TransferState.NOT_NOW),
        (401, "SIGN_ERROR", TransferState.NOT_NOW),
        (400, "PARAM_ERROR", TransferState.REFUSED),
        (400, "A_CODE_OF_NEXT_YEAR", TransferState.UNKNOWN),
        (500, "SYSTEM_ERROR", TransferState.UNKNOWN),
    ],
)
def test_a_refused_send_is_worth_what_its_code_says(
    pay: Pay,
    sandbox: SandboxClient,
    order: TransferOrder,
    status: int,
    code: str,
    state: TransferState,
) -> None:
    sandbox.fault(BILLS, "refuse", changes={"status": status, "code": code})

    report = pay.send_transfer(order)

    assert (report.state, report.wechat_code) == (state, code)
    assert sandbox.books()["transfers"] == []


@pytest.mark.parametrize("code", ["PARAM_ERROR", "INVALID_REQUEST"])
def test_a_refused_question_tells_nothing_of_the_transfer(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder, code: str
) -> None:
    pay.send_transfer(order)
    sandbox.fault(BILLS, "refuse", changes={"status": 400, "code": code})

    assert pay.query_transfer("P1").state is TransferState.UNKNOWN


def test_a_refusal_is_not_believed_before_the_number_was_asked_for(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder
) -> None:
    pay.send_transfer(order)

    report = pay.send_transfer(replace(order, amount_fen=2_000))

    assert (report.state, report.amount_fen) == (TransferState.WAIT_USER_CONFIRM, 1_000)
    assert [bill["amount"] for bill in sandbox.books()["transfers"]] == [1_000]


def test_a_refusal_stays_unknown_where_the_number_cannot_be_asked_for(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder
) -> None:
    sandbox.fault(f"{BILLS}/out-bill-no/", "error_before")

    assert pay.send_transfer(replace(order, amount_fen=1)).state is TransferState.UNKNOWN
    assert pay.send_transfer(replace(order, amount_fen=1)).state is TransferState.REFUSED


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount_fen": 9}, "INVALID_REQUEST"),
        ({"amount_fen": 20_001}, "INVALID_REQUEST"),
        ({"openid": "oNobody"}, "PARAM_ERROR"),
        ({"remark": "长" * 33}, "PARAM_ERROR"),
    ],
    ids=str,
)
def test_what_wechat_does_not_send_is_refused_with_its_code(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder, change: dict[str, object], code: str
) -> None:
    report = pay.send_transfer(replace(order, **change))  # type: ignore[arg-type]

    assert (report.state, report.wechat_code) == (TransferState.REFUSED, code)
    assert sandbox.books()["transfers"] == []


def test_the_limits_of_a_day_count_what_is_alive(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder
) -> None:
    sandbox.limits(user_day_fen=2_500)
    assert pay.send_transfer(order).state is TransferState.WAIT_USER_CONFIRM
    second = replace(order, out_bill_no="P2")
    assert pay.send_transfer(second).state is TransferState.WAIT_USER_CONFIRM
    third = replace(order, out_bill_no="P3")
    assert pay.send_transfer(third).state is TransferState.REFUSED

    sandbox.fail("P1")

    assert pay.send_transfer(third).state is TransferState.WAIT_USER_CONFIRM


def test_without_funds_a_transfer_is_not_now_and_works_with_the_same_number_later(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder
) -> None:
    sandbox.balance(999)
    held = pay.send_transfer(order)
    sandbox.balance(1_000)

    assert (held.state, held.wechat_code) == (TransferState.NOT_NOW, "NOT_ENOUGH")
    assert pay.send_transfer(order).state is TransferState.WAIT_USER_CONFIRM
    assert sandbox.books()["balance_fen"] == 0


def test_too_often_is_not_now_and_asks_nothing_further(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder
) -> None:
    sandbox.fault(BILLS, "status_429")

    report = pay.send_transfer(order)

    assert (report.state, report.wechat_code) == (TransferState.NOT_NOW, "FREQUENCY_LIMITED")
    assert sandbox.calls() == {BILLS: 1}


def test_a_day_unconfirmed_brings_the_money_back(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, order: TransferOrder, openid: str
) -> None:
    before = sandbox.books()["balance_fen"]
    pay.send_transfer(order)
    assert sandbox.books()["balance_fen"] == before - 1_000

    sandbox.advance(DAY - 60)
    assert pay.query_transfer("P1").state is TransferState.WAIT_USER_CONFIRM
    sandbox.advance(61)
    sandbox.flush()

    report = pay.query_transfer("P1")
    assert (report.state, report.fail_reason) == (TransferState.FAIL, "OVERDUE_CLOSE")
    assert inbox.notices[-1].report == report
    assert sandbox.books()["balance_fen"] == before
    assert paid_out(sandbox, openid) == 0


def test_a_transfer_is_cancelled_in_two_steps(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, order: TransferOrder
) -> None:
    pay.send_transfer(order)

    assert pay.cancel_transfer("P1").state is TransferState.CANCELING
    assert pay.query_transfer("P1").state is TransferState.CANCELING
    sandbox.flush()

    report = pay.query_transfer("P1")
    assert (report.state, report.fail_reason) == (TransferState.CANCELLED, "MCH_CANCEL")
    sandbox.flush()
    assert inbox.notices[-1].report == report


def test_a_confirmed_transfer_is_not_cancelled(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder
) -> None:
    pay.send_transfer(order)
    sandbox.confirm("P1")

    assert pay.cancel_transfer("P1").state is TransferState.SUCCESS


def test_a_transfer_that_nobody_sent_cannot_be_cancelled(pay: Pay) -> None:
    assert pay.cancel_transfer("P1").state is TransferState.NOT_FOUND


def test_a_slow_transfer_is_offered_once_it_is_sent_again(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder
) -> None:
    sandbox.fault(BILLS, "accepted")

    accepted = pay.send_transfer(order)
    processing = pay.query_transfer("P1")
    offered = pay.send_transfer(order)

    assert accepted.state is TransferState.ACCEPTED
    assert processing.state is TransferState.PROCESSING
    assert offered.state is TransferState.WAIT_USER_CONFIRM
    assert accepted.package_info is None
    assert offered.package_info
    assert len(sandbox.books()["transfers"]) == 1


def test_a_large_transfer_carries_the_name_encrypted_and_fails_if_it_is_not_theirs(
    pay: Pay, sandbox: SandboxClient, order: TransferOrder, openid: str
) -> None:
    sandbox.limits(max_fen=1_000_000, user_day_fen=1_000_000)
    large = replace(order, amount_fen=200_000)

    pay.send_transfer(replace(large, user_name="王小红"))
    pay.send_transfer(replace(large, out_bill_no="P2", user_name="李大明"))
    again = pay.send_transfer(replace(large, out_bill_no="P2", user_name="李大明"))
    sandbox.confirm("P1")
    sandbox.confirm("P2")

    assert again.state is TransferState.WAIT_USER_CONFIRM
    assert pay.query_transfer("P1").state is TransferState.SUCCESS
    assert pay.query_transfer("P2").fail_reason == "NAME_NOT_CORRECT"
    assert paid_out(sandbox, openid) == 200_000


@pytest.mark.parametrize(
    ("setting", "value"),
    [("wechat_transfer_scene_id", "1011"), ("wechat_transfer_pay_note", "")],
)
def test_without_the_texts_of_its_scene_the_service_does_not_start(
    wechat_settings: Settings, setting: str, value: str
) -> None:
    with pytest.raises(ValueError, match="WECHAT_TRANSFER"):
        Pay(replace(wechat_settings, **{setting: value}))  # type: ignore[arg-type]


def test_a_perception_that_wechat_does_not_show_can_be_left_out(
    wechat_settings: Settings, sandbox: SandboxClient, order: TransferOrder
) -> None:
    odd = Pay(replace(wechat_settings, wechat_transfer_perception="辛苦费"))
    none = Pay(replace(wechat_settings, wechat_transfer_perception=""))

    assert odd.send_transfer(order).wechat_code == "PARAM_ERROR"
    assert none.send_transfer(order).state is TransferState.WAIT_USER_CONFIRM


def test_a_merchant_with_another_key_is_held_and_nothing_is_booked(
    wechat_settings: Settings, sandbox: SandboxClient, order: TransferOrder
) -> None:
    stranger = Pay(replace(wechat_settings, wechat_mch_cert_serial="0000"))

    report = stranger.send_transfer(order)

    assert (report.state, report.wechat_code) == (TransferState.NOT_NOW, "SIGN_ERROR")
    assert sandbox.books()["transfers"] == []
