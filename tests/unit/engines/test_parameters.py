import json
from typing import Any

import pytest

from app.engines.documents import dump_rules, load_rules
from app.engines.faults import PlanRulesInvalid
from app.engines.parameters import Levels, ProductRates, Upgrade, direct_sales, paying_customers
from app.engines.registry import MODELS
from app.engines.two_level.rules import TwoLevelRules
from app.kernel.errors import ErrorKind
from app.kernel.i18n import translate

MODEL = {"model": "CHANNEL_TWO_LEVEL"}
SALES = {"kind": "DIRECT_SALES", "at_least_fen": 1, "window_days": 1}


def faults_of(document: Any) -> list[tuple[str, str]]:
    with pytest.raises(PlanRulesInvalid) as refused:
        load_rules(document)
    return [(fault.path, translate(fault.message, "en")) for fault in refused.value.faults]


def test_the_defaults_are_the_plan_that_may_be_published() -> None:
    assert dump_rules(TwoLevelRules()) == {
        "model": "CHANNEL_TWO_LEVEL",
        "effective_at": "PAID",
        "levels": {
            "upgrades": [
                {
                    "level": 2,
                    "mode": "ALL",
                    "conditions": [
                        {"kind": "DIRECT_SALES", "at_least_fen": 500_000, "window_days": 90}
                    ],
                },
                {
                    "level": 3,
                    "mode": "ALL",
                    "conditions": [
                        {"kind": "DIRECT_SALES", "at_least_fen": 2_000_000, "window_days": 180},
                        {"kind": "PAYING_CUSTOMERS", "at_least_count": 10, "window_days": 180},
                    ],
                },
            ],
            "jump": True,
            "retention": None,
        },
        "rates_first_bp": [1_000, 1_500, 2_000],
        "rates_second_bp": [300, 500, 800],
        "self_purchase": False,
        "compress": False,
        "payout_cap_bp": 3_000,
        "product_rates": {},
        "incentives": None,
        "settle_seconds": 604_800,
        "conduct": {
            "entry": "FREE",
            "tax_method": "LABOUR",
            "agreement_version": "2026-1",
            "public_rules": "推荐奖励按顾客实际支付并完成服务的订单计算，退款后相应扣回。",
            "income_disclaimer": True,
            "checks_adults": True,
            "checks_professions": True,
            "reverses_on_refund": True,
            "forces_sharing": False,
            "rewards_sharing": False,
            "repurchase_lock_days": 0,
            "promises_return": False,
            "topup_max_fen": 0,
            "topup_is_registered": True,
            "topup_expires": False,
        },
    }


def test_what_a_document_leaves_out_has_its_default() -> None:
    assert load_rules(MODEL) == load_rules('{"model": "CHANNEL_TWO_LEVEL"}') == TwoLevelRules()


def test_a_plan_survives_the_trip_through_json() -> None:
    rules = TwoLevelRules(
        levels=Levels(
            upgrades=(Upgrade(level=2, conditions=(paying_customers(3, 30),)),),
            jump=False,
        ),
        rates_first_bp=(0, 10_000),
        rates_second_bp=(1, 2),
        self_purchase=True,
        compress=True,
        payout_cap_bp=5_000,
        product_rates={
            7: ProductRates(excluded=True),
            2**63 - 1: ProductRates(rates_second_bp=(5, 6)),
        },
        settle_seconds=0,
    )
    text = json.dumps(dump_rules(rules))

    assert load_rules(text) == load_rules(text.encode()) == load_rules(json.loads(text)) == rules


def test_published_rules_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        TwoLevelRules().payout_cap_bp = 1


@pytest.mark.parametrize(
    ("field", "value", "path", "text"),
    [
        ("payout_cap_bp", 10_001, "payout_cap_bp", "This must be at most 10000."),
        ("payout_cap_bp", 0, "payout_cap_bp", "This must be at least 1."),
        ("payout_cap_bp", None, "payout_cap_bp", "This must be a whole number."),
        ("settle_seconds", -1, "settle_seconds", "This must be at least 0."),
        ("settle_seconds", 31_536_001, "settle_seconds", "This must be at most 31536000."),
        ("settle_seconds", 7.0, "settle_seconds", "This must be a whole number."),
        ("settle_seconds", True, "settle_seconds", "This must be a whole number."),
        ("settle_seconds", "7", "settle_seconds", "This must be a whole number."),
        ("self_purchase", 1, "self_purchase", "This must be true or false."),
        ("compress", "yes", "compress", "This must be true or false."),
        (
            "effective_at",
            "SHIPPED",
            "effective_at",
            "This must be one of: PAID, RECEIVED, AFTER_SALE_CLOSED.",
        ),
        ("colour", 1, "colour", "There is no such parameter."),
        ("rates_first_bp", 1_000, "rates_first_bp", "This must be a list."),
        ("rates_first_bp", [], "rates_first_bp", "This needs at least 1 entries."),
        ("rates_first_bp", [1] * 10, "rates_first_bp", "This may have at most 9 entries."),
        ("rates_first_bp", [1, -1, 1], "rates_first_bp.1", "This must be at least 0."),
        ("rates_second_bp", [1, 1, 10_001], "rates_second_bp.2", "This must be at most 10000."),
        ("rates_second_bp", [0.5, 1, 1], "rates_second_bp.0", "This must be a whole number."),
        (
            "rates_first_bp",
            [1, 2],
            "rates_first_bp",
            "This needs one rate for each of 3 levels, not 2.",
        ),
        (
            "rates_second_bp",
            [1, 2, 3, 4],
            "rates_second_bp",
            "This needs one rate for each of 3 levels, not 4.",
        ),
        ("product_rates", [], "product_rates", "This must be an object."),
        ("product_rates", {"7": 1}, "product_rates.7", "This must be an object."),
        (
            "product_rates",
            {"7": {}},
            "product_rates.7",
            "A product is either excluded or has rates of its own.",
        ),
        (
            "product_rates",
            {"7": {"excluded": True, "rates_first_bp": [1, 2, 3]}},
            "product_rates.7",
            "A product is either excluded or has rates of its own.",
        ),
        (
            "product_rates",
            {"7": {"rates_first_bp": [1, 2, 3], "rates_second_bp": [1]}},
            "product_rates.7.rates_second_bp",
            "This needs one rate for each of 3 levels, not 1.",
        ),
        (
            "product_rates",
            {"7": {"rates_first_bp": [1, 2, "3"]}},
            "product_rates.7.rates_first_bp.2",
            "This must be a whole number.",
        ),
        ("levels", [], "levels", "This must be an object."),
        ("levels", {"jump": 0}, "levels.jump", "This must be true or false."),
        (
            "levels",
            {"upgrades": [{"level": 3, "conditions": [SALES]}]},
            "levels.upgrades",
            "The upgrades must lead to levels 2, 3 and so on, each once, in order.",
        ),
        (
            "levels",
            {"upgrades": [{"level": 1, "conditions": [SALES]}]},
            "levels.upgrades.0.level",
            "This must be at least 2.",
        ),
        (
            "levels",
            {"upgrades": [{"level": 2, "conditions": []}]},
            "levels.upgrades.0.conditions",
            "This needs at least 1 entries.",
        ),
        (
            "levels",
            {"upgrades": [{"level": 2, "mode": "SOME", "conditions": [SALES]}]},
            "levels.upgrades.0.mode",
            "This must be one of: ALL, ANY.",
        ),
        (
            "levels",
            {"upgrades": [{"level": 2, "conditions": [{"kind": "INVITED"}]}]},
            "levels.upgrades.0.conditions.0.kind",
            (
                "This must be one of: DIRECT_SALES, LARGEST_ORDER, OWN_SPEND, TEAM_SALES,"
                " COMMISSION_MATURED, PAYING_CUSTOMERS, DIRECT_ORDERS, OWN_ORDERS, RECRUITS."
            ),
        ),
        (
            "levels",
            {"upgrades": [{"level": 2, "conditions": [{"at_least_fen": 1}]}]},
            "levels.upgrades.0.conditions.0.kind",
            "This is required.",
        ),
        (
            "levels",
            {"upgrades": [{"level": 2, "conditions": [SALES | {"at_least_fen": 0}]}]},
            "levels.upgrades.0.conditions.0.at_least_fen",
            "This must be at least 1.",
        ),
        (
            "levels",
            {"upgrades": [{"level": 2, "conditions": [SALES | {"window_days": 3_651}]}]},
            "levels.upgrades.0.conditions.0.window_days",
            "This must be at most 3650.",
        ),
        (
            "levels",
            {"upgrades": [{"level": 2, "conditions": [SALES | {"at_least_count": 1}]}]},
            "levels.upgrades.0.conditions.0.at_least_count",
            "There is no such parameter.",
        ),
    ],
)
def test_a_wrong_parameter_is_named_and_told_what_is_wrong_with_it(
    field: str, value: object, path: str, text: str
) -> None:
    assert faults_of(MODEL | {field: value}) == [(path, text)]


@pytest.mark.parametrize("key", ["0", "-7", "07", "7.0", "+7", "seven", "", "9" * 19, "1" * 20])
def test_a_product_has_one_spelling_so_that_no_rate_is_lost(key: str) -> None:
    [(path, _)] = faults_of(MODEL | {"product_rates": {key: {"excluded": True}}})

    assert path == f"product_rates.{key}"


def test_every_wrong_parameter_is_named_at_once() -> None:
    document = MODEL | {"payout_cap_bp": 0, "compress": 2, "rates_first_bp": [1], "new": 1}

    with pytest.raises(PlanRulesInvalid) as refused:
        load_rules(document)

    assert [fault.path for fault in refused.value.faults] == [
        "payout_cap_bp",
        "rates_first_bp",
        "compress",
        "new",
    ]
    assert [fault.code for fault in refused.value.faults] == [
        "greater_than_equal",
        "rates_per_level",
        "bool_type",
        "extra_forbidden",
    ]
    assert (refused.value.code, refused.value.kind) == ("plan_rules_invalid", ErrorKind.INVALID)
    assert str(refused.value) == (
        "These plan parameters are not valid. Please correct: "
        "payout_cap_bp, rates_first_bp, compress, new"
    )


def test_a_wrong_condition_is_told_once_and_not_again_as_a_missing_one() -> None:
    upgrades = [{"level": 2, "conditions": [{"kind": "DIRECT_SALES"}]}]

    assert faults_of(MODEL | {"levels": {"upgrades": upgrades}}) == [
        ("levels.upgrades.0.conditions.0.at_least_fen", "This is required."),
        ("levels.upgrades.0.conditions.0.window_days", "This is required."),
    ]


@pytest.mark.parametrize(
    ("document", "path", "text"),
    [
        ({}, "model", "This is required."),
        ({"model": "PYRAMID"}, "model", f"This must be one of: {', '.join(MODELS)}."),
        ({"model": ["CHANNEL_TWO_LEVEL"]}, "model", f"This must be one of: {', '.join(MODELS)}."),
        ("{", "", "This cannot be understood."),
        (b"\xff", "", "This cannot be understood."),
        ("[]", "", "This must be an object."),
        ("null", "", "This must be an object."),
    ],
)
def test_a_document_that_is_no_plan_is_refused(document: Any, path: str, text: str) -> None:
    assert faults_of(document) == [(path, text)]


def test_levels_of_one_kind_of_condition_know_their_threshold() -> None:
    assert direct_sales(7, 1).at_least == 7
    assert paying_customers(8, 1).at_least == 8


def test_a_plan_with_one_level_has_one_rate_a_seat() -> None:
    rules = load_rules(
        MODEL | {"levels": {"upgrades": []}, "rates_first_bp": [500], "rates_second_bp": [100]}
    )

    assert rules.levels.count == 1
