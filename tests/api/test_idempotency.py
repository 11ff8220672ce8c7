from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.idempotency import IdempotencyRecord
from app.orders.models import Order, Refund
from tests.api.conftest import Phone, assert_problem, new_key, nothing_moves
from tests.factories.orders import make_goods, make_order
from tests.factories.people import make_member, make_store


@pytest.fixture
def basket(session: Session) -> dict[str, Any]:
    store = make_store(session)
    goods = make_goods(session, store)
    return {
        "store_id": store.id,
        "fulfilment": "pickup",
        "lines": [{"product_id": goods.id, "quantity": 1}],
    }


def test_the_same_request_again_gets_the_same_answer_and_acts_once(
    session: Session, phone: Phone, basket: dict[str, Any]
) -> None:
    key = new_key()
    first = phone.post("/orders", basket, key=key)

    with nothing_moves(session):
        again = phone.post("/orders", dict(reversed(basket.items())), key=key)

    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == 1


def test_the_same_key_with_another_body_is_refused(
    session: Session, phone: Phone, basket: dict[str, Any]
) -> None:
    key = new_key()
    phone.post("/orders", basket, key=key)

    with nothing_moves(session):
        response = phone.post("/orders", basket | {"fulfilment": "delivery"}, key=key)

    assert_problem(response, 422, "idempotency_key_reused")


def test_two_people_may_use_the_same_key(
    session: Session, phone_of: Callable[..., Phone], basket: dict[str, Any]
) -> None:
    key = new_key()

    numbers = {
        phone_of(make_member(session)).post("/orders", basket, key=key).get_json()["number"]
        for _ in range(2)
    }

    assert len(numbers) == 2


def test_the_same_key_for_another_order_is_another_request(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    buyer = make_member(session)
    orders = [make_order(session, member=buyer) for _ in range(2)]
    phone, key = phone_of(buyer), new_key()

    for order in orders:
        response = phone.post(f"/orders/{order.number}/refunds", {}, key=key)
        assert response.status_code == 201

    refunded = session.scalars(sa.select(Refund.order_id).order_by(Refund.id)).all()
    assert refunded == [order.id for order in orders]


def test_a_refused_request_leaves_its_key_free(
    session: Session, phone: Phone, basket: dict[str, Any]
) -> None:
    key = new_key()
    refused = phone.post("/orders", basket | {"store_id": 2**62}, key=key)
    assert_problem(refused, 404, "store_not_found")
    assert session.scalars(sa.select(IdempotencyRecord)).all() == []

    response = phone.post("/orders", basket, key=key)

    assert response.status_code == 201


@pytest.mark.commits
def test_fifty_hands_on_one_key_make_one_order(
    session: Session, phone: Phone, basket: dict[str, Any]
) -> None:
    session.commit()
    key = new_key()

    with ThreadPoolExecutor(max_workers=16) as pool:
        answers = list(pool.map(lambda _: phone.post("/orders", basket, key=key), range(50)))

    made = {answer.data for answer in answers if answer.status_code == 201}
    busy = [answer for answer in answers if answer.status_code == 409]
    assert len(made) == 1
    assert len(busy) + sum(answer.status_code == 201 for answer in answers) == 50
    for answer in busy:
        assert_problem(answer, 409, "request_in_progress")
    assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == 1
    assert phone.post("/orders", basket, key=key).data in made
