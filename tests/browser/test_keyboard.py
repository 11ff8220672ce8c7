"""A working day without a mouse."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from app.orders.models import Order
from app.orders.states import OrderState
from tests.browser.conftest import Window
from tests.factories.orders import make_order
from tests.factories.people import make_store

pytestmark = pytest.mark.commits

OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"


def test_an_order_is_found_and_handed_over_with_keys_alone(
    session: Session, seat: Callable[..., Window]
) -> None:
    store = make_store(session)
    order = make_order(session, store=store, state=OrderState.PAID)
    make_order(session, store=store, state=OrderState.PAID)
    desk = seat("store_manager", store)
    press = desk.page.keyboard.press

    desk.open("/orders/")
    press("Tab")
    expect(desk.page.locator("a.skip")).to_be_focused()
    expect(desk.page.locator("a.skip")).to_be_in_viewport()
    press("Enter")
    expect(desk.page.locator("main")).to_be_focused()
    press("Tab")
    outline = desk.page.evaluate(OUTLINE)
    press("/")
    expect(desk.page.locator("[data-search]")).to_be_focused()
    desk.page.keyboard.type(order.number)
    press("Enter")
    expect(desk.page.locator("td.head")).to_have_count(1)
    press("?")
    expect(desk.page.locator("dialog[data-keys]")).to_be_visible()
    press("Escape")
    expect(desk.page.locator("dialog[data-keys]")).to_be_hidden()
    press("j")
    press("Enter")
    expect(desk.page).to_have_url(re.compile(f"/orders/details/\\?id={order.id}$"))
    desk.page.locator("button[value=complete]").focus()
    press("Enter")
    desk.page.locator("form.form button.primary").focus()
    press("Enter")
    expect(desk.page.locator(".flash.good")).to_be_visible()

    assert outline == "solid"
    session.expire_all()
    assert session.get_one(Order, order.id).state is OrderState.COMPLETED
    assert desk.troubles == []


def test_a_menu_opens_by_key_and_gives_the_focus_back(
    session: Session, seat: Callable[..., Window]
) -> None:
    assert session.is_active
    desk = seat("operations")
    menu = desk.page.locator(".page-tools details:has(a[download])")

    desk.open("/orders/")
    menu.locator("summary").focus()
    desk.page.keyboard.press("Enter")
    expect(menu.locator("a").first).to_be_visible()
    desk.page.keyboard.press("Tab")
    expect(menu.locator("a").first).to_be_focused()
    desk.page.keyboard.press("Escape")

    expect(menu.locator("a").first).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    assert desk.troubles == []
