"""The audit finds every discount that does not add up, and nothing in what is whole.

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
from app.operations.discount_statements import DISCOUNT_STATEMENTS
from app.orders.deals import Deal
from app.orders.states import OrderState
from tests.factories.coupons import make_coupon, make_template
from tests.factories.discounts import LineOf, PaidWith, make_points
from tests.factories.orders import make_order, make_product, make_refund
from tests.factories.people import make_member, make_store
from tests.servers import Services

CODES: Final = {code for code, _says, _statement in DISCOUNT_STATEMENTS}
SHORT: Final = {
    "A_PAID_ONE": "(SELECT min(id) FROM orders WHERE state = 'paid' AND deal IS NULL)",
    "AN_UNPAID_ONE": "(SELECT min(id) FROM orders WHERE state = 'created')",
    "A_CLOSED_ONE": "(SELECT min(id) FROM orders WHERE state = 'closed')",
    "A_REFUNDED_ONE": "(SELECT min(id) FROM orders WHERE state = 'refunded')",
    "A_DEAL": "(SELECT min(id) FROM orders WHERE deal IS NOT NULL)",
}

BREAKS: Final = {
    "a discount that an order does not know": (
        "UPDATE order_discounts SET amount_fen = amount_fen + 1 WHERE order_id = A_PAID_ONE",
        {"B12d"},
    ),
    "an order with more off than its discounts": (
        """UPDATE orders SET discount_fen = discount_fen + 1, goods_fen = goods_fen + 1
        WHERE id = A_PAID_ONE""",
        {"B12d"},
    ),
    "parts that are not the whole": (
        "UPDATE order_line_discounts SET amount_fen = amount_fen - 1",
        {"B12d"},
    ),
    "a line that pays less than its parts leave": (
        "UPDATE order_lines SET net_fen = net_fen - 1 WHERE order_id = A_PAID_ONE",
        {"B12d"},
    ),
    "a part of more than the line cost": (
        "UPDATE order_line_discounts SET of_fen = of_fen + 1",
        {"B12e"},
    ),
    "points before coupons": (
        "UPDATE order_discounts SET position = 10 - position WHERE order_id = A_PAID_ONE",
        {"B12e"},
    ),
    "two coupons that stand alone": (
        """DROP INDEX uq_order_discounts_alone;
        UPDATE order_discounts SET is_stackable = false WHERE coupon_id IS NOT NULL""",
        {"B12f"},
    ),
    "somebody else's coupon": (
        "UPDATE coupons SET member_id = (SELECT max(id) FROM members)",
        {"B12f"},
    ),
    "a coupon that is free while its order waits": (
        """UPDATE coupons SET state = 'unused', order_id = NULL, amount_fen = NULL,
        reserved_until_at = NULL WHERE order_id = AN_UNPAID_ONE""",
        {"B30o"},
    ),
    "a coupon that a refunded order keeps": (
        """UPDATE coupons SET state = 'used', used_at = now(), amount_fen = 1,
        order_id = A_REFUNDED_ONE WHERE id = (SELECT coupon_id FROM order_discounts
        WHERE order_id = A_REFUNDED_ONE AND kind = 'coupon' LIMIT 1)""",
        {"B30o"},
    ),
    "a coupon in an order without its discount": (
        """UPDATE coupons SET order_id = A_CLOSED_ONE
        WHERE order_id = AN_UNPAID_ONE""",
        {"B30o"},
    ),
    "a coupon that came back while the order lives": (
        "UPDATE refunds SET coupons_back = 1 WHERE order_id = A_PAID_ONE",
        {"B30r"},
    ),
    "more coupons back than there were": (
        "UPDATE refunds SET coupons_back = 9 WHERE order_id = A_REFUNDED_ONE",
        {"B30r"},
    ),
    "points that no payment spent": (
        """UPDATE point_spends SET state = 'released', given_back_points = 0
        WHERE order_id = A_PAID_ONE""",
        {"B32o"},
    ),
    "a point too many back": (
        """UPDATE point_spends SET given_back_points = given_back_points + 1
        WHERE order_id = A_PAID_ONE""",
        {"B32o"},
    ),
    "a refund that says other points": (
        "UPDATE refunds SET points_back = points_back + 1 WHERE order_id = A_PAID_ONE",
        {"B32o"},
    ),
    "points of an order without their discount": (
        "UPDATE point_spends SET order_id = A_DEAL WHERE order_id = AN_UNPAID_ONE",
        {"B32o"},
    ),
    "commission on a deal that pays none": (
        "UPDATE order_lines SET is_distributable = true WHERE order_id = A_DEAL",
        {"F5"},
    ),
    "a level on a deal that takes none": (
        "UPDATE order_discounts SET kind = 'level' WHERE order_id = A_DEAL",
        {"F5"},
    ),
    "a held order that was handed over": (
        "UPDATE orders SET held_for = 'x', completed_at = now() WHERE id = A_DEAL",
        {"F5"},
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


def _sell(session: Session) -> None:
    """Orders in every state with coupons, points and a level, and one of a deal."""
    member, store = make_member(session), make_store(session)
    make_points(session, member, 100_000)
    alone = make_template(session, per_member=20)
    beside = make_template(session, per_member=20, is_stackable=True, amount_fen=70)
    products = [make_product(session, price_fen=fen) for fen in (9_999, 3_331)]
    for state in OrderState:
        coupons = [make_coupon(session, one, member) for one in (alone, beside)]
        order = make_order(
            session,
            member=member,
            store=store,
            lines=[LineOf(product=products[0], net_fen=9_000), LineOf(product=products[1])],
            paid_with=PaidWith(coupons=coupons, points=300),
            state=state,
        )
        if state is OrderState.PAID:
            make_refund(session, order, amounts={order.lines[0].id: 1_234})
    deal = Deal(
        kind="flash_sale",
        activity_id=1,
        title="Now",
        prices_fen={products[0].id: 5_000},
        pays_commission=False,
    )
    lines = [LineOf(product=products[0])]
    make_order(session, member=member, store=store, lines=lines, paid_with=PaidWith(deal=deal))
    make_member(session)


def _whole(statement: str) -> str:
    for name, meant in SHORT.items():
        statement = statement.replace(name, meant)
    return statement


def _broken(session: Session) -> set[str]:
    return {one.code for one in invariants.check(session) if one.code in CODES and one.count}


def test_whatever_breaks_a_promise_about_discounts_is_found(owner: Session) -> None:
    _sell(owner)
    sound = _broken(owner)
    missed = {}
    for what, (written, codes) in BREAKS.items():
        owner.commit()
        with owner.begin_nested() as undone:
            owner.execute(sa.text("SET LOCAL session_replication_role = replica"))
            owner.execute(sa.text(_whole(written)))
            found = _broken(owner)
            undone.rollback()
        if not codes <= found:
            missed[what] = codes - found

    assert sound == set()
    assert missed == {}
    assert {code for _, codes in BREAKS.values() for code in codes} == CODES
