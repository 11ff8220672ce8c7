"""A real Chromium at a real web server."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyotp
import pytest
from flask import Flask
from flask_security import hash_password
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from redis import Redis
from sqlalchemy.orm import Session

from admin import staff_session
from app.kernel.ids import random_text
from app.stores.models import Staff, Store
from scripts.local.browser import find_chromium
from tests.conftest import IsolatedClient
from tests.factories.people import make_staff, make_staff_session

PASSWORD: Final = "correct horse battery"
PICTURES: Final = Path(__file__).parents[2] / "var" / "screenshots"
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""No sandbox, because root cannot have one; and nothing that calls out by itself."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = find_chromium()
    assert found is not None, "scripts/test leaves these tests out where there is no Chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


def height_of(width: int) -> int:
    """Return how high a window so wide is: a laptop's, or a phone's."""
    return 900 if width > 700 else 844


@dataclass
class Window:
    """A tab of somebody, with everything that went wrong in it."""

    page: Page
    base_url: str
    secret: str
    troubles: list[str] = field(default_factory=list)
    staff_id: int | None = None

    def open(self, path: str) -> None:
        """Go to a page of the back office."""
        self.page.goto(f"{self.base_url}/admin{path}")

    def sign_in(self, staff: Staff) -> None:
        """Come in through both factors, as a person does."""
        self.open("/login")
        self.page.fill("#email", staff.email)
        self.page.fill("#password", PASSWORD)
        self.page.click("form.stack button[type=submit]")
        self.page.fill("#code", self.code())
        self.page.click("form.stack button[type=submit]")
        self.page.wait_for_url("**/admin/")

    def code(self) -> str:
        """Return what the phone shows now."""
        return pyotp.TOTP(self.secret).at(datetime.now(UTC))

    def speak(self, locale: str) -> None:
        """Switch the language by the switch at the top."""
        self.page.click(f"form.languages button[value={locale}]")
        self.page.wait_for_load_state()

    def resize(self, width: int) -> None:
        """Lay the page out as on a laptop, or as on a phone."""
        self.page.set_viewport_size({"width": width, "height": height_of(width)})

    def picture(self, name: str) -> None:
        """Keep what the whole page looks like, for people to look at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    def listen(self) -> None:
        """Note errors of scripts, refused resources and broken policies."""

        def note(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                self.troubles.append(f"{self.page.url}: {message.text}")

        self.page.on("console", note)
        self.page.on("pageerror", lambda error: self.troubles.append(f"{self.page.url}: {error}"))


@pytest.fixture
def window(chromium: Browser, web: str, redis: Redis) -> Iterator[Callable[..., Window]]:
    """Open tabs: `window()` at a desk, `window(width=390)` on a phone."""
    assert redis.ping()
    contexts = []

    def show(*, width: int = 1440, language: str = "zh-CN") -> Window:
        context = chromium.new_context(
            viewport={"width": width, "height": height_of(width)},
            locale=language,
            has_touch=width <= 700,
        )
        contexts.append(context)
        shown = Window(context.new_page(), web, pyotp.random_base32())
        shown.listen()
        return shown

    yield show
    for context in contexts:
        context.close()


@pytest.fixture
def employ(session: Session) -> Callable[..., Staff]:
    """Make somebody who can sign in with the phone of a window: `employ(window, "finance")`."""

    def make(window: Window, role: str, *stores: Store, has_phone: bool = True) -> Staff:
        staff = make_staff(session, role, stores=stores, name=f"小{random_text(4)}")
        staff.password = hash_password(PASSWORD)
        if has_phone:
            staff.tf_primary_method = "authenticator"
            staff.tf_totp_secret = json.dumps({"key": window.secret, "type": "totp", "v": 1})
        session.commit()
        return staff

    return make


@pytest.fixture
def seat(
    app: Flask, session: Session, window: Callable[..., Window], employ: Callable[..., Staff]
) -> Callable[..., Window]:
    """Open a tab at which somebody has signed in, in English: `seat("finance", store, width=390)`.

    For tests whose subject is not the way in. Whose phone it is stands in `Window.staff_id`.
    """

    def show(role: str, *stores: Store, width: int = 1440, language: str = "en-GB") -> Window:
        shown = window(width=width, language=language)
        person = employ(shown, role, *stores)
        shown.staff_id = person.id
        client = IsolatedClient(app, app.response_class)
        with client.session_transaction() as cookie:
            cookie["_user_id"] = person.fs_uniquifier
            cookie[staff_session.TOKEN] = make_staff_session(session, person)
            cookie["_fresh"] = True
        session.commit()
        name = app.config["SESSION_COOKIE_NAME"]
        made = client.get_cookie(name)
        assert made is not None
        shown.page.context.add_cookies(
            [{"name": name, "value": made.value, "url": shown.base_url, "httpOnly": True}]
        )
        return shown

    return show
