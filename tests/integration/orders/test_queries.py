"""Members see their own orders, staff those of their stores, and the story is whole."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.orders import queries
from app.orders.errors import OrderNotFound
from app.orders.models import Order
from app.orders.states import OrderState, RefundState
from tests.factories.orders import make_order, make_refund
from tests.factories.people import make_member, make_store


def test_pages_go_from_the_newest_down_without_gap_or_repeat(session: Session) -> None:
    member = make_member(session)
    orders = [make_order(session, member=member) for _ in range(5)]
    make_order(session)

    first = queries.orders_page(session, member.id, limit=2)
    second = queries.orders_page(session, member.id, after_id=first[-1].id, limit=2)
    third = queries.orders_page(session, member.id, after_id=second[-1].id, limit=2)

    ids = [row.id for page in (first, second, third) for row in page]
    assert ids == [order.id for order in reversed(orders)]
    assert [len(row.lines) for row in first] == [1, 1]


def test_a_page_can_be_of_some_states_only(session: Session) -> None:
    member = make_member(session)
    made = {state: make_order(session, member=member, state=state) for state in OrderState}

    wanted = (OrderState.PAID, OrderState.CLOSED)
    page = queries.orders_page(session, member.id, limit=10, states=wanted)

    assert [row.id for row in page] == [made[OrderState.CLOSED].id, made[OrderState.PAID].id]


def test_another_member_s_order_is_the_same_as_none(session: Session) -> None:
    order = make_order(session)

    assert queries.order_for_member(session, order.number, order.member_id).id == order.id
    for number, member_id in ((order.number, order.member_id + 1), ("T0", order.member_id)):
        with pytest.raises(OrderNotFound):
            queries.order_for_member(session, number, member_id)


def test_the_story_of_an_order_tells_everything_in_its_order(session: Session) -> None:
    order = make_order(session, state=OrderState.COMPLETED)
    line_id = order.lines[0].id
    first = make_refund(session, order, amounts={line_id: 1}, state=RefundState.FAILED)
    second = make_refund(session, order, amounts={line_id: 2})

    story = queries.order_story(session, order.id)

    assert [step.event for step in story.steps] == ["pay", "complete"]
    assert story.payment is not None
    assert [one.refund.id for one in story.refunds] == [first.id, second.id]
    assert [[step.event for step in one.steps] for one in story.refunds] == [
        ["approve", "send", "fail"],
        ["approve", "send", "succeed"],
    ]
    assert [part.amount_fen for part in story.refunds[1].refund.lines] == [2]


def test_staff_see_the_orders_of_their_stores_and_of_no_other(session: Session) -> None:
    here, there = make_store(session), make_store(session)
    own, foreign = make_order(session, store=here), make_order(session, store=there)

    visible = session.scalars(sa.select(Order.id).where(queries.in_stores({here.id}))).all()

    assert visible == [own.id]
    assert queries.order_story(session, own.id, store_ids={here.id}).order.id == own.id
    with pytest.raises(OrderNotFound):
        queries.order_story(session, foreign.id, store_ids={here.id})
    with pytest.raises(OrderNotFound):
        queries.order_story(session, own.id, store_ids=frozenset())


def test_who_sees_all_stores_sees_all_orders(session: Session) -> None:
    orders = {make_order(session).id for _ in range(2)}

    assert set(session.scalars(sa.select(Order.id).where(queries.in_stores(None)))) == orders


def test_refunds_are_found_for_a_page_of_orders_at_once(session: Session) -> None:
    with_two, without = make_order(session), make_order(session)
    line_id = with_two.lines[0].id
    made = [make_refund(session, with_two, amounts={line_id: fen}).id for fen in (1, 2)]

    found = queries.refunds_of(session, [with_two.id, without.id])

    assert [row.id for row in found[with_two.id]] == made
    assert found[without.id] == []
