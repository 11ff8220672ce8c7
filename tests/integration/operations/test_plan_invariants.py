"""The audit and the replay of plans find what is broken, and nothing in what is whole.

Constraints and triggers keep the product from breaking any of it, so it is broken as the owner of
the tables with triggers off, in a transaction that is undone.
"""

from collections.abc import Iterator
from typing import Any, Final, cast

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.db import db
from app.operations import invariants
from app.operations.plan_statements import PLAN_STATEMENTS
from tests.factories.orders import make_product
from tests.factories.plans import make_plan
from tests.factories.trade import Trade
from tests.servers import Services

CODES: Final = {code for code, _says, _statement in PLAN_STATEMENTS}
SHORT: Final = {
    "SOME_AWARD": "(SELECT min(id) FROM awards WHERE reversed_fen = 0)",
    "A_MATURED_ONE": "(SELECT min(id) FROM awards WHERE matured_at IS NOT NULL)",
    "SOME_SALE": "(SELECT min(id) FROM plan_events WHERE kind = 'sold')",
    "THE_CHAIN": "(SELECT id FROM plans WHERE model = 'CHAIN_2_1')",
}

BREAKS: Final = {
    "more decided than awarded": (
        "UPDATE order_decisions SET awarded_fen = awarded_fen + 1",
        {"B14"},
        {"order_decisions"},
    ),
    "an award that nobody decided on": (
        "UPDATE awards SET order_id = (SELECT max(id) FROM orders) WHERE id = SOME_AWARD",
        {"B14"},
        {"awards"},
    ),
    "a cap below what was paid": (
        """UPDATE plan_versions SET rules = jsonb_set(rules, '{payout_cap_bp}', '1')""",
        {"B14"},
        set(),
    ),
    "pay to the third above": (
        "ALTER TABLE awards DROP CONSTRAINT ck_awards_paid_depth; UPDATE awards SET seat = 3",
        {"B15"},
        {"awards"},
    ),
    "pay to the household": (
        """UPDATE orders SET upline = jsonb_set(upline, '{1,is_household}', 'true')
        WHERE jsonb_array_length(upline) > 1""",
        {"B16"},
        {"awards", "plan_events"},
    ),
    "pay to the buyer": (
        """UPDATE awards SET beneficiary_id = (SELECT member_id FROM orders o
        WHERE o.id = awards.order_id) WHERE id = SOME_AWARD""",
        {"B16"},
        {"awards"},
    ),
    "pay to a stranger": (
        "UPDATE awards SET beneficiary_id = 999999 WHERE id = SOME_AWARD",
        {"B17"},
        {"awards"},
    ),
    "an order without its upline": ("UPDATE orders SET upline = NULL", {"B17"}, set()),
    "matured too early": (
        "UPDATE awards SET matured_at = matures_at - interval '1s' WHERE id = A_MATURED_ONE",
        {"B18"},
        set(),
    ),
    "taken back a fen too much": (
        "UPDATE awards SET reversed_fen = reversed_fen + 1 WHERE id = SOME_AWARD",
        {"B19"},
        {"awards"},
    ),
    "a refund that took nothing back": ("DELETE FROM award_reversals", {"B19"}, {"ledger_entries"}),
    "a fen more pending": (
        "UPDATE ledger_accounts SET balance = balance + 1 WHERE name = 'commission_pending'",
        {"B20p"},
        {"ledger_accounts"},
    ),
    "a fen more available": (
        "UPDATE ledger_accounts SET balance = balance + 1 WHERE name = 'commission_available'",
        {"B20"},
        {"ledger_accounts"},
    ),
    "a fen more in an entry": (
        "UPDATE ledger_transfers SET amount = amount + 1",
        set(),
        {"ledger_entries"},
    ),
    "a circle of places": (
        """UPDATE plan_places p SET parent_id = c.member_id, parent_number = 1
        FROM plan_places c WHERE c.parent_id = p.member_id AND p.parent_id IS NULL
        AND p.plan_id = THE_CHAIN""",
        {"P1"},
        {"plan_places"},
    ),
    "a parent who is not there": (
        "DELETE FROM plan_places WHERE parent_id IS NULL AND plan_id = THE_CHAIN",
        {"P1"},
        {"plan_places"},
    ),
    "other sales than were settled": (
        """UPDATE plan_places SET facts = jsonb_set(facts, '{sales_fen}', '1')
        WHERE plan_id = THE_CHAIN""",
        set(),
        {"plan_places"},
    ),
    "decided before it happened": (
        "UPDATE plan_events SET decided_at = at - interval '1s'",
        {"P2"},
        set(),
    ),
    "settled before it was sold": (
        "UPDATE plan_events SET id = -id WHERE kind = 'settled'",
        {"P2"},
        set(),
    ),
    "a sale that the plan was not told o": (
        "DELETE FROM plan_events WHERE id = SOME_SALE",
        {"P3"},
        {"plan_events"},
    ),
    "a refund that the plan was not told o": (
        "DELETE FROM plan_events WHERE kind = 'refunded'",
        set(),
        {"plan_events", "plan_places"},
    ),
    "a sale told otherwise than it was": (
        """UPDATE plan_events SET inputs = jsonb_set(inputs, '{event,is_first}',
        to_jsonb(NOT (inputs->'event'->>'is_first')::boolean)) WHERE id = SOME_SALE""",
        set(),
        {"plan_events"},
    ),
    "a month that says more than it paid": (
        """INSERT INTO closed_months (plan_id, plan_version_id, month, net_fen, pool_fen,
            awarded_fen, carried_fen, deficit_fen, inputs, facts, closed_at, actor)
        SELECT plan_id, id, '2026-02', 0, 0, 1, 0, 0, '{}', '{}', '2030-01-01Z', 'test'
        FROM plan_versions LIMIT 1""",
        {"P4"},
        set(),
    ),
    "a gift for another order": (
        "UPDATE gifts SET order_id = (SELECT min(id) FROM orders)",
        {"P5"},
        {"gifts"},
    ),
    "more of a gift": ("UPDATE gifts SET amount = amount + 1", set(), {"gifts"}),
    "two plans for one product": (
        """ALTER TABLE plan_scopes DROP CONSTRAINT ex_plan_scopes_apart;
        UPDATE plan_scopes SET product_ids = '(,)'""",
        {"P6"},
        set(),
    ),
    "a line under a plan that did not cover it": (
        "UPDATE order_lines SET product_id = 999999",
        {"P6"},
        {"plan_events"},
    ),
    "a decision that is missing": ("DELETE FROM order_decisions", {"P7"}, {"order_decisions"}),
    "a refund that nobody worked of": (
        "DELETE FROM refund_decisions",
        {"P8"},
        {"refund_decisions"},
    ),
    "a refusal that is missing": ("DELETE FROM award_refusals", set(), {"award_refusals"}),
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


def _trade(session: Session) -> Trade:
    """A brand with three plans, in which everything that they keep has happened."""
    trade = Trade(session)
    taught, shared, brought = (make_product(session, price_fen=100_000) for _ in range(3))
    make_plan(session, model="CHAIN_2_1", scope={"product_ids": [taught.id]})
    make_plan(session, effective_at="RECEIVED", scope={"product_ids": [shared.id]})
    make_plan(
        session, model="THREE_FISSION", effective_at="PAID", scope={"product_ids": [brought.id]}
    )
    above = trade.join()
    owner = trade.join(above)
    orders = [
        trade.buy([(taught, 20_000), (shared, 10_000), (brought, 5_000)], owner=owner)
        for _ in range(4)
    ]
    trade.work()
    for order in orders[:3]:
        trade.receive(order)
    for order in orders[:2]:
        trade.settle(order)
    trade.work()
    trade.mature()
    trade.refund(orders[0], {0: 7_000, 1: 1_000})
    trade.refund(orders[2], {0: 3_000, 1: 500})
    trade.work()
    return trade


def _whole(statement: str) -> str:
    for name, meant in SHORT.items():
        statement = statement.replace(name, meant)
    return statement


def _broken(session: Session) -> set[str]:
    return {one.code for one in invariants.check(session) if one.code in CODES and one.count}


def test_whatever_breaks_a_promise_is_found_by_the_audit_or_the_replay(owner: Session) -> None:
    trade = _trade(owner)
    whole = trade.replay()
    sound = _broken(owner), [str(one) for one in whole.differences]
    missed = {}
    for what, (written, codes, tables) in BREAKS.items():
        statement = _whole(written)
        owner.commit()
        with owner.begin_nested() as undone:
            owner.execute(sa.text("SET LOCAL session_replication_role = replica"))
            owner.execute(sa.text(statement))
            found = _broken(owner)
            undone.rollback()
        differing = _differing(owner, trade, statement) if tables else set()
        if not codes <= found or not tables <= differing:
            missed[what] = (codes - found, tables - differing)

    assert sound == (set(), [])
    assert missed == {}
    assert {code for _, codes, _ in BREAKS.values() for code in codes} == CODES
    assert whole.counts["months"] == 0
    assert whole.counts["orders"] == 4


def _differing(session: Session, trade: Trade, statement: str) -> set[str]:
    """Break it again, decide everything again, and undo it; return where the replay differs."""
    connection = session.connection()
    session.commit()
    point = connection.begin_nested()
    connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
    connection.execute(sa.text(statement))
    session.expire_all()
    report = trade.replay()
    point.rollback()
    session.expire_all()
    return {one.table for one in report.differences}
