"""What members see of plans."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import shareholders
from app.distribution.gifts import GiftOrderRefunded, give
from app.distribution.plan_records import Gift, GiftState
from app.engines.shareholders.holdings import HoldingState
from app.kernel.audit import Actor
from app.kernel.db import database_now
from app.members.models import Standing
from app.orders.states import OrderState
from tests.api.conftest import Phone, assert_problem
from tests.factories.orders import NOON, make_order, paid_order
from tests.factories.people import make_distributor, make_store
from tests.factories.plans import make_plan
from tests.integration.distribution.cases import award

STAFF = Actor("staff", 1)


def test_anybody_reads_the_rules_of_plans_in_force_in_both_languages(
    session: Session, phone: Phone
) -> None:
    store = make_store(session)
    make_plan(session, scope={"store_ids": [store.id]})
    make_plan(session, model="CHAIN_2_1", scope={"store_ids": [store.id + 1]})
    ahead = NOON + timedelta(days=9_999)
    make_plan(session, model="THREE_FISSION", at=ahead, scope={"store_ids": [store.id + 2]})

    items = phone.get("/plans").get_json()["items"]

    assert [item["model"] for item in items] == ["CHANNEL_TWO_LEVEL", "CHAIN_2_1"]
    english = [sentence["en"] for sentence in items[0]["rules"]]
    assert "Commission on a line is at most 30% of what was paid for it." in english
    assert "Nobody earns on their own purchases." in english
    assert items[0]["agreement_version"] == "2026-1"


def test_a_place_is_told_by_its_model(session: Session, phone_of: Callable[..., Phone]) -> None:
    version = make_plan(session, model="SHARING_SHAREHOLDERS")
    store, person = make_store(session), make_distributor(session)
    session.commit()
    now = database_now()
    shareholders.grant(store.id, person.member_id, level=2, actor=STAFF, now=now)
    phone = phone_of(person)

    [place] = phone.get("/distributor/places").get_json()["items"]

    assert (place["plan_id"], place["number"]) == (version.plan_id, store.id)
    assert place["sentences"][0]["en"] == f"You hold a seat at store {store.id}: Gold."
    [holding] = phone.get("/distributor/holdings").get_json()["items"]
    assert (holding["state"], holding["level"], holding["spent_fen"]) == ("ACTIVE", 2, 0)


def test_a_distributor_asks_for_a_seat_once(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    make_plan(session, model="SHARING_SHAREHOLDERS", entry_mode="REVIEW")
    store, person = make_store(session), make_distributor(session)
    phone = phone_of(person)

    first = phone.post(f"/distributor/holdings/{store.id}", json=None)
    second = phone.post(f"/distributor/holdings/{store.id}", json=None)

    assert (first.status_code, first.get_json()["state"]) == (201, HoldingState.WAITING)
    assert_problem(second, 409, "holding_refused")


def test_a_seat_is_refused_where_there_is_no_plan_or_no_standing(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    here, elsewhere = make_store(session), make_store(session)
    make_plan(session, model="SHARING_SHAREHOLDERS", scope={"store_ids": [here.id]})
    frozen = phone_of(make_distributor(session, standing=Standing.FROZEN))
    active = phone_of(make_distributor(session))

    no_plan = active.post(f"/distributor/holdings/{elsewhere.id}", json=None)
    no_standing = frozen.post(f"/distributor/holdings/{here.id}", json=None)

    assert_problem(no_plan, 404, "no_shareholder_plan")
    assert_problem(no_standing, 409, "only_distributors")


def test_what_was_not_earned_is_listed_with_its_reason(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    version = make_plan(session)
    owner = make_distributor(session, standing=Standing.FROZEN)
    order = paid_order(session, owner=owner, plan_version_id=version.id)
    award(session, order, now=NOON)

    [refusal] = phone_of(owner).get("/distributor/refusals").get_json()["items"]

    assert (refusal["reason"], refusal["order_number"]) == ("FROZEN", order.number)
    assert refusal["explanation"][0]["en"] == (
        f"Member #{owner.member_id} was frozen when the order was paid."
    )


def test_a_round_of_new_customers_brings_a_gift_that_is_handed_over_once(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    version = make_plan(session, model="THREE_FISSION")
    owner = make_distributor(session)
    for _ in range(3):
        order = make_order(
            session,
            owner=owner,
            state=OrderState.SETTLED,
            plan_version_id=version.id,
        )
        award(session, order, now=NOON + timedelta(minutes=1))
    phone = phone_of(owner)

    [gift] = phone.get("/distributor/gifts").get_json()["items"]

    assert (gift["kind"], gift["state"]) == ("ROUND", "due")
    give(session, gift["id"], actor=STAFF, now=NOON)
    assert phone.get("/distributor/gifts").get_json()["items"][0]["state"] == "given"
    assert session.get_one(Gift, gift["id"]).ended_at == NOON


def test_a_gift_of_an_order_that_was_refunded_is_not_handed_over(session: Session) -> None:
    version = make_plan(
        session,
        model="THREE_FISSION",
        newcomer_gift={"form": "COUPON", "item": "新客券", "amount": 1},
    )
    order = make_order(
        session,
        owner=make_distributor(session),
        state=OrderState.SETTLED,
        plan_version_id=version.id,
    )
    award(session, order, now=NOON + timedelta(minutes=1))
    gift = session.scalars(sa.select(Gift)).one()
    order.state = OrderState.REFUNDED
    session.flush()

    with pytest.raises(GiftOrderRefunded):
        give(session, gift.id, actor=STAFF, now=NOON)

    assert gift.state == GiftState.DUE
