"""Five things that the manager of a store does, in a real browser."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import FilePayload, expect
from sqlalchemy.orm import Session

from app.attribution.dispute_models import OwnershipDispute
from app.attribution.models import ShareCode
from app.catalog.models import StockLevel
from app.members.models import Member
from app.orders.models import Order
from app.orders.states import OrderState
from app.stores.models import Store
from tests.browser.conftest import Window
from tests.browser.hands import decide, fill, fits, pick, send
from tests.factories.approvals import make_case, picture
from tests.factories.orders import make_goods, make_order
from tests.factories.people import make_store

pytestmark = pytest.mark.commits


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session, "静安店")


def test_orders_to_hand_over_are_reached_from_the_first_page(
    session: Session, store: Store, seat: Callable[..., Window]
) -> None:
    order = make_order(session, store=store, state=OrderState.PAID)
    desk = seat("store_manager", store)

    desk.open("/")
    desk.page.click(".tasks a:has-text('Orders to hand over')")
    desk.page.click(f"a:has-text('{order.number}')")
    decide(desk, "Redeem / hand over")

    session.expire_all()
    assert session.get_one(Order, order.id).state is OrderState.COMPLETED
    assert desk.troubles == []


def test_goods_arrive_and_the_store_says_when_to_order_more(
    session: Session, store: Store, seat: Callable[..., Window]
) -> None:
    product = make_goods(session, store, on_hand=2)
    product.title = "玻尿酸面膜"
    shelf = seat("store_manager", store, width=390)

    shelf.open(f"/products/details/?id={product.id}")
    shelf.page.click("a:has-text('Receive stock')")
    fill(shelf, quantity="10")
    send(shelf)
    shelf.open("/stock/form/low/")
    pick(shelf, "product_id", "玻尿酸面膜")
    fill(shelf, low_at="15")
    send(shelf)
    shelf.open("/")
    shelf.page.click(".tasks a:has-text('Time to order more')")

    expect(shelf.page.locator("main")).to_contain_text("玻尿酸面膜")
    session.expire_all()
    level = session.get_one(StockLevel, (product.id, store.id))
    assert (level.on_hand, level.low_at) == (12, 15)
    assert fits(shelf)
    assert shelf.troubles == []


def test_a_dispute_is_opened_with_a_picture(
    session: Session, store: Store, seat: Callable[..., Window]
) -> None:
    case = make_case(session, store=store, name="陈小满")
    session.get_one(Member, case.claimant.member_id).nickname = "周敏"
    desk = seat("store_manager", store)
    image: FilePayload = {"name": "chat.png", "mimeType": "image/png", "buffer": picture()}

    desk.open("/disputes/")
    desk.page.click("a:has-text('Open a dispute')")
    pick(desk, "customer_id", "陈小满")
    pick(desk, "claimant_id", "周敏")
    fill(desk, claim="She was scanned in at our counter on Friday.")
    desk.page.set_input_files("input[name=pictures]", image)
    send(desk)

    shown = desk.page.locator(".evidence img")
    expect(shown).to_have_js_property("naturalWidth", 40)
    [dispute] = session.scalars(sa.select(OwnershipDispute)).all()
    assert dispute.customer_id == case.customer.id
    assert desk.troubles == []


def test_a_share_code_for_the_counter_is_made_on_a_phone(
    session: Session, store: Store, seat: Callable[..., Window]
) -> None:
    counter = seat("store_manager", store, width=390)

    counter.open("/share_codes/")
    counter.page.click(".page-tools a.primary")
    counter.page.select_option("[name=owner_store_id]", str(store.id))
    fill(counter, channel_name="Counter")
    send(counter)

    [code] = session.scalars(sa.select(ShareCode)).all()
    assert code.owner_store_id == store.id
    assert fits(counter)
    assert counter.troubles == []


def test_what_belongs_to_another_store_is_as_if_it_were_not(
    session: Session, store: Store, seat: Callable[..., Window]
) -> None:
    other = make_store(session, "徐汇店")
    here = make_order(session, store=store, state=OrderState.PAID)
    there = make_order(session, store=other, state=OrderState.PAID)
    desk = seat("store_manager", store)

    desk.open("/orders/")
    listed = desk.page.locator("main").inner_text()
    answers = [
        desk.page.goto(f"{desk.base_url}/admin{path}")
        for path in (
            f"/orders/details/?id={here.id}",
            f"/orders/details/?id={there.id}",
            f"/stores/details/?id={other.id}",
            "/orders/details/?id=999999",
        )
    ]

    assert here.number in listed
    assert there.number not in listed
    assert [one.status for one in answers if one is not None] == [200, 404, 404, 404]
    assert desk.page.locator("h1").count() == 1
