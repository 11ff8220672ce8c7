"""What loyalty does, for tests: its jobs, and templates of coupons to give."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import outbox
from app.kernel.outbox import Task
from app.loyalty import jobs
from app.loyalty.models import GivenReward
from app.reactions import TASKS

JOBS = (
    jobs.promise_rewards,
    jobs.settle_rewards,
    jobs.take_back_rewards,
    jobs.give_upgrade_gifts,
    jobs.look_at_members,
)
ROUNDS = 4


def work(session: Session, *, now: datetime, twice: bool = False) -> None:
    """Let the jobs of loyalty do all that is to do; `twice` rings each of them again."""
    for _ in range(ROUNDS):
        session.commit()
        outbox.relay(session, TASKS, now=now)
        session.execute(sa.update(Task).values(due_at=now))
        session.commit()
        for job in JOBS:
            job()
            if twice:
                job()
    session.expire_all()


def given(session: Session, member_id: int) -> list[tuple[str, int, str]]:
    """Return source, amount and state of what a member was given, in order."""
    rows = session.execute(
        sa.select(GivenReward.source, GivenReward.amount, GivenReward.state)
        .where(GivenReward.member_id == member_id)
        .order_by(GivenReward.id)
    )
    return [(source.value, amount, state.value) for source, amount, state in rows]
