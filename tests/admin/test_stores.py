"""Stores, regions and staff mode in the back office."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import AuditRecord
from app.kernel.clock import utc_now
from app.orders.states import OrderState
from app.stores import staff_mode
from app.stores.hours import WEEKDAYS
from app.stores.models import Region, Staff, Store, StoreStep
from app.stores.staff_mode_models import StaffBinding, StaffBindingCode
from app.stores.states import StoreState
from tests.admin.conftest import Desk
from tests.factories.orders import make_goods, make_order
from tests.factories.people import make_member, make_share_code, make_staff, make_store

ALL: dict[str, str] = {
    "name": "静安店",
    "code": "ja01",
    "city": "上海市",
    "district": "静安区",
    "address": "南京西路 1266 号",
    "phone": "021-62880000",
    "latitude": "31.2304",
    "longitude": "121.473701",
    "monday": "10:00-12:00, 13:00-22:00",
    "friday": "18:00-02:00",
}


def post_form(desk: Desk, endpoint: str, form: str, row_id: int, **fields: str) -> Any:
    """Send a form as a browser does: with all that the page holds, and what was changed."""
    path = f"/{endpoint}/form/{form}/"
    page = desk.get(path, id=row_id).get_data(as_text=True)
    inputs = re.findall(r'<input[^>]* name="([a-z_]+)"[^>]* value="([^"]*)"', page)
    kept = {name: value for name, value in inputs if name != "csrf_token"}
    return desk.post(path, kept | fields, query_string={"id": row_id})


def test_a_store_is_opened_with_all_that_is_known_of_it(session: Session, owner: Desk) -> None:
    region = Region(name="上海")
    session.add(region)
    session.commit()

    owner.post("/stores/form/new/", {**ALL, "region_id": str(region.id)})

    store = session.scalars(sa.select(Store)).one()
    assert (store.code, store.region_id, store.city) == ("JA01", region.id, "上海市")
    assert (store.latitude_udeg, store.longitude_udeg) == (31_230_400, 121_473_701)
    assert store.opening_hours == {
        **{day: [] for day in WEEKDAYS},
        "monday": [
            {"opens": "10:00", "closes": "12:00"},
            {"opens": "13:00", "closes": "22:00"},
        ],
        "friday": [{"opens": "18:00", "closes": "02:00"}],
    }


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("code", "x", "This is not allowed."),
        ("phone", "call me", "This is not allowed."),
        ("latitude", "north", "Please enter degrees, such as 31.230416."),
        ("latitude", "1e3", "Please enter degrees, such as 31.230416."),
        ("latitude", "91", "This is not allowed."),
        ("longitude", "", "This is not allowed."),
        ("monday", "from ten", "Please enter hours such as 10:00-22:00."),
        ("tuesday", "24:30-25:00", "Please enter hours such as 10:00-22:00."),
        ("saturday", "01:00-03:00", "The hours of two days overlap."),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_lost(
    session: Session, owner: Desk, field: str, value: str, text: str
) -> None:
    page = owner.post("/stores/form/new/", {**ALL, "region_id": "", field: value})

    shown = page.get_data(as_text=True)
    assert text in shown
    assert "南京西路 1266 号" in shown
    assert session.scalars(sa.select(Store)).all() == []


def test_names_and_codes_that_are_taken_are_said_beside_them(session: Session, owner: Desk) -> None:
    owner.post("/stores/form/new/", {**ALL, "region_id": ""})

    again = owner.post("/stores/form/new/", {**ALL, "region_id": "", "name": "徐汇店"})

    assert "Another store has this code." in again.get_data(as_text=True)
    assert session.scalars(sa.select(Store.name)).all() == ["静安店"]


def test_a_store_is_edited_with_what_was_before_on_record(session: Session, owner: Desk) -> None:
    owner.post("/stores/form/new/", {**ALL, "region_id": ""})
    store = session.scalars(sa.select(Store)).one()

    answer = post_form(owner, "stores", "edit", store.id, monday="", address="1 号")

    assert answer.status_code == 302
    session.refresh(store)
    assert (store.address, store.code, store.latitude_udeg) == ("1 号", "JA01", 31_230_400)
    assert store.opening_hours is not None
    assert store.opening_hours["monday"] == []
    assert store.opening_hours["friday"] == [{"opens": "18:00", "closes": "02:00"}]
    entry = session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id.desc()).limit(1)).one()
    assert entry.action == "store_edited"
    assert (entry.before["address"], entry.after["address"]) == ("南京西路 1266 号", "1 号")


def test_closing_shows_what_is_open_there(session: Session, owner: Desk) -> None:
    store = make_store(session)
    make_goods(session, store, on_hand=7)
    make_order(session, store=store)
    make_order(session, store=store, state=OrderState.CREATED)
    make_staff(session, "front_desk", stores=[store])
    make_share_code(session, store=store)
    session.commit()

    page = owner.get("/stores/form/close/", id=store.id).get_data(as_text=True)

    for text in (
        "1 paid order is to be handed over",
        "1 order waits for payment",
        "7 pieces of stock are on the shelf",
        "1 person works here",
        "1 share code of the store is live",
    ):
        assert text in page


def test_a_store_is_closed_and_opened_again_with_reasons(session: Session, owner: Desk) -> None:
    store = make_store(session)
    session.commit()

    owner.post(
        "/stores/form/close/",
        {"event": "pause", "reason": "water damage"},
        query_string={"id": store.id},
    )
    session.refresh(store)
    paused = store.state
    listed = owner.get("/stores/", state="paused").get_data(as_text=True)
    owner.decide("stores", "reopen", store.id, reason="dry again")

    session.refresh(store)
    assert (paused, store.state) == (StoreState.PAUSED, StoreState.OPEN)
    assert store.name in listed
    assert "Closed for a while" in listed
    steps = session.scalars(sa.select(StoreStep).order_by(StoreStep.id)).all()
    assert [(step.to_state, step.reason) for step in steps] == [
        ("paused", "water damage"),
        ("open", "dry again"),
    ]
    details = owner.get("/stores/details/", id=store.id).get_data(as_text=True)
    assert "water damage" in details


def test_closing_without_a_reason_closes_nothing(session: Session, owner: Desk) -> None:
    store = make_store(session)
    session.commit()

    owner.post(
        "/stores/form/close/", {"event": "close", "reason": " "}, query_string={"id": store.id}
    )
    owner.post(
        "/stores/form/close/", {"event": "burn", "reason": "fire"}, query_string={"id": store.id}
    )

    session.refresh(store)
    assert store.state is StoreState.OPEN


def test_what_was_bought_at_a_closed_store_is_still_handed_over(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    store = make_store(session)
    order = make_order(session, store=store)
    store.state = StoreState.CLOSED
    desk = sit_down("front_desk", store)

    desk.decide("orders", "complete", order.id)

    session.refresh(order)
    assert order.state is OrderState.COMPLETED


def test_regions_group_stores_and_go_when_empty(session: Session, owner: Desk) -> None:
    stores = [make_store(session) for _ in range(2)]
    session.commit()
    owner.post("/regions/form/new/", {"name": "上海"})
    region = session.scalars(sa.select(Region)).one()

    owner.decide("stores", "move", *[one.id for one in stores], region_id=str(region.id))
    kept = owner.post("/regions/form/delete/", {}, query_string={"id": region.id})
    listed = owner.get("/stores/", region=region.id).get_data(as_text=True)

    assert "Stores or staff belong to this region" in kept.get_data(as_text=True)
    assert all(one.name in listed for one in stores)
    owner.decide("stores", "move", *[one.id for one in stores], region_id="")
    owner.post("/regions/form/rename/", {"name": "华东"}, query_string={"id": region.id})
    session.refresh(region)
    assert region.name == "华东"
    gone = owner.post("/regions/form/delete/", {}, query_string={"id": region.id})
    assert gone.headers["Location"] == "/admin/regions/"
    assert session.scalars(sa.select(Region)).all() == []


def test_a_region_of_a_taken_name_is_refused_beside_the_field(
    session: Session, owner: Desk
) -> None:
    owner.post("/regions/form/new/", {"name": "上海"})

    again = owner.post("/regions/form/new/", {"name": " 上海 "})

    assert "A region of this name exists." in again.get_data(as_text=True)
    assert len(session.scalars(sa.select(Region)).all()) == 1


def test_staff_of_a_store_see_its_region_and_of_that_their_own_store_alone(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    ours, theirs = Region(name="上海"), Region(name="杭州")
    session.add_all([ours, theirs])
    session.flush()
    here, beside = make_store(session, "静安店"), make_store(session, "徐汇店")
    here.region_id = beside.region_id = ours.id
    desk = sit_down("store_manager", here)

    listed = desk.get("/regions/").get_data(as_text=True)
    page = desk.get("/regions/details/", id=ours.id).get_data(as_text=True)

    assert "上海" in listed
    assert "杭州" not in listed
    for text in (listed, page):
        assert "静安店" in text
        assert "徐汇店" not in text
    assert desk.get("/regions/details/", id=theirs.id).status_code == 404


@pytest.fixture
def li(session: Session) -> Staff:
    return make_staff(session, "front_desk", stores=[make_store(session)], name="Li")


def bind(session: Session, person: Staff) -> int:
    member = make_member(session, nickname="Little Li")
    session.add(StaffBinding(staff_id=person.id, member_id=member.id, bound_at=utc_now()))
    session.commit()
    return member.id


def test_staff_make_a_code_that_their_phone_takes(
    session: Session, sit_down: Callable[..., Desk], li: Staff
) -> None:
    desk = sit_down(staff=li)
    assert "/admin/staff-mode/" in desk.get("/account/").get_data(as_text=True)

    page = desk.post("/staff-mode/code/").get_data(as_text=True)

    kept = session.scalars(sa.select(StaffBindingCode)).one()
    code = page.partition('class="one-time-code">')[2].partition("<")[0]
    assert (len(code), code[4]) == (9, "-")
    member = make_member(session)
    binding = staff_mode.bind(session, code=code, member_id=member.id, now=kept.made_at)
    assert binding.staff_id == li.id
    assert code not in desk.get("/staff-mode/").get_data(as_text=True)


def test_a_page_with_a_code_is_not_kept_by_browsers(
    sit_down: Callable[..., Desk], li: Staff
) -> None:
    answer = sit_down(staff=li).post("/staff-mode/code/")

    assert "no-store" in answer.headers["Cache-Control"]


def test_staff_see_and_end_what_is_connected(
    session: Session, sit_down: Callable[..., Desk], li: Staff
) -> None:
    desk = sit_down(staff=li)
    bind(session, li)

    shown = desk.get("/staff-mode/").get_data(as_text=True)
    refused = desk.post("/staff-mode/code/").get_data(as_text=True)
    desk.post("/staff-mode/end/")

    assert "Little Li" in shown
    assert "A WeChat account is connected already" in refused
    assert staff_mode.binding_of(session, li.id) is None


@pytest.mark.parametrize("role", ["finance", "auditor"])
def test_whoever_may_not_work_by_phone_has_no_such_page(
    session: Session, sit_down: Callable[..., Desk], role: str
) -> None:
    desk = sit_down(role)

    answers = [
        desk.get("/staff-mode/"),
        desk.post("/staff-mode/code/"),
        desk.post("/staff-mode/end/"),
    ]

    assert [one.status_code for one in answers] == [403] * 3
    assert "/admin/staff-mode/" not in desk.get("/account/").get_data(as_text=True)
    assert session.scalars(sa.select(StaffBindingCode)).all() == []


def test_a_manager_ends_staff_mode_of_people_of_their_store_alone(
    session: Session, sit_down: Callable[..., Desk], li: Staff
) -> None:
    stranger = make_staff(session, "front_desk", stores=[make_store(session)])
    bind(session, li)
    bind(session, stranger)
    desk = sit_down("store_manager", li.stores[0])

    ended = desk.decide("staff", "end-staff-mode", li.id, reason="phone lost")
    refused = desk.decide("staff", "end-staff-mode", stranger.id, reason="phone lost")

    assert (ended.status_code, refused.status_code) == (302, 404)
    assert staff_mode.binding_of(session, li.id) is None
    assert staff_mode.binding_of(session, stranger.id) is not None
    entry = session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id.desc()).limit(1)).one()
    assert (entry.action, entry.actor_id, entry.reason) == (
        "staff_unbound",
        desk.staff_id,
        "phone lost",
    )


def test_a_new_password_for_a_lost_phone_ends_staff_mode_too(
    session: Session, owner: Desk, li: Staff
) -> None:
    bind(session, li)

    owner.post(
        "/staff/form/reset/",
        {"password": "another first password", "reason": "phone lost"},
        query_string={"id": li.id},
    )

    assert staff_mode.binding_of(session, li.id) is None
