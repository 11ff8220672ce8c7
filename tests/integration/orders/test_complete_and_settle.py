"""After the hand-over the after-sale window runs; when it is over the order settles."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM, Actor, AuditRecord
from app.kernel.outbox import OutboxEvent
from app.orders import queries, services
from app.orders.errors import OrderNotFound, OrderNotInState, RefundUnderWay
from app.orders.models import Order
from app.orders.states import OrderState, RefundState
from app.settings import Settings
from tests.factories.orders import make_order, make_refund
from tests.factories.people import make_staff

WEEK = timedelta(days=7)


def events(session: Session) -> list[tuple[str, int]]:
    rows = session.scalars(sa.select(OutboxEvent).order_by(OutboxEvent.id))
    return [(row.name, row.subject_id) for row in rows]


def test_handing_over_starts_the_after_sale_window(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session)

    services.complete(session, order.number, actor=SYSTEM, settings=settings, now=now)

    window = timedelta(seconds=settings.after_sale_seconds)
    assert order.state is OrderState.COMPLETED
    assert (order.completed_at, order.after_sale_until_at) == (now, now + window)
    assert events(session) == [("order_completed", order.id)]


def test_what_staff_hand_over_is_audited_in_their_store(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session)
    actor = Actor("staff", make_staff(session).id)

    services.complete(session, order.id, actor=actor, settings=settings, now=now)

    entry = session.scalars(sa.select(AuditRecord)).one()
    assert (entry.action, entry.subject_id, entry.store_id, entry.actor_id) == (
        "order_completed",
        order.id,
        order.store_id,
        actor.id,
    )


@pytest.mark.parametrize("state", [state for state in OrderState if state is not OrderState.PAID])
def test_only_a_paid_order_is_handed_over(
    session: Session, settings: Settings, now: datetime, state: OrderState
) -> None:
    order = make_order(session, state=state)

    with pytest.raises(OrderNotInState):
        services.complete(session, order.id, actor=SYSTEM, settings=settings, now=now)

    assert session.get_one(Order, order.id).state is state
    assert events(session) == []


def test_an_order_that_is_all_going_back_is_not_handed_over(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session)
    make_refund(session, order, state=RefundState.SENT)

    with pytest.raises(RefundUnderWay):
        services.complete(session, order.id, actor=SYSTEM, settings=settings, now=now)

    assert order.state is OrderState.PAID


def test_an_order_that_goes_back_in_part_is_handed_over(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session)
    make_refund(session, order, amounts={order.lines[0].id: 100}, state=RefundState.SENT)

    services.complete(session, order.id, actor=SYSTEM, settings=settings, now=now)

    assert order.state is OrderState.COMPLETED


def test_an_unknown_order_is_not_found(session: Session, settings: Settings, now: datetime) -> None:
    for unknown in ("T0", 10**9):
        with pytest.raises(OrderNotFound):
            services.complete(session, unknown, actor=SYSTEM, settings=settings, now=now)


def test_an_order_settles_at_the_end_of_its_window_and_not_before(
    session: Session, now: datetime
) -> None:
    order = make_order(session, state=OrderState.COMPLETED, now=now)

    early = services.settle_due(now=now + WEEK - timedelta(microseconds=1))
    in_time = services.settle_due(now=now + WEEK)
    again = services.settle_due(now=now + WEEK)

    story = queries.order_story(session, order.id)
    assert (early, in_time, again) == (0, 1, 0)
    assert (story.order.state, story.order.settled_at) == (OrderState.SETTLED, now + WEEK)
    assert [step.to_state for step in story.steps] == ["paid", "completed", "settled"]
    assert events(session) == [("order_settled", order.id)]


def test_the_window_of_an_order_does_not_follow_the_settings(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session)
    services.complete(session, order.id, actor=SYSTEM, settings=settings, now=now)
    session.commit()

    assert services.settle_due(now=now + timedelta(seconds=settings.after_sale_seconds - 1)) == 0
    assert session.get_one(Order, order.id).state is OrderState.COMPLETED


@pytest.mark.parametrize(
    "state", [RefundState.REQUESTED, RefundState.APPROVED, RefundState.SENT, RefundState.ABNORMAL]
)
def test_an_order_with_a_refund_under_way_waits(
    session: Session, now: datetime, state: RefundState
) -> None:
    order = make_order(session, state=OrderState.COMPLETED, now=now)
    make_refund(session, order, amounts={order.lines[0].id: 100}, state=state)

    assert services.settle_due(now=now + WEEK) == 0


def test_a_refund_that_is_over_holds_nothing_up(session: Session, now: datetime) -> None:
    states = [RefundState.SUCCEEDED, RefundState.FAILED, RefundState.REJECTED]
    for state in states:
        order = make_order(session, state=OrderState.COMPLETED, now=now)
        make_refund(session, order, amounts={order.lines[0].id: 100}, state=state)

    assert services.settle_due(now=now + WEEK) == 3
