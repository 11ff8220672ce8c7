"""Worst cases and practices of the channel family."""

from typing import Any

import pytest

from app.engines.bound import BoundStep, explain_bound
from app.engines.differential.profile import (
    PLAN_ALONE,
    PLAN_WITH_PEERS,
    PRODUCT_ALONE,
    PRODUCT_WITH_PEERS,
    most_peers,
)
from app.engines.differential.rules import DifferentialProduct, DifferentialRules, PeerBase
from app.engines.incentives import Cultivation, Incentives, Ranking, Recommendation
from app.engines.ladders import Ladder, Rung
from app.engines.parameters import (
    ConditionKind,
    Conduct,
    CountCondition,
    Entry,
    Levels,
    Upgrade,
)
from app.engines.practices import Practices
from app.engines.registry import MODELS
from app.engines.team_ladder.rules import TeamLadderRules
from app.engines.two_level.rules import TwoLevelRules
from app.kernel.i18n import Message, translate

FAR = Ladder(max_depth=None)


def bound_bp(**changes: Any) -> int:
    rules = DifferentialRules(**changes)
    return MODELS[rules.model].bound(rules).bound_bp


def practices(rules: Any) -> Practices:
    return MODELS[rules.model].practices(rules)


@pytest.mark.parametrize(
    ("changes", "bound"),
    [
        ({}, 1_600),
        ({"max_depth": 1}, 1_500),
        ({"max_depth": 3}, 1_600),
        ({"max_depth": 4}, 1_700),
        ({"max_depth": 9}, 1_900),
        ({"max_depth": None}, 1_900),
        ({"max_depth": None, "peer_generations": 3}, 2_700),
        ({"max_depth": 9, "peer_generations": 3}, 2_100),
        ({"max_depth": 5, "peer_generations": 9}, 1_900),
        ({"max_depth": None, "peer_bp": 0}, 1_500),
        ({"max_depth": None, "peer_generations": 0}, 1_500),
        ({"max_depth": None, "rates_bp": (0, 700, 700, 0)}, 800),
        ({"max_depth": None, "rates_bp": (0, 0, 0, 0)}, 0),
        ({"peer_base": PeerBase.INCOME, "peer_bp": 1_000}, 1_650),
        ({"peer_base": PeerBase.INCOME, "peer_bp": 1_000, "max_depth": None}, 1_650),
        (
            {
                "peer_base": PeerBase.INCOME,
                "peer_bp": 1_000,
                "max_depth": 9,
                "peer_generations": 2,
            },
            1_800,
        ),
        ({"peer_base": PeerBase.INCOME, "peer_bp": 1_000, "max_depth": 1}, 1_500),
        ({"peer_base": PeerBase.INCOME, "peer_bp": 1, "rates_bp": (99, 0, 0, 0)}, 99),
    ],
)
def test_the_bound_of_differential_follows_its_parameters(
    changes: dict[str, Any], bound: int
) -> None:
    assert bound_bp(**changes) == bound


def test_without_a_peer_reward_nobody_is_a_peer() -> None:
    rates = DifferentialRules().rates_bp

    assert most_peers(DifferentialRules(), rates) == 1
    assert most_peers(DifferentialRules(peer_bp=0), rates) == 0
    assert most_peers(DifferentialRules(peer_generations=0), rates) == 0


def test_the_default_differential_keeps_its_cap() -> None:
    rules = DifferentialRules()
    bound = MODELS[rules.model].bound(rules)

    assert (bound.bound_bp, bound.cap_bp, bound.monthly_bp) == (1_600, 3_000, 0)
    assert bound.within_cap
    told = {
        "product_id": None,
        "rate": "15%",
        "level": 4,
        "peers": 1,
        "peer": "1%",
        "sum": "16%",
    }
    assert bound.steps == (BoundStep(Message(PLAN_WITH_PEERS, told), 1_600),)


def test_products_are_looked_at_one_by_one_and_excluded_ones_not_at_all() -> None:
    rules = DifferentialRules(
        peer_bp=0,
        product_rates={
            8: DifferentialProduct(rates_bp=(100, 2_000, 300, 400)),
            7: DifferentialProduct(excluded=True),
            6: DifferentialProduct(rates_bp=(100, 200, 300, 400)),
        },
    )

    bound = MODELS[rules.model].bound(rules)

    assert [(step.message.parameters["product_id"], step.sum_bp) for step in bound.steps] == [
        (None, 1_500),
        (6, 400),
        (8, 2_000),
    ]
    assert [step.message.text for step in bound.steps] == [PLAN_ALONE, PRODUCT_ALONE, PRODUCT_ALONE]
    assert bound.steps[2].message.parameters["level"] == 2
    assert bound.bound_bp == 2_000


def test_a_product_with_peers_says_so() -> None:
    own = DifferentialProduct(rates_bp=(1_000, 0, 0, 0))
    rules = DifferentialRules(product_rates={6: own})

    _, step = MODELS[rules.model].bound(rules).steps

    assert (step.message.text, step.sum_bp) == (PRODUCT_WITH_PEERS, 1_100)


def test_incentives_come_on_top_of_the_orders_by_the_month() -> None:
    incentives = Incentives(
        ladder=Ladder(rungs=(Rung(from_fen=1, rate_bp=40),)),
        ranking=Ranking(prizes_fen=(100, 1), minimum_sales_fen=30_000),
        cultivation=Cultivation(rate_bp=10),
        recommendation=Recommendation(rate_bp=7),
    )
    rules = TwoLevelRules(incentives=incentives)

    bound = MODELS[rules.model].bound(rules)

    assert [step.sum_bp for step in bound.steps] == [2_800, 40, 34, 10]
    assert (bound.bound_bp, bound.monthly_bp, bound.total_bp) == (2_800, 84, 2_884)
    assert [translate(message, "en") for message in explain_bound(bound)][1:4] == [
        (
            "By the month the ladder pays at most its highest rate on each sale, 0.4%, for what"
            " belongs to leaders below is taken off above."
        ),
        (
            "A prize is at most ¥1.00 and asks for sales of ¥300.00, so prizes take 0.34% of the"
            " winners' sales at most."
        ),
        "For somebody promoted their recommender gets at most 0.1% of what they sell in a month.",
    ]


def test_the_larger_share_of_a_promotion_counts() -> None:
    for cultivation_bp, recommendation_bp in ((10, 30), (30, 10)):
        incentives = Incentives(
            ladder=None,
            cultivation=Cultivation(rate_bp=cultivation_bp),
            recommendation=Recommendation(rate_bp=recommendation_bp),
        )
        rules = DifferentialRules(incentives=incentives)

        assert MODELS[rules.model].bound(rules).monthly_bp == 30


def test_the_ladder_alone_pays_its_highest_rate_and_nothing_by_the_order() -> None:
    rules = TeamLadderRules()
    bound = MODELS[rules.model].bound(rules)

    assert (bound.bound_bp, bound.monthly_bp, bound.total_bp, bound.cap_bp) == (0, 300, 300, 3_000)
    assert len(bound.steps) == 1


@pytest.mark.parametrize(
    ("rules", "depth", "is_unlimited"),
    [
        (TwoLevelRules(), 2, False),
        (TwoLevelRules(rates_second_bp=(0, 0, 0)), 1, False),
        (TwoLevelRules(rates_second_bp=(0, 0, 0), compress=True), 2, False),
        (TwoLevelRules(rates_second_bp=(0, 0, 0), incentives=Incentives()), 2, False),
        (TwoLevelRules(incentives=Incentives(ladder=FAR)), None, True),
        (DifferentialRules(), 2, False),
        (DifferentialRules(max_depth=1), 1, False),
        (DifferentialRules(max_depth=9), 9, False),
        (DifferentialRules(max_depth=None), None, True),
        (DifferentialRules(max_depth=None, incentives=Incentives()), None, True),
        (DifferentialRules(max_depth=1, incentives=Incentives(ladder=FAR)), None, True),
        (
            DifferentialRules(max_depth=1, incentives=Incentives(ladder=None, ranking=Ranking())),
            1,
            False,
        ),
        (
            DifferentialRules(
                max_depth=1, incentives=Incentives(ladder=None, cultivation=Cultivation())
            ),
            2,
            False,
        ),
        (
            DifferentialRules(
                max_depth=1, incentives=Incentives(ladder=None, recommendation=Recommendation())
            ),
            2,
            False,
        ),
        (
            DifferentialRules(max_depth=1, incentives=Incentives(ladder=Ladder(max_depth=1))),
            1,
            False,
        ),
        (TeamLadderRules(), 2, False),
        (TeamLadderRules(ladder=Ladder(max_depth=1)), 1, False),
        (TeamLadderRules(ladder=FAR), None, True),
    ],
)
def test_the_paid_depth_counts_the_farthest_of_all_rewards(
    rules: Any, depth: int | None, is_unlimited: bool
) -> None:
    found = practices(rules)

    assert (found.paid_depth, found.has_unlimited_team_pay) == (depth, is_unlimited)


@pytest.mark.parametrize("rules", [TwoLevelRules, DifferentialRules, TeamLadderRules])
def test_entry_promises_and_promotion_by_recruits_are_told(rules: Any) -> None:
    recruits = CountCondition(kind=ConditionKind.RECRUITS, at_least_count=3, window_days=30)
    more = recruits.model_copy(update={"at_least_count": 9})
    upgrades = tuple(
        Upgrade(level=level, conditions=(more if level == 2 else recruits,)) for level in (2, 3, 4)
    )
    upgrades = upgrades if rules is DifferentialRules else upgrades[:2]
    conduct = Conduct(entry=Entry.FEE, promises_return=True)

    plain, told = (
        practices(rules()),
        practices(rules(levels=Levels(upgrades=upgrades), conduct=conduct)),
    )

    assert (plain.entry, plain.promotion_recruits, plain.promises_return) == (
        Entry.FREE,
        None,
        False,
    )
    assert (told.entry, told.promotion_recruits, told.promises_return) == (Entry.FEE, 3, True)
    assert (told.pays_per_head, told.pays_after_leaving, told.has_spillover) == (False,) * 3


def test_a_prize_is_told_as_the_share_that_it_is_of_its_sales() -> None:
    ranking = Ranking(prizes_fen=(100,), minimum_sales_fen=3_000)
    rules = TwoLevelRules(incentives=Incentives(ranking=ranking))

    assert practices(rules).fixed_share_bp == 334
    assert practices(TwoLevelRules(incentives=Incentives())).fixed_share_bp == 0
