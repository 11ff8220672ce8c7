"""The audit of points finds what is broken, and nothing in what is whole.

Constraints and triggers keep the product from breaking any of it, so it is broken as the owner of
the tables with triggers off, in a transaction that is undone. What the database refuses by itself
is tried as the product.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, cast

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM
from app.kernel.db import db
from app.operations import invariants
from app.operations.point_statements import POINT_STATEMENTS
from app.orders.states import OrderState
from app.points import earning, exchanging, expiring, ordering
from app.points.ordering import Spend
from tests.factories.orders import make_goods, make_order
from tests.factories.people import make_member, make_store
from tests.factories.points import make_exchange, make_mall_item, make_points
from tests.servers import Services

CODES: Final = {code for code, _says, _statement in POINT_STATEMENTS}
DAY: Final = timedelta(days=1)

BREAKS: Final = {
    "a lot with more than the account": (
        (
            "UPDATE point_lots SET left_points = left_points + 1,"
            " granted_points = granted_points + 1 WHERE id = (SELECT max(id) FROM point_lots)"
        ),
        {"B32"},
    ),
    "an account with more than the lots": (
        "UPDATE ledger_accounts SET balance = balance + 1 WHERE name = 'points_available'",
        {"B32", "B32e"},
    ),
    "a lot that lost points": (
        "UPDATE point_lots SET granted_points = granted_points + 5",
        {"B32a"},
    ),
    "a use that is missing": (
        "DELETE FROM point_uses WHERE spend_id = (SELECT min(id) FROM point_spends)",
        {"B32a", "B32b"},
    ),
    "another member's lot that paid": (
        (
            "UPDATE point_spends SET member_id = member_id + 1"
            " WHERE member_id = (SELECT min(member_id) FROM point_lots)"
        ),
        {"B32b"},
    ),
    "more given back than returned": (
        (
            "UPDATE point_spends SET given_back_points = given_back_points + 1"
            " WHERE state = 'spent' AND given_back_points < points"
        ),
        {"B32b", "B32g", "E2"},
    ),
    "points that came back as nothing": (
        (
            "UPDATE point_uses SET renewed_points = returned_points, returned_points = 0"
            " WHERE returned_points > 0"
        ),
        {"B32b"},
    ),
    "an earning that is missing": (
        "DELETE FROM point_earnings WHERE state = 'pending'",
        {"B32c"},
    ),
    "a spend that ended unseen": (
        "UPDATE point_spends SET state = 'spent', ended_at = reserved_at WHERE state = 'reserved'",
        {"B32c"},
    ),
    "a debt beside points": (
        "UPDATE ledger_accounts SET balance = -1 WHERE name = 'points_debt'",
        {"B32d", "B32e"},
    ),
    "a line that is missing": (
        "DELETE FROM point_entries WHERE id = (SELECT min(id) FROM point_entries)",
        {"B32e"},
    ),
    "a lot spent before one that runs out sooner": (
        (
            "UPDATE point_lots l SET granted_at = granted_at - interval '1 day',"
            " expires_at = (SELECT min(s.reserved_at) + interval '1 minute' FROM point_spends s)"
            " WHERE NOT EXISTS (SELECT 1 FROM point_uses u WHERE u.lot_id = l.id)"
            " AND taken_points = 0 AND expired_points = 0"
        ),
        {"B32f"},
    ),
    "a lot spent after its day": (
        "UPDATE point_lots SET expires_at = granted_at + interval '1 second'",
        {"B32f"},
    ),
    "points held by an order that is paid": (
        "UPDATE orders SET state = 'paid' WHERE state = 'created'",
        {"B32g"},
    ),
    "a refund that gave no points back": (
        "UPDATE orders SET refunded_fen = paid_fen WHERE paid_fen > 0",
        {"B32g"},
    ),
    "an item promised twice": ("UPDATE mall_items SET exchanged = exchanged + 1", {"E1"}),
    "an item beyond its stock": (
        (
            "ALTER TABLE mall_items DROP CONSTRAINT ck_mall_items_never_oversold;"
            " UPDATE mall_items SET stock = 0"
        ),
        {"E1"},
    ),
    "a share that is wrong": ("UPDATE mall_tallies SET taken = taken + 1", {"E1"}),
    "an exchange that cost less": ("UPDATE mall_exchanges SET points = points - 1", {"E2"}),
    "an exchange that nobody ended": (
        "UPDATE mall_exchanges SET state = 'waiting', ended_at = NULL WHERE state = 'handed_over'",
        {"E3", "E4"},
    ),
    "an exchange handed over elsewhere": (
        "UPDATE mall_exchange_steps SET store_id = NULL",
        {"E3"},
    ),
    "a piece that was never set aside": (
        "DELETE FROM stock_movements WHERE reason LIKE 'exchange:%'",
        {"E4"},
    ),
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


def _happen(session: Session, now: datetime) -> None:
    """Let everything that points can do happen, and the mall."""
    store = make_store(session)
    goods = make_goods(session, store)
    member, other = make_member(session), make_member(session)
    for days in (364, 300, 10):
        make_points(session, member, 100, now=now - days * DAY)
    make_points(session, other, 100)
    for number, points in enumerate((70, 80, 90)):
        state = OrderState.CREATED if number == 0 else OrderState.PAID
        order = make_order(session, member=member, state=state)
        earning.earn_pending(
            session, member.id, 50, key=f"order:{order.id}", now=now, order_id=order.id
        )
        spent = Spend(points, points)
        ordering.reserve(session, order.id, spent, member_id=member.id, now=now)
        if number:
            ordering.spend(session, order.id, now=now)
            earning.settle(session, f"order:{order.id}", now=now)
            earning.take_back(session, f"order:{order.id}", 10 * number, now=now)
    unpaid = make_order(session, member=other, state=OrderState.CLOSED)
    ordering.reserve(session, unpaid.id, Spend(60, 60), member_id=other.id, now=now)
    ordering.release(session, unpaid.id, now=now)
    expiring.expire_batch(session, now=now + 2 * DAY)
    item = make_mall_item(session, goods)
    rows = [make_exchange(session, other, store, item) for _ in range(3)]
    exchanging.cancel(session, rows[1].id, actor=SYSTEM, now=now)
    locked = exchanging.locked(session, rows[2].id)
    exchanging.end_handed_over(session, locked, store_id=store.id, actor=SYSTEM, now=now)
    session.flush()


def _broken(session: Session) -> set[str]:
    others = frozenset(one.code for one in invariants.INVARIANTS) - CODES
    return {one.code for one in invariants.check(session, skip=others) if one.count}


def test_whatever_breaks_a_promise_about_points_is_found(owner: Session, now: datetime) -> None:
    _happen(owner, now)
    sound = _broken(owner)
    missed = {}
    for what, (statement, codes) in BREAKS.items():
        owner.commit()
        with owner.begin_nested() as undone:
            owner.execute(sa.text("SET LOCAL session_replication_role = replica"))
            owner.execute(sa.text(statement))
            found = _broken(owner)
            undone.rollback()
        if not codes <= found:
            missed[what] = codes - found

    assert sound == set()
    assert missed == {}
    assert {code for codes in (codes for _, codes in BREAKS.values()) for code in codes} >= CODES


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE point_lots SET left_points = left_points - 1, taken_points = taken_points + 1",
        "UPDATE ledger_accounts SET balance = balance - 1 WHERE name = 'points_available'",
        "UPDATE point_lots SET expires_at = expires_at + interval '1 day'",
        "UPDATE point_lots SET left_points = granted_points + 1",
        "UPDATE point_entries SET available_change = 1",
        "DELETE FROM point_entries",
        "UPDATE point_uses SET points = points - 1",
        "UPDATE point_spends SET points = points - 1",
        "DELETE FROM mall_exchange_steps",
        "UPDATE mall_exchanges SET points = 1",
    ],
)
@pytest.mark.commits
def test_the_database_itself_refuses_to_break_points(
    session: Session, now: datetime, statement: str
) -> None:
    _happen(session, now)
    session.commit()

    with pytest.raises(IntegrityError):
        _change(session, statement)
    session.rollback()

    assert _broken(session) == set()


def _change(session: Session, statement: str) -> None:
    """Change rows, and end the transaction: some checks wait for that."""
    session.execute(sa.text(statement))
    session.commit()
