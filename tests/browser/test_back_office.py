"""What staff do in the back office, in a real browser."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from app.members.models import Standing
from app.orders.states import OrderState
from app.payouts.models import Payout
from app.payouts.states import PayoutState
from app.settings import Settings
from app.stores.models import Staff
from tests.admin.world import World, build
from tests.browser.conftest import PASSWORD, Window
from tests.factories.orders import make_order
from tests.factories.people import make_distributor, make_member, make_store

pytestmark = pytest.mark.commits


@pytest.fixture
def world(session: Session, settings: Settings) -> World:
    return build(session, settings)


def test_finance_approves_a_payout_from_the_first_page(
    session: Session,
    world: World,
    window: Callable[..., Window],
    employ: Callable[..., Staff],
) -> None:
    desk = window()
    desk.sign_in(employ(desk, "finance"))
    desk.speak("en")
    payout_id = world.here.ids["payouts"]
    number = world.here.marks["payouts"]

    desk.page.click("text=Payouts to approve")
    desk.page.check(f"tr:has-text('{number}') [data-pick]")
    desk.page.click(".bulk button:has-text('Approve')")
    expect(desk.page.locator(".total")).to_contain_text("¥20.00")
    desk.page.click("form.form button:has-text('Approve')")

    expect(desk.page.locator(".flash.good")).to_contain_text("Done for 1 row.")
    session.expire_all()
    assert session.get_one(Payout, payout_id).state is PayoutState.APPROVED
    assert desk.troubles == []


def test_a_newcomer_connects_a_phone_and_comes_in(
    session: Session, window: Callable[..., Window], employ: Callable[..., Staff]
) -> None:
    desk = window(language="en")
    staff = employ(desk, "front_desk", make_store(session), has_phone=False)

    desk.open("/login")
    desk.page.fill("#email", staff.email)
    desk.page.fill("#password", PASSWORD)
    desk.page.click("form.stack button[type=submit]")
    desk.page.click("text=Show the QR code")
    expect(desk.page.locator("img.qr")).not_to_have_js_property("naturalWidth", 0)
    key = desk.page.locator(".how code").inner_text().replace("-", "")
    desk.page.fill("#code", pyotp.TOTP(key).at(datetime.now(UTC)))
    desk.page.click("text=Connect >> nth=-1")

    desk.page.wait_for_url("**/admin/")
    expect(desk.page.locator("h1")).to_contain_text(staff.name)
    assert desk.troubles == []


def test_the_front_desk_hands_an_order_over_on_a_phone(
    session: Session, window: Callable[..., Window], employ: Callable[..., Staff]
) -> None:
    store = make_store(session, "静安店")
    order = make_order(
        session, member=make_member(session, nickname="陈小满"), store=store, state=OrderState.PAID
    )
    desk = window(width=390)
    desk.sign_in(employ(desk, "front_desk", store))

    desk.page.click("[data-nav-open]")
    desk.page.click(".sidebar a[href='/admin/orders/']")
    desk.page.click(f"a:has-text('{order.number}')")
    desk.page.click("button[value=complete]")
    desk.page.click("form.form button.primary")

    expect(desk.page.locator("h1 .badge")).to_have_class(re.compile("good"))
    session.expire_all()
    session.refresh(order)
    assert order.state is OrderState.COMPLETED
    assert desk.troubles == []


def test_a_lookup_is_used_by_keyboard_alone(
    session: Session, window: Callable[..., Window], employ: Callable[..., Staff]
) -> None:
    make_distributor(session, make_member(session, nickname="Alpha"), standing=Standing.ACTIVE)
    wanted = make_distributor(session, make_member(session, nickname="Beta"))
    desk = window()
    desk.sign_in(employ(desk, "operations"))
    desk.open("/share_codes/form/issue/")

    desk.page.focus("#distributor_id-text")
    desk.page.keyboard.type("bet")
    expect(desk.page.locator("[role=option]")).to_have_count(1)
    desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("Enter")

    assert desk.page.input_value("[name=distributor_id]") == str(wanted.member_id)
    assert desk.page.locator("[role=listbox]").first.is_hidden()
    assert desk.troubles == []


def test_menus_and_the_navigation_answer_to_the_keyboard(
    session: Session, window: Callable[..., Window], employ: Callable[..., Staff]
) -> None:
    assert session.is_active
    desk = window(width=390)
    desk.sign_in(employ(desk, "auditor"))

    desk.page.keyboard.press("Tab")
    skip = focused(desk)
    desk.page.focus("[data-nav-open]")
    opened = []
    for key in ("Enter", "Space"):
        desk.page.keyboard.press(key)
        opened.append(desk.page.locator("body.nav-open").count())
        desk.page.keyboard.press("Escape")

    assert skip == "#main"
    assert opened == [1, 1]
    assert desk.page.locator("body.nav-open").count() == 0
    assert desk.page.evaluate("document.activeElement.hasAttribute('data-nav-open')")


def test_the_navigation_of_a_phone_opens_and_closes_without_a_script(
    seat: Callable[..., Window],
) -> None:
    desk = seat("front_desk", width=390)
    desk.page.route("**/*.js*", lambda route: route.abort())
    desk.open("/")
    sidebar = desk.page.locator("#sidebar")

    expect(sidebar).to_be_hidden()
    desk.page.click("[data-nav-open]")
    expect(sidebar).to_be_visible()
    desk.page.click("#sidebar [data-nav-close]")
    expect(sidebar).to_be_hidden()
    desk.page.click("[data-nav-open]")
    desk.page.click(".sidebar a[href='/admin/orders/']")

    desk.page.wait_for_url("**/admin/orders/")
    expect(sidebar).to_be_hidden()


def test_a_navigation_opened_before_the_script_came_closes_by_it(
    seat: Callable[..., Window],
) -> None:
    desk = seat("front_desk", width=390)

    desk.open("/#sidebar")
    expect(desk.page.locator("[data-nav-open]")).to_have_attribute("aria-expanded", "true")
    desk.page.keyboard.press("Escape")

    expect(desk.page.locator("#sidebar")).to_be_hidden()
    expect(desk.page.locator("[data-nav-open]")).to_have_attribute("aria-expanded", "false")
    assert desk.troubles == []


def test_headings_of_the_navigation_stay_as_they_were_left(seat: Callable[..., Window]) -> None:
    desk = seat("owner")
    desk.open("/help/")
    orders = desk.page.locator("[data-nav-section=orders]")
    cards = desk.page.locator("[data-nav-section=cards]")

    desk.open("/activities/")
    orders.locator("summary").click()
    cards.locator("summary").click()
    desk.open("/help/")

    expect(orders).not_to_have_attribute("open", "")
    expect(cards).to_have_attribute("open", "")
    expect(desk.page.locator("[data-nav-section=activities]")).not_to_have_attribute("open", "")
    assert desk.troubles == []


def test_what_stands_beside_a_list_is_reached_by_keyboard_on_a_phone(
    seat: Callable[..., Window],
) -> None:
    desk = seat("front_desk", width=390)
    desk.open("/guest_cards/")

    desk.page.focus(".beside a[href='/admin/card_uses/']")
    desk.page.keyboard.press("Enter")

    desk.page.wait_for_url("**/admin/card_uses/")
    expect(desk.page.locator(".beside [aria-current]")).to_have_text("Uses of guest cards")
    assert desk.troubles == []


def focused(desk: Window) -> Any:
    return desk.page.evaluate("document.activeElement.getAttribute('href')")
