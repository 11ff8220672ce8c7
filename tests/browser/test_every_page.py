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
    "account": "/account/",
    "account-password": "/account/password/",
    "staff-mode": "/staff-mode/",
    "not-found": "/nowhere/",
    "nothing-found": "/orders/?search=nothing-is-called-so",
}
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
    ("locale", "width", "examined_in"),
    [
        ("en", 1440, "light"),
        ("en", 390, None),
        ("zh_Hans_CN", 1440, None),
        ("zh_Hans_CN", 390, "dark"),
    ],
)
def test_every_page_fits_its_window_and_keeps_nobody_out(
    app: Flask,
    world: World,
    seat: Callable[..., Window],
    locale: str,
    width: int,
    examined_in: Colours | None,
) -> None:
    desk = seat("owner", width=width, language="en-GB" if locale == "en" else "zh-CN")
    wrong: list[str] = []
    opened = 0

    for name, path in pages(app, world):
        desk.open(path)
        if "SCREENSHOTS" in os.environ:
            desk.picture(f"{locale}-{width}-{name}")
        wrong += flaws(desk.page, width)
        if name != "not-found" and desk.page.locator(".error-code").count():
            wrong.append(f"{path} cannot be opened")
        if examined_in is not None:
            wrong += barriers(desk.page, examined_in)
        opened += 1

    assert wrong == []
    assert opened > 140
    assert [one for one in desk.troubles if "/nowhere/" not in one] == []
