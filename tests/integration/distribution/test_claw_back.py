from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.maturity import mature_due
from app.distribution.models import AwardReversal, AwardState, RefundDecision
from app.ledger import services as ledger
from app.ledger.queries import balances
from app.ledger.transfers import WECHAT_PAID_OUT, Transfer, available
from app.members.models import Distributor
from app.orders.models import Order
from app.orders.states import OrderState, RefundState
from tests.factories.orders import make_order, paid_order
from tests.factories.people import make_distributor, make_team
from tests.factories.plans import make_plan
from tests.integration.distribution.cases import (
    award,
    awards_of,
    claw_back,
    freeze,
    open_tasks,
    refund_of,
)

DAY = timedelta(days=1)


def _matured(session: Session, owner: Distributor, now: datetime, price_fen: int = 25_999) -> Order:
    """An order whose commission may be withdrawn at `now`."""
    version = make_plan(session)
    order = make_order(
        session,
        price_fen=price_fen,
        owner=owner,
        plan_version_id=version.id,
        state=OrderState.COMPLETED,
        now=now - 10 * DAY,
    )
    award(session, order, now=now - 10 * DAY)
    freeze(session, order, now=now - 10 * DAY)
    session.commit()
    assert mature_due(now=now) > 0
    return order


def test_a_partial_refund_takes_back_the_difference_and_no_fen_more(
    session: Session, now: datetime
) -> None:
    version = make_plan(session)
    above, owner = make_team(session, 2)
    above.level = 2
    order = paid_order(session, price_fen=25_999, owner=owner, plan_version_id=version.id)
    award(session, order, now=now)

    claw_back(session, refund_of(session, order, fen=9_999), now=now)

    reversals = session.scalars(sa.select(AwardReversal.amount_fen).order_by(AwardReversal.id))
    assert list(reversals) == [999, 499]
    assert balances(session, owner.member_id).pending_fen == 1_600
    assert balances(session, above.member_id).pending_fen == 800


@pytest.mark.parametrize("slices", [[1] * 19 + [81], [33, 33, 34], [99, 1], [100]])
def test_refunds_in_slices_take_back_exactly_what_one_refund_does(
    session: Session, now: datetime, slices: list[int]
) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    order = paid_order(session, price_fen=199, owner=owner, plan_version_id=version.id)
    award(session, order, now=now)

    for number, fen in enumerate(slices):
        at = now + timedelta(minutes=number)
        refund = refund_of(session, order, fen=fen, now=at)
        claw_back(session, refund, now=at)

    assert balances(session, owner.member_id).pending_fen == (199 - 100) // 10


def test_a_full_refund_before_maturity_voids_the_award(session: Session, now: datetime) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    order = paid_order(session, owner=owner, plan_version_id=version.id)
    award(session, order, now=now)

    claw_back(session, refund_of(session, order), now=now)

    [only] = awards_of(session, order)
    assert (only.state, only.reversed_fen) == (AwardState.VOID, only.amount_fen)
    assert balances(session, owner.member_id).pending_fen == 0


def test_the_same_refund_takes_back_once(session: Session, now: datetime) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    order = paid_order(session, owner=owner, plan_version_id=version.id)
    award(session, order, now=now)
    refund = refund_of(session, order, fen=5_000)
    claw_back(session, refund, now=now)

    claw_back(session, refund, now=now)

    assert balances(session, owner.member_id).pending_fen == 500
    assert session.scalar(sa.select(sa.func.count(AwardReversal.id))) == 1


def test_refunds_worked_off_in_the_wrong_order_end_at_the_same_sum(
    session: Session, now: datetime
) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    order = paid_order(session, price_fen=999, owner=owner, plan_version_id=version.id)
    award(session, order, now=now)
    first = refund_of(session, order, fen=105, now=now)
    second = refund_of(session, order, fen=206, now=now + DAY)

    claw_back(session, second, now=now + DAY)
    claw_back(session, first, now=now + DAY)

    assert balances(session, owner.member_id).pending_fen == (999 - 311) // 10
    assert session.scalar(sa.select(sa.func.count(RefundDecision.refund_id))) == 2


def test_a_refund_waits_until_its_order_has_been_decided(session: Session, now: datetime) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    order = paid_order(session, owner=owner, plan_version_id=version.id)
    refund = refund_of(session, order)

    claw_back(session, refund, now=now)

    assert open_tasks(session) == [("claw_back_refunds", refund.id)]
    assert session.get(RefundDecision, refund.id) is None


def test_a_refund_after_maturity_takes_from_what_may_be_withdrawn(
    session: Session, now: datetime
) -> None:
    owner = make_distributor(session)
    order = _matured(session, owner, now)
    assert balances(session, owner.member_id).available_fen == 2_599

    claw_back(session, refund_of(session, order, now=now), now=now)

    [only] = awards_of(session, order)
    held = balances(session, owner.member_id)
    assert (held.available_fen, held.debt_fen) == (0, 0)
    assert only.state is AwardState.REVERSED


def test_a_refund_after_the_payout_leaves_a_debt_that_later_earnings_fill_first(
    session: Session, now: datetime
) -> None:
    owner = make_distributor(session)
    order = _matured(session, owner, now)
    version_id = awards_of(session, order)[0].plan_version_id
    paid = Transfer(available(owner.member_id), WECHAT_PAID_OUT, 2_000)
    ledger.post(session, "test-paid", [paid], now=now)

    claw_back(session, refund_of(session, order, now=now), now=now)

    held = balances(session, owner.member_id)
    assert (held.available_fen, held.debt_fen) == (0, 2_000)

    later = make_order(
        session,
        price_fen=30_000,
        owner=owner,
        plan_version_id=version_id,
        state=OrderState.COMPLETED,
        now=now,
    )
    award(session, later, now=now)
    freeze(session, later, now=now)
    session.commit()
    assert mature_due(now=now + 8 * DAY) == 1

    held = balances(session, owner.member_id)
    assert (held.available_fen, held.debt_fen, held.pending_fen) == (1_000, 0, 0)


@pytest.mark.parametrize(
    "state", [RefundState.REQUESTED, RefundState.SENT, RefundState.ABNORMAL, RefundState.SUCCEEDED]
)
def test_nothing_matures_while_a_refund_is_open_or_not_taken_back_yet(
    session: Session, now: datetime, state: RefundState
) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    order = make_order(
        session, owner=owner, plan_version_id=version.id, state=OrderState.COMPLETED, now=now
    )
    award(session, order, now=now)
    freeze(session, order, now=now)
    refund_of(session, order, fen=100, state=state, now=now)
    session.commit()

    assert mature_due(now=now + 30 * DAY) == 0

    assert balances(session, owner.member_id).available_fen == 0
    assert balances(session, owner.member_id).pending_fen == 1_000
