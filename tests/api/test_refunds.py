from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.members.models import Member
from app.orders.models import Order, Refund
from app.orders.states import OrderState
from tests.api.conftest import Phone, assert_problem, new_key, nothing_moves
from tests.factories.orders import LineOf, make_goods, make_order
from tests.factories.people import make_member, make_store


@pytest.fixture
def buyer(session: Session, phone_of: Callable[..., Phone]) -> Phone:
    return phone_of(make_member(session))


@pytest.fixture
def order(session: Session, buyer: Phone) -> Order:
    """Three pieces for a hundred fen together, paid and not picked up."""
    store = make_store(session)
    goods = make_goods(session, store, price_fen=34)
    lines = [LineOf(product=goods, quantity=3, net_fen=100)]
    return make_order(session, member=_member(session, buyer), store=store, lines=lines)


def _member(session: Session, phone: Phone) -> Member:
    return session.get_one(Member, phone.member_id)


def test_some_pieces_go_back_for_what_they_are_worth(
    session: Session, buyer: Phone, order: Order
) -> None:
    line_id = order.lines[0].id
    body = {"reason": "不想要了", "lines": [{"order_line_id": line_id, "quantity": 1}]}

    response = buyer.post(f"/orders/{order.number}/refunds", body, key=new_key())

    assert response.status_code == 201
    shown = response.get_json()
    assert (shown["amount_fen"], shown["reason"], shown["state"]) == (33, "不想要了", "approved")
    assert shown["lines"] == [{"order_line_id": line_id, "quantity": 1, "amount_fen": 33}]
    assert buyer.get(f"/orders/{order.number}/refunds").get_json() == {"items": [shown]}
    assert buyer.get(f"/orders/{order.number}").get_json()["refunding_fen"] == 33


def test_several_refunds_add_up_to_what_was_paid_and_no_more(
    session: Session, buyer: Phone, order: Order
) -> None:
    body = {"lines": [{"order_line_id": order.lines[0].id, "quantity": 1}]}

    amounts = [
        buyer.post(f"/orders/{order.number}/refunds", body, key=new_key()).get_json()["amount_fen"]
        for _ in range(3)
    ]

    assert amounts == [33, 33, 34]
    with nothing_moves(session):
        response = buyer.post(f"/orders/{order.number}/refunds", body, key=new_key())
    assert_problem(response, 409, "refund_exceeds_rest")


def test_all_that_is_left_goes_back_where_no_lines_are_named(
    session: Session, buyer: Phone, order: Order
) -> None:
    shown = buyer.post(f"/orders/{order.number}/refunds", {}, key=new_key()).get_json()

    assert shown["amount_fen"] == 100
    assert session.scalars(sa.select(Refund.requested_by)).all() == [f"member:{buyer.member_id}"]


def test_an_amount_is_not_for_the_buyer_to_name(
    session: Session, buyer: Phone, order: Order
) -> None:
    line = {"order_line_id": order.lines[0].id, "quantity": 1, "amount_fen": 100}

    with nothing_moves(session):
        response = buyer.post(f"/orders/{order.number}/refunds", {"lines": [line]}, key=new_key())

    assert_problem(response, 422, "invalid_request", "/lines/0/amount_fen")


def test_a_line_of_another_order_is_not_found(session: Session, buyer: Phone, order: Order) -> None:
    foreign = make_order(session).lines[0].id

    for line_id in (foreign, 2**63 - 1):
        body = {"lines": [{"order_line_id": line_id, "quantity": 1}]}
        with nothing_moves(session):
            response = buyer.post(f"/orders/{order.number}/refunds", body, key=new_key())
        assert_problem(response, 404, "order_line_not_found")


def test_a_line_named_twice_is_refused(session: Session, buyer: Phone, order: Order) -> None:
    line = {"order_line_id": order.lines[0].id, "quantity": 1}

    with nothing_moves(session):
        response = buyer.post(
            f"/orders/{order.number}/refunds", {"lines": [line, line]}, key=new_key()
        )

    assert_problem(response, 422, "refund_invalid")


@pytest.mark.parametrize("state", [OrderState.CREATED, OrderState.CLOSED, OrderState.REFUNDED])
def test_an_order_without_money_gives_none_back(
    session: Session, buyer: Phone, state: OrderState
) -> None:
    order = make_order(session, member=_member(session, buyer), state=state)

    with nothing_moves(session):
        response = buyer.post(f"/orders/{order.number}/refunds", {}, key=new_key())

    assert_problem(response, 409, "order_not_in_state")


def test_what_was_handed_over_waits_for_the_stores_approval(session: Session, buyer: Phone) -> None:
    order = make_order(session, member=_member(session, buyer), state=OrderState.COMPLETED)

    shown = buyer.post(f"/orders/{order.number}/refunds", {}, key=new_key()).get_json()

    assert shown["state"] == "requested"
