"""Every page of the back office: it fits, has a name, keeps nobody out, and breaks no rule."""

import os
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.settings import Settings
from tests.admin.world import World, build
from tests.browser.conftest import Window
from tests.browser.looking import Colours, barriers, flaws

pytestmark = pytest.mark.commits

ABOUT_ONESELF = {
    "today": "/",
    "figures": "/figures/",
    "help": "/help/",
    "card-figures": "/card-figures/",
    "between-stores": "/between-stores/",
    "account": "/account/",
    "account-password": "/account/password/",
    "staff-mode": "/staff-mode/",
    "not-found": "/nowhere/",
    "nothing-found": "/orders/?search=nothing-is-called-so",
}
LAPTOP = 1440
PHONE = 390
WAYS_DOWN = (
    ("members", "timeline", True),
    ("levels", "preview", False),
)
"""Pages that views have beside lists, files and forms; whether they are about a row."""


@pytest.fixture
def world(session: Session, settings: Settings) -> World:
    return build(session, settings)


def pages(app: Flask, world: World) -> Iterator[tuple[str, str]]:
    """Yield a name and the path of every page that an owner can open."""
    yield from ABOUT_ONESELF.items()
    rows = world.brand.ids | world.here.ids
    for endpoint, view in app.extensions["backoffice"].items():
        yield endpoint, f"/{endpoint}/"
        if view.can_view_details:
            yield f"{endpoint}-details", f"/{endpoint}/details/?id={rows[endpoint]}"
        for page in view.form_pages:
            query = f"?id={rows[endpoint]}" if page.is_about_row else ""
            yield f"{endpoint}-{page.name}", f"/{endpoint}/form/{page.name}/{query}"
    for endpoint, way, is_about_row in WAYS_DOWN:
        query = f"?id={rows[endpoint]}" if is_about_row else ""
        yield f"{endpoint}-{way}", f"/{endpoint}/{way}/{query}"


@pytest.mark.parametrize(
    ("locale", "width", "colours"), [("en", LAPTOP, "light"), ("zh_Hans_CN", PHONE, "dark")]
)
def test_every_page_fits_laptop_and_phone_and_keeps_nobody_out(
    app: Flask,
    world: World,
    seat: Callable[..., Window],
    locale: str,
    width: int,
    colours: Colours,
) -> None:
    """Each page is loaded at one width, examined there, and then laid out at the other."""
    desk = seat("owner", width=width, language="en-GB" if locale == "en" else "zh-CN")
    desk.page.emulate_media(color_scheme=colours)
    other = PHONE if width == LAPTOP else LAPTOP
    wrong: list[str] = []
    opened = 0

    for name, path in pages(app, world):
        desk.open(path)
        wrong += look(desk, f"{locale}-{name}", width)
        if name != "not-found" and desk.page.locator(".error-code").count():
            wrong.append(f"{path} cannot be opened")
        wrong += barriers(desk.page)
        desk.resize(other)
        wrong += look(desk, f"{locale}-{name}", other)
        desk.resize(width)
        opened += 1

    assert wrong == []
    assert opened > 140
    assert [one for one in desk.troubles if "/nowhere/" not in one] == []


def look(desk: Window, name: str, width: int) -> list[str]:
    """Return what is wrong with how a page is laid out; keep a picture where they are wanted."""
    if "SCREENSHOTS" in os.environ:
        desk.picture(f"{name}-{width}")
    return flaws(desk.page, width)
