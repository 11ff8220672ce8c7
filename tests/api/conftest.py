"""Phones: clients of the API that are signed in as somebody."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.kernel.ids import random_text
from app.members.models import Distributor, Member
from app.settings import Settings
from tests.api.notifier import Notifier
from tests.factories.people import make_distributor, make_member, make_session
from tests.servers import Services

PREFIX: Final = "/api/v1"
KEY: Final = "Idempotency-Key"
_keys = count(1)


@dataclass(frozen=True, slots=True)
class Phone:
    """What one person holds in their hand; nobody is signed in where there is no token."""

    client: FlaskClient
    token: str | None = None
    member_id: int = 0

    def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> TestResponse:
        """Send a request; English answers unless `headers` say otherwise."""
        sent = {"Accept-Language": "en"} | dict(headers or {})
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if json is not None:
            more["json"] = json
        return self.client.open(PREFIX + path, method=method, headers=sent, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.ask("GET", path, **more)

    def post(
        self, path: str, json: Any = None, *, key: str | None = None, **more: Any
    ) -> TestResponse:
        """Post; `key` is the Idempotency-Key."""
        if key is not None:
            more["headers"] = {KEY: key} | dict(more.get("headers") or {})
        return self.ask("POST", path, json=json, **more)

    def put(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        return self.ask("PUT", path, json=json, **more)

    def patch(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        return self.ask("PATCH", path, json=json, **more)

    def delete(self, path: str, **more: Any) -> TestResponse:
        return self.ask("DELETE", path, **more)


def new_key() -> str:
    return f"key-{next(_keys)}-{random_text(8)}"


@pytest.fixture
def anonymous(client: FlaskClient) -> Phone:
    return Phone(client)


@pytest.fixture
def phone_of(client: FlaskClient, session: Session) -> Callable[..., Phone]:
    """Sign a member or distributor in: `phone_of(member)`; the sign-in is fresh."""

    def sign_in(who: Member | Distributor, **facts: Any) -> Phone:
        member = who if isinstance(who, Member) else session.get_one(Member, who.member_id)
        facts.setdefault("signed_in_at", datetime.now(UTC))
        return Phone(client, make_session(session, member, **facts), member.id)

    return sign_in


@pytest.fixture
def phone(session: Session, phone_of: Callable[..., Phone]) -> Phone:
    """The phone of a member who is nothing else."""
    return phone_of(make_member(session, nickname="Mei"))


@pytest.fixture
def seller(session: Session, phone_of: Callable[..., Phone]) -> Phone:
    """The phone of an active distributor."""
    return phone_of(make_distributor(session, make_member(session, nickname="Lan")))


def assert_problem(response: TestResponse, status: int, code: str, *fields: str) -> dict[str, Any]:
    """Check the whole shape of a problem; `fields` are those it names, in order."""
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    body: dict[str, Any] = response.get_json()
    assert body["code"] == code
    assert body["type"] == f"/problems/{code}"
    assert body["status"] == status
    assert body["messages"]["en"] == body["detail"]
    assert body["messages"]["zh"]
    assert body["title"]
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert [error["field"] for error in body.get("errors", [])] == list(fields)
    return body


@pytest.fixture
def settings_of(app: Flask, settings: Settings) -> Iterator[Callable[..., None]]:
    """Change settings of the running application until the test ends: `settings_of(x=1)`."""

    def change(**changes: Any) -> None:
        app.extensions["settings"] = replace(settings, **changes)

    yield change
    app.extensions["settings"] = settings


def state_of(session: Session) -> dict[str, str]:
    """Return a digest of every table, by its name."""
    names = session.scalars(
        sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    ).all()
    digests = " UNION ALL ".join(
        f"SELECT '{name}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"  # noqa: S608
        f' FROM "{name}" AS t'
        for name in names
    )
    return {str(row[0]): str(row[1]) for row in session.execute(sa.text(digests))}


@contextmanager
def nothing_moves(session: Session) -> Iterator[None]:
    """Check that what happens inside leaves every table as it was."""
    session.flush()
    before = state_of(session)
    yield
    session.expire_all()
    assert state_of(session) == before


@pytest.fixture
def notifier(client: FlaskClient, settings: Settings, services: Services) -> Notifier:
    return Notifier.of(client, settings, services.env)
