"""How the application reaches WeChat: lazily, per process, and past any proxy on this machine."""

import pytest
from flask import Flask

from app.settings import Settings
from app.wechat import access
from app.wechat.values import PaymentState
from scripts.sandbox.client import SandboxClient


@pytest.fixture
def application(wechat_settings: Settings) -> Flask:
    made = Flask(__name__)
    access.init_app(made, wechat_settings)
    return made


def test_one_application_has_one_client_of_each_kind(application: Flask) -> None:
    with application.app_context():
        assert access.pay() is access.pay()
        assert access.mini_program() is access.mini_program()


def test_a_forked_child_makes_its_own(application: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with application.app_context():
        pay, mini_program = access.pay(), access.mini_program()
        monkeypatch.setattr("app.wechat.access.os.getpid", lambda: -1)

        assert access.pay() is not pay
        assert access.mini_program() is not mini_program


def test_nothing_is_read_before_it_is_needed(wechat_settings: Settings) -> None:
    made = Flask(__name__)

    access.init_app(made, Settings.from_env(BROKEN))

    with made.app_context(), pytest.raises(FileNotFoundError):
        access.pay()


def test_a_proxy_in_the_environment_does_not_stand_between_us_and_the_sandbox(
    application: Flask, sandbox: SandboxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    with application.app_context():
        assert access.pay().query_payment("T00000000").state is PaymentState.NOT_FOUND
        code = sandbox.login_code(sandbox.user(openid="o1"))
        assert access.mini_program().sign_in(code).openid == "o1"


BROKEN = {
    "DATABASE_URL": "",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "SECRET_KEY": "s",
    "DATA_KEY": "00",
    "WECHAT_APP_ID": "wx1",
    "WECHAT_APP_SECRET": "s",
    "WECHAT_MCH_ID": "1",
    "WECHAT_MCH_CERT_SERIAL": "1",
    "WECHAT_MCH_PRIVATE_KEY_FILE": "/nowhere/merchant.pem",
    "WECHAT_API_V3_KEY": "k",
    "WECHAT_PAY_PUBLIC_KEY_FILES": "A=/nowhere/public.pem",
}
