"""Five things that a front desk does, on a phone at the counter."""

import re
from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from app.kernel.audit import AuditRecord
from app.members.file_models import FollowUp, FollowUpState
from app.orders.models import Order
from app.orders.states import OrderState
from app.stores.models import Store
from tests.browser.conftest import Window
from tests.browser.hands import decide, fits
from tests.factories.orders import make_order
from tests.factories.people import NOON, make_member, make_staff, make_store

pytestmark = pytest.mark.commits

PHONE = "+8613812345678"


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session, "静安店")


def test_an_order_is_found_by_its_number_and_handed_over(
    session: Session, store: Store, seat: Callable[..., Window]
) -> None:
    order = make_order(session, store=store, state=OrderState.PAID)
    make_order(session, store=store, state=OrderState.PAID)
    counter = seat("front_desk", store, width=390)

    counter.open("/orders/")
    counter.page.fill("[data-search]", order.number[:12])
    counter.page.press("[data-search]", "Enter")
    expect(counter.page.locator("td.head")).to_have_count(1)
    counter.page.click("td.head a.open")
    decide(counter, "Redeem / hand over")

    session.expire_all()
    assert session.get_one(Order, order.id).state is OrderState.COMPLETED
    assert fits(counter)
    assert counter.troubles == []


def test_a_customer_is_found_by_phone_number_without_it_standing_in_the_address(
    session: Session, store: Store, seat: Callable[..., Window]
) -> None:
    wanted = make_member(session, nickname="陈小满", phone=PHONE, origin_store_id=store.id)
    make_member(session, nickname="王一", phone="+8613900000000", origin_store_id=store.id)
    counter = seat("front_desk", store, width=390)

    counter.open("/members/")
    counter.page.fill("[data-search]", "138 1234 5678")
    counter.page.press("[data-search]", "Enter")

    expect(counter.page.locator("td.head")).to_have_count(1)
    assert "5678" not in counter.page.url
    counter.page.click("td.head a.open")
    expect(counter.page.locator("h1")).to_contain_text("陈小满")
    assert counter.page.url.endswith(f"?id={wanted.id}")
    assert counter.troubles == []


def test_whole_phone_numbers_are_for_those_who_may_see_them_and_give_a_reason(
    session: Session, store: Store, seat: Callable[..., Window]
) -> None:
    member = make_member(session, nickname="陈小满", phone=PHONE, origin_store_id=store.id)
    counter, office = seat("front_desk", store, width=390), seat("operations", width=390)

    counter.open(f"/members/details/?id={member.id}")
    office.open(f"/members/details/?id={member.id}")
    masked = counter.page.locator("main").inner_text()
    office.page.fill("#phone-reason", "Confirm Saturday's appointment")
    office.page.click("form[action$='/phone/'] button")

    expect(office.page.locator(".revealed strong")).to_have_text(re.compile("138 ?1234 ?5678"))
    assert "138****5678" in masked
    assert counter.page.locator("#phone-reason").count() == 0
    looks = sa.select(AuditRecord.reason).where(AuditRecord.action == "phone_revealed")
    assert session.scalars(looks).all() == ["Confirm Saturday's appointment"]
    assert fits(office)
    assert counter.troubles == []


def test_what_was_to_be_done_is_done_from_the_customers_page(
    session: Session, store: Store, seat: Callable[..., Window]
) -> None:
    author = make_staff(session, "store_manager", stores=[store])
    member = make_member(session, nickname="陈小满", origin_store_id=store.id)
    task = FollowUp(
        member_id=member.id,
        what="Ask how the serum was",
        due_on=date(2026, 3, 1),
        store_id=store.id,
        state=FollowUpState.OPEN,
        author_id=author.id,
        created_at=NOON,
    )
    session.add(task)
    counter = seat("front_desk", store, width=390)

    counter.open(f"/members/details/?id={member.id}")
    counter.page.click("a:has-text('Ask how the serum was')")
    decide(counter, "Done")

    session.expire_all()
    found = session.scalars(sa.select(FollowUp)).one()
    assert (found.state, found.ended_by_id) == (FollowUpState.DONE, counter.staff_id)
    assert fits(counter)
    assert counter.troubles == []


def test_what_is_not_a_front_desks_is_neither_offered_nor_opened(
    session: Session, store: Store, seat: Callable[..., Window]
) -> None:
    elsewhere = make_order(session, store=make_store(session, "徐汇店"), state=OrderState.PAID)
    counter = seat("front_desk", store, width=390)

    counter.open("/")
    links = counter.page.locator(".sidebar li a").evaluate_all(
        "links => links.map(one => one.pathname)"
    )
    foreign = counter.page.goto(f"{counter.base_url}/admin/orders/details/?id={elsewhere.id}")
    money = counter.page.goto(f"{counter.base_url}/admin/payouts/")

    assert "/admin/orders/" in links
    assert {"/admin/payouts/", "/admin/staff/", "/admin/audit/"} & set(links) == set()
    assert foreign is not None
    assert money is not None
    assert (foreign.status, money.status) == (404, 403)
    assert counter.page.locator("h1").count() == 1
    assert fits(counter)
