"""The audit finds whatever is wrong with membership and loyalty, and nothing in what is whole.

Constraints and triggers keep the product from breaking any of it, so it is broken as the owner of
the tables with triggers off, in a transaction that is undone.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, cast

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.access import settings
from app.kernel.audit import SYSTEM
from app.kernel.db import db
from app.loyalty import purchases, rewards, tasks
from app.loyalty.models import RewardSource, TaskKind
from app.loyalty.rewards import Reward
from app.loyalty.tasks import TaskSpec
from app.operations.loyalty_statements import LOYALTY_STATEMENTS
from app.orders.states import OrderState
from tests.factories.coupons import make_template
from tests.factories.membership import make_ladder
from tests.factories.orders import make_order, make_refund
from tests.factories.people import NOON, make_member
from tests.servers import Services

BREAKS: Final = {
    "growth that no entry brought": ("UPDATE memberships SET growth = growth + 1", {"M1"}),
    "growth that is not counted": ("DELETE FROM memberships", {"M1"}),
    "a level that no change led to": ("UPDATE memberships SET level_id = NULL", {"M2"}),
    "a history with a gap": (
        """INSERT INTO level_moves (member_id, from_level_id, to_level_id, cause, growth, at, actor)
        SELECT member_id, NULL, to_level_id, cause, growth, at, actor FROM level_moves""",
        {"M2"},
    ),
    "more growth taken back than given": (
        "UPDATE growth_entries SET amount = -9999 WHERE source = 'order'",
        {"M1", "M3", "M4"},
    ),
    "a refund that took nothing": (
        "UPDATE order_rewards SET points_taken = 0, growth_taken = 0 WHERE gone_fen > 0",
        {"M4"},
    ),
    "an order whose growth is gone": (
        "DELETE FROM growth_entries WHERE order_id IS NOT NULL",
        {"M1", "M4"},
    ),
    "an order whose points were never earned": ("DELETE FROM point_earnings", {"M4"}),
    "points that were said to be given": (
        "UPDATE given_rewards SET amount = amount + 1 WHERE kind = 'points'",
        {"M5"},
    ),
    "growth that was said to be given": (
        "UPDATE given_rewards SET amount = amount + 1 WHERE kind = 'growth'",
        {"M5"},
    ),
    "a coupon that was said to be given": (
        "UPDATE coupons SET key = NULL WHERE key IS NOT NULL",
        {"M5"},
    ),
    "a task that counted nothing": ("DELETE FROM task_marks", {"M6"}),
}


@pytest.fixture
def owner(app: Flask, services: Services) -> Iterator[Session]:
    """The app's session as the owner of the tables, in a transaction that is undone."""
    made = sa.create_engine(services.owner_database_url)
    with app.app_context():
        engines = cast("dict[str | None, Any]", db.engines)
        usual, connection = db.engine, made.connect()
        outer = connection.begin()
        engines[None] = connection
        try:
            yield db.session()
        finally:
            db.session.remove()
            outer.rollback()
            connection.close()
            made.dispose()
            engines[None] = usual


def live(session: Session) -> None:
    """A member whose order settled and was refunded in part, with rewards of every kind."""
    make_ladder(session)
    member = make_member(session)
    for fen, state in ((200_000, OrderState.SETTLED), (10_000, OrderState.PAID)):
        order = make_order(session, member=member, price_fen=fen, state=state)
        bring(session, order.id, now=NOON)
        make_refund(session, order, amounts={order.lines[0].id: 3_333})
        bring(session, order.id, now=NOON)
    template = make_template(session, per_member=9)
    for number, reward in enumerate(
        (Reward.points(7), Reward.growth(11), Reward.coupon(template.id, 2))
    ):
        rewards.give(
            session, member.id, reward, key=f"r{number}", source=RewardSource.HAND, now=NOON
        )
    spec = TaskSpec(kind=TaskKind.FOLLOW, title="T", rewards=[Reward.points(1)], starts_at=NOON)
    task = tasks.put_task(session, None, spec, actor=SYSTEM, now=NOON)
    tasks.mark_by_hand(session, task.id, member.id, actor=SYSTEM, now=NOON)
    session.flush()


def bring(session: Session, order_id: int, *, now: datetime) -> None:
    purchases.bring_into_line(session, order_id, settings=settings(), now=now)


def found(session: Session) -> set[str]:
    session.flush()
    return {
        code for code, _says, query in LOYALTY_STATEMENTS if session.execute(sa.text(query)).all()
    }


def test_nothing_is_wrong_with_what_the_product_did(owner: Session) -> None:
    live(owner)

    assert found(owner) == set()


@pytest.mark.parametrize("what", BREAKS)
def test_what_is_broken_is_found(owner: Session, what: str) -> None:
    statement, codes = BREAKS[what]
    live(owner)
    owner.execute(sa.text("SET LOCAL session_replication_role = replica"))

    changed = cast("sa.CursorResult[Any]", owner.execute(sa.text(statement)))

    assert changed.rowcount > 0
    assert found(owner) == codes


def test_every_statement_is_broken_by_something() -> None:
    broken = {code for _statement, codes in BREAKS.values() for code in codes}

    assert broken == {code for code, _says, _query in LOYALTY_STATEMENTS}
