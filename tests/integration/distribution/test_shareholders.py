"""The register of shareholders and the pool of a store, from purchases to paid awards."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import maturity, months, reacting, settlement, shareholders
from app.distribution.models import Award, AwardRefusal, AwardState
from app.distribution.month_books import books_from_json, books_to_json
from app.distribution.months import Due, MonthClosed, MonthNotOver, NothingToClose
from app.distribution.plan_records import ClosedMonth, PlanEvent
from app.distribution.shareholders import HoldingNotFound, NoShareholderPlan, OnlyDistributors
from app.engines.shareholders.holdings import HoldingPlace, HoldingState, SeatsTaken
from app.kernel.audit import Actor
from app.ledger.queries import balances
from app.members.models import Distributor, Member
from app.orders.models import Order
from app.orders.states import OrderState
from app.plans import publishing
from app.plans.models import PlanVersion
from app.stores.models import Store
from tests.factories.orders import make_order, make_refund
from tests.factories.people import make_distributor, make_member, make_store
from tests.factories.plans import make_plan
from tests.integration.distribution.cases import run

MARCH = datetime.fromisoformat("2026-03-15T04:00:00+00:00")
APRIL = datetime.fromisoformat("2026-04-02T04:00:00+00:00")
TENTH = datetime.fromisoformat("2026-04-09T16:00:00+00:00")
MANAGER = Actor("staff", 1)


def plan_of_shareholders(session: Session, **changes: Any) -> PlanVersion:
    return make_plan(session, model="SHARING_SHAREHOLDERS", **changes)


def member_of(session: Session, person: Distributor) -> Member:
    return session.get_one(Member, person.member_id)


def settled_order(
    session: Session,
    version: PlanVersion,
    store: Store,
    *,
    fen: int,
    buyer: Distributor | None = None,
    owner: Distributor | None = None,
    at: datetime = MARCH,
) -> Order:
    """An order of a store whose after-sale window closed at an instant, as the plan heard of it."""
    member = make_member(session) if buyer is None else member_of(session, buyer)
    order = make_order(
        session,
        member=member,
        store=store,
        price_fen=fen,
        state=OrderState.SETTLED,
        owner=owner,
        plan_version_id=version.id,
        now=at,
    )
    run(session, "award_orders", settlement.award_orders, order.id, now=at + timedelta(seconds=9))
    return order


def holding(session: Session, member_id: int, store: Store) -> HoldingPlace:
    [(_plan, place)] = shareholders.holdings_of(session, member_id)
    assert place.number == store.id
    return place


def shareholder(session: Session, store: Store, *, level: int = 1) -> Distributor:
    """Somebody to whom the store gave a seat early in March."""
    person = make_distributor(session)
    shareholders.grant(
        store.id, person.member_id, level=level, actor=MANAGER, now=MARCH - timedelta(days=10)
    )
    return person


def test_settled_purchases_bring_a_seat_and_the_clock_gives_it(session: Session) -> None:
    store, version = make_store(session), plan_of_shareholders(session)
    person = make_distributor(session)

    settled_order(session, version, store, fen=300_000, buyer=person)

    waiting = holding(session, person.member_id, store)
    assert (waiting.state, waiting.level, waiting.spent_fen) == (HoldingState.WAITING, 2, 300_000)
    assert shareholders.stores_to_look_at(session, now=MARCH) == [(version.plan_id, store.id)]
    assert shareholders.allot(version.plan_id, store.id, now=MARCH) == 1
    seated = holding(session, person.member_id, store)
    assert (seated.state, seated.level) == (HoldingState.ACTIVE, 2)
    assert seated.until == "2027-03-15T04:00:00+00:00"
    assert shareholders.allot(version.plan_id, store.id, now=MARCH) == 0
    kinds = session.scalars(sa.select(PlanEvent.kind).order_by(PlanEvent.id)).all()
    assert kinds == ["sold", "settled", "directed"]


def test_a_customer_who_is_no_distributor_waits_without_a_seat(session: Session) -> None:
    store, version = make_store(session), plan_of_shareholders(session)
    order = settled_order(session, version, store, fen=500_000)

    assert shareholders.allot(version.plan_id, store.id, now=MARCH) == 0

    assert holding(session, order.member_id, store).state == HoldingState.WAITING


def test_the_owner_earns_on_their_customers_while_they_hold_a_seat_at_that_store(
    session: Session,
) -> None:
    version = plan_of_shareholders(session)
    here, elsewhere = make_store(session), make_store(session)
    owner = shareholder(session, here, level=2)

    settled_order(session, version, here, fen=39_800, owner=owner)
    settled_order(session, version, elsewhere, fen=39_800, owner=owner)

    awards = session.scalars(sa.select(Award).where(Award.beneficiary_id == owner.member_id)).all()
    assert [(one.amount_fen, one.rate_bp, one.kind) for one in awards] == [
        (3_184, 800, "COMMISSION")
    ]
    reasons = session.scalars(sa.select(AwardRefusal.reason)).all()
    assert reasons == ["NO_PLACE"]


def test_a_refund_after_settlement_counts_against_what_was_bought(session: Session) -> None:
    store, version = make_store(session), plan_of_shareholders(session)
    person = make_distributor(session)
    order = settled_order(session, version, store, fen=300_000, buyer=person)
    later = MARCH + timedelta(days=1)
    refund = make_refund(session, order, amounts={order.lines[0].id: 250_000}, now=later)

    run(session, "note_refunds", reacting.note_refunds, refund.id, now=later)
    run(session, "note_refunds", reacting.note_refunds, refund.id, now=later)

    left = holding(session, person.member_id, store)
    assert (left.spent_fen, left.state, left.level) == (50_000, HoldingState.CANDIDATE, 0)


def test_a_store_has_no_more_seats_than_its_plan(session: Session) -> None:
    plan_of_shareholders(session, seats_per_store=1)
    store = make_store(session)
    shareholder(session, store)

    with pytest.raises(SeatsTaken):
        shareholder(session, store)

    assert session.scalar(sa.select(sa.func.count(PlanEvent.id))) == 1


def test_what_staff_do_to_a_seat_of_one_plan_leaves_that_of_another_alone(
    session: Session,
) -> None:
    one = plan_of_shareholders(session, scope={"product_ids": [1]})
    other = plan_of_shareholders(session, scope={"product_ids": [2]})
    store = make_store(session)
    member_id = shareholder(session, store).member_id
    told: dict[str, Any] = {"actor": MANAGER, "now": MARCH, "plan_id": other.plan_id}
    shareholders.grant(store.id, member_id, level=1, **told)

    shareholders.change_level(store.id, member_id, level=2, **told)
    shareholders.end(store.id, member_id, **told)

    assert [
        (plan_id, place.state, place.level)
        for plan_id, place in shareholders.holdings_of(session, member_id)
    ] == [
        (one.plan_id, HoldingState.ACTIVE, 1),
        (other.plan_id, HoldingState.LEFT, 0),
    ]


def test_only_distributors_get_a_seat_and_only_where_there_is_a_plan(session: Session) -> None:
    store = make_store(session)
    nobody, person = make_member(session), make_distributor(session)
    session.commit()
    with pytest.raises(NoShareholderPlan):
        shareholders.grant(store.id, person.member_id, level=1, actor=MANAGER, now=MARCH)
    version = plan_of_shareholders(session, scope={"store_ids": [store.id]})
    session.commit()
    with pytest.raises(OnlyDistributors):
        shareholders.grant(store.id, nobody.id, level=1, actor=MANAGER, now=MARCH)
    with pytest.raises(NoShareholderPlan):
        shareholders.grant(
            make_store(session).id, person.member_id, level=1, actor=MANAGER, now=MARCH
        )
    with pytest.raises(HoldingNotFound):
        shareholders.end(store.id, person.member_id, actor=MANAGER, now=MARCH)
    assert shareholders.holdings_at(session, version.plan_id, store.id) == []


def test_a_month_pays_its_pool_by_weight_on_the_tenth_and_carries_the_rest(
    session: Session,
) -> None:
    store, version = make_store(session), plan_of_shareholders(session)
    people = [shareholder(session, store, level=level) for level in (1, 1, 1, 1, 2, 2, 3)]
    for person in people:
        settled_order(session, version, store, fen=100, buyer=person)
    settled_order(session, version, store, fen=8_643_219 - 700)

    closed = months.close(Due(version.plan_id, "2026-03", store.id), actor=MANAGER, now=APRIL)

    assert (closed.net_fen, closed.pool_fen) == (8_643_219, 432_160)
    assert (closed.awarded_fen, closed.carried_fen) == (432_159, 1)
    amounts = session.scalars(
        sa.select(Award.amount_fen)
        .where(Award.closed_month_id == closed.id)
        .order_by(Award.beneficiary_id)
    ).all()
    assert amounts == [33_243] * 4 + [66_486] * 2 + [166_215]
    assert balances(session, people[0].member_id).pending_fen == 33_243
    assert maturity.mature_due(now=TENTH - timedelta(seconds=1)) == 0
    assert maturity.mature_due(now=TENTH) == 7
    assert balances(session, people[0].member_id).available_fen == 33_243
    assert books_from_json(closed.inputs) == books_from_json(
        books_to_json(books_from_json(closed.inputs))
    )


def test_a_month_is_closed_once_and_only_when_it_is_over(session: Session) -> None:
    store, version = make_store(session), plan_of_shareholders(session)
    shareholder(session, store)
    due = Due(version.plan_id, "2026-03", store.id)
    session.commit()
    with pytest.raises(MonthNotOver):
        months.close(due, actor=MANAGER, now=MARCH)
    with pytest.raises(NothingToClose):
        months.close(Due(version.plan_id, "2026-03"), actor=MANAGER, now=APRIL)
    months.close(due, actor=MANAGER, now=APRIL)

    with pytest.raises(MonthClosed):
        months.close(due, actor=MANAGER, now=APRIL)

    assert session.scalar(sa.select(sa.func.count(ClosedMonth.id))) == 1
    assert due not in months.due_months(session, now=APRIL)


def test_a_refund_after_the_close_counts_against_its_own_month_and_a_shortfall_is_carried(
    session: Session,
) -> None:
    store, version = make_store(session), plan_of_shareholders(session)
    person = shareholder(session, store)
    settled_order(session, version, store, fen=100_000, buyer=person)
    big = settled_order(session, version, store, fen=900_000)
    line_id = big.lines[0].id
    months.close(Due(version.plan_id, "2026-03", store.id), actor=MANAGER, now=APRIL)
    session.refresh(big, ["lines"])
    make_refund(session, big, amounts={line_id: 600_000}, now=APRIL)
    settled_order(session, version, store, fen=200_000, at=APRIL)
    may = APRIL + timedelta(days=30)

    april = months.close(Due(version.plan_id, "2026-04", store.id), actor=MANAGER, now=may)

    march = session.scalars(sa.select(ClosedMonth).where(ClosedMonth.month == "2026-03")).one()
    assert (march.net_fen, march.awarded_fen) == (1_000_000, 50_000)
    assert (april.net_fen, april.awarded_fen, april.deficit_fen) == (-400_000, 0, 400_000)
    settled_order(session, version, store, fen=1_400_000, at=may)
    june = may + timedelta(days=31)
    in_may = months.close(Due(version.plan_id, "2026-05", store.id), actor=MANAGER, now=june)
    assert (in_may.net_fen, in_may.awarded_fen) == (1_400_000, 50_000)
    assert maturity.mature_due(now=june + timedelta(days=8)) == 2


def test_the_month_of_a_refund_before_settlement_is_not_touched_twice(session: Session) -> None:
    store, version = make_store(session), plan_of_shareholders(session)
    person = shareholder(session, store)
    order = make_order(
        session,
        member=member_of(session, person),
        store=store,
        price_fen=100_000,
        state=OrderState.COMPLETED,
        plan_version_id=version.id,
        now=MARCH,
    )
    make_refund(session, order, amounts={order.lines[0].id: 40_000}, now=MARCH)
    order.settled_at = order.after_sale_until_at = MARCH + timedelta(days=1)
    order.state = OrderState.SETTLED
    session.flush()

    books, outcome = months.preview(
        session, Due(version.plan_id, "2026-03", store.id), now=MARCH + timedelta(days=2)
    )

    assert (books.net_fen, outcome.pool_fen) == (60_000, 3_000)
    states = set(session.scalars(sa.select(Award.state)))
    assert AwardState.FROZEN not in states


def test_what_settles_after_its_plan_has_ended_still_has_a_month(session: Session) -> None:
    store, version = make_store(session), plan_of_shareholders(session)
    person = shareholder(session, store)
    settled_order(session, version, store, fen=100_000, buyer=person)
    months.close(Due(version.plan_id, "2026-03", store.id), actor=MANAGER, now=APRIL)
    publishing.retire(session, version.id, actor=MANAGER, now=APRIL)
    may = APRIL + timedelta(days=31)
    settled_order(session, version, store, fen=200_000, at=may)
    july = may + timedelta(days=65)

    due = months.due_months(session, now=july)

    assert [(one.month, one.store_id) for one in due] == [
        ("2026-04", store.id),
        ("2026-05", store.id),
    ]
    for one in due:
        months.close(one, actor=MANAGER, now=july)
    assert months.due_months(session, now=july) == []
    awards = session.scalars(sa.select(Award.amount_fen).order_by(Award.id)).all()
    assert awards == [5_000, 10_000]


def test_a_channel_plan_without_incentives_has_no_month_to_close(session: Session) -> None:
    version = make_plan(session)

    assert months.due_months(session, now=APRIL) == []
    with pytest.raises(NothingToClose):
        months.close(Due(version.plan_id, "2026-03"), actor=MANAGER, now=APRIL)
