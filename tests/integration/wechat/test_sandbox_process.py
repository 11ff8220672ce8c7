"""The sandbox as a process of its own: killed, started again, working by itself, and by hand."""

import dataclasses
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from app.kernel.clock import utc_now
from app.settings import Settings
from app.wechat.pay import Pay
from app.wechat.values import (
    PaymentReport,
    PaymentState,
    PrepayOrder,
    RefundOrder,
    RefundReport,
    RefundState,
    TransferOrder,
    TransferState,
)
from scripts.local.ports import HOST, private_port
from scripts.sandbox.client import SandboxClient
from tests.integration.wechat.conftest import Inbox
from tests.servers import Process, Services

WAIT_SECONDS = 30


class Installation:
    """A sandbox of this test alone, which may be stopped and started."""

    def __init__(self, services: Services, state: Path) -> None:
        self.base_url = f"http://{HOST}:{private_port()}"
        self.client = SandboxClient(self.base_url)
        self._process = Process(services, f"sandbox-{state.name}", ["-m", "scripts.sandbox"])
        self._env = {
            "SANDBOX_PORT": self.base_url.rpartition(":")[2],
            "SANDBOX_STATE_DIR": str(state),
            "SANDBOX_NOTIFY": "auto",
            "SANDBOX_RETRY_SECONDS": "0.1,0.1,0.1,0.1",
        }

    def start(self, **env: str) -> None:
        self._process.start({**self._env, **env})
        self._process.wait_for(f"{self.base_url}/healthz")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int | None:
        return self._process.stop(number)


@pytest.fixture
def installation(services: Services, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(services, tmp_path)
    yield made
    made.stop()


@pytest.fixture
def own_pay(installation: Installation, wechat_settings: Settings, inbox: Inbox) -> Pay:
    made = Pay(dataclasses.replace(wechat_settings, wechat_pay_base_url=installation.base_url))
    inbox.pay = made
    return made


def a_paid_order(pay: Pay, client: SandboxClient) -> str:
    openid = client.user(nickname="小红")
    order = PrepayOrder(
        out_trade_no="T20260301",
        description="水光护理",
        amount_fen=9_900,
        payer_openid=openid,
        expires_at=utc_now() + timedelta(minutes=30),
    )
    client.pay(prepay_id=pay.prepay(order))
    return openid


def wait_for_notice(inbox: Inbox) -> None:
    assert inbox.arrived.acquire(timeout=WAIT_SECONDS)


def test_by_itself_it_tells_of_payments_and_settles_refunds(
    installation: Installation, own_pay: Pay, inbox: Inbox
) -> None:
    installation.start()
    a_paid_order(own_pay, installation.client)
    wait_for_notice(inbox)

    own_pay.refund(
        RefundOrder(out_refund_no="R1", out_trade_no="T20260301", refund_fen=9_900, total_fen=9_900)
    )
    wait_for_notice(inbox)

    paid, refunded = (notice.report for notice in inbox.notices)
    assert isinstance(paid, PaymentReport)
    assert paid.state is PaymentState.PAID
    assert isinstance(refunded, RefundReport)
    assert refunded.state is RefundState.SUCCESS


def test_by_itself_it_repeats_what_was_not_taken(
    installation: Installation, own_pay: Pay, inbox: Inbox
) -> None:
    inbox.failures_left = 2
    installation.start()

    a_paid_order(own_pay, installation.client)
    wait_for_notice(inbox)

    assert len(inbox.paths) == 3
    assert len(inbox.notices) == 1


def test_killed_without_warning_it_comes_back_with_its_books_and_its_open_callbacks(
    installation: Installation, own_pay: Pay, inbox: Inbox
) -> None:
    installation.start(SANDBOX_NOTIFY="manual")
    openid = a_paid_order(own_pay, installation.client)
    order = TransferOrder(out_bill_no="P1", openid=openid, amount_fen=1_000, remark="推广佣金")
    offered = own_pay.send_transfer(order)
    before = installation.client.books()

    assert installation.stop(signal.SIGKILL) == -signal.SIGKILL
    installation.start(SANDBOX_NOTIFY="manual")

    assert installation.client.books() == before
    assert own_pay.send_transfer(order) == offered
    assert [result["status"] for result in installation.client.flush()] == [204]
    assert len(inbox.notices) == 1


def test_it_ends_at_once_and_quietly_when_asked_to(installation: Installation) -> None:
    installation.start()

    assert installation.stop() == 0


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"WECHAT_API_V3_KEY": "short"}, "WECHAT_API_V3_KEY has 32 bytes"),
        ({"SANDBOX_NOTIFY": "never"}, "SANDBOX_NOTIFY is auto or manual"),
        ({"WECHAT_MCH_PRIVATE_KEY_FILE": "/nowhere.pem"}, "/nowhere.pem"),
    ],
)
def test_with_a_wrong_setting_it_says_which_and_does_not_start(
    services: Services, tmp_path: Path, env: dict[str, str], told: str
) -> None:
    process = Process(services, f"sandbox-{tmp_path.name}", ["-m", "scripts.sandbox"])
    process.start({"SANDBOX_STATE_DIR": str(tmp_path), **env})
    assert process.popen is not None

    assert process.popen.wait(WAIT_SECONDS) == 1
    assert told in process.log.read_text()


@pytest.fixture
def browse(sandbox: SandboxClient) -> Iterator[Callable[..., str]]:
    """Open a page or, given fields, press a button, and return the page that is shown then."""
    with requests.Session() as browser:
        browser.trust_env = False

        def go(path: str, **fields: str) -> str:
            url = sandbox.base_url + path
            response = browser.post(url, data=fields) if fields else browser.get(url)
            assert response.status_code == 200
            return response.text

        yield go


def test_on_the_page_a_person_pays_and_confirms(
    browse: Callable[..., str], sandbox: SandboxClient, pay: Pay
) -> None:
    assert "新用户 · New" in browse("/sandbox/")
    browse("/sandbox/press/person", nickname="<b>小红</b>")
    (openid,) = [person["openid"] for person in sandbox.people()]
    order = PrepayOrder(
        out_trade_no="T20260301",
        description="水光护理",
        amount_fen=123_456,
        payer_openid=openid,
        expires_at=utc_now() + timedelta(minutes=30),
    )
    pay.prepay(order)
    pay.send_transfer(
        TransferOrder(out_bill_no="P1", openid=openid, amount_fen=1_000, remark="推广佣金")
    )

    page = browse(f"/sandbox/?openid={openid}")
    assert "&lt;b&gt;小红&lt;/b&gt;" in page
    assert "¥1,234.56" in page
    assert "已支付 · paid ¥1,234.56" in browse("/sandbox/press/pay/T20260301", openid=openid)
    assert "已收款 · received ¥10.00" in browse("/sandbox/press/confirm/P1", openid=openid)
    assert "ORDERPAID" in browse("/sandbox/press/pay/T20260301", openid=openid)
    assert "wx.login code: 0" in browse("/sandbox/press/code/login", openid=openid)

    assert pay.query_payment("T20260301").state is PaymentState.PAID
    assert pay.query_transfer("P1").state is TransferState.SUCCESS
