"""Coupons and points that several orders want at the same instant go into one; nothing gets lost.

Every mix of creating, paying, closing and refunding ends in books that the audit finds whole, and
the order of locks never makes two wait for each other in a circle.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.coupons.models import Coupon
from app.coupons.states import CouponState
from app.kernel.db import atomic, retrying
from app.members.models import Member
from app.orders import services, unpaid
from app.orders.models import Fulfilment, Order, Refund
from app.orders.pricing import WantedLine
from app.orders.services import Basket
from app.orders.states import OrderState, RefundState
from app.points import lots
from app.settings import Settings
from app.wechat.values import PaymentReport
from tests.factories.coupons import make_coupon, make_template
from tests.factories.discounts import LineOf, PaidWith, make_points
from tests.factories.orders import (
    make_goods,
    make_order,
    make_refund,
    offer,
    payment_report,
    refund_report,
)
from tests.factories.people import make_member, make_store
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
CODES = ("B10o", "B10r", "B11", "B12", "B12d", "B12e", "B12f", "B30o", "B30r", "B32", "B32o", "S1")
REFUSED = {"coupon_taken", "coupon_not_in_state"}


def buy(member_id: int, basket: Basket, settings: Settings, now: datetime) -> str:
    def act() -> str:
        with atomic() as inner:
            made = services.create(
                inner, member_id=member_id, basket=basket, settings=settings, now=now
            )
            return made.state.value

    return retrying(act)


def deadlocks(session: Session) -> int:
    session.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
    found: int = session.scalars(
        sa.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    ).one()
    session.rollback()
    return found


class Rush:
    """A member with a coupon and 3,000 points, and goods in a store."""

    def __init__(self, session: Session, coupons: int = 4) -> None:
        self.member, self.store = make_member(session), make_store(session)
        self.goods = [make_goods(session, self.store, on_hand=500) for _ in range(2)]
        template = make_template(session, per_member=99, is_stackable=True)
        self.coupons = [make_coupon(session, template, self.member) for _ in range(coupons)]
        make_points(session, self.member, 3_000)

    def basket(self, *, coupons: tuple[int, ...] = (), points: int = 0) -> Basket:
        return Basket(
            store_id=self.store.id,
            lines=[WantedLine(one.id, 1) for one in self.goods],
            fulfilment=Fulfilment.PICKUP,
            coupon_ids=[self.coupons[one].id for one in coupons],
            points=points,
        )


def test_eight_orders_that_want_one_coupon_leave_it_in_one(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    rush = Rush(session)
    basket, member_id, coupon_id = rush.basket(coupons=(0,)), rush.member.id, rush.coupons[0].id
    session.commit()

    answers = at_once(app, *[partial(buy, member_id, basket, settings, now)] * 8)

    assert answers.count("created") == 1
    assert set(answers) - {"created"} <= REFUSED
    coupon = session.get_one(Coupon, coupon_id, populate_existing=True)
    assert coupon.state is CouponState.RESERVED
    assert session.scalars(sa.select(Order.id)).all() == [coupon.order_id]
    assert broken(session, *CODES) == []


def test_points_for_three_orders_are_spent_by_three_of_eight(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    rush = Rush(session)
    basket, member_id = rush.basket(points=1_000), rush.member.id
    session.commit()

    answers = at_once(app, *[partial(buy, member_id, basket, settings, now)] * 8)

    assert sorted(answers) == ["created"] * 3 + ["points_short"] * 5
    assert lots.spendable(session, member_id, now=now) == 0
    assert broken(session, *CODES) == []


def test_coupons_named_in_any_order_never_deadlock(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    rush = Rush(session)
    turns = [(0, 1), (1, 0), (2, 3), (3, 2), (1, 2), (2, 1), (3, 0), (0, 3)]
    baskets = [rush.basket(coupons=turn, points=10) for turn in turns]
    member_id = rush.member.id
    session.commit()
    before = deadlocks(session)

    answers = at_once(app, *[partial(buy, member_id, one, settings, now) for one in baskets])

    assert 1 <= answers.count("created") <= 2
    assert set(answers) - {"created"} <= REFUSED
    assert deadlocks(session) == before
    assert broken(session, *CODES) == []


def test_paying_and_closing_at_once_use_or_free_what_the_order_held(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    rows = [_waiting(session, now) for _ in range(12)]
    session.commit()
    before = deadlocks(session)

    def pay(report: PaymentReport) -> str:
        return services.confirm_payment(report, received=None, settings=settings, now=now)

    def close(number: str) -> str:
        unpaid._closed_at_wechat(number, is_final=True, now=now)
        return "tried"

    for number, report in rows:
        acts: list[Callable[[], str]] = [partial(pay, report), partial(close, number)]
        at_once(app, *acts, *acts)

    session.rollback()
    orders = session.scalars(sa.select(Order)).all()
    assert len(orders) == 12
    for order in orders:
        coupon = session.scalars(sa.select(Coupon).where(Coupon.member_id == order.member_id)).one()
        was_in_time = order.state is OrderState.PAID
        assert order.state in {OrderState.PAID, OrderState.PAID_LATE}
        assert coupon.state is (CouponState.USED if was_in_time else CouponState.UNUSED)
        left = 2_500 if was_in_time else 3_000
        assert lots.spendable(session, order.member_id, now=now) == left
    assert deadlocks(session) == before
    assert broken(session, *CODES, "B13") == []


def test_two_refunds_that_end_at_once_give_points_and_coupon_back_once(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    reports, members = [], []
    for _ in range(6):
        member, order, coupon = _bought(session, now, OrderState.COMPLETED)
        half = order.lines[0].net_fen // 2
        first = make_refund(
            session, order, amounts={order.lines[0].id: half}, state=RefundState.SENT
        )
        rest = make_refund(session, order, state=RefundState.SENT)
        reports.append([refund_report(session, first), refund_report(session, rest)])
        members.append((member.id, order.id, coupon.id))
    session.commit()

    for pair in reports:
        hear = [
            partial(services.record_refund, one, received=None, settings=settings, now=now)
            for one in pair
        ]
        at_once(app, *hear, *hear)

    session.rollback()
    for member_id, order_id, coupon_id in members:
        assert session.get_one(Order, order_id).state is OrderState.REFUNDED
        assert session.get_one(Coupon, coupon_id).state is CouponState.UNUSED
        assert lots.spendable(session, member_id, now=now) == 3_000
        back = session.execute(
            sa.select(sa.func.sum(Refund.points_back), sa.func.sum(Refund.coupons_back)).where(
                Refund.order_id == order_id
            )
        ).one()
        assert tuple(back) == (500, 1)
    assert broken(session, *CODES) == []


def _bought(session: Session, now: datetime, state: OrderState) -> tuple[Member, Order, Coupon]:
    rush = Rush(session, coupons=1)
    spare = rush.coupons[0]
    order = make_order(
        session,
        member=rush.member,
        store=rush.store,
        lines=[LineOf(product=rush.goods[0], quantity=2)],
        paid_with=PaidWith(coupons=[spare], points=500),
        state=state,
        now=now,
    )
    return rush.member, order, spare


def _waiting(session: Session, now: datetime) -> tuple[str, PaymentReport]:
    member, order, _ = _bought(session, now, OrderState.CREATED)
    offer(session, order, now=now)
    return order.number, payment_report(order, openid=member.wechat_openid)
