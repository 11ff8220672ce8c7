"""Running the settlement's parts at a moment of the test's choosing."""

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.distribution import clawback, settlement
from app.distribution.models import Award
from app.kernel import outbox
from app.kernel.outbox import Task
from app.orders.models import Order, Refund
from app.orders.states import RefundState
from tests.factories.orders import NOON, make_refund

Process = Callable[[Session, Sequence[Task], datetime], None]


def run(session: Session, job: str, process: Process, subject_id: int, *, now: datetime) -> None:
    """Do what a worker does with one task of a job."""
    session.add(Task(job=job, subject_id=subject_id, created_at=now, due_at=now))
    session.flush()
    process(session, outbox.claim(session, job, limit=10, now=now), now)


def award(session: Session, order: Order, *, now: datetime) -> list[Award]:
    """Decide on a paid order; returns its awards by seat."""
    run(session, "award_orders", settlement.award_orders, order.id, now=now)
    return awards_of(session, order)


def freeze(session: Session, order: Order, *, now: datetime) -> None:
    run(session, "freeze_awards", settlement.freeze_awards, order.id, now=now)


def claw_back(session: Session, refund: Refund, *, now: datetime) -> None:
    run(session, "claw_back_refunds", clawback.claw_back_refunds, refund.id, now=now)


def awards_of(session: Session, order: Order) -> list[Award]:
    session.expire_all()
    return list(
        session.scalars(
            sa.select(Award)
            .where(Award.order_id == order.id)
            .order_by(Award.order_line_id, Award.seat)
        )
    )


def refund_of(
    session: Session,
    order: Order,
    *,
    fen: int | None = None,
    state: RefundState = RefundState.SUCCEEDED,
    now: datetime = NOON,
) -> Refund:
    """Refund so much of an order's only line, or everything that is left."""
    fresh = session.scalars(
        sa.select(Order)
        .where(Order.id == order.id)
        .options(selectinload(Order.lines))
        .execution_options(populate_existing=True)
    ).one()
    amounts = {fresh.lines[0].id: fen} if fen else None
    return make_refund(session, fresh, amounts=amounts, state=state, now=now)


def open_tasks(session: Session) -> list[tuple[str, int]]:
    rows = session.execute(sa.select(Task.job, Task.subject_id).order_by(Task.id))
    return [(job, subject_id) for job, subject_id in rows]
