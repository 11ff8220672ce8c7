"""Guest cards over the API: given, looked at, claimed, booked, shown and redeemed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.guest_cards.models import CardTemplate, CardUse, GuestCard
from app.kernel.clock import business_day, utc_now
from app.stores.models import Staff, Store
from app.stores.staff_mode_models import StaffBinding
from tests.api.conftest import Phone, assert_problem, new_key, nothing_moves
from tests.factories.guest_cards import make_friend, make_template, open_hours
from tests.factories.people import make_member, make_staff, make_store

DEVICE = {"device_id": "f0c1d7aa52"}


@pytest.fixture
def store(session: Session) -> Store:
    return open_hours(session, make_store(session, "静安店"))


@pytest.fixture
def template(session: Session, store: Store) -> CardTemplate:
    made = make_template(session, store=store, uses=2, quota=2)
    session.commit()
    return made


@pytest.fixture
def friend(session: Session, phone_of: Callable[..., Phone]) -> Phone:
    return phone_of(make_friend(session, nickname="小美"))


@pytest.fixture
def desk(session: Session, store: Store, phone_of: Callable[..., Phone]) -> Phone:
    li: Staff = make_staff(session, "front_desk", stores=[store])
    phone = phone_of(make_member(session))
    session.add(StaffBinding(staff_id=li.id, member_id=phone.member_id, bound_at=utc_now()))
    session.commit()
    return phone


def share(seller: Phone, template: CardTemplate) -> dict[str, Any]:
    answer = seller.post("/guest-cards/shares", {"template_id": template.id}, key=new_key())
    assert answer.status_code == 201, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def claim(friend: Phone, token: str, key: str = "") -> Any:
    return friend.post(f"/guest-cards/shared/{token}/claim", DEVICE, key=key or new_key())


def redeem(desk: Phone, code: str, store: Store) -> Any:
    return desk.post("/staff/redemptions", {"code": code, "store_id": store.id}, key=new_key())


def test_a_card_goes_from_giver_to_friend_to_counter(
    session: Session,
    seller: Phone,
    friend: Phone,
    desk: Phone,
    store: Store,
    template: CardTemplate,
) -> None:
    before = seller.get("/guest-cards/quotas").get_json()
    token = share(seller, template)["token"]
    seen = friend.post(f"/guest-cards/shared/{token}").get_json()
    mine = claim(friend, token).get_json()
    code = friend.post(f"/guest-cards/{mine['id']}/code", {}).get_json()["code"]
    found = desk.post("/staff/redemptions/look", {"code": code}).get_json()
    done = redeem(desk, code, store)

    assert [(one["granted"], one["left"]) for one in before["items"]] == [(2, 2)]
    assert (seen["state"], seen["is_mine"], seen["items"][0]["left"]) == ("shared", False, 2)
    assert (mine["state"], mine["store_ids"]) == ("claimed", [store.id])
    assert (found["kind"], found["left"], found["customer"]["nickname"]) == ("card", 2, "小美")
    assert (done.status_code, done.get_json()["left"]) == (201, 1)
    assert len(session.scalars(sa.select(CardUse)).all()) == 1
    after = seller.get("/guest-cards/quotas").get_json()
    assert (after["issued"], after["claimed"], after["used"]) == (1, 1, 1)
    given = seller.get("/guest-cards/given").get_json()["items"]
    assert [one["state"] for one in given] == ["claimed"]
    assert "小美" not in str(given)


def test_a_claim_that_is_sent_again_is_answered_the_same(
    session: Session, seller: Phone, friend: Phone, template: CardTemplate
) -> None:
    token, key = share(seller, template)["token"], new_key()
    first = claim(friend, token, key)

    with nothing_moves(session):
        again = claim(friend, token, key)

    assert first.data == again.data


def test_what_stands_in_the_way_of_a_claim_is_told(
    session: Session,
    seller: Phone,
    phone: Phone,
    friend: Phone,
    template: CardTemplate,
    phone_of: Callable[..., Phone],
) -> None:
    token = share(seller, template)["token"]
    existing = phone_of(make_friend(session, first_paid_at=utc_now()))

    with nothing_moves(session):
        assert_problem(claim(seller, token), 403, "own_card")
        assert_problem(claim(phone, token), 409, "card_phone_required")
        assert_problem(claim(existing, token), 403, "not_a_new_customer")
    assert claim(friend, token).status_code == 201
    assert_problem(claim(phone_of(make_friend(session)), token), 409, "card_taken")


def test_whoever_guesses_cards_is_shut_out_for_a_while(
    friend: Phone, seller: Phone, template: CardTemplate, settings_of: Callable[..., None]
) -> None:
    settings_of(code_misses_max=3)
    token = share(seller, template)["token"]

    misses = [friend.post(f"/guest-cards/shared/{'0' * 21}{one}") for one in range(3)]
    locked = friend.post(f"/guest-cards/shared/{token}")

    for miss in misses:
        assert_problem(miss, 404, "card_unknown")
    assert_problem(locked, 429, "cards_locked")
    assert_problem(claim(friend, token), 429, "cards_locked")


def test_a_friend_books_and_gives_the_time_back(
    seller: Phone, friend: Phone, desk: Phone, store: Store, template: CardTemplate
) -> None:
    card_id = claim(friend, share(seller, template)["token"]).get_json()["id"]
    day = business_day(utc_now()) + timedelta(days=1)
    slots = friend.get(f"/guest-cards/{card_id}/stores/{store.id}/slots?day={day}").get_json()
    wish = {"store_id": store.id, "from_at": slots["items"][0]["from_at"]}

    made = friend.post(f"/guest-cards/{card_id}/bookings", wish, key=new_key())
    listed = desk.get(f"/staff/stores/{store.id}/bookings?day={day}").get_json()["items"]
    too_early = desk.post(f"/staff/bookings/{made.get_json()['id']}/no-show")
    shown = friend.get(f"/guest-cards/{card_id}").get_json()
    gone = friend.delete(f"/guest-cards/bookings/{made.get_json()['id']}")

    assert len(slots["items"]) == 10
    assert made.status_code == 201
    assert [(one["customer"]["nickname"], one["state"]) for one in listed] == [("小美", "booked")]
    assert_problem(too_early, 409, "booking_not_begun")
    assert (shown["state"], shown["booking"]["store_id"]) == ("booked", store.id)
    assert gone.status_code == 204
    assert friend.get("/guest-cards").get_json()["items"][0]["booking"] is None


@pytest.mark.parametrize("from_at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_times_at_the_ends_of_the_calendar_are_not_offered(
    session: Session,
    seller: Phone,
    friend: Phone,
    store: Store,
    template: CardTemplate,
    from_at: str,
) -> None:
    card_id = claim(friend, share(seller, template)["token"]).get_json()["id"]
    wish = {"store_id": store.id, "from_at": from_at}

    with nothing_moves(session):
        answer = friend.post(f"/guest-cards/{card_id}/bookings", wish, key=new_key())

    assert_problem(answer, 422, "slot_not_offered")


def test_the_counter_takes_each_code_once_and_none_of_another_kind(
    session: Session,
    seller: Phone,
    friend: Phone,
    desk: Phone,
    store: Store,
    template: CardTemplate,
) -> None:
    card_id = claim(friend, share(seller, template)["token"]).get_json()["id"]
    code = friend.post(f"/guest-cards/{card_id}/code", {}).get_json()["code"]
    assert redeem(desk, code, store).status_code == 201
    tampered = code[:-1] + ("0" if code[-1] != "0" else "1")
    order = code.replace("card:", "order:")

    with nothing_moves(session):
        assert_problem(redeem(desk, code, store), 409, "pickup_code_spent")
        assert_problem(redeem(desk, tampered, store), 422, "pickup_code_invalid")
        assert_problem(redeem(desk, order, store), 422, "pickup_code_invalid")
        assert_problem(redeem(friend, code, store), 403, "staff_mode_closed")
    card: GuestCard = session.get_one(GuestCard, card_id)
    assert isinstance(card.first_used_at, datetime)
