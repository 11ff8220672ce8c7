"""Several workers settle, mature and claw back at once; every fen is counted once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.distribution import jobs
from app.distribution.maturity import mature_due
from app.distribution.models import Award, OrderDecision
from app.kernel.db import atomic, db
from app.kernel.outbox import Task
from app.ledger.queries import balances
from app.operations import invariants
from app.orders.states import OrderState
from tests.factories.orders import make_order, make_refund, paid_order
from tests.factories.people import make_team
from tests.factories.plans import make_plan

pytestmark = pytest.mark.commits
WORKERS = 6
MONEY = {"B1", "B2", "B4", "B14", "B18", "B19", "B20", "B20p", "B21"}


def _at_once(app: Flask, *acts: Callable[[], object]) -> None:
    def run(act: Callable[[], object]) -> None:
        with app.app_context():
            try:
                act()
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(run, act) for act in acts]:
            done.result()


def _broken(session: Session) -> list[str]:
    return [one.code for one in invariants.check(session) if one.code in MONEY and one.count]


def _task(session: Session, job: str, subject_id: int, now: datetime) -> None:
    session.add(Task(job=job, subject_id=subject_id, created_at=now, due_at=now))


def test_workers_at_once_decide_each_order_once(
    app: Flask, session: Session, now: datetime
) -> None:
    version = make_plan(session)
    above, owner = make_team(session, 2)
    for _ in range(60):
        order = paid_order(session, owner=owner, plan_version_id=version.id)
        for _ in range(3):
            _task(session, "award_orders", order.id, now)
    owner_id, above_id = owner.member_id, above.member_id
    session.commit()

    _at_once(app, *[jobs.award_orders] * WORKERS)

    assert session.scalar(sa.select(sa.func.count(OrderDecision.order_id))) == 60
    assert session.scalar(sa.select(sa.func.count(Task.id))) == 0
    assert balances(session, owner_id).pending_fen == 60 * 1_000
    assert balances(session, above_id).pending_fen == 60 * 300
    assert _broken(session) == []


def test_maturity_and_refunds_at_once_keep_every_fen(
    app: Flask, session: Session, now: datetime
) -> None:
    version = make_plan(session)
    owner = make_team(session, 2)[1]
    orders = [
        make_order(
            session, owner=owner, plan_version_id=version.id, state=OrderState.COMPLETED, now=now
        )
        for _ in range(40)
    ]
    for order in orders:
        _task(session, "award_orders", order.id, now)
        _task(session, "freeze_awards", order.id, now)
    session.commit()
    jobs.award_orders()
    session.execute(sa.update(Task).values(due_at=now))
    session.commit()
    jobs.freeze_awards()
    for order in orders[::2]:
        session.refresh(order, ["lines"])
        refund = make_refund(session, order, amounts={order.lines[0].id: 3_333}, now=now)
        _task(session, "claw_back_refunds", refund.id, now)
    owner_id = owner.member_id
    session.commit()
    later = now + timedelta(days=30)

    def mature() -> None:
        while mature_due(now=later):
            pass

    _at_once(app, mature, jobs.claw_back_refunds, mature, jobs.claw_back_refunds)
    mature()

    held = balances(session, owner_id)
    assert held.pending_fen == 0
    assert held.available_fen == 20 * 1_000 + 20 * 666
    assert session.scalar(sa.select(sa.func.count(Award.id))) == 80
    assert _broken(session) == []
    with atomic() as transaction:
        assert transaction.scalar(sa.select(sa.func.count(Task.id))) == 0
