"""A worker that dies between deciding on an event and committing leaves nothing behind."""

import signal
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.distribution import jobs
from app.distribution.models import Award, OrderDecision
from app.kernel.outbox import OutboxEvent, Task
from app.ledger.queries import balances
from tests.crash.conditions import wait_until
from tests.factories.orders import make_product
from tests.factories.plans import make_plan
from tests.factories.trade import Trade
from tests.servers import Process, Services

pytestmark = pytest.mark.commits
LOCK_ACCOUNTS = "LOCK TABLE ledger_entries IN SHARE ROW EXCLUSIVE MODE"
WAITING = """
    SELECT count(*) FROM pg_locks WHERE NOT granted
    AND relation = 'ledger_entries'::regclass AND database =
        (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def test_a_worker_killed_between_decision_and_commit_is_made_good_by_the_next(
    app: Flask, session: Session, services: Services, launch: Callable[..., Process]
) -> None:
    trade = Trade(session)
    plan_id = make_plan(session, model="CHAIN_2_1").plan_id
    owner = trade.join()
    trade.work()
    order = trade.buy([(make_product(session), 10_000)], owner=owner)
    session.execute(sa.delete(OutboxEvent))
    session.add(
        Task(job="award_orders", subject_id=order.id, created_at=trade.now, due_at=trade.now)
    )
    owner_id = owner.member_id
    session.commit()

    books = sa.create_engine(services.owner_database_url, poolclass=sa.NullPool)
    with books.begin() as holder:
        holder.execute(sa.text(LOCK_ACCOUNTS))
        process = launch("run-job", "award_orders")
        wait_until(lambda: bool(holder.scalar(sa.text(WAITING))), "the booking")
        status = process.stop(signal.SIGKILL)
    left = trade.events(plan_id), session.scalar(sa.select(sa.func.count(Award.id)))
    jobs.award_orders()

    session.rollback()
    assert status == -signal.SIGKILL
    assert left == ([("joined", owner_id)], 0)
    assert trade.events(plan_id)[1:] == [("sold", order.id)]
    assert balances(session, owner_id).pending_fen == 1_000
    assert session.scalar(sa.select(sa.func.count(OrderDecision.order_id))) == 1
    assert trade.left() == []
    assert trade.replay().is_empty
