"""A small brand with a past at random, and levels at random, for tests of levels."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.engines.parameters import (
    AMOUNTS,
    AmountCondition,
    Condition,
    ConditionKind,
    CountCondition,
    Every,
    Levels,
    Mode,
    Retention,
    Upgrade,
)
from app.members.models import Distributor
from app.orders.states import OrderState
from tests.factories.orders import make_order, make_refund
from tests.factories.payouts import claw_back, make_award
from tests.factories.people import make_distributor, make_member

WINDOWS: Final = (10, 45)
DAY: Final = timedelta(days=1)


def condition(kind: ConditionKind, at_least: int, window_days: int) -> Condition:
    """A condition of any kind."""
    if kind in AMOUNTS:
        document = {"kind": kind, "at_least_fen": at_least, "window_days": window_days}
        return AmountCondition.model_validate(document)
    document = {"kind": kind, "at_least_count": at_least, "window_days": window_days}
    return CountCondition.model_validate(document)


def random_levels(draw: random.Random, *, retention: Retention | None = None) -> Levels:
    """Up to five levels of any conditions, with thresholds that the random past is about."""
    return Levels(
        upgrades=tuple(
            Upgrade(
                level=level,
                mode=draw.choice(list(Mode)),
                conditions=tuple(_random_condition(draw) for _ in range(draw.randint(1, 3))),
            )
            for level in range(2, draw.randint(2, 5) + 1)
        ),
        jump=draw.random() < 0.5,
        retention=retention,
    )


def _random_condition(draw: random.Random) -> Condition:
    kind = draw.choice(list(ConditionKind))
    at_least = draw.randint(1, 60_000) if kind in AMOUNTS else draw.randint(1, 6)
    return condition(kind, at_least, draw.choice(WINDOWS))


def make_past(
    session: Session, draw: random.Random, *, now: datetime, orders: int = 60
) -> Sequence[Distributor]:
    """Distributors who bring each other, sell, buy and earn, with refunds; some at any level."""
    people: list[Distributor] = []
    for number in range(10):
        people.append(
            make_distributor(
                session,
                recommender=draw.choice(people) if people and number % 4 else None,
                level=draw.choice((1, 1, 2, 3)),
                now=now - draw.randint(1, 90) * DAY,
            )
        )
    customers = [make_member(session) for _ in range(6)]
    buyers = [*(one.id for one in customers), *(one.member_id for one in people[:4])]
    members = {one.id: one for one in customers} | {
        one.member_id: session.get_one(type(customers[0]), one.member_id) for one in people
    }
    for _ in range(orders):
        order = make_order(
            session,
            member=members[draw.choice(buyers)],
            owner=draw.choice([*people, None]),
            price_fen=draw.randint(1, 20_000),
            state=draw.choice((OrderState.SETTLED, OrderState.SETTLED, OrderState.COMPLETED)),
            now=now - draw.randint(0, 60) * DAY,
        )
        part = draw.choice((0, 0, 1, order.paid_fen // 2, order.paid_fen))
        if part:
            make_refund(session, order, amounts={order.lines[0].id: part}, now=now)
    for _ in range(8):
        award = make_award(
            session,
            draw.choice(people),
            draw.randint(1, 9_000),
            now=now - draw.randint(0, 60) * DAY,
        )
        if draw.random() < 0.4:
            claw_back(session, award, award.base_fen // 2, now=now)
    session.flush()
    session.expire_all()
    return people


def every(period: Every = Every.MONTH, share_bp: int = 5_000, grace_days: int = 30) -> Retention:
    """How levels are kept."""
    return Retention(every=period, share_bp=share_bp, grace_days=grace_days)
