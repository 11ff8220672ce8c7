"""Parameters of the channel family: defaults, and what is wrong with wrong ones."""

from typing import Any

import pytest

from app.engines.differential.rules import DifferentialRules
from app.engines.documents import dump_rules, load_rules
from app.engines.faults import PlanRulesInvalid
from app.engines.parameters import Moment
from app.engines.registry import MODELS
from app.engines.team_ladder.rules import TeamLadderRules
from app.engines.two_level.rules import TwoLevelRules
from app.kernel.i18n import translate

STEP = {"from_fen": 1, "rate_bp": 1}
PRIZES = {"prizes_fen": [5, 3], "minimum_sales_fen": 5}


def faults_of(document: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(PlanRulesInvalid) as refused:
        load_rules(document)
    return [(fault.path, translate(fault.message, "en")) for fault in refused.value.faults]


def test_the_defaults_of_differential_are_the_plan_that_may_be_published() -> None:
    rules = dump_rules(DifferentialRules())

    assert rules["rates_bp"] == [500, 800, 1_200, 1_500]
    assert (rules["peer_bp"], rules["peer_generations"], rules["peer_base"]) == (100, 1, "ORDER")
    assert (rules["max_depth"], rules["payout_cap_bp"], rules["product_rates"]) == (2, 3_000, {})
    assert rules["incentives"] is None
    assert [one["level"] for one in rules["levels"]["upgrades"]] == [2, 3, 4]
    assert rules["levels"]["upgrades"][2]["conditions"] == [
        {"kind": "DIRECT_SALES", "at_least_fen": 6_000_000, "window_days": 180},
        {"kind": "PAYING_CUSTOMERS", "at_least_count": 30, "window_days": 180},
    ]


def test_the_defaults_of_the_ladder_are_the_plan_that_may_be_published() -> None:
    assert dump_rules(TeamLadderRules())["ladder"] == {
        "rungs": [
            {"from_fen": 1_000_000, "rate_bp": 100},
            {"from_fen": 3_000_000, "rate_bp": 200},
            {"from_fen": 10_000_000, "rate_bp": 300},
        ],
        "max_depth": 2,
    }


def test_incentives_have_defaults_of_their_own() -> None:
    document: dict[str, Any] = {"ranking": {}, "cultivation": {}, "recommendation": {}}
    rules = load_rules({"model": "CHANNEL_TWO_LEVEL", "incentives": document})

    incentives = dump_rules(rules)["incentives"]
    assert incentives["ladder"]["max_depth"] == 2
    assert incentives["ranking"] == {
        "prizes_fen": [50_000, 30_000, 20_000],
        "minimum_sales_fen": 5_000_000,
    }
    assert incentives["cultivation"] == {"rate_bp": 100, "months": 6, "from_level": 2}
    assert incentives["recommendation"] == {"rate_bp": 200}


@pytest.mark.parametrize(
    "model", ["CHANNEL_TWO_LEVEL", "CHANNEL_DIFFERENTIAL", "CHANNEL_TEAM_LADDER"]
)
@pytest.mark.parametrize("moment", Moment)
def test_an_order_can_count_at_any_moment(model: str, moment: Moment) -> None:
    assert load_rules({"model": model, "effective_at": moment.value}).effective_at is moment


@pytest.mark.parametrize(
    "model", ["CHANNEL_TWO_LEVEL", "CHANNEL_DIFFERENTIAL", "CHANNEL_TEAM_LADDER"]
)
def test_the_original_of_a_model_can_be_loaded(model: str) -> None:
    rules = load_rules(MODELS[model].original)

    assert rules.model == model
    assert rules != load_rules({"model": model})


@pytest.mark.parametrize(
    ("field", "value", "path", "text"),
    [
        ("rates_bp", [1], "rates_bp", "This needs one rate for each of 4 levels, not 1."),
        ("rates_bp", [1, 2, 3, 10_001], "rates_bp.3", "This must be at most 10000."),
        ("peer_bp", -1, "peer_bp", "This must be at least 0."),
        ("peer_bp", 10_001, "peer_bp", "This must be at most 10000."),
        ("peer_generations", 10, "peer_generations", "This must be at most 9."),
        ("peer_generations", -1, "peer_generations", "This must be at least 0."),
        ("peer_base", "TEAM", "peer_base", "This must be one of: ORDER, INCOME."),
        ("max_depth", 0, "max_depth", "This must be at least 1."),
        ("max_depth", 10, "max_depth", "This must be at most 9."),
        ("self_purchase", True, "self_purchase", "There is no such parameter."),
        (
            "product_rates",
            {"7": {"rates_bp": [1, 2]}},
            "product_rates.7.rates_bp",
            "This needs one rate for each of 4 levels, not 2.",
        ),
        (
            "product_rates",
            {"7": {}},
            "product_rates.7",
            "A product is either excluded or has rates of its own.",
        ),
        (
            "product_rates",
            {"7": {"excluded": True, "rates_bp": [1, 2, 3, 4]}},
            "product_rates.7",
            "A product is either excluded or has rates of its own.",
        ),
    ],
)
def test_a_wrong_parameter_of_differential_is_named(
    field: str, value: object, path: str, text: str
) -> None:
    assert faults_of({"model": "CHANNEL_DIFFERENTIAL", field: value}) == [(path, text)]


@pytest.mark.parametrize(
    ("ladder", "path", "text"),
    [
        ({"rungs": []}, "ladder.rungs", "This needs at least 1 entries."),
        ({"rungs": [STEP] * 21}, "ladder.rungs", "This may have at most 20 entries."),
        ({"max_depth": 3}, "ladder.max_depth", "This must be at most 2."),
        ({"max_depth": 0}, "ladder.max_depth", "This must be at least 1."),
        ({"rungs": [STEP | {"rate_bp": 0}]}, "ladder.rungs.0.rate_bp", "This must be at least 1."),
        (
            {"rungs": [STEP | {"from_fen": 0}]},
            "ladder.rungs.0.from_fen",
            "This must be at least 1.",
        ),
        (None, "ladder", "This must be an object."),
        *(
            (
                {"rungs": [{"from_fen": 5, "rate_bp": 5}, {"from_fen": fen, "rate_bp": bp}]},
                "ladder.rungs",
                "Each step of the ladder must ask for more sales and pay a higher rate.",
            )
            for fen, bp in ((5, 6), (6, 5), (4, 6), (6, 4))
        ),
    ],
)
def test_a_wrong_ladder_is_named(ladder: object, path: str, text: str) -> None:
    assert faults_of({"model": "CHANNEL_TEAM_LADDER", "ladder": ladder}) == [(path, text)]


@pytest.mark.parametrize(
    ("incentives", "path", "text"),
    [
        (
            {"ladder": None},
            "incentives",
            "At least one incentive must be set, or all must be left out.",
        ),
        (
            {"ranking": PRIZES | {"prizes_fen": [3, 5]}},
            "incentives.ranking.prizes_fen",
            "No prize may be dearer than the one before it.",
        ),
        (
            {"ranking": PRIZES | {"minimum_sales_fen": 4}},
            "incentives.ranking.minimum_sales_fen",
            "The first prize must not be dearer than the sales it asks for.",
        ),
        (
            {"ranking": PRIZES | {"prizes_fen": [0]}},
            "incentives.ranking.prizes_fen.0",
            "This must be at least 1.",
        ),
        (
            {"ranking": PRIZES | {"prizes_fen": []}},
            "incentives.ranking.prizes_fen",
            "This needs at least 1 entries.",
        ),
        (
            {"cultivation": {"rate_bp": 0}},
            "incentives.cultivation.rate_bp",
            "This must be at least 1.",
        ),
        (
            {"cultivation": {"months": 25}},
            "incentives.cultivation.months",
            "This must be at most 24.",
        ),
        (
            {"cultivation": {"months": 0}},
            "incentives.cultivation.months",
            "This must be at least 1.",
        ),
        (
            {"cultivation": {"from_level": 1}},
            "incentives.cultivation.from_level",
            "This must be at least 2.",
        ),
        (
            {"recommendation": {"amount_fen": 100}},
            "incentives.recommendation.amount_fen",
            "There is no such parameter.",
        ),
    ],
)
def test_a_wrong_incentive_is_named(incentives: object, path: str, text: str) -> None:
    for model in ("CHANNEL_TWO_LEVEL", "CHANNEL_DIFFERENTIAL"):
        assert faults_of({"model": model, "incentives": incentives}) == [(path, text)]


def test_a_prize_may_be_as_dear_as_its_sales_and_prizes_may_be_equal() -> None:
    ranking = {"prizes_fen": [5, 5], "minimum_sales_fen": 5}
    rules = load_rules({"model": "CHANNEL_TWO_LEVEL", "incentives": {"ranking": ranking}})

    assert isinstance(rules, TwoLevelRules)
    assert rules.incentives is not None
    assert rules.incentives.ranking is not None
    assert rules.incentives.ranking.share_bp == 10_000
