"""Taking part in activities from the mini-program."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities.bargain_models import BargainCut
from app.activities.models import ActivityEntry, ActivityItem
from app.activities.states import ActivityKind, ActivityState
from app.orders.models import Order
from app.stores.models import Store
from tests.api.conftest import Phone, assert_problem, new_key
from tests.factories.activities import make_activity, make_deal
from tests.factories.orders import make_goods
from tests.factories.people import make_member, make_store

Sign = Callable[..., Phone]


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session)


def item_of(session: Session, store: Store, kind: ActivityKind, **rules: object) -> ActivityItem:
    return make_deal(session, store, kind, rules=rules)


def test_a_store_shows_what_takes_place_there_now(
    session: Session, store: Store, phone: Phone
) -> None:
    goods = make_goods(session, store)
    here = make_activity(session, products=[goods], stores=[store], stock=3)
    make_activity(session, products=[goods], stores=[make_store(session)])
    make_activity(session, products=[goods], state=ActivityState.DRAFT)
    make_activity(session, products=[goods], state=ActivityState.ENDED)
    make_activity(session, ActivityKind.GROUP_BUY, products=[goods])

    shown = phone.get(f"/stores/{store.id}/activities?kind=flash_sale").get_json()["items"]
    everything = phone.get(f"/stores/{store.id}/activities").get_json()["items"]

    assert [one["id"] for one in shown] == [here.id]
    assert len(everything) == 2
    assert shown[0]["is_open"] is True
    assert shown[0]["rules"]["pay_seconds"] == 300
    assert shown[0]["items"] == [
        {
            "id": here.items[0].id,
            "product_id": goods.id,
            "title": goods.title,
            "regular_fen": 10_000,
            "price_fen": 5_000,
            "stock": 3,
            "left": 3,
        }
    ]


def test_a_draft_is_as_absent(session: Session, store: Store, phone: Phone) -> None:
    goods = make_goods(session, store)
    draft = make_activity(session, products=[goods], state=ActivityState.DRAFT)
    over = make_activity(session, products=[goods], state=ActivityState.ENDED)

    assert_problem(phone.get(f"/activities/{draft.id}"), 404, "activity_not_found")
    assert phone.get(f"/activities/{over.id}").get_json()["is_open"] is False


def test_a_flash_order_is_made_once_however_often_it_is_sent(
    session: Session, store: Store, phone: Phone
) -> None:
    item = item_of(session, store, ActivityKind.FLASH_SALE)
    key, body = new_key(), {"store_id": store.id, "fulfilment": "pickup"}

    first = phone.post(f"/activity-items/{item.id}/orders", body, key=key)
    again = phone.post(f"/activity-items/{item.id}/orders", body, key=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert first.get_json()["payable_fen"] == 5_000
    assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == 1
    mine = phone.get("/me/activities").get_json()["items"]
    assert [(one["kind"], one["order_number"]) for one in mine] == [
        ("flash_sale", first.get_json()["number"])
    ]


def test_what_is_sold_out_says_so(session: Session, store: Store, phone: Phone) -> None:
    item = item_of(session, store, ActivityKind.FLASH_SALE)
    item.sold = item.stock
    session.commit()

    answer = phone.post(
        f"/activity-items/{item.id}/orders",
        {"store_id": store.id, "fulfilment": "pickup"},
        key=new_key(),
    )

    assert_problem(answer, 409, "activity_sold_out")
    assert session.scalar(sa.select(sa.func.count()).select_from(ActivityEntry)) == 0


def test_a_group_is_opened_shared_and_joined(
    session: Session, store: Store, phone_of: Sign
) -> None:
    item = item_of(session, store, ActivityKind.GROUP_BUY, size=2)
    leader, friend = phone_of(make_member(session)), phone_of(make_member(session))
    opened = leader.post(
        f"/activity-items/{item.id}/groups",
        {"store_id": store.id, "fulfilment": "pickup"},
        key=new_key(),
    ).get_json()
    code = opened["group"]["code"]
    seen = friend.get(f"/groups/{code}").get_json()

    joined = friend.post(f"/groups/{code}/orders", {"fulfilment": "pickup"}, key=new_key())
    third = phone_of(make_member(session)).post(
        f"/groups/{code}/orders", {"fulfilment": "pickup"}, key=new_key()
    )

    assert opened["order"]["payable_fen"] == 5_000
    assert (seen["free"], [seat["is_yours"] for seat in seen["seats"]]) == (1, [False])
    assert joined.status_code == 201
    assert joined.get_json()["group"]["free"] == 0
    assert_problem(third, 409, "group_full")
    assert [one["group_code"] for one in friend.get("/me/activities").get_json()["items"]] == [code]


def test_a_bargain_is_started_cut_and_bought_and_its_seed_told_at_the_end_only(
    session: Session, store: Store, phone_of: Sign
) -> None:
    item = item_of(session, store, ActivityKind.BARGAIN, parts=2)
    owner, friend = phone_of(make_member(session)), phone_of(make_member(session))
    begun = owner.post(
        f"/activity-items/{item.id}/bargains", {"store_id": store.id}, key=new_key()
    ).get_json()
    code = begun["code"]

    key = new_key()
    cut = friend.post(f"/bargains/{code}/cuts", {}, key=key)
    repeated = friend.post(f"/bargains/{code}/cuts", {}, key=key)
    again = friend.post(f"/bargains/{code}/cuts", {}, key=new_key())
    foreign = friend.post(f"/bargains/{code}/orders", {"fulfilment": "pickup"}, key=new_key())
    bought = owner.post(f"/bargains/{code}/orders", {"fulfilment": "pickup"}, key=new_key())

    assert cut.get_json() == repeated.get_json()
    assert_problem(again, 409, "bargain_cut_already")
    assert_problem(foreign, 404, "bargain_not_found")
    assert bought.get_json()["payable_fen"] == 10_000 - cut.get_json()["amount_fen"]
    shown = friend.get(f"/bargains/{code}").get_json()
    assert (shown["seed"], len(shown["commitment"])) == (None, 64)
    assert session.scalar(sa.select(sa.func.count()).select_from(BargainCut)) == 1


def test_an_activity_that_has_not_begun_takes_nobody(
    session: Session, store: Store, phone: Phone
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    item = make_deal(
        session,
        store,
        ActivityKind.GROUP_BUY,
        state=ActivityState.SCHEDULED,
        starts_at=soon,
    )

    answer = phone.post(
        f"/activity-items/{item.id}/groups",
        {"store_id": store.id, "fulfilment": "pickup"},
        key=new_key(),
    )

    assert_problem(answer, 409, "activity_not_open")
