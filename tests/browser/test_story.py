"""From scan to confirmed payout, with people's clicks where people click."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from app.kernel.audit import Actor
from app.kernel.db import atomic, database_now
from app.members import services as members
from app.orders import services as orders
from app.settings import Settings
from app.stores.models import Staff
from scripts.phone import Phone, wait_until
from scripts.sandbox.client import SandboxClient
from tests.browser.conftest import Window
from tests.factories.orders import make_product
from tests.factories.people import make_staff, make_store
from tests.factories.plans import make_plan
from tests.scenarios.system import whole_system
from tests.servers import Services

pytestmark = pytest.mark.commits


def test_a_scan_ends_as_money_on_the_phone_of_who_shared(
    session: Session,
    services: Services,
    settings: Settings,
    chromium: Browser,
    employ: Callable[..., Staff],
) -> None:
    make_plan(session, settle_seconds=0)
    store_id, product_id = make_store(session).id, make_product(session, price_fen=25_999).id
    clerk = Actor("staff", make_staff(session).id)
    session.commit()

    with whole_system(services) as (base_url, sandbox):
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
        desk = Window(context.new_page(), base_url, pyotp.random_base32())
        finance = employ(desk, "finance")
        with (
            closing(Phone(base_url, sandbox, nickname="美琪")) as seller,
            closing(Phone(base_url, sandbox, nickname="若曦")) as buyer,
        ):
            code = _share(seller, clerk)
            buyer.sign_in()
            assert buyer.scan(code)["outcome"] == "bound"
            number = _order(buyer, product_id, store_id)

            _press(desk.page, sandbox, buyer, "支付")
            wait_until("paid", lambda: buyer.order(number)["state"] == "paid")
            _hand_over(number, clerk, replace(settings, after_sale_seconds=0))
            wait_until("matured", lambda: _available(seller) == 2_599)
            payout = seller.withdraw(2_599)

            desk.sign_in(finance)
            desk.open(f"/payouts/details/?id={payout['id']}")
            desk.page.get_by_role("button", name="通过").click()
            expect(desk.page.locator(".total")).to_contain_text("¥25.99")
            desk.page.locator("form.form").get_by_role("button", name="通过").click()
            expect(desk.page.locator(".flash.good")).to_be_visible()

            path = f"/distributor/payouts/{payout['id']}"
            wait_until(
                "offered", lambda: bool(seller.call("GET", path)["bills"][0]["confirmation"])
            )
            _press(desk.page, sandbox, seller, "确认收款")
            wait_until("confirmed", lambda: seller.call("GET", path)["state"] == "succeeded")

        assert sandbox.books()["per_openid"][seller.openid]["received_fen"] == 2_599
        desk.open(f"/payouts/details/?id={payout['id']}")
        desk.picture("story-payout-confirmed")
        context.close()


def _share(seller: Phone, clerk: Actor) -> str:
    """Become a distributor and make a code."""
    seller.sign_in()
    seller.call("POST", "/distributor/application", {"agreement_version": "2026-11"})
    member_id, now = seller.call("GET", "/me")["id"], database_now()
    with atomic() as transaction:
        members.approve_distributor(transaction, member_id, actor=clerk, now=now)
    body = {"channel": {"name": "闺蜜群", "kind": "group"}}
    code: str = seller.call("POST", "/share-codes", body)["code"]
    return code


def _order(buyer: Phone, product_id: int, store_id: int) -> str:
    """Order something and get as far as WeChat's payment sheet."""
    line = {"product_id": product_id, "quantity": 1}
    basket = {"store_id": store_id, "fulfilment": "service", "lines": [line]}
    number: str = buyer.call("POST", "/orders", basket, key="browser-story")["number"]
    buyer.call("POST", f"/orders/{number}/payment")
    return number


def _press(page: Page, sandbox: SandboxClient, phone: Phone, name: str) -> None:
    """Press a green button on somebody's phone in the sandbox."""
    page.goto(f"{sandbox.base_url}/sandbox/?openid={phone.openid}")
    page.get_by_role("button", name=name).click()
    page.wait_for_load_state()


def _hand_over(number: str, clerk: Actor, settings: Settings) -> None:
    now = database_now()
    with atomic() as transaction:
        orders.complete(transaction, number, actor=clerk, settings=settings, now=now)


def _available(phone: Phone) -> int:
    amount: int = phone.call("GET", "/distributor")["balances"]["available_fen"]
    return amount
