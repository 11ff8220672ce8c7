"""What every other test starts from holds the invariants."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import StockLevel
from app.orders.models import Order, OrderLine, OrderStep, Refund
from app.orders.states import OrderState, RefundState
from tests.factories.orders import LineOf, make_goods, make_order, make_product, make_refund
from tests.factories.people import make_binding, make_store, make_team

LEFT_OF_TEN = {
    OrderState.CREATED: (10, 3),
    OrderState.PAID: (7, 0),
    OrderState.COMPLETED: (7, 0),
    OrderState.SETTLED: (7, 0),
    OrderState.CLOSED: (10, 0),
    OrderState.PAID_LATE: (10, 0),
    OrderState.REFUNDED: (10, 0),
}


@pytest.mark.parametrize("state", list(OrderState))
def test_an_order_arrives_in_the_wanted_state_and_its_stock_with_it(
    session: Session, state: OrderState
) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=10)

    order = make_order(
        session,
        store=store,
        lines=[LineOf(product=goods, quantity=3), LineOf(product=make_product(session))],
        state=state,
    )

    session.expire_all()
    last = session.scalar(
        sa.select(OrderStep.to_state)
        .where(OrderStep.order_id == order.id)
        .order_by(OrderStep.id.desc())
        .limit(1)
    )
    level = session.get_one(StockLevel, (goods.id, store.id))
    assert order.state == state
    assert last == (None if state is OrderState.CREATED else state)
    assert (level.on_hand, level.reserved) == LEFT_OF_TEN[state]


@pytest.mark.parametrize("state", list(RefundState))
def test_a_refund_arrives_in_the_wanted_state_and_its_amounts_with_it(
    session: Session, state: RefundState
) -> None:
    order = make_order(session, price_fen=10_000)
    line_id = order.lines[0].id

    refund = make_refund(session, order, amounts={line_id: 2_500}, state=state)

    session.expire_all()
    line = session.get_one(OrderLine, line_id)
    order = session.get_one(Order, order.id)
    refunded = 2_500 if state is RefundState.SUCCEEDED else 0
    ended = {RefundState.SUCCEEDED, RefundState.FAILED, RefundState.REJECTED}
    refunding = 0 if state in ended else 2_500
    assert session.get_one(Refund, refund.id).state == state
    assert (line.refunded_fen, line.refunding_fen) == (refunded, refunding)
    assert (order.refunded_fen, order.refunding_fen) == (refunded, refunding)


def test_a_paid_order_holds_the_line_of_people_above_its_owner(session: Session) -> None:
    top, middle, owner = make_team(session, 3)
    binding = make_binding(session, owner=owner)

    order = make_order(session, binding=binding)

    assert order.upline is not None
    assert [seat["member_id"] for seat in order.upline] == [
        order.member_id,
        owner.member_id,
        middle.member_id,
        top.member_id,
    ]
    assert [seat["standing"] for seat in order.upline] == [None, "active", "active", "active"]
