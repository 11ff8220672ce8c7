"""Desks: clients of the back office at which somebody has signed in, with both factors."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from admin import staff_session
from app.settings import Settings
from app.stores.models import Staff, Store
from tests.admin.house import House, house_of
from tests.conftest import IsolatedClient
from tests.factories.people import make_staff, make_staff_session

TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Desk:
    """What one member of staff sees and sends; nobody has signed in where there is no staff id."""

    client: FlaskClient
    staff_id: int | None = None
    known_token: str = ""

    def get(self, path: str, **query: Any) -> TestResponse:
        """Open a page in English."""
        return self.client.get(
            f"/admin{path}",
            query_string=query or None,
            headers={"Accept-Language": "en"},
            buffered=True,
        )

    def post(self, path: str, data: Mapping[str, Any] | None = None, **more: Any) -> TestResponse:
        """Send a form with the token of the session."""
        return self.client.post(
            f"/admin{path}",
            data={"csrf_token": self.token(), **(data or {})},
            headers={"Accept-Language": "en"},
            **more,
        )

    def token(self) -> str:
        """Return the token that pages of this session carry; it stays the same."""
        if not self.known_token:
            self.known_token = self._read_token()
        return self.known_token

    def _read_token(self) -> str:
        page = self.get("/account/" if self.staff_id else "/login").get_data(as_text=True)
        found = TOKEN.search(page)
        assert found is not None, page
        return found[1]

    def decide(self, endpoint: str, name: str, *ids: int | str, **fields: Any) -> TestResponse:
        """Take a decision about rows, with its confirmation."""
        data = {"action": name, "rowid": list(ids), "confirmed": "1", **fields}
        return self.post(f"/{endpoint}/action/", data)

    def flashes(self) -> list[str]:
        """Return what the next page tells about what was just done."""
        page = self.get("/account/").get_data(as_text=True)
        return re.findall(r"data-flash>.*?<p>(.*?)</p>", page, re.DOTALL)


@pytest.fixture(scope="module")
def house(app: Flask, settings: Settings) -> Iterator[House]:
    """A world for all tests of a module, whose `session` is `house.as_found()`."""
    with house_of(app, settings) as built:
        yield built


@pytest.fixture
def stranger(app: Flask, session: Session) -> Desk:
    """A desk at which nobody has signed in."""
    return Desk(IsolatedClient(app, app.response_class))


@pytest.fixture
def sit_down(app: Flask, session: Session) -> Callable[..., Desk]:
    """Seat somebody: `sit_down("finance")` for all stores, `sit_down("front_desk", store)`."""

    def seat(role: str = "owner", *stores: Store, staff: Staff | None = None) -> Desk:
        person = staff or make_staff(session, role, stores=stores)
        token = make_staff_session(session, person)
        session.commit()
        client = IsolatedClient(app, app.response_class)
        with client.session_transaction() as cookie:
            cookie["_user_id"] = person.fs_uniquifier
            cookie[staff_session.TOKEN] = token
            cookie["_fresh"] = True
        return Desk(client, person.id)

    return seat


@pytest.fixture
def owner(sit_down: Callable[..., Desk]) -> Desk:
    return sit_down("owner")
