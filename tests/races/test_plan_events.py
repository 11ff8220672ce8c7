"""Workers at once on plans with places: the same end as one after the other."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.distribution import jobs
from app.distribution.models import Award
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic
from app.kernel.outbox import OutboxEvent, Task
from app.ledger.queries import balances
from app.operations.plan_statements import PLAN_STATEMENTS
from app.orders import services
from app.orders.states import RefundState
from app.settings import Settings
from app.wechat.values import RefundReport
from tests.factories.orders import NOON, make_product, make_refund, refund_report
from tests.factories.people import make_distributor, make_team
from tests.factories.plans import make_plan
from tests.factories.trade import Trade
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
WORKERS = 8
CODES = [code for code, _says, _statement in PLAN_STATEMENTS if code not in {"P7", "P8"}]
CHAIN: Final[dict[str, Any]] = {
    "conduct": {"entry": "BUY_PACKAGE"},
    "entry_price_fen": 1_000,
    "promotion_by": "RECRUITS",
    "promotion_effective": "PAID",
    "promote_count": 2,
    "peer_bp": 1_000,
}


def _tasks(session: Session, job: str, subject_ids: Iterable[int]) -> None:
    session.add_all(
        Task(job=job, subject_id=one, created_at=NOON, due_at=NOON) for one in subject_ids
    )


def _joining_orders(trade: Trade, count: int) -> list[int]:
    """So many orders by which newcomers join below random people who came before."""
    session, chance = trade.session, random.Random(7)
    product = make_product(session, price_fen=100_000)
    people = [make_distributor(session, now=trade.tick())]
    order_ids = []
    for _ in range(count):
        owner = chance.choice(people)
        person = make_distributor(session, recommender=owner, now=trade.tick())
        order = trade.buy([(product, 1_500)], owner=owner, buyer=trade.member(person))
        order_ids.append(order.id)
        people.append(person)
    return order_ids


def test_workers_at_once_lead_to_the_places_that_the_events_lead_to(
    app: Flask, session: Session
) -> None:
    trade = Trade(session)
    plan_id = make_plan(session, model="CHAIN_2_1", **CHAIN).plan_id
    order_ids = _joining_orders(trade, 200)
    random.Random(8).shuffle(order_ids)
    for _ in range(2):
        _tasks(session, "award_orders", order_ids)
    session.execute(sa.delete(OutboxEvent))
    session.commit()

    at_once(app, *[jobs.award_orders] * WORKERS)

    report = trade.replay()
    sold = [one or 0 for kind, one in trade.events(plan_id) if kind == "sold"]
    assert sorted(sold) == sorted(order_ids)
    assert len(trade.places(plan_id)) == 200
    assert [str(one) for one in report.differences] == []
    assert report.counts["decisions"] == 200
    assert session.scalar(sa.select(sa.func.count(Task.id))) == 0
    assert broken(session, *CODES) == []


def test_orders_of_two_plans_at_once_neither_wait_for_ever_nor_mix(
    app: Flask, session: Session
) -> None:
    trade = Trade(session)
    products = [make_product(session, price_fen=100_000) for _ in range(2)]
    plans = [
        make_plan(session, model="CHAIN_2_1", scope={"product_ids": [one.id]}).plan_id
        for one in products
    ]
    team = make_team(session, 3)
    trade.work()
    order_ids = []
    for number in range(60):
        lines = [(one, 1_000) for one in (products if number % 2 else reversed(products))]
        order_ids.append(trade.buy(lines, owner=team[number % 3]).id)
    chance = random.Random(9)
    _tasks(session, "award_orders", chance.sample(order_ids, 60))
    for _ in range(2):
        _tasks(session, "note_joined", [one.member_id for one in team])
    session.execute(sa.delete(OutboxEvent))
    session.commit()

    at_once(app, *[jobs.award_orders, jobs.note_joined] * 4)

    for plan_id in plans:
        kinds = [kind for kind, _ in trade.events(plan_id)]
        assert (kinds.count("sold"), kinds.count("joined")) == (60, 3)
    assert trade.replay().is_empty
    assert session.scalar(sa.select(sa.func.count(Task.id))) == 0
    assert broken(session, *CODES) == []


@pytest.mark.parametrize("model", ["CHAIN_2_1", "CHANNEL_TWO_LEVEL"])
def test_a_refund_beside_the_decision_is_either_left_out_or_taken_back(
    app: Flask, session: Session, settings: Settings, model: str
) -> None:
    trade = Trade(session)
    make_plan(session, model=model, effective_at="RECEIVED")
    owner = trade.join()
    trade.work()
    at, acts = trade.now + timedelta(days=1), []
    for number in range(6):
        order = trade.buy([(make_product(session), 10_000)], owner=owner)
        amounts = {order.lines[0].id: 4_000}
        refund = make_refund(session, order, amounts=amounts, state=RefundState.SENT, now=trade.now)
        report = refund_report(session, refund)
        acts.append(partial(_receive, order.id, settings=settings, now=at))
        beside = at + timedelta(microseconds=number % 3 - 1)
        acts.append(partial(_give_back, report, settings=settings, now=beside))
    owner_id = owner.member_id
    session.commit()

    at_once(app, *acts, jobs.award_orders, jobs.claw_back_refunds)
    trade.now = at + timedelta(hours=1)
    trade.work()

    net_fen = sa.func.sum(Award.amount_fen - Award.reversed_fen)
    assert session.execute(sa.select(sa.func.count(), net_fen)).one() == (6, 6 * 600)
    assert balances(session, owner_id).pending_fen == 6 * 600
    assert [str(one) for one in trade.replay().differences] == []
    assert broken(session, *CODES) == []


def _receive(order_id: int, *, settings: Settings, now: datetime) -> int:
    with atomic() as session:
        services.complete(session, order_id, actor=SYSTEM, settings=settings, now=now)
    return jobs.award_orders()


def _give_back(report: RefundReport, *, settings: Settings, now: datetime) -> int:
    services.record_refund(report, received=None, settings=settings, now=now)
    return jobs.claw_back_refunds()
