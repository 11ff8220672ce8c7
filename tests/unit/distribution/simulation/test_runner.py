"""One order after the other, reckoned by hand, and whole brands whose sums must agree."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.distribution.simulation.lane import Entry
from app.distribution.simulation.results import result_of
from app.engines.documents import load_rules
from app.engines.registry import MODELS
from app.engines.results import Reason
from tests.unit.distribution.simulation.cases import (
    DAY,
    NOON,
    entry,
    grown,
    joins,
    trade,
    tried,
)

TEAM = (joins(2), joins(1, 2))
PARAMETER_SETS = [
    pytest.param(document, id=f"{code}-{name}")
    for code, model in sorted(MODELS.items())
    for name, document in (("default", {"model": code}), ("original", dict(model.original)))
]


def test_an_order_pays_the_two_above_its_buyer() -> None:
    [lane] = tried([*TEAM, trade()])

    assert dict(lane.tally.people) == {1: 1_000, 2: 300}
    assert (lane.tally.cost_fen, lane.tally.turnover_fen) == (1_300, 10_000)
    assert lane.tally.worst_order.share_bp == 1_300


def test_a_refund_takes_back_what_the_shop_would_take_back() -> None:
    order = trade(fen=(9_999,), refunds=[(DAY, 3_333), (20 * DAY, 1_111)])
    [lane] = tried([*TEAM, order])

    assert dict(lane.tally.people) == {1: (9_999 - 4_444) // 10, 2: (9_999 - 4_444) * 3 // 100}
    assert lane.tally.refunded_fen == 4_444
    assert lane.tally.awarded_fen - lane.tally.reversed_fen == lane.tally.cost_fen


def test_a_refund_of_another_line_takes_nothing_back() -> None:
    order = trade(fen=(10_000, 5_000), refunds=[(DAY, 10_000)])
    [lane] = tried([*TEAM, order])

    assert dict(lane.tally.people) == {1: 500, 2: 150}


@pytest.mark.parametrize(
    ("moment", "awarded_fen"),
    [("PAID", 1_000 + 300), ("RECEIVED", 900 + 270), ("AFTER_SALE_CLOSED", 800 + 240)],
)
def test_what_was_refunded_before_an_order_counts_was_never_awarded(
    moment: str, awarded_fen: int
) -> None:
    order = trade(refunds=[(DAY, 1_000), (5 * DAY, 1_000), (20 * DAY, 1_000)])
    [lane] = tried([*TEAM, order], entry(effective_at=moment))

    assert lane.tally.awarded_fen == awarded_fen
    assert dict(lane.tally.people) == {1: 700, 2: 210}


def test_an_order_refunded_whole_in_time_never_counts_after_the_window() -> None:
    order = trade(refunds=[(5 * DAY, 10_000)], settles=False)
    [lane] = tried([*TEAM, order], entry(effective_at="AFTER_SALE_CLOSED"))

    assert lane.tally.awarded_fen == 0
    assert lane.tally.net_turnover_fen == 0


def test_what_a_plan_is_not_for_is_passed_over() -> None:
    rules = entry().rules
    here = Entry(rules=rules, store_ids=(1,), product_ids=(1,))
    orders = [trade(7, fen=(10_000, 2_000)), trade(8, store_id=2, at=NOON + 2 * DAY)]
    [lane] = tried([*TEAM, *orders], here)

    assert (lane.tally.orders, lane.tally.turnover_fen) == (1, 2_000)
    assert dict(lane.tally.people) == {1: 200, 2: 60}


def test_what_is_refused_and_what_the_cap_withholds_is_counted() -> None:
    capped = entry(payout_cap_bp=1_100)
    [lane] = tried([*TEAM, trade(), trade(8, owner_id=None, at=NOON + 2 * DAY)], capped)

    assert dict(lane.tally.people) == {1: 1_000, 2: 100}
    assert (lane.tally.capped, lane.tally.capped_fen) == (1, 200)
    assert lane.tally.refused == {Reason.NO_OWNER: 2}


def test_levels_rise_at_the_end_of_a_month_on_settled_sales() -> None:
    sales = [trade(7, fen=(500_000,)), trade(8, at=NOON + 40 * DAY)]
    [lane] = tried([*TEAM, *sales])

    assert lane.crowd.people[1].level == 2
    assert lane.tally.people[1] == 50_000 + 1_500


def test_levels_stay_where_the_orders_keep_them() -> None:
    [lane] = grown(entry(levels={"upgrades": []}, rates_first_bp=[1_000], rates_second_bp=[300]))

    assert set(lane.crowd.level_counts()) == {1}


def test_a_month_is_closed_on_what_was_settled_in_it() -> None:
    ladder = entry("CHANNEL_TEAM_LADDER")
    sales = [trade(7, fen=(2_000_000,)), trade(8, fen=(900_000,), at=NOON + 40 * DAY)]
    [lane] = tried([*TEAM, *sales], ladder)

    months = {month: one.monthly_fen for month, one in lane.tally.months.items()}
    assert months == {"2026-03": 20_000, "2026-04": 0}
    assert dict(lane.tally.people) == {1: 20_000}


def test_a_refund_after_the_window_counts_against_the_month_it_falls_in() -> None:
    ladder = entry("CHANNEL_TEAM_LADDER")
    sales = [
        trade(7, fen=(2_000_000,), refunds=[(timedelta(days=35), 2_000_000)]),
        trade(8, fen=(2_500_000,), at=NOON + 20 * DAY),
    ]
    [lane] = tried([*TEAM, *sales], ladder)

    assert [one.monthly_fen for _, one in sorted(lane.tally.months.items())] == [90_000, 0]


def test_a_seat_is_given_to_who_waits_and_the_pool_is_shared() -> None:
    bought = [
        trade(7, buyer_id=1, owner_id=None, fen=(500_000,)),
        trade(8, buyer_id=50, owner_id=1, fen=(100_000,), at=NOON + 12 * DAY),
    ]
    [lane] = tried([*TEAM, *bought], entry("SHARING_SHAREHOLDERS"))

    kinds = {cell.kind.value: one.amount_fen for cell, one in lane.tally.cells.items()}
    assert kinds == {"COMMISSION": 10_000, "POOL": 30_000}


@pytest.mark.parametrize("document", PARAMETER_SETS)
def test_every_model_can_be_tried_and_its_sums_agree(document: Mapping[str, Any]) -> None:
    tried_rules = Entry(rules=load_rules(document))
    [lane] = grown(tried_rules, max_fen=8_000_000)
    result = result_of([lane], kind="growth", parameters={})
    tally, plan = lane.tally, result["plan"]

    assert sum(tally.people.values()) == tally.cost_fen
    assert tally.orders == plan["orders"] > 0
    for group in ("kinds", "levels", "seats"):
        assert sum(one["net_fen"] for one in plan[group]) == tally.cost_fen
    by_month = sum(
        one["awarded_fen"] + one["monthly_fen"] - one["reversed_fen"] for one in plan["months"]
    )
    assert by_month == tally.cost_fen
    assert plan["bound"]["worst_order_bp"] <= plan["bound"]["order_bp"]
    assert tally.cells or tally.gifts, "nothing was paid at all"


def test_rules_compared_with_themselves_move_nobody() -> None:
    lanes = grown(entry(), entry())
    found = result_of(lanes, kind="growth", parameters={})["comparison"]

    assert (found["gaining"], found["losing"]) == (0, 0)
    assert found["unchanged"] == len(lanes[0].tally.people)


def test_a_plan_that_pays_more_lets_somebody_gain_and_nobody_lose() -> None:
    lanes = grown(entry(), entry(rates_first_bp=[900, 1_400, 1_900]))
    found = result_of(lanes, kind="growth", parameters={})["comparison"]

    difference_fen = lanes[0].tally.cost_fen - lanes[1].tally.cost_fen
    assert found["losing"] == 0
    assert found["gained_fen"] == difference_fen > 0
