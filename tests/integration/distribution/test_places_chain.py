"""Chain 2+1 from approvals to awards, through the jobs that run in production."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import AwardRefusal, OrderDecision
from app.distribution.plan_records import PlanEvent
from app.kernel.outbox import Task
from tests.factories.orders import NOON, make_product
from tests.factories.people import make_distributor
from tests.factories.plans import make_plan
from tests.factories.trade import JOBS, Trade

CHAIN = "CHAIN_2_1"


@pytest.fixture
def trade(session: Session) -> Trade:
    return Trade(session)


def test_approvals_become_places_below_whoever_recommended(trade: Trade, session: Session) -> None:
    plan_id = make_plan(session, model=CHAIN).plan_id
    top = trade.join()
    below = trade.join(top)
    beside = trade.join(top)

    trade.work()

    places = trade.places(plan_id)
    assert set(places) == {(one.member_id, 1) for one in (top, below, beside)}
    assert places[top.member_id, 1]["parent"] is None
    assert places[below.member_id, 1]["parent"] == top.member_id
    assert places[top.member_id, 1]["direct_count"] == 2
    assert trade.replay().is_empty


def test_an_order_pays_by_role_and_a_promotion_pays_from_the_next_order_on(
    trade: Trade, session: Session
) -> None:
    plan_id = make_plan(session, model=CHAIN, promote_sales_fen=10_000).plan_id
    product = make_product(session, price_fen=100_000)
    owner = trade.join()
    first = trade.buy([(product, 20_000)], owner=owner)
    trade.work()
    assert trade.awards(first) == [(owner.member_id, "DIRECT", 2_000, 0)]

    trade.receive(first)
    trade.settle(first)
    trade.work()
    second = trade.buy([(product, 20_000)], owner=owner)
    trade.work()

    assert trade.places(plan_id)[owner.member_id, 1]["role"] == "BOSS"
    assert trade.awards(first) == [(owner.member_id, "DIRECT", 2_000, 0)]
    assert trade.awards(second) == [
        (owner.member_id, "DIRECT", 2_000, 0),
        (owner.member_id, "TEAM", 1_000, 0),
    ]
    assert trade.replay().is_empty


def test_refunds_take_back_shares_and_settled_sales(trade: Trade, session: Session) -> None:
    plan_id = make_plan(session, model=CHAIN).plan_id
    product = make_product(session, price_fen=100_000)
    owner = trade.join()
    order = trade.buy([(product, 20_000)], owner=owner)
    trade.work()
    trade.receive(order)
    trade.refund(order, {0: 5_000})
    trade.settle(order)
    trade.work()
    assert trade.places(plan_id)[owner.member_id, 1]["sales_fen"] == 15_000

    trade.refund(order, {0: 3_000})
    trade.work()

    assert trade.awards(order) == [(owner.member_id, "DIRECT", 2_000, 800)]
    assert trade.places(plan_id)[owner.member_id, 1]["sales_fen"] == 12_000
    assert trade.replay().is_empty


def test_a_refund_heard_of_before_the_settlement_waits_for_it(
    trade: Trade, session: Session
) -> None:
    plan_id = make_plan(session, model=CHAIN).plan_id
    owner = trade.join()
    order = trade.buy([(make_product(session, price_fen=100_000), 20_000)], owner=owner)
    trade.work()
    trade.receive(order)
    trade.settle(order)
    trade.refund(order, {0: 20_000})

    trade.work(["note_refunds", "claw_back_refunds", "award_orders", "freeze_awards"])

    assert trade.events(plan_id)[-2:] == [("settled", order.id), ("refunded", order.id)]
    assert trade.places(plan_id)[owner.member_id, 1]["sales_fen"] == 0
    assert trade.replay().is_empty


def test_orders_of_one_batch_are_decided_by_their_payment(trade: Trade, session: Session) -> None:
    plan_id = make_plan(session, model=CHAIN).plan_id
    product, owner = make_product(session, price_fen=100_000), trade.join()
    trade.work()
    last = trade.buy([(product, 1_000)], owner=owner, at=NOON + timedelta(hours=3))
    twins = [
        trade.buy([(product, 1_000)], owner=owner, at=NOON + timedelta(hours=2)) for _ in range(2)
    ]
    first = trade.buy([(product, 1_000)], owner=owner, at=NOON + timedelta(hours=1))

    trade.work()

    expected = [first.id, twins[0].id, twins[1].id, last.id]
    assert [one for kind, one in trade.events(plan_id) if kind == "sold"] == expected


def test_an_order_that_was_just_paid_waits_for_an_earlier_one(
    trade: Trade, session: Session
) -> None:
    plan_id = make_plan(session, model=CHAIN).plan_id
    owner = trade.join()
    trade.work()
    just_now = session.scalar(sa.select(sa.func.clock_timestamp()))
    order = trade.buy([(make_product(session, price_fen=100_000), 1_000)], owner=owner, at=just_now)

    trade.work_once()

    assert trade.events(plan_id) == [("joined", owner.member_id)]
    assert trade.left() == [("award_orders", order.id)]
    assert session.scalar(sa.select(sa.func.count(OrderDecision.order_id))) == 0


def test_jobs_that_run_twice_change_nothing(trade: Trade, session: Session) -> None:
    plan_id = make_plan(session, model=CHAIN).plan_id
    owner = trade.join()
    order = trade.buy([(make_product(session, price_fen=100_000), 20_000)], owner=owner)
    trade.receive(order)
    refund = trade.refund(order, {0: 4_000})
    trade.work()
    before = trade.places(plan_id), trade.events(plan_id), trade.awards(order)

    subjects = {"note_joined": owner.member_id, "award_orders": order.id, "freeze_awards": order.id}
    for job in JOBS:
        if job != "seat_everybody":
            subject_id = subjects.get(job, refund.id)
            task = Task(job=job, subject_id=subject_id, created_at=trade.now, due_at=trade.now)
            session.add(task)
    trade.work()

    assert (trade.places(plan_id), trade.events(plan_id), trade.awards(order)) == before
    assert trade.replay().is_empty


def test_a_new_recommender_after_payment_changes_no_award(trade: Trade, session: Session) -> None:
    make_plan(session, model=CHAIN)
    above, other = trade.join(), trade.join()
    owner = trade.join(above)
    trade.work()
    order = trade.buy([(make_product(session, price_fen=100_000), 10_000)], owner=owner)
    owner.recommender_id = other.member_id
    owner.recommender_team_order, owner.second_recommender_id = other.team_order, None
    session.flush()

    trade.work()

    assert trade.awards(order) == [(owner.member_id, "DIRECT", 1_000, 0)]
    assert trade.replay().differences == []


def test_each_order_is_decided_by_the_version_it_was_made_under(
    trade: Trade, session: Session
) -> None:
    version = make_plan(session, model=CHAIN)
    product, owner = make_product(session, price_fen=100_000), trade.join()
    before = trade.buy([(product, 10_000)], owner=owner)
    pay = {"agent": {"rate_bp": 200}, "boss": {"rate_bp": 200}}
    at = trade.tick()
    make_plan(session, at=at, plan_id=version.plan_id, model=CHAIN, direct=pay)
    after = trade.buy([(product, 10_000)], owner=owner)

    trade.work()

    assert trade.awards(before) == [(owner.member_id, "DIRECT", 1_000, 0)]
    assert trade.awards(after) == [(owner.member_id, "DIRECT", 200, 0)]
    assert trade.replay().is_empty


def test_nobody_without_a_place_is_paid_and_the_reason_is_kept(
    trade: Trade, session: Session
) -> None:
    make_plan(session, model=CHAIN)
    trade.work()
    stranger = make_distributor(session, now=NOON)
    order = trade.buy([(make_product(session, price_fen=100_000), 10_000)], owner=stranger)

    trade.work()

    assert trade.awards(order) == []
    reasons = session.scalars(
        sa.select(AwardRefusal.reason).where(AwardRefusal.order_id == order.id)
    )
    assert "NO_PLACE" in set(reasons)
    kinds = session.scalars(sa.select(PlanEvent.kind).where(PlanEvent.order_id == order.id))
    assert set(kinds) == {"sold"}
