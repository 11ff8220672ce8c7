"""What happened becomes a message to whom it concerns, once."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.interactions.message_models import Message
from app.interactions.occasions import OCCASIONS
from app.kernel.jobs import by_name
from app.kernel.outbox import Task
from app.reactions import TASKS
from app.telling.events import TELLERS
from app.telling.jobs import JOBS
from tests.factories.interactions import make_template
from tests.factories.orders import make_order
from tests.factories.people import NOON


def leave(session: Session, event: str, subject_id: int) -> None:
    """Leave the tasks that the relay would."""
    session.add(Task(job=JOBS[event], subject_id=subject_id, created_at=NOON, due_at=NOON))
    session.commit()


def test_a_paid_order_is_told_once_however_often_the_job_runs(session: Session) -> None:
    order = make_order(session, price_fen=12_300)
    number, member_id = order.number, order.member_id
    make_template(session, "order_paid")

    for _ in range(2):
        leave(session, "order_paid", order.id)
        by_name(JOBS["order_paid"])()

    row = session.scalars(sa.select(Message)).one()
    assert row.member_id == member_id
    assert (row.data["character_string1"], row.data["amount3"]) == (number, "¥123.00")
    assert session.scalars(sa.select(Task)).all() == []


def test_an_event_of_something_that_is_gone_tells_nobody(session: Session) -> None:
    for event in TELLERS:
        leave(session, event, 999_999)
        by_name(JOBS[event])()

    assert session.scalars(sa.select(Message)).all() == []
    assert session.scalars(sa.select(Task)).all() == []


def test_every_event_of_the_table_leaves_a_task_for_its_job() -> None:
    assert all(JOBS[event] in TASKS[event] for event in TELLERS)
    assert OCCASIONS
