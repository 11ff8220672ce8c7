"""Every endpoint × members and staff × own, foreign and absent rows.

What is expected comes from the permission table and from where the rows are: a foreign row is
answered like an absent one, and an own row is found.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from sqlalchemy.orm import Session

from app.guest_cards.redeeming import show_code
from app.kernel.clock import utc_now
from app.orders.models import Order
from app.settings import Settings
from app.stores.models import Region, Role, Staff, Store
from app.stores.permissions import Permission, RoleName, allowed_by
from app.stores.staff_mode_models import StaffBinding
from miniprogram_api.endpoints.staff import CODE_SHOWN
from miniprogram_api.endpoints.staff_redeeming import SHOWN
from tests.api.belongings import belongings_of_somebody
from tests.api.conftest import Phone, assert_problem
from tests.api.endpoints import OF_SOMEBODY, OF_STAFF, ask
from tests.factories.guest_cards import (
    claimed_card,
    make_friend,
    missable_booking,
)
from tests.factories.guest_cards import make_template as make_card_template
from tests.factories.orders import make_order
from tests.factories.people import make_member, make_staff, make_store

OWN_ROLE: Final = "Observer"
OWN_PERMISSIONS: Final = ("staff.mode", "orders.view")
REACHES: Final = ("one-store", "region", "all-stores")
ABSENT_NUMBER: Final = "T20260301ABCDEF"
ABSENT_CODE: Final = CODE_SHOWN
ABSENT_CARD: Final = SHOWN.replace("card:44", "card:999999")
CLOSED: Final = 403


@dataclass(frozen=True, slots=True)
class Counter:
    """A store with an order to hand over, and the code that the buyer shows for it."""

    store: Store
    order: Order
    code: str
    card_code: str
    booking_id: int


@pytest.fixture
def counters(
    session: Session, phone_of: Callable[..., Phone], settings: Settings
) -> dict[str, Counter]:
    """One store, another in its region, and one elsewhere."""
    near, far = Region(name="Near"), Region(name="Far")
    session.add_all([near, far])
    session.flush()
    return {
        name: counter_of(session, phone_of, settings, name, region)
        for name, region in (("here", near), ("beside", near), ("there", far))
    }


def counter_of(
    session: Session,
    phone_of: Callable[..., Phone],
    settings: Settings,
    name: str,
    region: Region,
) -> Counter:
    store = make_store(session, name)
    store.region_id = region.id
    buyer = make_member(session, nickname=f"Buyer {name}")
    order = make_order(session, member=buyer, store=store)
    friend = make_friend(session, nickname=f"Buyer {name}")
    template = make_card_template(session, store=store)
    card = claimed_card(session, settings, member=friend, template=template, now=utc_now())
    booking = missable_booking(session, card, store, now=utc_now())
    session.commit()
    shown = phone_of(buyer).post(f"/orders/{order.number}/pickup-code")
    card_code = show_code(session, card.id, None, member_id=friend.id, now=utc_now())
    return Counter(store, order, shown.get_json()["code"], str(card_code), booking.id)


def staff_with(session: Session, role: str, reach: str, here: Store) -> Staff:
    if role == OWN_ROLE:
        session.add(Role(name=OWN_ROLE, permissions=list(OWN_PERMISSIONS)))
        session.flush()
    own = [here] if reach == "one-store" else []
    person = make_staff(session, role, stores=own, sees_all_stores=reach == "all-stores")
    if reach == "region":
        person.regions = [session.get_one(Region, here.region_id)]
    return person


@pytest.mark.parametrize("reach", REACHES)
@pytest.mark.parametrize("role", [*RoleName, OWN_ROLE])
def test_staff_mode_opens_to_each_role_exactly_the_orders_of_its_stores(
    session: Session,
    phone: Phone,
    counters: dict[str, Counter],
    role: str,
    reach: str,
    tally: Callable[[int], None],
) -> None:
    person = staff_with(session, role, reach, counters["here"].store)
    session.add(StaffBinding(staff_id=person.id, member_id=phone.member_id, bound_at=utc_now()))
    session.commit()
    allowed = allowed_by(role, OWN_PERMISSIONS if role == OWN_ROLE else ())
    seen = {"here": True, "beside": reach != "one-store", "there": reach == "all-stores"}

    compared = 0
    for name in ("there", "beside", "here"):
        for way in ways(counters[name]):
            answer = ask(phone, way.endpoint, way.path, **way.more)
            status = way.found if seen[name] else 404
            expected = status if way.needs <= allowed else CLOSED
            assert answer.status_code == expected, f"{way.endpoint} {name}: {answer.get_json()}"
            assert f"Buyer {name}" not in answer.get_data(as_text=True) or expected == way.found
            compared += 1
    for way in absent_ways():
        answer = ask(phone, way.endpoint, way.path, **way.more)
        assert answer.status_code == (404 if way.needs <= allowed else CLOSED), way.endpoint
        compared += 1
    for path in ("/staff/me", "/staff/today"):
        answer = phone.get(path)
        assert answer.status_code == (200 if Permission.STAFF_MODE in allowed else CLOSED)
        compared += 1

    tally(compared)


@dataclass(frozen=True)
class Way:
    """One question about a counter, what it takes, and the answer where the row is one's own."""

    endpoint: Any
    path: str
    needs: frozenset[Permission]
    found: int
    more: dict[str, Any]


REDEEMS: Final = frozenset({Permission.STAFF_MODE, Permission.REDEEM})
SEES_CARDS: Final = frozenset({Permission.STAFF_MODE, Permission.CARDS_VIEW})
LOOKS: Final = frozenset({Permission.STAFF_MODE, Permission.ORDERS_VIEW})
HANDS_OVER: Final = frozenset({Permission.STAFF_MODE, Permission.ORDERS_COMPLETE})


def ways(counter: Counter) -> Iterator[Way]:
    """Yield every question about an order or a store; the last one hands the order over."""
    yield from _ways(counter.order.number, counter.store.id, counter.code)
    yield from _card_ways(counter.store.id, counter.card_code, counter.booking_id)


def absent_ways() -> Iterator[Way]:
    yield from _ways(ABSENT_NUMBER, 999_999, ABSENT_CODE)
    yield from _card_ways(999_999, ABSENT_CARD, 999_999)


def _ways(number: str, store_id: int, code: str) -> Iterator[Way]:
    known = {str(one): one for one in OF_STAFF}
    told: dict[str, tuple[frozenset[Permission], int, dict[str, Any]]] = {
        "GET /api/v1/staff/stores/<id:store_id>/orders": (LOOKS, 200, {}),
        "GET /api/v1/staff/orders/<number:number>": (LOOKS, 200, {}),
        "POST /api/v1/staff/pickups": (LOOKS, 200, {"json": {"pickup_code": code}}),
        "POST /api/v1/staff/orders/<number:number>/completion": (HANDS_OVER, 201, {"json": {}}),
    }
    own = {"GET /api/v1/staff/me", "GET /api/v1/staff/today"}
    assert set(known) == set(told) | own | OF_CARDS, "an endpoint of staff mode is in no matrix"
    for name, (needs, found, more) in told.items():
        endpoint = known[name]
        path = endpoint.path(number=number, store_id=str(store_id))
        yield Way(endpoint, path, needs, found, more)


OF_CARDS: Final = {
    "GET /api/v1/staff/stores/<id:store_id>/bookings",
    "POST /api/v1/staff/bookings/<id:card_booking_id>/no-show",
    "POST /api/v1/staff/redemptions/look",
    "POST /api/v1/staff/redemptions",
}


def _card_ways(store_id: int, code: str, booking_id: int) -> Iterator[Way]:
    known = {str(one): one for one in OF_STAFF}
    redeem = {"json": {"code": code, "store_id": store_id}}
    told: dict[str, tuple[frozenset[Permission], int, dict[str, Any]]] = {
        "GET /api/v1/staff/stores/<id:store_id>/bookings": (SEES_CARDS, 200, {}),
        "POST /api/v1/staff/bookings/<id:card_booking_id>/no-show": (REDEEMS, 200, {}),
        "POST /api/v1/staff/redemptions/look": (REDEEMS, 200, {"json": {"code": code}}),
        "POST /api/v1/staff/redemptions": (REDEEMS, 201, redeem),
    }
    assert set(told) == OF_CARDS
    for name, (needs, found, more) in told.items():
        path = known[name].path(store_id=str(store_id), card_booking_id=str(booking_id))
        yield Way(known[name], path, needs, found, more)


@pytest.fixture
def belongings(
    session: Session, settings: Settings, phone_of: Callable[..., Phone]
) -> tuple[Phone, dict[str, str]]:
    """Somebody, and one of each thing of theirs that can be named in a path."""
    return belongings_of_somebody(session, settings, phone_of)


@pytest.mark.parametrize("endpoint", OF_SOMEBODY, ids=str)
def test_members_find_what_is_theirs_and_nobody_else_does(
    belongings: tuple[Phone, dict[str, str]],
    seller: Phone,
    endpoint: Any,
    tally: Callable[[int], None],
) -> None:
    own, named = belongings
    path = endpoint.path(**named)

    foreign = ask(seller, endpoint, path)
    absent = ask(seller, endpoint)
    found = ask(own, endpoint, path)

    assert_problem(foreign, 404, absent.get_json()["code"])
    assert absent.status_code == 404
    assert found.status_code != 500
    assert (found.get_json(silent=True) or {}).get("code") != absent.get_json()["code"]
    tally(3)
