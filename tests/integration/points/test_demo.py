"""The demo's points: there once, at every stage, and whole."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.demo.points import load_points
from app.operations import invariants
from app.operations.point_statements import POINT_STATEMENTS
from app.points.mall_models import MallExchange, MallItem
from app.points.states import ExchangeState
from tests.factories.coupons import make_template
from tests.factories.orders import make_goods
from tests.factories.people import NOON, make_member, make_staff, make_store


def test_the_demo_has_points_at_every_stage_and_is_whole(session: Session) -> None:
    make_staff(session)
    make_goods(session, make_store(session))
    make_template(session, now=datetime.now(UTC))
    for _ in range(4):
        make_member(session, first_paid_at=NOON)
    session.commit()

    first, again = list(load_points()), list(load_points())

    assert (first, again) == (["Points: 4 customers have some, 2 items in the mall."], [])
    states = session.scalars(sa.select(MallExchange.state).order_by(MallExchange.id)).all()
    assert states == [ExchangeState.WAITING, ExchangeState.HANDED_OVER, ExchangeState.CANCELLED]
    assert session.scalar(sa.select(sa.func.sum(MallItem.exchanged))) == 2
    ours = {code for code, _says, _statement in POINT_STATEMENTS}
    others = frozenset(one.code for one in invariants.INVARIANTS) - ours
    assert [one for one in invariants.check(session, skip=others) if one.count] == []
