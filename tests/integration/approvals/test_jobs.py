"""The job that ends requests nobody decided."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.approvals import jobs
from app.approvals.models import Approval, ApprovalState
from app.kernel.audit import AuditRecord
from app.kernel.db import database_now
from tests.factories.approvals import ask_transfer, make_case

WEEK = timedelta(days=7)
pytestmark = pytest.mark.commits


def test_the_job_ends_what_is_overdue_and_what_disabled_staff_asked_for(session: Session) -> None:
    now = database_now()
    cases = [make_case(session) for _ in range(3)]
    overdue = ask_transfer(session, cases[0], now=now - WEEK).id
    orphaned = ask_transfer(session, cases[1], now=now).id
    waiting = ask_transfer(session, cases[2], now=now).id
    cases[1].maker.active = False
    session.commit()

    done, again = jobs.expire_approvals(), jobs.expire_approvals()

    states = dict(session.execute(sa.select(Approval.id, Approval.state)).all())
    assert (done, again) == (2, 0)
    assert states == {
        overdue: ApprovalState.EXPIRED,
        orphaned: ApprovalState.VOID,
        waiting: ApprovalState.REQUESTED,
    }
    ends = session.execute(
        sa.select(AuditRecord.action, AuditRecord.actor_kind)
        .where(AuditRecord.action != "approval_asked")
        .order_by(AuditRecord.id)
    ).all()
    assert [tuple(one) for one in ends] == [
        ("approval_expired", "system"),
        ("approval_void", "system"),
    ]
