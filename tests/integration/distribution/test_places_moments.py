"""Orders that count late, orders under several plans, and plans that begin with a team."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import Product
from app.distribution import reacting
from app.distribution.models import Award, AwardRefusal, AwardState, OrderDecision
from app.ledger.queries import balances
from tests.factories.orders import AFTER_SALE, make_product
from tests.factories.people import make_team
from tests.factories.plans import make_plan
from tests.factories.trade import JOBS, Trade

CHAIN, TWO_LEVEL = "CHAIN_2_1", "CHANNEL_TWO_LEVEL"
LATE = ["RECEIVED", "AFTER_SALE_CLOSED"]


@pytest.fixture
def trade(session: Session) -> Trade:
    return Trade(session)


@pytest.fixture
def product(session: Session) -> Product:
    return make_product(session, price_fen=1_000_000)


def _decisions(session: Session) -> list[tuple[int | None, int, int]]:
    rows = session.execute(
        sa.select(
            OrderDecision.plan_version_id, OrderDecision.base_fen, OrderDecision.awarded_fen
        ).order_by(OrderDecision.plan_version_id)
    )
    return [(version_id, base, awarded) for version_id, base, awarded in rows]


@pytest.mark.parametrize("model", [CHAIN, TWO_LEVEL])
def test_what_was_refunded_before_an_order_counts_is_not_shared(
    trade: Trade, session: Session, product: Product, model: str
) -> None:
    version = make_plan(session, model=model, effective_at="AFTER_SALE_CLOSED")
    owner = trade.join()
    order = trade.buy([(product, 10_000)], owner=owner)
    trade.refund(order, {0: 4_000})
    trade.receive(order)
    trade.work()
    assert _decisions(session) == []

    trade.settle(order)
    trade.work()

    award = session.scalars(sa.select(Award)).one()
    row = trade.fresh(order)
    assert _decisions(session) == [(version.id, 6_000, 600)]
    assert (award.base_fen, award.amount_fen, award.reversed_fen) == (6_000, 600, 0)
    assert (award.state, award.matures_at) == (AwardState.FROZEN, row.after_sale_until_at)
    assert trade.replay().is_empty


@pytest.mark.parametrize("model", [CHAIN, TWO_LEVEL])
@pytest.mark.parametrize("moment", LATE)
def test_what_is_refunded_after_an_order_counts_is_taken_back_whoever_works_first(
    trade: Trade, session: Session, product: Product, model: str, moment: str
) -> None:
    make_plan(session, model=model, effective_at=moment)
    owner = trade.join()
    order = trade.buy([(product, 10_000)], owner=owner)
    trade.refund(order, {0: 1_000})
    trade.receive(order)
    if moment == "AFTER_SALE_CLOSED":
        trade.settle(order)
    trade.refund(order, {0: 4_000})

    trade.work(reversed(JOBS))

    award = session.scalars(sa.select(Award)).one()
    assert (award.base_fen, award.amount_fen, award.reversed_fen) == (9_000, 900, 400)
    assert balances(session, owner.member_id).pending_fen == 500
    assert trade.replay().is_empty


@pytest.mark.parametrize("model", [CHAIN, TWO_LEVEL])
def test_a_late_award_matures_when_both_waits_are_over(
    trade: Trade, session: Session, product: Product, model: str
) -> None:
    wait = int(AFTER_SALE.total_seconds()) + 3_600
    make_plan(session, model=model, effective_at="RECEIVED", settle_seconds=wait)
    owner = trade.join()
    order = trade.buy([(product, 10_000)], owner=owner)
    trade.receive(order)
    trade.work()
    received_at = trade.now

    trade.now = received_at + timedelta(seconds=wait - 1)
    trade.mature()
    early = balances(session, owner.member_id).available_fen
    trade.now += timedelta(seconds=1)
    trade.mature()

    assert (early, balances(session, owner.member_id).available_fen) == (0, 1_000)


def test_an_order_that_is_refunded_whole_before_it_counts_is_never_decided(
    trade: Trade, session: Session, product: Product
) -> None:
    make_plan(session, model=CHAIN, effective_at="AFTER_SALE_CLOSED")
    order = trade.buy([(product, 10_000)], owner=trade.join())
    trade.receive(order)
    trade.refund(order)

    trade.work()

    assert _decisions(session) == []
    assert trade.replay().is_empty


def test_a_line_that_is_refunded_whole_before_it_counts_says_so(
    trade: Trade, session: Session, product: Product
) -> None:
    make_plan(session, model=CHAIN, effective_at="AFTER_SALE_CLOSED")
    other = make_product(session)
    owner = trade.join()
    order = trade.buy([(product, 10_000), (other, 5_000)], owner=owner)
    trade.receive(order)
    trade.refund(order, {0: 10_000})
    trade.settle(order)

    trade.work()

    gone, kept = trade.fresh(order).lines
    refusals = session.execute(
        sa.select(AwardRefusal.order_line_id, AwardRefusal.reason).where(
            AwardRefusal.order_line_id == gone.id
        )
    ).all()
    assert {tuple(row) for row in refusals} == {(gone.id, "ZERO_BASE")}
    awards = session.execute(sa.select(Award.order_line_id, Award.amount_fen)).all()
    assert [tuple(row) for row in awards] == [(kept.id, 500)]
    assert trade.replay().is_empty


def test_lines_under_two_plans_and_one_under_none_are_decided_each_by_its_own(
    trade: Trade, session: Session
) -> None:
    first, second, third = (make_product(session) for _ in range(3))
    chain = make_plan(
        session, model=CHAIN, scope={"product_ids": [first.id]}, effective_at="RECEIVED"
    )
    channel = make_plan(session, model=TWO_LEVEL, scope={"product_ids": [second.id]})
    owner = trade.join()
    order = trade.buy([(first, 1_000), (second, 2_000), (third, 4_000)], owner=owner)
    trade.work()
    at_payment = _decisions(session)

    trade.receive(order)
    trade.refund(order, {0: 500, 1: 500, 2: 500})
    trade.work()

    assert at_payment == [(channel.id, 2_000, 200), (None, 4_000, 0)]
    assert _decisions(session) == [
        (chain.id, 1_000, 100),
        (channel.id, 2_000, 200),
        (None, 4_000, 0),
    ]
    assert trade.awards(order) == [
        (owner.member_id, "DIRECT", 100, 50),
        (owner.member_id, "L1", 200, 50),
    ]
    assert trade.replay().is_empty
    assert trade.replay(channel.plan_id).is_empty


def test_a_plan_seats_those_who_were_there_before_it_batch_by_batch(
    trade: Trade, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reacting, "JOIN_BATCH_MAX", 2)
    team = make_team(session, 5)
    plan_id = make_plan(session, model=CHAIN).plan_id

    trade.work()

    places = trade.places(plan_id)
    above = [None, *(one.member_id for one in team[:-1])]
    assert [places[one.member_id, 1]["parent"] for one in team] == above
    assert len(trade.events(plan_id)) == 5
    assert trade.replay().is_empty


def test_orders_and_newcomers_wait_until_everybody_is_seated(
    trade: Trade, session: Session, product: Product
) -> None:
    top = make_team(session, 1)[0]
    plan_id = make_plan(session, model=CHAIN).plan_id
    newcomer = trade.join(top)
    order = trade.buy([(product, 10_000)], owner=top)

    trade.work_once([one for one in JOBS if one != "seat_everybody"])
    early = trade.events(plan_id)
    trade.work()

    assert early == []
    assert trade.places(plan_id)[newcomer.member_id, 1]["parent"] == top.member_id
    assert trade.awards(order) == [(top.member_id, "DIRECT", 1_000, 0)]
    assert trade.replay().is_empty


def test_a_plan_that_begins_later_seats_nobody_before(trade: Trade, session: Session) -> None:
    make_team(session, 2)
    real_now = session.scalar(sa.select(sa.func.clock_timestamp()))
    assert real_now is not None
    at = real_now + timedelta(days=1)
    plan_id = make_plan(session, model=CHAIN, at=at).plan_id

    trade.work_once()

    assert trade.events(plan_id) == []
    assert [job for job, _ in trade.left()] == ["seat_everybody"]


def test_fission_rounds_and_their_gifts_survive_storing_and_replaying(
    trade: Trade, session: Session, product: Product
) -> None:
    plan_id = make_plan(session, model="THREE_FISSION").plan_id
    owner = trade.join()
    orders = [trade.buy([(product, 10_000)], owner=owner) for _ in range(4)]
    for order in orders:
        trade.receive(order)
    for order in orders:
        trade.settle(order)
        trade.work()
    trade.refund(orders[3])
    trade.work()

    place = trade.places(plan_id)[owner.member_id, 1]
    report = trade.replay()
    assert len(place["rounds"]) == 1  # type: ignore[arg-type]  # a list, as JSON has it
    assert place["open_referrals"] == []
    assert report.is_empty
    assert report.counts["events"] == 5


def test_a_matrix_fills_in_the_order_of_payment(
    trade: Trade, session: Session, product: Product
) -> None:
    plan_id = make_plan(session, model="THREE_MATRIX", effective_at="PAID").plan_id
    people = [trade.join() for _ in range(5)]
    for place, person in enumerate(people):
        owner = people[0] if place else None
        trade.buy([(product, 39_900)], owner=owner, buyer=trade.member(person))

    trade.work()

    parents = [trade.places(plan_id)[one.member_id, 1]["parent"] for one in people]
    assert parents == [None, *[people[0].member_id] * 3, people[1].member_id]
    assert trade.replay().is_empty
