import json

import pytest

from app.engines.levels import Figure, figures_needed, promote
from app.engines.parameters import (
    ConditionKind,
    Levels,
    Mode,
    Upgrade,
    direct_sales,
    paying_customers,
)

SALES_90 = Figure(ConditionKind.DIRECT_SALES, 90)
SALES_180 = Figure(ConditionKind.DIRECT_SALES, 180)
CUSTOMERS_180 = Figure(ConditionKind.PAYING_CUSTOMERS, 180)
DEFAULT = Levels()


def reached(levels: Levels, level: int, figures: dict[Figure, int]) -> int:
    promotion = promote(levels, level, figures)
    return promotion.to_level if promotion else level


def test_the_default_levels_need_three_figures() -> None:
    assert figures_needed(DEFAULT) == {SALES_90, SALES_180, CUSTOMERS_180}


@pytest.mark.parametrize(
    ("figures", "level"),
    [
        ({}, 1),
        ({SALES_90: 499_999}, 1),
        ({SALES_90: 500_000}, 2),
        ({SALES_90: 500_000, SALES_180: 2_000_000, CUSTOMERS_180: 9}, 2),
        ({SALES_90: 500_000, SALES_180: 1_999_999, CUSTOMERS_180: 10}, 2),
        ({SALES_90: 500_000, SALES_180: 2_000_000, CUSTOMERS_180: 10}, 3),
        ({SALES_90: 0, SALES_180: 2_000_000, CUSTOMERS_180: 10}, 3),
    ],
)
def test_the_default_levels_are_reached_at_their_thresholds(
    figures: dict[Figure, int], level: int
) -> None:
    assert reached(DEFAULT, 1, figures) == level


def test_nobody_is_lifted_twice_or_lowered() -> None:
    assert promote(DEFAULT, 2, {SALES_90: 500_000}) is None
    assert promote(DEFAULT, 3, {}) is None
    assert promote(DEFAULT, 3, {SALES_90: 500_000}) is None


def test_without_jumps_only_the_next_level_can_be_reached() -> None:
    by_steps = Levels(jump=False)
    rich = {SALES_90: 500_000, SALES_180: 2_000_000, CUSTOMERS_180: 10}

    assert reached(by_steps, 1, rich) == 2
    assert reached(by_steps, 2, rich) == 3
    assert reached(by_steps, 3, rich) == 3
    assert reached(by_steps, 1, {SALES_180: 2_000_000, CUSTOMERS_180: 10}) == 1


def test_any_lets_one_condition_be_enough() -> None:
    either = Upgrade(
        level=2,
        mode=Mode.ANY,
        conditions=(
            direct_sales(100, 90),
            paying_customers(3, 180),
        ),
    )
    levels = Levels(upgrades=(either,))

    assert reached(levels, 1, {SALES_90: 100}) == 2
    assert reached(levels, 1, {CUSTOMERS_180: 3}) == 2
    assert reached(levels, 1, {SALES_90: 99, CUSTOMERS_180: 2}) == 1


def test_a_single_level_leads_nowhere() -> None:
    alone = Levels(upgrades=())

    assert figures_needed(alone) == frozenset()
    assert promote(alone, 1, {SALES_90: 10**12}) is None


def test_a_promotion_carries_what_was_needed_and_what_was_found() -> None:
    promotion = promote(DEFAULT, 1, {SALES_180: 2_345_678, CUSTOMERS_180: 12})

    assert promotion is not None
    assert (promotion.from_level, promotion.to_level) == (1, 3)
    assert json.loads(json.dumps(promotion.explanation)) == {
        "from_level": 1,
        "to_level": 3,
        "mode": "ALL",
        "conditions": [
            {
                "kind": "DIRECT_SALES",
                "window_days": 180,
                "at_least": 2_000_000,
                "found": 2_345_678,
            },
            {"kind": "PAYING_CUSTOMERS", "window_days": 180, "at_least": 10, "found": 12},
        ],
    }
