"""A plan tried on the very orders that it paid for pays what it paid."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import Award, AwardRefusal
from app.distribution.simulation import history
from app.distribution.simulation.errors import NothingToSimulate, SimulationInvalid
from app.distribution.simulation.lane import Entry, Lane
from app.distribution.simulation.parameters import read_history
from app.distribution.simulation.runner import run
from app.distribution.simulation.services import entry_of
from app.engines.documents import load_rules
from app.orders.models import Order
from app.orders.states import OrderState
from app.plans.models import PlanVersion
from tests.factories.orders import LineOf, make_order, make_product
from tests.factories.people import make_distributor, make_store, make_team
from tests.factories.plans import make_plan
from tests.integration.distribution.cases import award, claw_back, refund_of

DAY = timedelta(days=1)


def tried(session: Session, *entries: Entry, now: datetime, months: int = 3) -> list[Lane]:
    session.commit()
    window = history.window_of(read_history({"months": months}), now=now)
    session.commit()
    return run(history.happenings(window), entries, levels_rise=False, until_at=window.until_at)


def made(session: Session, version: PlanVersion, *fen: int, now: datetime, **more: Any) -> Order:
    lines = [LineOf(product=make_product(session, price_fen=one)) for one in fen]
    return make_order(session, lines=lines, plan_version_id=version.id, now=now, **more)


def shop(session: Session, version: PlanVersion, now: datetime) -> None:
    """Orders of a month with refunds in slices, whole ones, and one of nobody's customer."""
    above, owner = make_team(session, 2)
    above.level = 2
    other = make_distributor(session)
    plans: list[tuple[tuple[int, ...], Any, list[int]]] = [
        ((25_999,), owner, [9_999, 1]),
        ((10_001, 333), owner, []),
        ((7_777,), other, [7_777]),
        ((1,), owner, []),
        ((88_800, 1_200), above, [5]),
        ((5_000,), None, []),
    ]
    for number, (fen, who, refunds) in enumerate(plans):
        at = now - (20 - number) * DAY
        order = made(session, version, *fen, owner=who, state=OrderState.COMPLETED, now=at)
        award(session, order, now=at)
        for slices, amount in enumerate(refunds, start=1):
            refunded_at = at + slices * DAY
            refund = refund_of(session, order, fen=amount, now=refunded_at)
            claw_back(session, refund, now=refunded_at)


@pytest.mark.parametrize("rules", [{}, {"self_purchase": True, "payout_cap_bp": 1_700}])
def test_the_plan_in_force_pays_on_the_same_orders_what_it_paid(
    session: Session, now: datetime, rules: dict[str, Any]
) -> None:
    version = make_plan(session, **rules)
    shop(session, version, now)

    [lane] = tried(session, entry_of(version), now=now)

    kept = session.execute(
        sa.select(Award.beneficiary_id, sa.func.sum(Award.amount_fen - Award.reversed_fen))
        .group_by(Award.beneficiary_id)
        .having(sa.func.sum(Award.amount_fen - Award.reversed_fen) > 0)
    )
    paid = {member_id: int(fen) for member_id, fen in kept}
    assert paid
    assert {one: fen for one, fen in lane.tally.people.items() if fen} == paid
    assert lane.tally.awarded_fen == session.scalar(sa.select(sa.func.sum(Award.amount_fen)))
    refused = Counter(session.scalars(sa.select(AwardRefusal.reason)))
    assert {str(reason): count for reason, count in lane.tally.refused.items()} == refused


def test_what_happens_after_the_limit_is_not_known_yet(session: Session, now: datetime) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    order = made(session, version, 10_000, owner=owner, now=now - 5 * DAY)
    refund_of(session, order, fen=4_000, now=now - DAY)
    made(session, version, 10_000, owner=owner, now=now)

    [earlier] = tried(session, entry_of(version), now=now - 2 * DAY)
    [later] = tried(session, entry_of(version), now=now)

    assert (earlier.tally.orders, earlier.tally.cost_fen) == (1, 1_000)
    assert (later.tally.orders, later.tally.cost_fen) == (1, 600)


def test_only_the_months_asked_for_count(session: Session, now: datetime) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    for days in (5, 40, 100, 200):
        made(session, version, 10_000, owner=owner, now=now - days * DAY)

    counts = [
        tried(session, entry_of(version), now=now, months=months)[0].tally.orders
        for months in (1, 3, 12)
    ]

    assert counts == [1, 2, 4]


def test_a_draft_is_tried_on_the_stores_and_products_it_is_meant_for(
    session: Session, now: datetime
) -> None:
    version = make_plan(session)
    owner, here = make_distributor(session), make_store(session)
    order = made(session, version, 10_000, 5_000, owner=owner, store=here, now=now - 5 * DAY)
    made(session, version, 7_000, owner=owner, now=now - 4 * DAY)
    first = order.lines[0].product_id
    rules = entry_of(version).rules

    everywhere, in_store, one_product = tried(
        session,
        Entry(rules=rules),
        Entry(rules=rules, store_ids=(here.id,)),
        Entry(rules=rules, store_ids=(here.id,), product_ids=(first,)),
        now=now,
    )

    turnovers = [one.tally.turnover_fen for one in (everywhere, in_store, one_product)]
    assert turnovers == [22_000, 15_000, 10_000]
    assert one_product.tally.cost_fen == 1_000


def test_without_orders_that_the_plan_is_for_there_is_nothing_to_simulate(
    session: Session, now: datetime
) -> None:
    version = make_plan(session)
    made(session, version, 10_000, now=now - 5 * DAY)
    window = history.window_of(read_history({"months": 3}), now=now)
    elsewhere = Entry(rules=entry_of(version).rules, store_ids=(make_store(session).id,))

    assert history.count_orders(session, window, entry_of(version)) == 1
    with pytest.raises(NothingToSimulate) as refused:
        history.count_orders(session, window, elsewhere)
    assert "last 3 months" in str(refused.value)
    with pytest.raises(NothingToSimulate):
        history.demand_orders(session, window, elsewhere)


@pytest.mark.parametrize("months", [0, 61, "three"])
def test_months_out_of_range_are_refused_by_name(months: object) -> None:
    with pytest.raises(SimulationInvalid) as refused:
        read_history({"months": months})

    assert [fault.path for fault in refused.value.faults] == ["months"]


def test_a_model_with_places_is_tried_on_own_orders(session: Session, now: datetime) -> None:
    version = make_plan(session)
    above, owner = make_team(session, 2)
    for days in (9, 8, 7):
        made(session, version, 60_000, owner=owner, now=now - days * DAY)

    [lane] = tried(session, Entry(rules=load_rules({"model": "CHAIN_2_1"})), now=now)

    assert lane.board.get(above.member_id) is not None
    assert lane.board.get(owner.member_id) is not None
    assert lane.tally.people[owner.member_id] > 0
