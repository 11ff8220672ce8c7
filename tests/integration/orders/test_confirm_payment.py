"""One way leads to paid, once, for the right amount from the right person."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution.models import Binding, BindingState
from app.catalog.models import StockLevel
from app.kernel.inbox import InboxNotice, Received
from app.kernel.outbox import OutboxEvent
from app.members.models import Member, Standing
from app.orders import queries
from app.orders.models import Order, Payment
from app.orders.services import confirm_payment
from app.orders.states import OrderState, RefundState
from app.orders.values import PaymentOutcome, Seat
from app.settings import Settings
from app.wechat.values import PaymentState
from tests.factories.orders import LineOf, make_goods, make_order, offer, payment_report
from tests.factories.people import (
    make_binding,
    make_distributor,
    make_member,
    make_store,
    make_team,
)

OPENID = "openid-of-the-buyer"


def offered(session: Session, **facts: Any) -> Order:
    """An order that waits for its payment."""
    member = facts.pop("member", None) or make_member(session, openid=OPENID)
    order = make_order(session, member=member, state=OrderState.CREATED, **facts)
    offer(session, order)
    return order


def notice(order: Order, notice_id: str = "notice-1") -> Received:
    return Received(notice_id, "TRANSACTION.SUCCESS", order.number)


def events(session: Session) -> list[tuple[str, int]]:
    rows = session.scalars(sa.select(OutboxEvent).order_by(OutboxEvent.id))
    return [(row.name, row.subject_id) for row in rows]


def outcomes(session: Session) -> list[tuple[str, str]]:
    rows = session.scalars(sa.select(InboxNotice).order_by(InboxNotice.id))
    return [(row.notice_id, row.outcome) for row in rows]


def test_a_payment_makes_the_order_paid_once_and_for_all(
    session: Session, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=10)
    order = offered(session, store=store, lines=[LineOf(product=goods, quantity=4)])
    report = payment_report(order, openid=OPENID)

    outcome = confirm_payment(report, received=notice(order), settings=settings, now=now)

    order = session.get_one(Order, order.id)
    payment = session.get_one(Payment, order.id)
    level = session.get_one(StockLevel, (goods.id, store.id))
    assert outcome == PaymentOutcome.PAID
    assert (order.state, order.paid_fen, order.paid_at) == (OrderState.PAID, 40_000, now)
    assert (payment.wechat_transaction_id, payment.due_at) == (report.transaction_id, None)
    assert (level.on_hand, level.reserved) == (6, 0)
    assert session.get_one(Member, order.member_id).first_paid_at == now
    assert events(session) == [("order_paid", order.id)]
    assert outcomes(session) == [("notice-1", "paid")]


def test_repeats_of_every_kind_change_nothing(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = offered(session)
    report = payment_report(order, openid=OPENID)
    confirm_payment(report, received=notice(order), settings=settings, now=now)
    later = now + timedelta(hours=1)

    again = [
        confirm_payment(report, received=received, settings=settings, now=later)
        for received in (notice(order), notice(order, "notice-2"), None)
    ]

    order = session.get_one(Order, order.id)
    assert again == [PaymentOutcome.REPEATED] * 3
    assert order.paid_at == now
    assert events(session) == [("order_paid", order.id)]
    assert outcomes(session) == [("notice-1", "paid"), ("notice-2", "repeated")]


def test_the_first_payment_stays_the_first(
    session: Session, settings: Settings, now: datetime
) -> None:
    long_ago = now - timedelta(days=30)
    member = make_member(session, openid=OPENID, first_paid_at=long_ago)
    order = offered(session, member=member)

    confirm_payment(payment_report(order, openid=OPENID), received=None, settings=settings, now=now)

    assert session.get_one(Member, member.id).first_paid_at == long_ago


@pytest.mark.parametrize(
    "difference",
    [
        {"amount_fen": 9_999},
        {"amount_fen": 10_001},
        {"amount_fen": None},
        {"currency": "USD"},
        {"payer_openid": "openid-of-someone-else"},
        {"payer_openid": None},
        {"transaction_id": None},
    ],
)
def test_what_does_not_fit_the_order_changes_nothing_and_is_kept(
    session: Session, settings: Settings, now: datetime, difference: dict[str, Any]
) -> None:
    order = offered(session)
    report = payment_report(order, openid=OPENID, **difference)

    by_notice = confirm_payment(report, received=notice(order), settings=settings, now=now)
    by_query = confirm_payment(report, received=None, settings=settings, now=now)

    order = session.get_one(Order, order.id)
    assert {by_notice, by_query} == {PaymentOutcome.MISMATCH}
    assert (order.state, order.paid_fen, order.upline) == (OrderState.CREATED, 0, None)
    assert session.get_one(Payment, order.id).wechat_transaction_id is None
    assert session.get_one(Member, order.member_id).first_paid_at is None
    assert events(session) == []
    assert [row.outcome for row in queries.open_breaks(session)] == ["mismatch", "mismatch"]


def test_a_break_found_by_asking_is_kept_once(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = offered(session)
    report = payment_report(order, openid=OPENID, amount_fen=1)

    for _ in range(3):
        confirm_payment(report, received=None, settings=settings, now=now)

    assert len(queries.open_breaks(session)) == 1


def test_what_is_kept_of_a_notice_does_not_name_the_payer(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = offered(session)

    confirm_payment(
        payment_report(order, openid=OPENID), received=notice(order), settings=settings, now=now
    )

    kept = session.scalars(sa.select(InboxNotice)).one()
    assert OPENID not in str(kept.facts)
    assert kept.facts["amount_fen"] == 10_000


def test_a_second_transaction_for_a_paid_order_is_kept_for_people(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = offered(session)
    report = payment_report(order, openid=OPENID)
    confirm_payment(report, received=None, settings=settings, now=now)

    second = payment_report(order, openid=OPENID, transaction_id="4200-another")
    outcome = confirm_payment(second, received=notice(order), settings=settings, now=now)

    payment = session.get_one(Payment, order.id)
    assert outcome == PaymentOutcome.SECOND_TRANSACTION
    assert payment.wechat_transaction_id == report.transaction_id
    assert [row.outcome for row in queries.open_breaks(session)] == ["second_transaction"]
    assert events(session) == [("order_paid", order.id)]


def test_a_payment_of_an_order_we_never_offered_is_kept_for_people(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session, state=OrderState.CREATED)
    unknown = payment_report(order, openid=OPENID, out_trade_no="T0000000000000000")
    never_offered = payment_report(order, openid=OPENID)

    results = [
        confirm_payment(report, received=notice(order, name), settings=settings, now=now)
        for name, report in (("one", unknown), ("two", never_offered))
    ]

    assert results == [PaymentOutcome.UNKNOWN_ORDER] * 2
    assert session.get_one(Order, order.id).state is OrderState.CREATED
    assert len(queries.open_breaks(session)) == 2


@pytest.mark.parametrize(
    "state",
    [
        PaymentState.UNKNOWN,
        PaymentState.NOT_FOUND,
        PaymentState.NOT_NOW,
        PaymentState.NOT_PAID,
        PaymentState.CLOSED,
    ],
)
def test_anything_but_paid_changes_nothing(
    session: Session, settings: Settings, now: datetime, state: PaymentState
) -> None:
    order = offered(session)
    report = payment_report(order, openid=OPENID, state=state, transaction_id=None)

    outcome = confirm_payment(report, received=None, settings=settings, now=now)

    assert outcome == PaymentOutcome.NOT_PAID
    assert session.get_one(Order, order.id).state is OrderState.CREATED
    assert outcomes(session) == []


def test_a_payment_that_was_refunded_elsewhere_since_is_still_a_payment(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = offered(session)
    report = payment_report(order, openid=OPENID, state=PaymentState.REFUNDED)

    assert confirm_payment(report, received=None, settings=settings, now=now) == "paid"


def test_money_for_a_closed_order_is_booked_and_sent_back(
    session: Session, settings: Settings, now: datetime
) -> None:
    store, member = make_store(session), make_member(session, openid=OPENID)
    goods = make_goods(session, store, on_hand=10)
    order = make_order(
        session,
        member=member,
        store=store,
        lines=[LineOf(product=goods, quantity=4)],
        state=OrderState.CLOSED,
    )
    offer(session, order)

    outcome = confirm_payment(
        payment_report(order, openid=OPENID), received=notice(order), settings=settings, now=now
    )

    story = queries.order_story(session, order.id)
    refund = story.refunds[0].refund
    level = session.get_one(StockLevel, (goods.id, store.id))
    assert outcome == PaymentOutcome.PAID_LATE
    assert (story.order.state, story.order.paid_fen) == (OrderState.PAID_LATE, 40_000)
    assert story.order.refunding_fen == 40_000
    assert (refund.state, refund.amount_fen, refund.due_at) == (RefundState.APPROVED, 40_000, now)
    assert refund.returns_stock is False
    assert story.order.upline is None
    assert (level.on_hand, level.reserved) == (10, 0)
    assert session.get_one(Member, member.id).first_paid_at is None
    assert events(session) == [("refund_approved", refund.id)]
    assert queries.late_money_kept(session) == []


def test_a_late_payment_told_twice_is_sent_back_once(
    session: Session, settings: Settings, now: datetime
) -> None:
    member = make_member(session, openid=OPENID)
    order = make_order(session, member=member, state=OrderState.CLOSED)
    offer(session, order)
    report = payment_report(order, openid=OPENID)

    confirm_payment(report, received=notice(order), settings=settings, now=now)
    again = confirm_payment(report, received=notice(order, "two"), settings=settings, now=now)

    assert again == PaymentOutcome.REPEATED
    assert len(queries.order_story(session, order.id).refunds) == 1


def test_who_stood_around_the_order_is_copied_when_the_money_comes(
    session: Session, settings: Settings, now: datetime
) -> None:
    top, owner = make_team(session, 2)
    top.standing = Standing.FROZEN
    member = make_member(session, openid=OPENID)
    binding = make_binding(session, customer=member, owner=owner)
    order = offered(session, member=member, binding=binding)
    owner.level = 3
    session.flush()

    confirm_payment(payment_report(order, openid=OPENID), received=None, settings=settings, now=now)

    seats = session.get_one(Order, order.id).upline
    assert [Seat.from_json(seat) for seat in seats or []] == [
        Seat(member.id, None, None, is_household=False),
        Seat(owner.member_id, 3, "active", is_household=False),
        Seat(top.member_id, 1, "frozen", is_household=False),
    ]


def test_a_buyer_who_is_a_distributor_sits_there_with_level_and_standing(
    session: Session, settings: Settings, now: datetime
) -> None:
    member = make_member(session, openid=OPENID)
    make_distributor(session, member, level=2)
    order = offered(session, member=member)

    confirm_payment(payment_report(order, openid=OPENID), received=None, settings=settings, now=now)

    assert session.get_one(Order, order.id).upline == [
        {"member_id": member.id, "level": 2, "standing": "active", "is_household": False}
    ]


def test_people_of_one_household_are_marked(
    session: Session, settings: Settings, now: datetime
) -> None:
    member = make_member(session, openid=OPENID, phone="+8613800001111")
    top = make_distributor(session, make_member(session, phone="+8613800001111"))
    owner = make_distributor(session, recommender=top)
    order = offered(
        session, member=member, binding=make_binding(session, customer=member, owner=owner)
    )

    confirm_payment(payment_report(order, openid=OPENID), received=None, settings=settings, now=now)

    seats = [Seat.from_json(seat) for seat in session.get_one(Order, order.id).upline or []]
    assert [(seat.member_id, seat.is_household) for seat in seats] == [
        (member.id, False),
        (owner.member_id, False),
        (top.member_id, True),
    ]


def test_the_binding_that_brought_the_order_is_locked(
    session: Session, settings: Settings, now: datetime
) -> None:
    member = make_member(session, openid=OPENID)
    binding = make_binding(session, customer=member)
    order = offered(session, member=member, binding=binding)

    confirm_payment(payment_report(order, openid=OPENID), received=None, settings=settings, now=now)

    row = session.get_one(Binding, binding.id, populate_existing=True)
    assert row.state is BindingState.LOCKED
    assert row.valid_until_at == now + timedelta(seconds=settings.binding_lock_seconds)


def test_a_customer_who_changed_hands_before_paying_stays_with_whom_the_order_names(
    session: Session, settings: Settings, now: datetime
) -> None:
    member, first, second = (
        make_member(session, openid=OPENID),
        make_distributor(session),
        make_distributor(session),
    )
    old = make_binding(session, customer=member, owner=first)
    order = offered(session, member=member, binding=old)
    old.valid_until_at = now
    session.flush()
    make_binding(session, customer=member, owner=second, valid_from_at=now)

    confirm_payment(payment_report(order, openid=OPENID), received=None, settings=settings, now=now)

    order = session.get_one(Order, order.id)
    assert order.owner_id == first.member_id
    assert [seat["member_id"] for seat in order.upline or []] == [member.id, first.member_id]
