"""Who may have how much back, and who has to agree."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import Actor, AuditRecord
from app.orders import services
from app.orders.errors import (
    OrderLineNotFound,
    OrderNotFound,
    OrderNotInState,
    RefundExceedsRest,
    RefundInvalid,
    RefundNotFound,
    RefundNotInState,
    RefundsExhausted,
    RefundTooLate,
)
from app.orders.models import Fulfilment, Order, Refund
from app.orders.pricing import WantedRefund
from app.orders.services import RefundWish
from app.orders.states import OrderState, RefundState
from app.settings import Settings
from tests.factories.orders import LineOf, make_goods, make_order, make_product, make_refund
from tests.factories.people import make_staff, make_store

ALL = RefundWish(reason="changed my mind")


def buyer(order: Order) -> Actor:
    return Actor("member", order.member_id)


def amounts(order: Order) -> tuple[int, int]:
    return order.refunding_fen, order.refunded_fen


def three_pieces(session: Session, *, state: OrderState = OrderState.PAID) -> Order:
    """An order of three pieces for 100 fen after a discount, and one service for 50."""
    store = make_store(session)
    goods = LineOf(product=make_goods(session, store, price_fen=50), quantity=3, net_fen=100)
    service = LineOf(product=make_product(session, price_fen=50))
    return make_order(session, store=store, lines=[goods, service], state=state)


def test_before_the_hand_over_nobody_has_to_agree(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = three_pieces(session)

    refund = services.request_refund(
        session, order.id, wish=ALL, actor=buyer(order), settings=settings, now=now
    )

    parts = [(part.quantity, part.amount_fen) for part in refund.lines]
    assert (refund.state, refund.amount_fen, refund.due_at) == (RefundState.APPROVED, 150, now)
    assert parts == [(3, 100), (1, 50)]
    assert refund.returns_stock is True
    assert amounts(order) == (150, 0)
    assert [line.refunding_fen for line in order.lines] == [100, 50]


@pytest.mark.parametrize("state", [OrderState.COMPLETED, OrderState.SETTLED])
def test_after_the_hand_over_staff_agree_and_say_what_becomes_of_the_goods(
    session: Session, settings: Settings, now: datetime, state: OrderState
) -> None:
    order = three_pieces(session, state=state)
    actor = Actor("staff", make_staff(session).id)

    refund = services.request_refund(
        session, order.id, wish=ALL, actor=buyer(order), settings=settings, now=now
    )
    asked_for = (refund.state, refund.due_at, refund.returns_stock)
    services.approve_refund(session, refund.id, actor=actor, returns_stock=True, now=now)

    entry = session.scalars(sa.select(AuditRecord)).one()
    assert asked_for == (RefundState.REQUESTED, None, False)
    assert (refund.state, refund.due_at, refund.returns_stock) == (RefundState.APPROVED, now, True)
    assert (entry.action, entry.subject_id, entry.store_id) == (
        "refund_approved",
        refund.id,
        order.store_id,
    )


def test_a_member_cannot_decide_that_goods_came_back(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = three_pieces(session, state=OrderState.COMPLETED)
    wish = RefundWish(returns_stock=True)

    refund = services.request_refund(
        session, order.id, wish=wish, actor=buyer(order), settings=settings, now=now
    )

    assert refund.returns_stock is False


def test_what_is_with_a_courier_is_not_in_our_hands(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = three_pieces(session)
    order.fulfilment = Fulfilment.DELIVERY
    session.flush()

    refund = services.request_refund(
        session, order.id, wish=ALL, actor=buyer(order), settings=settings, now=now
    )

    assert (refund.state, refund.returns_stock) == (RefundState.REQUESTED, False)


def test_settings_may_want_staff_to_agree_always(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = three_pieces(session)
    strict = replace(settings, refund_auto_approve=False)

    refund = services.request_refund(
        session, order.id, wish=ALL, actor=buyer(order), settings=strict, now=now
    )

    assert (refund.state, amounts(order)) == (RefundState.REQUESTED, (150, 0))


def test_pieces_and_amounts_of_chosen_lines_go_back(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = three_pieces(session)
    goods, service = order.lines
    wish = RefundWish(lines=[WantedRefund(goods.id, 2), WantedRefund(service.id, 0, 20)])

    refund = services.request_refund(
        session, order.id, wish=wish, actor=buyer(order), settings=settings, now=now
    )

    assert [(part.quantity, part.amount_fen) for part in refund.lines] == [(2, 66), (0, 20)]
    assert (goods.refunding_fen, service.refunding_fen, order.refunding_fen) == (66, 20, 86)


def test_refunds_under_way_count_in_money_and_in_pieces(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = three_pieces(session)
    goods = order.lines[0]
    wish = RefundWish(lines=[WantedRefund(goods.id, 2)])
    services.request_refund(
        session, order.id, wish=wish, actor=buyer(order), settings=settings, now=now
    )

    with pytest.raises(RefundExceedsRest):
        services.request_refund(
            session, order.id, wish=wish, actor=buyer(order), settings=settings, now=now
        )
    last = services.request_refund(
        session, order.id, wish=ALL, actor=buyer(order), settings=settings, now=now
    )

    assert [(part.quantity, part.amount_fen) for part in last.lines] == [(1, 34), (1, 50)]
    assert order.refunding_fen == 150


def test_a_rejected_request_frees_its_amount(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = three_pieces(session, state=OrderState.COMPLETED)
    actor = Actor("staff", make_staff(session).id)
    refund = services.request_refund(
        session, order.id, wish=ALL, actor=buyer(order), settings=settings, now=now
    )

    services.reject_refund(session, refund.id, actor=actor, reason="used up", now=now)

    entry = session.scalars(sa.select(AuditRecord)).one()
    assert (refund.state, refund.ended_at) == (RefundState.REJECTED, now)
    assert amounts(order) == (0, 0)
    assert (entry.action, entry.reason) == ("refund_rejected", "used up")


@pytest.mark.parametrize(
    "state", [state for state in RefundState if state is not RefundState.REQUESTED]
)
def test_each_decision_is_taken_once(session: Session, now: datetime, state: RefundState) -> None:
    order = make_order(session)
    refund = make_refund(session, order, state=state)
    before = amounts(order)

    with pytest.raises(RefundNotInState):
        services.reject_refund(session, refund.id, actor=Actor("staff", 1), reason="", now=now)
    with pytest.raises(RefundNotInState):
        services.approve_refund(session, refund.id, actor=Actor("staff", 1), now=now)

    assert (refund.state, amounts(order)) == (state, before)


@pytest.mark.parametrize("state", [OrderState.CREATED, OrderState.CLOSED, OrderState.REFUNDED])
def test_where_there_is_no_money_none_goes_back(
    session: Session, settings: Settings, now: datetime, state: OrderState
) -> None:
    order = make_order(session, state=state)
    before = amounts(order)

    with pytest.raises(OrderNotInState):
        services.request_refund(
            session, order.id, wish=ALL, actor=buyer(order), settings=settings, now=now
        )

    assert amounts(order) == before


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ([], RefundInvalid),
        ([(0, 0, None)], RefundInvalid),
        ([(0, -1, None)], RefundInvalid),
        ([(0, 0, -5)], RefundInvalid),
        ([(0, 0, 101)], RefundExceedsRest),
        ([(0, 0, 10**18)], RefundExceedsRest),
        ([(0, 4, None)], RefundExceedsRest),
        ([(0, 1, None), (0, 1, None)], RefundInvalid),
        ([(9, 1, None)], OrderLineNotFound),
    ],
)
def test_what_cannot_go_back_is_refused_and_reserves_nothing(
    session: Session,
    settings: Settings,
    now: datetime,
    wanted: list[tuple[int, int, int | None]],
    error: type[Exception],
) -> None:
    order = three_pieces(session)
    first = order.lines[0].id
    lines = [WantedRefund(first + line, pieces, fen) for line, pieces, fen in wanted]
    wish = RefundWish(lines=lines)

    with pytest.raises(error):
        services.request_refund(
            session, order.id, wish=wish, actor=buyer(order), settings=settings, now=now
        )

    assert amounts(order) == (0, 0)
    assert session.scalars(sa.select(Refund)).all() == []


def test_nothing_left_is_nothing_to_ask_for(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = three_pieces(session)
    make_refund(session, order, state=RefundState.SENT)

    with pytest.raises(RefundExceedsRest):
        services.request_refund(
            session, order.id, wish=ALL, actor=buyer(order), settings=settings, now=now
        )


def test_shipping_goes_back_with_the_last_of_the_order(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session, price_fen=1_000, shipping_fen=80)

    refund = services.request_refund(
        session, order.id, wish=ALL, actor=buyer(order), settings=settings, now=now
    )

    assert (refund.amount_fen, sum(part.amount_fen for part in refund.lines)) == (1_080, 1_000)


def test_an_order_is_refunded_fifty_times_at_most(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session, price_fen=100)
    line_id = order.lines[0].id
    for _ in range(49):
        make_refund(session, order, amounts={line_id: 1}, state=RefundState.FAILED)
    make_refund(session, order, amounts={line_id: 1}, state=RefundState.REJECTED)
    wish = RefundWish(lines=[WantedRefund(line_id, 0, 1)])

    services.request_refund(
        session, order.id, wish=wish, actor=buyer(order), settings=settings, now=now
    )
    with pytest.raises(RefundsExhausted):
        services.request_refund(
            session, order.id, wish=wish, actor=buyer(order), settings=settings, now=now
        )

    assert order.refunding_fen == 1


def test_a_payment_can_be_refunded_for_a_year(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session, now=now)
    wish = RefundWish(lines=[WantedRefund(order.lines[0].id, 0, 1)])
    year = timedelta(days=365)

    services.request_refund(
        session, order.id, wish=wish, actor=buyer(order), settings=settings, now=now + year
    )
    with pytest.raises(RefundTooLate):
        services.request_refund(
            session,
            order.id,
            wish=wish,
            actor=buyer(order),
            settings=settings,
            now=now + year + timedelta(seconds=1),
        )


def test_money_that_came_too_late_can_be_asked_for_again_after_a_failure(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session, state=OrderState.PAID_LATE)
    first = session.scalars(sa.select(Refund)).one()
    first.state = RefundState.FAILED
    order.refunding_fen = order.lines[0].refunding_fen = 0
    session.flush()

    refund = services.request_refund(
        session,
        order.id,
        wish=ALL,
        actor=Actor("staff", make_staff(session).id),
        settings=settings,
        now=now,
    )

    assert (refund.state, refund.amount_fen, refund.returns_stock) == (
        RefundState.APPROVED,
        10_000,
        False,
    )


def test_the_unknown_is_not_found(session: Session, settings: Settings, now: datetime) -> None:
    with pytest.raises(OrderNotFound):
        services.request_refund(
            session, 10**9, wish=ALL, actor=Actor("member", 1), settings=settings, now=now
        )
    with pytest.raises(RefundNotFound):
        services.approve_refund(session, 10**9, actor=Actor("staff", 1), now=now)
