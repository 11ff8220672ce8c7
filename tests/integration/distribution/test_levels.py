from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import levels
from app.distribution.models import LevelPeriod
from app.members.models import Distributor, Standing
from app.orders.states import OrderState
from tests.factories.orders import make_order, make_refund
from tests.factories.people import make_distributor, make_member
from tests.factories.plans import make_plan

DAY = timedelta(days=1)


def _sell(session: Session, owner: Distributor, fen: int, *, at: datetime) -> None:
    make_order(session, owner=owner, price_fen=fen, state=OrderState.SETTLED, now=at)


def _level(session: Session, owner: Distributor) -> int:
    session.expire_all()
    return session.get_one(Distributor, owner.member_id).level


def test_settled_own_sales_lift_a_distributor_with_a_reason(
    session: Session, now: datetime
) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    _sell(session, owner, 300_000, at=now - 80 * DAY)
    _sell(session, owner, 200_000, at=now - DAY)

    rises = levels.evaluate(session, [owner.member_id], now=now)

    assert rises[owner.member_id].to_level == 2
    assert _level(session, owner) == 2
    first, second = session.scalars(sa.select(LevelPeriod).order_by(LevelPeriod.id))
    assert (first.level, first.until_at) == (1, now)
    assert (second.level, second.from_at, second.until_at) == (2, now, None)
    assert second.facts["plan_version_id"] == version.id
    assert second.facts["conditions"][0]["found"] == 500_000


def test_sales_outside_the_window_or_not_settled_or_refunded_do_not_count(
    session: Session, now: datetime
) -> None:
    make_plan(session)
    owner = make_distributor(session)
    _sell(session, owner, 400_000, at=now - 91 * DAY)
    make_order(session, owner=owner, price_fen=400_000, state=OrderState.COMPLETED, now=now - DAY)
    order = make_order(
        session, owner=owner, price_fen=500_000, state=OrderState.SETTLED, now=now - DAY
    )
    make_refund(session, order, amounts={order.lines[0].id: 1}, now=now)

    assert levels.evaluate(session, [owner.member_id], now=now) == {}

    assert _level(session, owner) == 1


def test_level_three_needs_ten_paying_customers_too_and_may_be_jumped_to(
    session: Session, now: datetime
) -> None:
    make_plan(session)
    narrow, wide = make_distributor(session), make_distributor(session)
    one_customer = make_member(session)
    for _ in range(10):
        make_order(
            session,
            owner=narrow,
            member=one_customer,
            price_fen=200_000,
            state=OrderState.SETTLED,
            now=now - DAY,
        )
        _sell(session, wide, 200_000, at=now - DAY)

    levels.evaluate(session, [narrow.member_id, wide.member_id], now=now)

    assert (_level(session, narrow), _level(session, wide)) == (2, 3)


def test_a_level_reached_is_kept_and_a_second_evaluation_moves_nobody(
    session: Session, now: datetime
) -> None:
    make_plan(session)
    owner = make_distributor(session)
    _sell(session, owner, 500_000, at=now - DAY)
    levels.evaluate(session, [owner.member_id], now=now)

    assert levels.evaluate(session, [owner.member_id], now=now + DAY) == {}
    assert levels.evaluate(session, [owner.member_id], now=now + 400 * DAY) == {}

    assert _level(session, owner) == 2


def test_a_frozen_distributor_does_not_rise(session: Session, now: datetime) -> None:
    make_plan(session)
    owner = make_distributor(session, standing=Standing.FROZEN)
    _sell(session, owner, 500_000, at=now - DAY)

    assert levels.evaluate(session, [owner.member_id], now=now) == {}

    assert _level(session, owner) == 1
