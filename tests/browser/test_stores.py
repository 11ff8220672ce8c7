"""A store is opened, written down, closed; staff connect their phones: by hand, in a browser."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.orders.states import OrderState
from app.stores.models import Region, Staff, Store
from app.stores.states import StoreState
from tests.browser.conftest import Window
from tests.factories.orders import make_goods, make_order
from tests.factories.people import make_staff, make_store

pytestmark = pytest.mark.commits


@pytest.mark.parametrize(("width", "language"), [(1440, "en"), (390, "zh-CN")])
def test_an_owner_opens_a_store_and_closes_another(
    session: Session,
    window: Callable[..., Window],
    employ: Callable[..., Staff],
    width: int,
    language: str,
) -> None:
    region = Region(name="上海")
    session.add(region)
    busy = make_store(session, "静安店")
    make_goods(session, busy, on_hand=3)
    for state in (OrderState.PAID, OrderState.PAID, OrderState.CREATED):
        make_order(session, store=busy, state=state)
    make_staff(session, "front_desk", stores=[busy], name="李静")
    session.commit()
    tab = window(width=width, language=language)
    tab.sign_in(employ(tab, "owner"))
    page = tab.page

    tab.open("/stores/form/new/")
    for name, text in {
        "name": "徐汇店",
        "code": "XH01",
        "city": "上海市",
        "district": "徐汇区",
        "address": "衡山路 8 号",
        "phone": "021-64370000",
        "latitude": "31.203405",
        "longitude": "121.446235",
        "monday": "10:00-12:00, 13:00-22:00",
        "friday": "18:00-02:00",
    }.items():
        page.fill(f"input[name={name}]", text)
    page.select_option("select[name=region_id]", str(region.id))
    tab.picture(f"store-form-{width}")
    page.click("form.form button[type=submit]")
    page.wait_for_url("**/stores/details/**")
    tab.picture(f"store-new-{width}")
    tab.open(f"/stores/details/?id={busy.id}")
    tab.picture(f"store-busy-{width}")
    tab.open(f"/stores/form/close/?id={busy.id}")
    page.fill("textarea[name=reason]", "装修")
    tab.picture(f"store-close-{width}")
    page.click("form.form button[type=submit]")
    page.wait_for_url("**/stores/details/**")
    tab.open("/stores/")
    tab.picture(f"stores-{width}")
    tab.open("/regions/")
    tab.picture(f"regions-{width}")

    session.expire_all()
    opened = session.scalars(sa.select(Store).where(Store.name == "徐汇店")).one()
    assert (opened.code, opened.region_id, opened.latitude_udeg) == ("XH01", region.id, 31_203_405)
    assert session.get_one(Store, busy.id).state is StoreState.PAUSED
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.troubles == []


@pytest.mark.parametrize(("width", "language"), [(1440, "zh-CN"), (390, "en")])
def test_staff_get_a_code_for_their_phone(
    session: Session,
    window: Callable[..., Window],
    employ: Callable[..., Staff],
    width: int,
    language: str,
) -> None:
    store = make_store(session, "静安店")
    tab = window(width=width, language=language)
    tab.sign_in(employ(tab, "front_desk", store))
    page = tab.page

    tab.open("/account/")
    tab.picture(f"account-{width}")
    page.click("a[href$='/staff-mode/']")
    page.click("form[action$='/code/'] button")
    page.wait_for_selector(".one-time-code")
    tab.picture(f"staff-mode-{width}")

    code = page.text_content(".one-time-code") or ""
    assert len(code) == 9
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.troubles == []
