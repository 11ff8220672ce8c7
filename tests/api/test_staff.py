"""Staff mode: the work of a store on a phone, and everything that shuts its door."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.counter import codes as pickup_codes
from app.kernel.audit import Actor, AuditRecord
from app.kernel.clock import utc_now
from app.orders.models import Order, OrderStep
from app.orders.states import OrderState
from app.stores import staff_mode
from app.stores.models import Role, Staff, Store
from app.stores.staff_mode_models import StaffBinding, StaffBindingCode
from tests.api.conftest import Phone, assert_problem, new_key, nothing_moves
from tests.api.endpoints import OF_STAFF, Endpoint, ask
from tests.factories.orders import make_order
from tests.factories.people import make_distributor, make_member, make_staff, make_store

NOBODYS = "T20260301ABCDEF"


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session, "静安店")


@pytest.fixture
def li(session: Session, store: Store) -> Staff:
    return make_staff(session, "front_desk", stores=[store], name="李静")


@pytest.fixture
def desk(session: Session, li: Staff, phone: Phone) -> Phone:
    """The phone with which Li works."""
    session.add(StaffBinding(staff_id=li.id, member_id=phone.member_id, bound_at=utc_now()))
    session.commit()
    return phone


def code_of(session: Session, staff: Staff) -> str:
    actor = Actor("staff", staff.id)
    made = staff_mode.make_code(session, staff.id, actor=actor, now=utc_now())
    session.commit()
    return made.text


def buyers_order(
    session: Session, phone_of: Callable[..., Phone], store: Store, **facts: Any
) -> tuple[Order, Phone]:
    buyer = make_member(session, nickname="小美", phone="+8613800001111")
    return make_order(session, member=buyer, store=store, **facts), phone_of(buyer)


def complete(desk: Phone, number: str, code: str | None = None, key: str = "") -> Any:
    return desk.post(
        f"/staff/orders/{number}/completion",
        {} if code is None else {"pickup_code": code},
        key=key or new_key(),
    )


@pytest.mark.parametrize("endpoint", OF_STAFF, ids=str)
def test_staff_mode_is_closed_to_members_who_are_not_staff(
    session: Session, phone: Phone, endpoint: Endpoint
) -> None:
    order = make_order(session)

    with nothing_moves(session):
        there = ask(phone, endpoint, endpoint.path(number=order.number))
        absent = ask(phone, endpoint)

    assert_problem(there, 403, "staff_mode_closed")
    assert_problem(absent, 403, "staff_mode_closed")


def test_a_code_of_the_back_office_opens_staff_mode(
    session: Session, phone: Phone, li: Staff, store: Store
) -> None:
    before = phone.get("/staff/me")
    answer = phone.post("/staff/binding", {"code": code_of(session, li).lower()})

    assert_problem(before, 403, "staff_mode_closed")
    assert answer.status_code == 201
    shown = answer.get_json()
    assert shown == phone.get("/staff/me").get_json()
    assert shown["name"] == "李静"
    assert shown["roles"] == ["front_desk"]
    assert shown["stores"] == [{"id": store.id, "name": "静安店", "code": None}]
    assert not shown["sees_all_stores"]
    assert "orders.complete" in shown["permissions"]
    trail = session.scalars(sa.select(AuditRecord).where(AuditRecord.action == "staff_bound")).one()
    assert (trail.actor_kind, trail.actor_id) == ("staff", li.id)
    assert trail.after == {"member_id": phone.member_id}
    assert trail.request_id == answer.headers["X-Request-Id"]


def test_the_same_code_again_is_answered_the_same_to_the_same_phone(
    session: Session, phone: Phone, seller: Phone, li: Staff
) -> None:
    code = code_of(session, li)
    first = phone.post("/staff/binding", {"code": code})

    again = phone.post("/staff/binding", {"code": code})
    foreign = seller.post("/staff/binding", {"code": code})

    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert_problem(foreign, 404, "staff_code_unknown")


def test_a_code_that_ran_out_opens_nothing(session: Session, phone: Phone, li: Staff) -> None:
    code = code_of(session, li)
    session.execute(sa.update(StaffBindingCode).values(expires_at=utc_now()))
    session.commit()

    assert_problem(phone.post("/staff/binding", {"code": code}), 404, "staff_code_unknown")


def test_whoever_guesses_codes_is_shut_out_for_a_while(
    session: Session, phone: Phone, li: Staff, settings_of: Callable[..., None]
) -> None:
    settings_of(code_misses_max=3)
    code = code_of(session, li)

    misses = [phone.post("/staff/binding", {"code": f"AAAA-AAA{one}"}) for one in "BCD"]
    locked = phone.post("/staff/binding", {"code": code})

    for miss in misses:
        assert_problem(miss, 404, "staff_code_unknown")
    assert_problem(locked, 429, "staff_codes_locked")
    assert int(locked.headers["Retry-After"]) > 800
    assert session.scalars(sa.select(StaffBinding)).all() == []


def test_staff_end_it_on_their_phone_and_ending_twice_is_no_error(
    session: Session, desk: Phone
) -> None:
    assert desk.delete("/staff/binding").status_code == 204
    with nothing_moves(session):
        assert desk.delete("/staff/binding").status_code == 204

    assert_problem(desk.get("/staff/me"), 403, "staff_mode_closed")
    ended = session.scalars(sa.select(StaffBinding)).one()
    assert ended.ended_by == f"member:{desk.member_id}"


@pytest.mark.parametrize("path", ["/staff/me", "/staff/today", f"/staff/orders/{NOBODYS}"])
def test_whoever_is_disabled_is_out_with_the_next_request(
    session: Session, desk: Phone, li: Staff, path: str
) -> None:
    assert desk.get(path).status_code in {200, 404}
    li.active = False
    session.commit()

    assert_problem(desk.get(path), 403, "staff_mode_closed")


def test_whoever_is_disabled_between_look_and_act_acts_no_more(
    session: Session, desk: Phone, li: Staff, store: Store
) -> None:
    order = make_order(session, store=store)
    assert desk.get(f"/staff/orders/{order.number}").status_code == 200
    li.active = False
    session.commit()

    with nothing_moves(session):
        response = complete(desk, order.number)

    assert_problem(response, 403, "staff_mode_closed")


def test_a_role_that_may_not_hand_over_only_looks(
    session: Session, desk: Phone, li: Staff, store: Store
) -> None:
    role = Role(name="Observer", permissions=["staff.mode", "orders.view"])
    session.add(role)
    li.roles = [role]
    order = make_order(session, store=store)
    session.commit()

    with nothing_moves(session):
        refused = complete(desk, order.number)

    assert desk.get(f"/staff/orders/{order.number}").status_code == 200
    assert_problem(refused, 403, "staff_may_not")


def test_orders_to_hand_over_come_in_pages_newest_first(
    session: Session, desk: Phone, store: Store
) -> None:
    orders = [make_order(session, store=store) for _ in range(3)]
    done = make_order(session, store=store, state=OrderState.COMPLETED)
    make_order(session)
    path = f"/staff/stores/{store.id}/orders"

    first = desk.get(f"{path}?limit=2").get_json()
    second = desk.get(f"{path}?limit=2&cursor={first['next_cursor']}").get_json()
    completed = desk.get(f"{path}?state=completed").get_json()

    shown = [item["number"] for page in (first, second) for item in page["items"]]
    assert shown == [order.number for order in reversed(orders)]
    assert second["next_cursor"] is None
    assert [item["number"] for item in completed["items"]] == [done.number]


def test_what_belongs_to_another_store_is_the_same_as_nothing(
    session: Session, desk: Phone
) -> None:
    foreign = make_order(session)

    with nothing_moves(session):
        answers = [
            desk.get(f"/staff/stores/{foreign.store_id}/orders"),
            desk.get("/staff/stores/999999/orders"),
            desk.get(f"/staff/orders/{foreign.number}"),
            desk.get(f"/staff/orders/{NOBODYS}"),
            complete(desk, foreign.number),
            complete(desk, NOBODYS),
        ]

    codes = [answer.get_json()["code"] for answer in answers]
    assert codes == ["store_not_found"] * 2 + ["order_not_found"] * 4
    assert {answer.status_code for answer in answers} == {404}


def test_staff_of_all_stores_find_every_order_and_no_store_that_is_none(
    session: Session, phone: Phone
) -> None:
    owner = make_staff(session, "owner")
    session.add(StaffBinding(staff_id=owner.id, member_id=phone.member_id, bound_at=utc_now()))
    order = make_order(session)

    assert phone.get(f"/staff/orders/{order.number}").status_code == 200
    assert_problem(phone.get("/staff/stores/999999/orders"), 404, "store_not_found")
    assert phone.get("/staff/me").get_json()["sees_all_stores"] is True


def test_the_counter_sees_whose_order_it_is_without_the_whole_number(
    session: Session, desk: Phone, store: Store, phone_of: Callable[..., Phone]
) -> None:
    order, _ = buyers_order(session, phone_of, store)

    shown = desk.get(f"/staff/orders/{order.number}").get_json()

    assert shown["order"]["number"] == order.number
    assert shown["customer"] == {"nickname": "小美", "phone": "+86****1111"}


def test_a_scan_finds_the_order_and_hands_it_over(
    session: Session, desk: Phone, li: Staff, store: Store, phone_of: Callable[..., Phone]
) -> None:
    order, buyer = buyers_order(session, phone_of, store)
    shown = buyer.post(f"/orders/{order.number}/pickup-code")
    code = shown.get_json()["code"]

    found = desk.post("/staff/pickups", {"pickup_code": code})
    done = complete(desk, order.number, code)

    assert shown.status_code == 201
    left = datetime.fromisoformat(shown.get_json()["expires_at"]) - datetime.now(UTC)
    assert timedelta(0) < left <= timedelta(seconds=60)
    assert found.status_code == 200
    assert found.get_json()["order"]["number"] == order.number
    assert (done.status_code, done.get_json()["state"]) == (201, "completed")
    trail = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "order_completed")
    ).one()
    assert (trail.actor_kind, trail.actor_id, trail.store_id) == ("staff", li.id, store.id)
    assert trail.request_id == done.headers["X-Request-Id"]
    assert trail.after == {"state": "completed", "proof": "pickup_code"}
    step = session.scalars(
        sa.select(OrderStep).where(OrderStep.order_id == order.id).order_by(OrderStep.id.desc())
    ).first()
    assert step is not None
    assert step.actor == f"staff:{li.id}"


def test_the_same_hand_over_again_is_answered_the_same_and_done_once(
    session: Session, desk: Phone, store: Store
) -> None:
    order, key = make_order(session, store=store), new_key()
    first = complete(desk, order.number, key=key)

    with nothing_moves(session):
        again = complete(desk, order.number, key=key)
        anew = complete(desk, order.number)

    assert first.data == again.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert_problem(anew, 409, "order_not_in_state")


def test_a_code_does_not_serve_twice_late_touched_or_for_others(
    session: Session, desk: Phone, store: Store, phone_of: Callable[..., Phone]
) -> None:
    order, buyer = buyers_order(session, phone_of, store)
    other = make_order(session, store=store)
    used = buyer.post(f"/orders/{order.number}/pickup-code").get_json()["code"]
    assert complete(desk, order.number, used).status_code == 201
    now, number, owner_id = utc_now(), other.number, other.member_id
    late = pickup_codes.show(f"order:{number}", member_id=owner_id, now=now - timedelta(seconds=61))
    good = str(pickup_codes.show(f"order:{number}", member_id=owner_id, now=now))
    touched = good[:-1] + ("0" if good[-1] != "0" else "1")
    thief = pickup_codes.show(f"order:{number}", member_id=buyer.member_id, now=now)
    session.commit()

    with nothing_moves(session):
        answers = [complete(desk, number, str(one)) for one in (used, late, touched, thief)]
        replayed = complete(desk, order.number, used)

    assert [one.get_json()["code"] for one in answers] == [
        "pickup_code_invalid",
        "pickup_code_expired",
        "pickup_code_invalid",
        "pickup_code_invalid",
    ]
    assert_problem(replayed, 409, "order_not_in_state")
    assert complete(desk, number, good).status_code == 201


def test_a_code_of_another_store_is_found_by_nobody_here(
    session: Session, desk: Phone, phone_of: Callable[..., Phone]
) -> None:
    order, buyer = buyers_order(session, phone_of, make_store(session))
    code = buyer.post(f"/orders/{order.number}/pickup-code").get_json()["code"]

    response = desk.post("/staff/pickups", {"pickup_code": code})

    assert_problem(response, 404, "order_not_found")


def test_nobody_hands_over_their_own_order_or_one_of_their_customers(
    session: Session, li: Staff, store: Store, phone_of: Callable[..., Phone]
) -> None:
    me = make_member(session)
    distributor = make_distributor(session, me)
    desk = phone_of(me)
    session.add(StaffBinding(staff_id=li.id, member_id=me.id, bound_at=utc_now()))
    own = make_order(session, store=store, member=me)
    of_customer = make_order(session, store=store, owner=distributor)
    session.commit()
    code = desk.post(f"/orders/{own.number}/pickup-code").get_json()["code"]

    with nothing_moves(session):
        answers = [
            complete(desk, own.number),
            complete(desk, own.number, code),
            complete(desk, of_customer.number),
        ]

    for answer in answers:
        assert_problem(answer, 403, "own_handover")


def test_there_is_nothing_to_pick_up_before_it_is_paid_or_after_it_was(
    session: Session, phone_of: Callable[..., Phone], store: Store
) -> None:
    order, buyer = buyers_order(session, phone_of, store, state=OrderState.COMPLETED)

    response = buyer.post(f"/orders/{order.number}/pickup-code")

    assert_problem(response, 409, "pickup_not_offered")


def test_a_day_shows_what_one_did_today_and_nothing_of_others(
    session: Session, desk: Phone, store: Store
) -> None:
    numbers = []
    for price_fen in (1_000, 2_000, 3_000):
        order = make_order(session, store=store, price_fen=price_fen)
        numbers.append(order.number)
        assert complete(desk, order.number).status_code == 201

    first = desk.get("/staff/today?limit=2").get_json()
    second = desk.get(f"/staff/today?limit=2&cursor={first['next_cursor']}").get_json()

    assert (first["handover_count"], first["paid_fen"]) == (3, 6_000)
    items = [*first["items"], *second["items"]]
    assert [item["number"] for item in items] == numbers[::-1]
    assert {item["proof"] for item in items} == {"staff_word"}
    assert second["next_cursor"] is None
