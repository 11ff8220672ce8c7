from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.distribution.maturity import mature_due
from app.distribution.models import AwardState
from app.ledger.queries import balances
from app.orders.states import OrderState
from tests.factories.orders import make_order, paid_order
from tests.factories.people import make_distributor
from tests.factories.plans import make_plan
from tests.integration.distribution.cases import award, awards_of, freeze, open_tasks

DAY = timedelta(days=1)


def test_an_award_matures_when_both_waiting_times_are_over(session: Session, now: datetime) -> None:
    version = make_plan(session, settle_seconds=10 * 86_400)
    owner = make_distributor(session)
    order = make_order(
        session, owner=owner, plan_version_id=version.id, state=OrderState.COMPLETED, now=now
    )
    award(session, order, now=now)
    freeze(session, order, now=now)
    session.commit()

    assert mature_due(now=now + 10 * DAY - timedelta(seconds=1)) == 0
    assert mature_due(now=now + 10 * DAY) == 1
    assert mature_due(now=now + 10 * DAY) == 0

    [only] = awards_of(session, order)
    assert (only.state, only.matured_at) == (AwardState.MATURED, now + 10 * DAY)
    held = balances(session, owner.member_id)
    assert (held.pending_fen, held.available_fen) == (0, 1_000)


def test_an_order_not_received_never_matures(session: Session, now: datetime) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    order = paid_order(session, owner=owner, plan_version_id=version.id, now=now)
    award(session, order, now=now)
    session.commit()

    assert mature_due(now=now + 1_000 * DAY) == 0

    assert balances(session, owner.member_id).pending_fen == 1_000


def test_freezing_waits_for_the_decision(session: Session, now: datetime) -> None:
    version = make_plan(session)
    order = make_order(
        session,
        owner=make_distributor(session),
        plan_version_id=version.id,
        state=OrderState.COMPLETED,
        now=now,
    )

    freeze(session, order, now=now)

    assert open_tasks(session) == [("freeze_awards", order.id)]
    award(session, order, now=now)
    freeze(session, order, now=now + timedelta(seconds=5))
    assert open_tasks(session) == []
    assert awards_of(session, order)[0].state is AwardState.FROZEN
