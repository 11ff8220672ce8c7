"""app/wechat against the sandbox process over real HTTP, and a place where callbacks arrive."""

import dataclasses
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import redis as redis_client

from app.kernel.clock import utc_now
from app.settings import Settings
from app.wechat.errors import NoticeRefused
from app.wechat.mini_program import MiniProgram
from app.wechat.pay import NOTICE_PATH, Pay
from app.wechat.tokens import TokenStore
from app.wechat.values import Notice

if TYPE_CHECKING:
    from scripts.sandbox.client import SandboxClient

Answer = Callable[[dict[str, str], bytes], int]


class Inbox(ThreadingHTTPServer):
    """Our side of a callback, reduced to verifying it and answering."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.paths: list[str] = []
        self.notices: list[Notice] = []
        self.flaws: list[str] = []
        self.pay: Pay | None = None
        self.failures_left = 0
        self.lock = threading.Lock()
        self.arrived = threading.Semaphore(0)
        """One step for each notice taken."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        assert self.pay is not None
        try:
            notice = self.pay.read_notice(headers, body, now=utc_now())
        except NoticeRefused as refused:
            with self.lock:
                self.flaws.append(refused.flaw)
            return 401
        with self.lock:
            if self.failures_left:
                self.failures_left -= 1
                return 500
            self.notices.append(notice)
        self.arrived.release()
        return 204


class _Handler(BaseHTTPRequestHandler):
    server: Inbox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.append(self.path)
        self.send_response(self.server.receive(dict(self.headers.items()), body))
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    server = Inbox()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def wechat_settings(settings: Settings, inbox: Inbox) -> Settings:
    return dataclasses.replace(
        settings, wechat_notify_base_url=inbox.base_url, wechat_timeout_seconds=5
    )


@pytest.fixture
def pay(wechat_settings: Settings, inbox: Inbox, sandbox: "SandboxClient") -> Pay:
    made = Pay(wechat_settings)
    inbox.pay = made
    return made


@pytest.fixture
def hasty_pay(wechat_settings: Settings, sandbox: "SandboxClient") -> Pay:
    """Waits one second for an answer and no longer."""
    return Pay(dataclasses.replace(wechat_settings, wechat_timeout_seconds=1))


@pytest.fixture
def mini_program(
    wechat_settings: Settings, sandbox: "SandboxClient", redis: "redis_client.Redis"
) -> MiniProgram:
    store = TokenStore.open(wechat_settings.redis_url, app_id=wechat_settings.wechat_app_id)
    return MiniProgram(wechat_settings, store)


@pytest.fixture
def notice_path() -> str:
    return NOTICE_PATH
