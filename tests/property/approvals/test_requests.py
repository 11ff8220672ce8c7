"""Whatever people try in whatever order: nobody decides alone, and nothing happens twice."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.approvals import services
from app.approvals.models import Approval, ApprovalState, ApprovalStep
from app.attribution import services as bindings
from app.attribution.models import Binding
from app.kernel.audit import AuditRecord
from app.kernel.errors import DomainError
from app.stores.models import Staff
from tests.factories.approvals import Case, as_actor, ask_transfer, make_case
from tests.factories.people import make_distributor, make_staff
from tests.thoroughness import examples

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ACTS = ("ask", "approve", "refuse", "withdraw", "transfer", "disable", "overdue")
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 3), st.integers(0, 5)), max_size=14
)


class World:
    """One customer, four members of staff (the last one may decide nothing), one request."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.case: Case = make_case(session)
        self.people: list[Staff] = [
            self.case.maker,
            self.case.checker,
            make_staff(session, "owner"),
            make_staff(session, "auditor"),
        ]

    def newest(self) -> int:
        return self.session.scalar(sa.select(sa.func.max(Approval.id))) or 0

    def act(self, what: str, person: Staff, now: datetime) -> None:
        actor, session = as_actor(person), self.session
        if what == "ask":
            self.case.maker = person
            ask_transfer(session, self.case, now=now)
        elif what == "approve":
            services.approve(session, self.newest(), actor=actor, now=now)
        elif what == "refuse":
            services.refuse(session, self.newest(), actor=actor, reason="no", now=now)
        elif what == "withdraw":
            services.withdraw(session, self.newest(), actor=actor, now=now)
        elif what == "transfer":
            self.transfer(now)
        elif what == "disable":
            person.active = not person.active
            session.flush()
        else:
            services.end_overdue(session, now=now)

    def transfer(self, now: datetime) -> None:
        """Two people at one desk hand the customer over to somebody new."""
        bindings.transfer_binding(
            self.session,
            customer_id=self.case.customer.id,
            to_owner_id=make_distributor(self.session).member_id,
            actor=as_actor(self.people[0]),
            second_actor=as_actor(self.people[1]),
            reason="at the desk",
            now=now,
        )

    def moves(self) -> int:
        count = sa.select(sa.func.count()).where(Binding.customer_id == self.case.customer.id)
        return (self.session.scalar(count) or 0) - 1


@hypothesis_settings(
    max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_nobody_decides_alone_and_only_approvals_and_desks_move_the_customer(
    session: Session, steps: list[tuple[str, int, int]]
) -> None:
    world, now, desks = World(session), START, 0
    outsider = world.people[3].id

    for what, person, days in steps:
        now += days * DAY
        try:
            with session.begin_nested():
                world.act(what, world.people[person], now)
            desks += what == "transfer"
        except DomainError:
            session.expire_all()

    rows = session.scalars(sa.select(Approval).order_by(Approval.id)).all()
    mine = [row for row in rows if row.subject_id == world.case.customer.id]
    approved = [row for row in mine if row.state is ApprovalState.APPROVED]
    assert world.moves() == desks + len(approved)
    assert sum(row.state is ApprovalState.REQUESTED for row in mine) <= 1
    for row in mine:
        assert row.asked_by_id != row.decided_by_id
        assert outsider not in {row.asked_by_id, row.decided_by_id}
        steps_of_row = session.scalars(
            sa.select(ApprovalStep).where(ApprovalStep.approval_id == row.id)
        ).all()
        assert len(steps_of_row) == (1 if row.state is ApprovalState.REQUESTED else 2)
        trail = session.scalars(
            sa.select(AuditRecord.action).where(
                AuditRecord.subject_type == "approval", AuditRecord.subject_id == row.id
            )
        ).all()
        assert len(trail) == len(steps_of_row)
    for row in approved:
        assert row.ended_at is not None
        assert row.ended_at < row.expires_at
