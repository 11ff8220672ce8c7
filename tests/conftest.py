"""Fixtures that every test may ask for. Whoever asks for none of them starts no server."""

import contextvars
import gc
import importlib
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, cast

import hypothesis
import pytest
import redis as redis_client
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.kernel.db import db
from app.settings import Settings
from scripts.sandbox.client import SandboxClient
from tests.servers import Process, Services, running_services, web_command, wipe

# Property tests never fail for being slow: the machine that runs them may be busy.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


PAIRS: Final = "matrix pairs"
LONG: Final = (
    *("tests/browser/test_every_page.py", "tests/scenarios/", "tests/admin/test_matrix.py"),
    *("tests/integration/orders/test_refund_matrix.py", "tests/crash/test_payouts.py"),
)
"""Where tests are that take half a minute and more."""


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Callable[[int], None]:
    """Takes how many pairs of person, row and way in a test of a matrix compared."""
    return lambda pairs: record_property(PAIRS, pairs)


def pytest_configure() -> None:
    """Look for no garbage while fourteen thousand tests are collected: all of it stays."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, dealt to the processes, so that none is left with it at the end.

    pytest-xdist gives each process a stretch of the list; who is done takes from ends of others.
    """
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = [item for first in range(processes) for item in items[first::processes]]


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later search for garbage, as `wsgi` does."""
    _freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


def _freeze() -> None:
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print how many pairs the matrices compared, in all processes of this run."""
    reports = [one for some in terminalreporter.stats.values() for one in some]
    pairs = [
        int(str(value))
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == PAIRS
    ]
    if pairs:
        terminalreporter.write_line(f"matrix: {sum(pairs)} pairs of person, row and way in")


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """PostgreSQL and Valkey of this session, migrated; `env` is for processes of the product."""
    with running_services() as running:
        yield running


@pytest.fixture(scope="session")
def settings(services: Services) -> Settings:
    return Settings.from_env(services.env)


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    """The whole application; imported here so that a test of a pure module does not need it."""
    application: Flask = importlib.import_module("wsgi").create_application(settings)
    with application.app_context():
        db.session.session_factory.configure(join_transaction_mode="create_savepoint")
    _freeze()
    yield application
    with application.app_context():
        db.engine.dispose()
    application.extensions["redis"].close()


@pytest.fixture(autouse=True)
def _clean_after_real_commits(request: pytest.FixtureRequest) -> Iterator[None]:
    """Empty the tables and Valkey after a test marked `commits`."""
    if request.node.get_closest_marker("commits") is None:
        yield
        return
    services: Services = request.getfixturevalue("services")
    yield
    wipe(services)
    with redis_client.from_url(services.redis_url) as connection:
        connection.flushdb()


@pytest.fixture
def session(request: pytest.FixtureRequest, app: Flask) -> Iterator[Session]:
    """The app's session. What a test commits is rolled back at its end, unless marked `commits`.

    Such a transaction shows no row locks between connections, no deferred constraints and nothing
    to other processes: tests about these are marked.
    """
    known = app.extensions["preferences"]
    known.forget()
    with app.app_context():
        if request.node.get_closest_marker("commits"):
            yield db.session()
            db.session.remove()
            known.forget()
            return
        engine = db.engine
        engines = cast("dict[str | None, Any]", db.engines)
        connection = engine.connect()
        outer = connection.begin()
        engines[None] = connection
        try:
            yield db.session()
        finally:
            db.session.remove()
            outer.rollback()
            connection.close()
            engines[None] = engine
            known.forget()


class IsolatedClient(FlaskClient):
    """A client whose requests have an application context of their own, as in a real server.

    Inside the test's context Flask would reuse it: `g` and the session would leak from one request
    into the next and into the test.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        return contextvars.Context().run(super().open, *args, **kwargs)


@pytest.fixture
def client(app: Flask, session: Session) -> FlaskClient:
    return IsolatedClient(app, app.response_class)


@pytest.fixture
def redis(services: Services) -> Iterator[redis_client.Redis]:
    with redis_client.from_url(services.redis_url) as connection:
        connection.flushdb()
        yield connection
        connection.flushdb()


@pytest.fixture(scope="session")
def _sandbox_server(services: Services) -> Iterator[SandboxClient]:
    process = Process(services, "sandbox", ["-m", "scripts.sandbox"])
    process.start()
    base_url = services.env["WECHAT_PAY_BASE_URL"]
    try:
        process.wait_for(f"{base_url}/healthz")
        yield SandboxClient(base_url)
    finally:
        process.stop()


@pytest.fixture
def sandbox(_sandbox_server: SandboxClient) -> SandboxClient:
    """The WeChat sandbox with empty books and no faults; callbacks leave on `flush()` only."""
    _sandbox_server.reset()
    return _sandbox_server


@pytest.fixture(scope="session")
def _web_server(services: Services) -> Iterator[str]:
    base_url = services.env["PUBLIC_BASE_URL"]
    process = Process(services, "web", web_command(base_url.rpartition(":")[2]))
    process.start()
    try:
        process.wait_for(f"{base_url}/healthz")
        yield base_url
    finally:
        process.stop()


@pytest.fixture
def web(_web_server: str) -> str:
    """The base URL of a real web server on the session's database; for tests marked `commits`."""
    return _web_server


@pytest.fixture
def launch(services: Services) -> Iterator[Callable[..., Process]]:
    """Start processes of the product: `launch("worker")` runs `flask worker` until the test ends.

    Keywords are settings of that process, such as `launch("worker", PAYOUT_QUERY_SECONDS=1)`.
    """
    started: list[Process] = []

    def start(*arguments: str, **variables: object) -> Process:
        process = Process(services, arguments[0], ["-m", "flask", *arguments])
        process.start({name: str(value) for name, value in variables.items()})
        started.append(process)
        return process

    yield start
    for process in reversed(started):
        process.stop()


@pytest.fixture
def now() -> datetime:
    return NOON
