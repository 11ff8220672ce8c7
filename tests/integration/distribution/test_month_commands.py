"""`flask months` and `flask explain`."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.distribution import shareholders
from app.distribution.month_books import bounds, month_of
from app.kernel.audit import Actor
from app.kernel.db import database_now
from app.members.models import Member
from app.orders.models import Order
from app.orders.states import OrderState
from tests.factories.orders import NOON, make_order, paid_order
from tests.factories.people import make_distributor, make_member, make_store
from tests.factories.plans import make_plan
from tests.integration.distribution.cases import award


def invoke(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=words)
    return result.exit_code, result.output


@pytest.fixture
def last_month(session: Session) -> tuple[int, int, str]:
    """A plan, a store and last month, in which one holder was seated and 1,000 yuan settled."""
    within = bounds(month_of(database_now()))[0] - timedelta(days=3)
    version = make_plan(session, model="SHARING_SHAREHOLDERS")
    store, person = make_store(session), make_distributor(session)
    session.commit()
    shareholders.grant(store.id, person.member_id, level=1, actor=Actor("staff", 1), now=within)
    for buyer in (make_member(session), session.get_one(Member, person.member_id)):
        make_order(
            session,
            member=buyer,
            store=store,
            price_fen=50_000,
            state=OrderState.SETTLED,
            plan_version_id=version.id,
            now=within,
        )
    session.commit()
    return version.plan_id, store.id, month_of(within)


def test_a_month_is_listed_previewed_and_closed_once(
    app: Flask, last_month: tuple[int, int, str]
) -> None:
    plan_id, store_id, month = last_month
    which = ("--plan", str(plan_id), "--month", month, "--store", str(store_id))

    listed = invoke(app, "months", "due")
    previewed = invoke(app, "months", "preview", *which)
    closed = invoke(app, "months", "close", *which)
    again = invoke(app, "months", "close", *which)

    assert listed[0] == 0
    assert f"plan {plan_id} {month} store {store_id}\n" in listed[1]
    figures = json.loads(previewed[1])
    assert (figures["net_fen"], figures["pool_fen"], figures["awarded_fen"]) == (
        100_000,
        5_000,
        5_000,
    )
    assert closed == (0, f"closed {month}: ¥50.00\n")
    assert again == (1, f"{month} is closed already.\n")


def test_an_order_is_explained_in_both_languages(app: Flask, session: Session) -> None:
    version = make_plan(session)
    order: Order = paid_order(
        session, owner=make_distributor(session), plan_version_id=version.id, now=NOON
    )
    award(session, order, now=NOON)
    number = order.number
    session.commit()

    english = invoke(app, "explain", number)
    chinese = invoke(app, "explain", number, "--language", "zh")
    unknown = invoke(app, "explain", "T-unknown")

    assert "10% of ¥100.00 is ¥10.00." in english[1]
    assert "¥10.00" in chinese[1]
    assert "paid" not in chinese[1]
    assert unknown == (1, "There is no such order.\n")
