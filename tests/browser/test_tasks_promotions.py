"""What people do with promotions: at the counter, in operations, and as a store's manager."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from app.activities.models import Activity, ActivityItem
from app.activities.states import ActivityKind, ActivityState
from app.coupons.models import Coupon, CouponTemplate
from app.coupons.states import CouponKind, CouponState
from app.guest_cards.models import CardUse
from app.interactions.review_models import Review
from app.kernel.db import database_now
from app.settings import Settings
from app.stores.models import Store
from scripts.phone import Phone
from scripts.sandbox.client import SandboxClient
from tests.browser.conftest import Window
from tests.browser.hands import decide, fill, fits, pick, send
from tests.factories import coupons, guest_cards
from tests.factories.interactions import make_review
from tests.factories.orders import make_goods, make_order, make_product
from tests.factories.people import make_distributor, make_member, make_store

pytestmark = pytest.mark.commits


@pytest.fixture
def store(session: Session) -> Store:
    made = make_store(session, "静安店")
    session.commit()
    return made


@pytest.fixture
def friend(web: str, sandbox: SandboxClient) -> Iterator[Phone]:
    """A customer who has signed in and given their phone number."""
    with closing(Phone(web, sandbox, nickname="若曦")) as phone:
        phone.sign_in()
        shown = {"code": sandbox.phone_code(phone.openid), "consent_version": "2026-11"}
        phone.call("POST", "/me/phone", shown)
        yield phone


def redeem(counter: Window, what: str, code: str) -> None:
    """Type the code that a customer's phone shows, and redeem it."""
    counter.open(f"/{what}/")
    counter.page.click(".page-tools a:has-text('Redeem')")
    fill(counter, code=code)
    counter.page.click("form.form button[data-once]")


def test_a_guest_card_is_redeemed_by_the_code_on_a_friends_phone_and_not_twice(
    session: Session, settings: Settings, store: Store, friend: Phone, seat: Callable[..., Window]
) -> None:
    now = database_now()
    giver = make_distributor(session, store_id=store.id)
    template = guest_cards.make_template(session, is_new_only=False, uses=2)
    card = guest_cards.shared_card(session, settings, giver=giver, template=template, now=now)
    session.commit()
    counter = seat("front_desk", store, width=390)

    claimed = friend.call(
        "POST",
        f"/guest-cards/shared/{card.token}/claim",
        {"device_id": "phone-1"},
        key="claim-once",
    )
    code = friend.call("POST", f"/guest-cards/{claimed['id']}/code", {})["code"]
    redeem(counter, "guest_cards", code)
    expect(counter.page.locator(".flash.good")).to_be_visible()
    is_narrow = fits(counter)
    redeem(counter, "guest_cards", code)

    expect(counter.page.locator(".flash.bad")).to_be_visible()
    used = session.scalars(sa.select(CardUse)).one()
    assert (used.card_id, used.store_id, used.staff_id) == (card.id, store.id, counter.staff_id)
    assert is_narrow
    assert fits(counter)
    assert counter.troubles == []


def test_a_coupon_is_redeemed_by_the_code_on_the_customers_phone(
    session: Session, store: Store, friend: Phone, seat: Callable[..., Window]
) -> None:
    now = database_now()
    template = coupons.make_template(
        session,
        now=now,
        kind=CouponKind.EXCHANGE,
        title="免费护手一次",
        product_ids=[make_product(session, title="护手").id],
    )
    session.commit()
    counter = seat("front_desk", store, width=390)

    got = friend.call("POST", "/coupons", {"template_id": template.id}, key="claim-once")
    code = friend.call("POST", f"/coupons/{got['id']}/code")["code"]
    redeem(counter, "coupons", code)

    expect(counter.page.locator(".flash.good")).to_be_visible()
    coupon = session.get_one(Coupon, got["id"])
    assert (coupon.state, coupon.store_id) == (CouponState.USED, store.id)
    assert fits(counter)
    assert counter.troubles == []


def test_operations_sets_up_a_coupon_and_gives_it_to_a_customer(
    session: Session, store: Store, seat: Callable[..., Window]
) -> None:
    member = make_member(session, nickname="陈小满", origin_store_id=store.id)
    desk = seat("operations")

    desk.open("/coupon_templates/")
    desk.page.click("a:has-text('New coupon')")
    fill(desk, title="满百减二十", amount_fen="20", threshold_fen="100", stock="50")
    fill(desk, claim_from_at="2026-01-01T00:00", claim_until_at="2099-01-01T00:00", valid_days="30")
    desk.page.check("[name=ways][value=staff]")
    send(desk)
    desk.page.click("a:has-text('Give to a customer')")
    pick(desk, "member_id", "陈小满")
    fill(desk, reason="She waited an hour")
    send(desk)

    template = session.scalars(sa.select(CouponTemplate)).one()
    coupon = session.scalars(sa.select(Coupon)).one()
    assert (template.amount_fen, template.threshold_fen) == (2_000, 10_000)
    assert (template.stock, template.issued) == (50, 1)
    assert (coupon.member_id, coupon.state) == (member.id, CouponState.UNUSED)
    assert desk.troubles == []


def test_operations_prepares_a_flash_sale_and_schedules_it(
    session: Session, store: Store, seat: Callable[..., Window]
) -> None:
    goods = make_goods(session, store, on_hand=100)
    desk = seat("operations")
    begins = f"{database_now() + timedelta(days=2):%Y-%m-%d}T10:00"
    ends = f"{database_now() + timedelta(days=3):%Y-%m-%d}T10:00"

    desk.open("/activities/form/new-flash-sale/")
    fill(desk, name="周末秒杀", starts_at=begins, ends_at=ends, limit_per_member="2")
    desk.page.select_option("[name=product_1]", str(goods.id))
    fill(desk, price_1="59.9", stock_1="40")
    send(desk)
    expect(desk.page.locator("h1 .badge")).to_have_text("Draft")
    decide(desk, "Schedule")

    expect(desk.page.locator("h1 .badge")).to_have_text("Scheduled")
    sale = session.scalars(sa.select(Activity)).one()
    item = session.scalars(sa.select(ActivityItem)).one()
    assert (sale.kind, sale.state) == (ActivityKind.FLASH_SALE, ActivityState.SCHEDULED)
    assert (item.product_id, item.price_fen, item.stock) == (goods.id, 5_990, 40)
    assert desk.troubles == []


def test_a_manager_replies_to_a_bad_review(
    session: Session, store: Store, seat: Callable[..., Window]
) -> None:
    order = make_order(session, store=store)
    review = make_review(session, order, stars=2, text="Waited half an hour")
    desk = seat("store_manager", store, width=390)

    desk.open("/reviews/?reply=none")
    desk.page.click("td.head a")
    desk.page.click("a:has-text('Reply')")
    fill(desk, text="We are sorry. Your next visit has a time of its own.")
    send(desk)

    expect(desk.page.locator("main")).to_contain_text("Your next visit has a time of its own.")
    session.expire_all()
    found = session.get_one(Review, review.id)
    assert (found.reply, found.replied_by_id) == (
        "We are sorry. Your next visit has a time of its own.",
        desk.staff_id,
    )
    assert fits(desk)
    assert desk.troubles == []
