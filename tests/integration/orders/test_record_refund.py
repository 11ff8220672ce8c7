"""What WeChat says of refunds ends in one state, however often and in whatever order it comes."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import StockLevel
from app.kernel.inbox import InboxNotice, Received
from app.kernel.outbox import OutboxEvent
from app.orders import queries
from app.orders.models import Order, OrderLine, Payment, Refund
from app.orders.services import record_refund
from app.orders.states import OrderState, RefundState
from app.orders.values import RefundOutcome
from app.settings import Settings
from app.wechat.values import RefundReport
from app.wechat.values import RefundState as Reported
from tests.factories.orders import (
    LineOf,
    make_goods,
    make_order,
    make_product,
    make_refund,
    offer,
    refund_report,
)
from tests.factories.people import make_store


def notice(refund: Refund, notice_id: str = "notice-1") -> Received:
    return Received(notice_id, "REFUND.SUCCESS", refund.number)


def events(session: Session) -> list[tuple[str, int]]:
    rows = session.scalars(sa.select(OutboxEvent).order_by(OutboxEvent.id))
    return [(row.name, row.subject_id) for row in rows]


def test_a_refund_of_everything_ends_the_order_and_returns_its_goods(
    session: Session, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=10)
    lines = [LineOf(product=goods, quantity=4), LineOf(product=make_product(session))]
    order = make_order(session, store=store, lines=lines)
    refund = make_refund(session, order, state=RefundState.SENT)
    report = refund_report(session, refund)

    outcome = record_refund(report, received=notice(refund), settings=settings, now=now)

    story = queries.order_story(session, order.id)
    level = session.get_one(StockLevel, (goods.id, store.id))
    assert outcome == RefundOutcome.SUCCEEDED
    assert (story.order.state, story.order.refunded_fen) == (OrderState.REFUNDED, 50_000)
    assert story.order.refunding_fen == 0
    assert [(line.refunded_quantity, line.refunded_fen) for line in story.order.lines] == [
        (4, 40_000),
        (1, 10_000),
    ]
    assert story.refunds[0].refund.state is RefundState.SUCCEEDED
    assert (story.refunds[0].refund.ended_at, story.refunds[0].refund.due_at) == (now, None)
    assert (level.on_hand, level.reserved) == (10, 0)
    assert events(session) == [("refund_succeeded", refund.id)]
    assert [row.outcome for row in story.notices] == ["succeeded"]


def test_a_refund_in_part_leaves_the_order_where_it_stands(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session, state=OrderState.COMPLETED)
    refund = make_refund(session, order, amounts={order.lines[0].id: 2_500}, state=RefundState.SENT)

    record_refund(refund_report(session, refund), received=None, settings=settings, now=now)

    order = session.get_one(Order, order.id)
    assert (order.state, order.refunded_fen, order.refunding_fen) == (
        OrderState.COMPLETED,
        2_500,
        0,
    )
    assert events(session) == [("refund_succeeded", refund.id)]


def test_goods_that_were_handed_over_stay_away_unless_staff_say_otherwise(
    session: Session, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=10)
    on_hand = []
    for came_back in (False, True):
        order = make_order(
            session,
            store=store,
            lines=[LineOf(product=goods, quantity=2)],
            state=OrderState.COMPLETED,
        )
        refund = make_refund(session, order, state=RefundState.SENT)
        refund.returns_stock = came_back
        session.flush()
        record_refund(refund_report(session, refund), received=None, settings=settings, now=now)
        on_hand.append(session.get_one(StockLevel, (goods.id, store.id)).on_hand)

    assert on_hand == [8, 8]


def test_repeats_of_every_kind_change_nothing(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session)
    refund = make_refund(session, order, state=RefundState.SENT)
    report = refund_report(session, refund)
    record_refund(report, received=notice(refund), settings=settings, now=now)
    later = now + timedelta(hours=1)

    again = [
        record_refund(report, received=received, settings=settings, now=later)
        for received in (notice(refund), notice(refund, "notice-2"), None)
    ]

    assert again == [RefundOutcome.REPEATED] * 3
    assert session.get_one(Refund, refund.id).ended_at == now
    assert session.get_one(Order, order.id).refunded_fen == 10_000
    assert len(events(session)) == 1


@pytest.mark.parametrize(
    "order_of_news",
    list(permutations([Reported.PROCESSING, Reported.ABNORMAL, Reported.SUCCESS])),
)
def test_news_in_any_order_end_in_the_same_state(
    session: Session, settings: Settings, now: datetime, order_of_news: tuple[Reported, ...]
) -> None:
    order = make_order(session)
    refund = make_refund(session, order, state=RefundState.SENT)

    for state in order_of_news:
        report = refund_report(session, refund, state)
        record_refund(report, received=None, settings=settings, now=now)

    assert session.get_one(Refund, refund.id).state is RefundState.SUCCEEDED
    assert session.get_one(Order, order.id).state is OrderState.REFUNDED
    assert events(session) == [("refund_succeeded", refund.id)]
    assert queries.open_breaks(session) == []


def test_a_refund_that_wechat_closed_frees_its_amount(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session)
    refund = make_refund(session, order, state=RefundState.SENT)
    report = refund_report(session, refund, Reported.CLOSED)

    outcome = record_refund(report, received=None, settings=settings, now=now)

    order = session.get_one(Order, order.id)
    line = session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id)).one()
    assert outcome == RefundOutcome.FAILED
    assert (order.state, order.refunding_fen, order.refunded_fen) == (OrderState.PAID, 0, 0)
    assert (line.refunding_fen, line.refunded_fen) == (0, 0)
    assert events(session) == []


def test_a_refund_that_cannot_be_received_stays_reserved_and_visible(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session)
    refund = make_refund(session, order, state=RefundState.SENT)
    report = refund_report(session, refund, Reported.ABNORMAL)

    outcome = record_refund(report, received=None, settings=settings, now=now)

    stuck = queries.stuck_refunds(session)
    assert outcome == RefundOutcome.ABNORMAL
    assert [row.id for row in stuck] == [refund.id]
    assert stuck[0].due_at is not None
    assert stuck[0].due_at > now
    assert session.get_one(Order, order.id).refunding_fen == 10_000


def test_what_wechat_is_at_work_on_is_asked_for_later(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session)
    refund = make_refund(session, order, state=RefundState.SENT)
    report = refund_report(session, refund, Reported.PROCESSING)

    outcome = record_refund(report, received=None, settings=settings, now=now)

    row = session.get_one(Refund, refund.id)
    assert (outcome, row.state) == (RefundOutcome.WAITING, RefundState.SENT)
    assert row.due_at is not None
    assert row.due_at >= now + timedelta(seconds=settings.refund_query_seconds)


def test_what_is_stuck_is_asked_for_ever_more_rarely(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session)
    refund = make_refund(session, order, state=RefundState.ABNORMAL)
    refund.attempts = 20
    session.flush()
    report = refund_report(session, refund, Reported.ABNORMAL)

    outcome = record_refund(report, received=None, settings=settings, now=now)

    due_at = session.get_one(Refund, refund.id).due_at
    assert outcome == RefundOutcome.REPEATED
    assert due_at is not None
    assert due_at >= now + timedelta(hours=1)


def test_news_of_a_refund_that_waits_for_a_decision_make_nothing_due(
    session: Session, settings: Settings, now: datetime
) -> None:
    refund = make_refund(session, make_order(session), state=RefundState.REQUESTED)
    report = refund_report(session, refund, Reported.PROCESSING)

    record_refund(report, received=None, settings=settings, now=now)

    assert session.get_one(Refund, refund.id).due_at is None


@pytest.mark.parametrize(
    "state", [Reported.UNKNOWN, Reported.NOT_FOUND, Reported.NOT_NOW, Reported.REFUSED]
)
def test_not_knowing_changes_nothing(
    session: Session, settings: Settings, now: datetime, state: Reported
) -> None:
    order = make_order(session)
    refund = make_refund(session, order, state=RefundState.SENT)
    report = RefundReport(out_refund_no=refund.number, state=state)

    outcome = record_refund(report, received=None, settings=settings, now=now)

    row = session.get_one(Refund, refund.id)
    assert (outcome, row.state, row.due_at) == (RefundOutcome.WAITING, RefundState.SENT, now)
    assert session.get_one(Order, order.id).refunding_fen == 10_000


@pytest.mark.parametrize(
    "difference",
    [
        {"refund_fen": 9_999},
        {"refund_fen": None},
        {"total_fen": 1},
        {"currency": "USD"},
        {"out_trade_no": "T0000000000000000"},
        {"transaction_id": "4200-another"},
    ],
)
@pytest.mark.parametrize("state", [Reported.SUCCESS, Reported.CLOSED])
def test_what_does_not_fit_the_refund_changes_nothing_and_is_kept(
    session: Session,
    settings: Settings,
    now: datetime,
    difference: dict[str, Any],
    state: Reported,
) -> None:
    order = make_order(session)
    refund = make_refund(session, order, state=RefundState.SENT)
    report = refund_report(session, refund, state, **difference)

    outcome = record_refund(report, received=notice(refund), settings=settings, now=now)

    assert outcome == RefundOutcome.MISMATCH
    assert session.get_one(Refund, refund.id).state is RefundState.SENT
    assert session.get_one(Order, order.id).refunding_fen == 10_000
    assert events(session) == []
    assert [row.outcome for row in queries.open_breaks(session)] == ["mismatch"]


def test_a_copy_of_a_notice_that_did_not_fit_is_old_news(
    session: Session, settings: Settings, now: datetime
) -> None:
    refund = make_refund(session, make_order(session), state=RefundState.SENT)
    report = refund_report(session, refund, total_fen=1)

    outcomes = [
        record_refund(report, received=notice(refund), settings=settings, now=now) for _ in range(2)
    ]

    assert outcomes == [RefundOutcome.MISMATCH, RefundOutcome.REPEATED]
    assert len(queries.open_breaks(session)) == 1


@pytest.mark.parametrize(
    ("ended", "news"),
    [
        (RefundState.FAILED, Reported.SUCCESS),
        (RefundState.REJECTED, Reported.SUCCESS),
        (RefundState.SUCCEEDED, Reported.CLOSED),
        (RefundState.REQUESTED, Reported.SUCCESS),
        (RefundState.APPROVED, Reported.SUCCESS),
    ],
)
def test_what_contradicts_our_books_changes_nothing_and_is_kept(
    session: Session,
    settings: Settings,
    now: datetime,
    ended: RefundState,
    news: Reported,
) -> None:
    order = make_order(session)
    refund = make_refund(session, order, state=ended)
    before = (order.refunding_fen, order.refunded_fen)

    outcome = record_refund(
        refund_report(session, refund, news), received=None, settings=settings, now=now
    )

    order = session.get_one(Order, order.id)
    assert outcome == RefundOutcome.CONTRADICTION
    assert session.get_one(Refund, refund.id).state is ended
    assert (order.refunding_fen, order.refunded_fen) == before
    assert [row.outcome for row in queries.open_breaks(session)] == ["contradiction"]


def test_a_refund_that_is_not_ours_is_kept_and_its_unpaid_order_asked_for(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session, state=OrderState.CREATED)
    offer(session, order, now=now)
    report = RefundReport(
        out_refund_no="R-made-by-hand",
        state=Reported.SUCCESS,
        refund_id="5030",
        out_trade_no=order.number,
        transaction_id="4200",
        refund_fen=10_000,
        total_fen=10_000,
        currency="CNY",
    )
    received = Received("notice-1", "REFUND.SUCCESS", "R-made-by-hand")

    outcomes = [
        record_refund(report, received=received, settings=settings, now=now) for _ in range(2)
    ]

    assert outcomes == [RefundOutcome.UNKNOWN_REFUND] * 2
    assert session.get_one(Payment, order.id).due_at == now
    assert len(session.scalars(sa.select(InboxNotice)).all()) == 1
    assert [row.outcome for row in queries.open_breaks(session)] == ["unknown_refund"]


def test_money_that_came_too_late_and_went_back_ends_the_order(
    session: Session, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=10)
    order = make_order(
        session, store=store, lines=[LineOf(product=goods)], state=OrderState.PAID_LATE
    )
    refund = session.scalars(sa.select(Refund)).one()
    refund.state = RefundState.SENT
    session.flush()

    record_refund(refund_report(session, refund), received=None, settings=settings, now=now)

    assert session.get_one(Order, order.id).state is OrderState.REFUNDED
    assert session.get_one(StockLevel, (goods.id, store.id)).on_hand == 10


def test_a_late_payment_whose_refund_fails_is_on_the_list_of_money_kept(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session, state=OrderState.PAID_LATE)
    refund = session.scalars(sa.select(Refund)).one()
    refund.state = RefundState.SENT
    session.flush()

    report = refund_report(session, refund, Reported.CLOSED)
    record_refund(report, received=None, settings=settings, now=now)

    assert [row.id for row in queries.late_money_kept(session)] == [order.id]
