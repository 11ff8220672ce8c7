"""Errors that no endpoint chooses: unknown paths, languages, and what we cannot do without."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import miniprogram_api
from app.factory import create_app
from app.kernel.db import db
from app.settings import Settings
from miniprogram_api.problems import OF_HTTP, TITLES
from tests.api.conftest import Phone, assert_problem, new_key
from tests.conftest import IsolatedClient
from tests.factories.orders import make_goods
from tests.factories.people import make_member, make_store

NOWHERE = "redis://127.0.0.1:1/0"
TOKEN = "x" * 43


@pytest.fixture
def client_of(settings: Settings) -> Iterator[Callable[..., FlaskClient]]:
    """A client of another application, some of whose settings differ."""
    made: list[Flask] = []

    def make(**changes: Any) -> FlaskClient:
        app = create_app(replace(settings, **changes))
        miniprogram_api.init_app(app)
        made.append(app)
        return IsolatedClient(app, app.response_class)

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()
        app.extensions["redis"].close()


@pytest.mark.parametrize(
    "path", ["/nothing", "/", "/me/", "/orders/x/y/z", "/orders//refunds", "//me", "/../admin"]
)
def test_an_unknown_path_of_ours_is_a_problem(anonymous: Phone, path: str) -> None:
    assert_problem(anonymous.get(path), 404, "not_found")


def test_a_method_that_a_path_does_not_know_says_which_it_does(anonymous: Phone) -> None:
    response = anonymous.patch("/orders")

    assert_problem(response, 405, "method_not_allowed")
    assert {"GET", "POST"} <= set(response.headers["Allow"].split(", "))


def test_paths_of_others_keep_their_own_errors(client: FlaskClient) -> None:
    assert client.get("/nothing").mimetype != "application/problem+json"
    assert client.get("/api/v2/me").mimetype != "application/problem+json"
    assert client.get("/s/a/b/c").mimetype == "text/html"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "zh"),
        ("zh-CN,zh;q=0.9", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.8,zh;q=0.5", "en"),
        ("fr", "zh"),
        ("*", "zh"),
        ("\x00;;;q=x", "zh"),
    ],
)
def test_an_error_speaks_the_readers_language(
    client: FlaskClient, accepted: str | None, language: str
) -> None:
    headers = {} if accepted is None else {"Accept-Language": accepted}

    response = client.get("/api/v1/me", headers=headers)

    body = response.get_json()
    assert body["detail"] == body["messages"][language]
    assert response.headers["Vary"] == "Accept-Language"
    assert response.headers["Cache-Control"] == "no-store"


def test_what_a_code_means_can_be_looked_up(client: FlaskClient) -> None:
    found = client.get("/problems/insufficient_balance")

    assert found.get_json()["status"] == 409
    assert set(found.get_json()["messages"]) == {"zh", "en"}
    assert client.get("/problems/nothing_of_the_kind").status_code == 404


def test_every_status_that_is_answered_has_a_title() -> None:
    assert set(OF_HTTP) <= set(TITLES)


def test_without_the_database_everything_is_asked_to_come_back(
    client_of: Callable[..., FlaskClient], settings: Settings
) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1"
    phone = Phone(client_of(database_url=url), TOKEN)

    for response in (phone.get("/me"), phone.post("/orders", {}, key=new_key())):
        assert_problem(response, 503, "service_unavailable")
        assert response.headers["Retry-After"] == "5"
    page = phone.client.get(f"/s/{'a' * 22}")
    assert (page.status_code, page.mimetype) == (503, "text/html")


@pytest.mark.commits
def test_without_redis_guessing_is_shut_and_everything_else_goes_on(
    session: Session,
    phone_of: Callable[..., Phone],
    client_of: Callable[..., FlaskClient],
) -> None:
    store = make_store(session)
    goods = make_goods(session, store)
    known = phone_of(make_member(session))
    session.commit()
    phone = Phone(client_of(redis_url=NOWHERE), known.token)

    for path, body in (
        ("/session", {"code": "0a3Xk1ll2Q"}),
        ("/session/refresh", {"code": "0a3Xk1ll2Q"}),
        ("/touches", {"code": "a" * 22}),
    ):
        assert_problem(phone.post(path, body), 503, "service_unavailable")
    assert phone.get("/me").status_code == 200
    assert phone.patch("/me", {"nickname": "Yan"}).get_json()["nickname"] == "Yan"
    basket = {
        "store_id": store.id,
        "fulfilment": "pickup",
        "lines": [{"product_id": goods.id, "quantity": 1}],
    }
    assert phone.post("/orders", basket, key=new_key()).status_code == 201


def test_the_rest_of_the_application_cannot_answer_for_us(
    client_of: Callable[..., FlaskClient],
) -> None:
    client = client_of()
    for status in (404, 405, 413, 500):
        client.application.register_error_handler(status, lambda _: ("somebody else", 418))
    phone = Phone(client)

    assert_problem(phone.get("/nothing"), 404, "not_found")
    assert_problem(phone.patch("/orders"), 405, "method_not_allowed")
    large = phone.post("/session", data=b" " * 1_048_577, content_type="application/json")
    assert_problem(large, 413, "request_too_large")
    client.application.extensions.pop("settings")
    assert_problem(phone.post("/session", {"code": "0a3Xk1ll2Q"}), 500, "internal_error")


def test_a_bug_is_told_in_the_log_and_not_to_the_caller(
    app: Flask, capsys: pytest.CaptureFixture[str], client_of: Callable[..., FlaskClient]
) -> None:
    client = client_of()
    client.application.extensions.pop("settings")

    response = client.post("/api/v1/session", json={"code": "0a3Xk1ll2Q"})

    assert_problem_without_details(response.get_json())
    assert response.status_code == 500
    logged = capsys.readouterr().out
    assert "request_failed" in logged
    assert "KeyError" in logged


def assert_problem_without_details(body: dict[str, object]) -> None:
    assert body["code"] == "internal_error"
    assert "KeyError" not in str(body)
    assert "settings" not in str(body)


def test_a_statement_that_ran_out_of_time_is_no_bug(app: Flask) -> None:
    """Locks and time-outs are OperationalErrors too; the caller may try again."""
    handlers = app.error_handler_spec["api"][None]

    assert OperationalError in handlers
