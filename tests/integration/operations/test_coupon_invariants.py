"""The audit finds whatever is wrong with coupons, and nothing in what is whole.

Constraints and triggers keep the product from breaking any of it, so it is broken as the owner of
the tables with triggers off, in a transaction that is undone.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, cast

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.coupons import lapsing, ordering, pushing, services
from app.coupons.models import CouponTemplate
from app.coupons.states import CouponEvent, CouponKind
from app.kernel.audit import SYSTEM
from app.kernel.db import db
from app.members.models import Member
from app.operations import invariants
from app.operations.coupon_statements import COUPON_STATEMENTS
from app.orders.states import OrderState
from tests.factories.coupons import line, make_coupon, make_template
from tests.factories.orders import make_order, make_product
from tests.factories.people import NOON, make_member, make_store
from tests.servers import Services

CODES: Final = {code for code, _says, _statement in COUPON_STATEMENTS}

BREAKS: Final = {
    "a template that issued more than there are": (
        "UPDATE coupon_stocks SET issued = issued + 1 WHERE stock > issued",
        {"B29t"},
    ),
    "a coupon that its template does not count": (
        "UPDATE coupon_stocks SET issued = issued - 1 WHERE issued > 0",
        {"B29t"},
    ),
    "slots that hold less than the stock": (
        "UPDATE coupon_stocks SET stock = stock - 1 WHERE stock > issued",
        {"B29t"},
    ),
    "a stock without slots": (
        "DELETE FROM coupon_stocks WHERE issued = 0",
        {"B29t"},
    ),
    "a member who got more than one may": (
        "UPDATE coupon_templates SET per_member = 1",
        {"B29m"},
    ),
    "a coupon that its member's count does not know": (
        "UPDATE coupon_holdings SET issued = issued + 1",
        {"B29m"},
    ),
    "a member whose coupons nobody counted": ("DELETE FROM coupon_holdings", {"B29m"}),
    "a coupon used twice": (
        """INSERT INTO coupon_steps (coupon_id, event, to_state, at, actor)
        SELECT coupon_id, event, to_state, at, actor FROM coupon_steps WHERE event = 'use'""",
        {"B30s"},
    ),
    "a coupon that came back without a step": (
        """UPDATE coupons SET state = 'unused', order_id = NULL, amount_fen = NULL, used_at = NULL
        WHERE state = 'used' AND order_id IS NOT NULL""",
        {"B30s"},
    ),
    "a coupon from nowhere": ("DELETE FROM coupon_steps WHERE event = 'claim'", {"B30s"}),
    "a coupon held by an order that is over": (
        "UPDATE orders SET state = 'closed', closed_at = now() WHERE state = 'created'",
        {"B30l"},
    ),
    "an amount off handed over in a store": (
        """UPDATE coupons SET state = 'used', used_at = now(), store_id =
        (SELECT min(id) FROM stores) WHERE state = 'unused'""",
        {"B30h"},
    ),
    "a push that counts one too many": (
        "UPDATE coupon_pushes SET given = given + 1, people = people + 1",
        {"B29p"},
    ),
    "a push whose coupon is gone": (
        "UPDATE coupons SET key = NULL WHERE key IS NOT NULL",
        {"B29p"},
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


def _live(session: Session) -> None:
    """Coupons in every state, one of them redeemed in a store, and a push."""
    member, template = make_member(session), make_template(session, per_member=9)
    for event in (CouponEvent.RESERVE, CouponEvent.USE, CouponEvent.GIVE_BACK, CouponEvent.RELEASE):
        _order(session, member, template, event)
    spare = make_coupon(session, template, member)
    services.revoke(session, spare.id, reason="by mistake", actor=SYSTEM, now=NOON)
    make_coupon(session, make_template(session, valid_seconds=60), member)
    lapsing.expire_due(session, now=NOON + timedelta(hours=1))
    _hand_over(session, member)
    pushing.push(session, template.id, [member.id], title="All", actor=SYSTEM, now=NOON)
    session.commit()
    pushing.work_off(now=NOON)
    pushing.work_off(now=NOON)


def _order(session: Session, member: Member, template: CouponTemplate, until: CouponEvent) -> None:
    """A coupon in an order that went as far as an event."""
    coupon = make_coupon(session, template, member)
    waits = until is CouponEvent.RESERVE
    state = OrderState.CREATED if waits else OrderState.PAID
    order = make_order(session, member=member, state=state)
    taken = ordering.apply(
        session,
        member_id=member.id,
        store_id=order.store_id,
        coupon_ids=[coupon.id],
        lines=[line(1, 10_000)],
        now=NOON,
    )
    later = NOON + timedelta(hours=1)
    ordering.reserve(session, order.id, taken, member_id=member.id, until_at=later, now=NOON)
    if until is CouponEvent.RELEASE:
        ordering.release(session, order.id, now=NOON)
    elif not waits:
        ordering.use(session, order.id, now=NOON)
    if until is CouponEvent.GIVE_BACK:
        ordering.give_back(session, order.id, now=NOON)


def _hand_over(session: Session, member: Member) -> None:
    store, product = make_store(session), make_product(session)
    free = make_template(
        session, kind=CouponKind.EXCHANGE, product_ids=[product.id], store_ids=[store.id]
    )
    coupon = make_coupon(session, free, member)
    coupon.store_id, coupon.used_at = store.id, NOON
    coupon.advance(CouponEvent.REDEEM, now=NOON)
    session.flush()


def _broken(session: Session) -> set[str]:
    return {one.code for one in invariants.check(session) if one.code in CODES and one.count}


def test_whatever_breaks_a_promise_about_coupons_is_found(owner: Session) -> None:
    _live(owner)
    sound = _broken(owner)
    missed = {}
    for what, (written, codes) in BREAKS.items():
        owner.commit()
        with owner.begin_nested() as undone:
            owner.execute(sa.text("SET LOCAL session_replication_role = replica"))
            owner.execute(sa.text(written))
            found = _broken(owner)
            undone.rollback()
        if not codes <= found:
            missed[what] = codes - found

    assert sound == set()
    assert missed == {}
    assert {code for _, codes in BREAKS.values() for code in codes} == CODES
