"""Callbacks as they come over the wire: several times, late, out of order, false, or never."""

from datetime import timedelta

import pytest

from app.kernel.clock import utc_now
from app.settings import Settings
from app.wechat.pay import Pay
from app.wechat.values import PaymentReport, PrepayOrder
from scripts.sandbox.client import SandboxClient
from tests.integration.wechat.conftest import Inbox


def pay_order(pay: Pay, sandbox: SandboxClient, openid: str, number: int = 1) -> str:
    out_trade_no = f"T{number:010d}"
    order = PrepayOrder(
        out_trade_no=out_trade_no,
        description="护理",
        amount_fen=100,
        payer_openid=openid,
        expires_at=utc_now() + timedelta(minutes=30),
    )
    sandbox.pay(prepay_id=pay.prepay(order))
    return out_trade_no


@pytest.fixture
def openid(sandbox: SandboxClient) -> str:
    return sandbox.user()


@pytest.mark.parametrize(
    ("fault", "flaw"),
    [("forge", "signature"), ("stale", "not_fresh"), ("signtest", "probe")],
)
def test_a_false_callback_is_refused_and_the_true_one_taken_after_it(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, openid: str, fault: str, flaw: str
) -> None:
    pay_order(pay, sandbox, openid)
    sandbox.fault("TRANSACTION", fault)

    first, second = sandbox.flush(), sandbox.flush()

    assert [result["status"] for result in first + second] == [401, 204]
    assert inbox.flaws == [flaw]
    assert len(inbox.notices) == 1
    assert sandbox.faults()[0]["hits"] == 1


@pytest.mark.parametrize("changes", [{"mchid": "1"}, {"appid": "wx1"}, {"amount.total": "1"}])
def test_a_genuine_callback_with_foreign_contents_is_refused(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, openid: str, changes: dict[str, object]
) -> None:
    pay_order(pay, sandbox, openid)
    sandbox.fault("TRANSACTION", "alter", changes=changes)

    (result,) = sandbox.flush()

    assert result["status"] == 401
    assert inbox.notices == []


def test_a_duplicate_is_the_same_notice_twice(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, openid: str
) -> None:
    pay_order(pay, sandbox, openid)
    sandbox.fault("TRANSACTION", "duplicate")

    sandbox.flush()

    first, second = inbox.notices
    assert first == second


def test_eight_copies_at_once_are_all_the_same_notice(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, openid: str
) -> None:
    pay_order(pay, sandbox, openid)

    results = sandbox.flush(copies=8, parallel=True)

    assert [result["status"] for result in results] == [204] * 8
    assert len({notice.notice_id for notice in inbox.notices}) == 1


def test_a_postponed_callback_comes_after_later_ones(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, openid: str
) -> None:
    numbers = [pay_order(pay, sandbox, openid, number) for number in range(3)]
    sandbox.fault("TRANSACTION", "shuffle")

    sandbox.flush()

    reports = [notice.report for notice in inbox.notices]
    told = [report.out_trade_no for report in reports if isinstance(report, PaymentReport)]
    assert told == [numbers[1], numbers[2], numbers[0]]


def test_a_silenced_callback_never_comes_but_the_query_knows(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, openid: str
) -> None:
    number = pay_order(pay, sandbox, openid)
    sandbox.fault("TRANSACTION", "silent")

    assert sandbox.flush() == []
    assert sandbox.flush() == []
    assert inbox.notices == []
    assert pay.query_payment(number).amount_fen == 100


def test_a_callback_that_we_could_not_take_is_repeated(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, openid: str
) -> None:
    pay_order(pay, sandbox, openid)
    inbox.failures_left = 2

    statuses = [result["status"] for _ in range(4) for result in sandbox.flush()]

    assert statuses == [500, 500, 204]
    assert len(inbox.notices) == 1


def test_sixteen_failures_and_wechat_gives_up(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, openid: str
) -> None:
    pay_order(pay, sandbox, openid)
    inbox.failures_left = 100

    statuses = [result["status"] for _ in range(20) for result in sandbox.flush()]

    assert statuses == [500] * 16
    assert sandbox.notices()[0]["state"] == "given_up"


def test_wechat_rotates_its_key_and_both_are_believed(
    pay: Pay, sandbox: SandboxClient, inbox: Inbox, openid: str, wechat_settings: Settings
) -> None:
    first, second = wechat_settings.wechat_pay_public_keys()
    pay_order(pay, sandbox, openid, 1)
    sandbox.flush()
    sandbox.notice_key(second)
    pay_order(pay, sandbox, openid, 2)
    sandbox.flush()

    assert first != second
    assert len(inbox.notices) == 2
    assert inbox.flaws == []
