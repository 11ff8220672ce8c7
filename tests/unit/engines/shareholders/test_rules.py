"""The parameters of sharing shareholders, their worst case, and what they do by the law."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from app.engines.bound import explain_bound
from app.engines.faults import faults_of
from app.engines.parameters import Conduct, Entry
from app.engines.practices import Practices
from app.engines.shareholders import MODEL
from app.engines.shareholders.profile import payout_bound, practices
from app.engines.shareholders.rules import (
    EntryMode,
    ProductCommission,
    ShareholderLevel,
    ShareholderRules,
)
from app.kernel.i18n import translate
from tests.unit.engines.shareholders.world import read

SILVER = {"code": "SILVER", "weight": 1, "entry_fen": 100_000, "commission_bp": 500}
GOLD = {"code": "GOLD", "weight": 2, "entry_fen": 300_000, "commission_bp": 800}


def faults(**fields: Any) -> list[tuple[str, str]]:
    """Read parameters that are wrong; return where and what, in English."""
    with pytest.raises(ValidationError) as caught:
        ShareholderRules.model_validate_json(json.dumps(fields))
    return [(one.path, translate(one.message, "en")) for one in faults_of(caught.value)]


def test_the_default_plan_is_the_compliant_one() -> None:
    rules = ShareholderRules()

    assert [
        (one.code, one.weight, one.entry_fen, one.commission_bp, one.guest_cards)
        for one in rules.shareholder_levels
    ] == [
        ("SILVER", 1, 100_000, 500, 5),
        ("GOLD", 2, 300_000, 800, 10),
        ("DIAMOND", 5, 500_000, 1_000, 20),
    ]
    assert (rules.entry_mode, rules.rebate_bp, rules.pool_bp) == (EntryMode.CONSUMPTION, 0, 500)
    assert (rules.cap_total_fen, rules.active_days) == (None, 90)
    assert (rules.seats_per_store, rules.term_months) == (20, 12)


@pytest.mark.parametrize("document", [{}, MODEL.original])
def test_parameters_are_the_same_after_a_trip_through_json(document: dict[str, Any]) -> None:
    rules = ShareholderRules.model_validate_json(
        ShareholderRules.model_validate(document, strict=False).model_dump_json()
    )

    assert ShareholderRules.model_validate_json(rules.model_dump_json()) == rules


@pytest.mark.parametrize(
    ("fields", "path", "text"),
    [
        ({"pool_bp": 10_001}, "pool_bp", "This must be at most 10000."),
        ({"seats_per_store": 201}, "seats_per_store", "This must be at most 200."),
        ({"seats_per_store": 0}, "seats_per_store", "This must be at least 1."),
        ({"term_months": 0}, "term_months", "This must be at least 1."),
        ({"active_days": 0}, "active_days", "This must be at least 1."),
        ({"cap_total_fen": 0}, "cap_total_fen", "This must be at least 1."),
        ({"pool_base": "PROFIT"}, "pool_base", "This must be one of: NET_SETTLED."),
        ({"split": "EVENLY"}, "split", "This must be one of: BY_WEIGHT, BY_LEVEL."),
        ({"excess": "LOST"}, "excess", "This must be one of: KEPT, REDISTRIBUTED."),
        ({"rebate_bp": -1}, "rebate_bp", "This must be at least 0."),
        ({"shareholder_levels": []}, "shareholder_levels", "This needs at least 1 entries."),
        (
            {"shareholder_levels": [SILVER, SILVER | {"entry_fen": 200_000}]},
            "shareholder_levels",
            "Each level needs a name of its own.",
        ),
        (
            {"shareholder_levels": [SILVER, GOLD | {"entry_fen": 100_000}]},
            "shareholder_levels",
            "Level GOLD must take more to reach than the one below it, and weigh no less.",
        ),
        (
            {"shareholder_levels": [SILVER | {"weight": 3}, GOLD]},
            "shareholder_levels",
            "Level GOLD must take more to reach than the one below it, and weigh no less.",
        ),
        (
            {"shareholder_levels": [SILVER | {"code": "silver"}]},
            "shareholder_levels.0.code",
            "This must be written in the form ^[A-Z][A-Z0-9_]*$.",
        ),
        (
            {"shareholder_levels": [SILVER | {"weight": 0}]},
            "shareholder_levels.0.weight",
            "This must be at least 1.",
        ),
        (
            {"shareholder_levels": [SILVER | {"entry_fen": 0}]},
            "shareholder_levels.0.entry_fen",
            "This must be at least 1.",
        ),
        (
            {"product_commissions": {"5": {"commissions_bp": [1, 2]}}},
            "product_commissions.5.commissions_bp",
            "This needs one rate for each of 3 levels, not 2.",
        ),
        (
            {"product_commissions": {"5": {"excluded": True, "commissions_bp": [1, 2, 3]}}},
            "product_commissions.5",
            "A product is either excluded or has rates of its own.",
        ),
        ({"dividend": 1}, "dividend", "There is no such parameter."),
    ],
)
def test_what_is_wrong_is_named_by_field(fields: dict[str, Any], path: str, text: str) -> None:
    assert faults(**fields) == [(path, text)]


def test_neighbours_may_weigh_the_same_but_need_a_threshold_apart() -> None:
    levels = (
        ShareholderLevel(code="A", weight=1, entry_fen=1, commission_bp=900),
        ShareholderLevel(code="B", weight=1, entry_fen=2, commission_bp=100),
    )

    assert ShareholderRules(shareholder_levels=levels).shareholder_levels == levels


def test_the_bound_is_commission_rebate_and_by_the_month_the_pool() -> None:
    bound = payout_bound(ShareholderRules(rebate_bp=700))

    assert (bound.bound_bp, bound.cap_bp, bound.monthly_bp) == (1_700, 3_000, 500)
    assert bound.total_bp == 2_200
    assert read(explain_bound(bound)) == [
        (
            "At most the plan pays 10%, to the level Diamond, on the order of a bound customer, and"
            " 7% back to a buyer who is a shareholder: 17% together."
        ),
        (
            "An order mixes products and is rounded down, so none pays more than 17%. The cap of"
            " 30% never has to withhold anything."
        ),
        ("What is paid by the month comes on top: at most 5% of the month's sales, so 22% in all."),
    ]


def test_the_dearest_product_makes_the_bound_and_an_excluded_one_does_not() -> None:
    rules = ShareholderRules(
        product_commissions={
            9: ProductCommission(commissions_bp=(0, 4_000, 100)),
            5: ProductCommission(excluded=True),
        }
    )

    bound = payout_bound(rules)

    assert (bound.bound_bp, bound.enforced_bp) == (4_000, 3_000)
    assert read(step.message for step in bound.steps) == [
        "At most the plan pays 10%, to the level Diamond, on the order of a bound customer.",
        "For product 9 it pays at most 40%, to the level Gold.",
    ]
    with_rebate = payout_bound(rules.model_copy(update={"rebate_bp": 100}))
    assert read(step.message for step in with_rebate.steps)[1] == (
        "For product 9 it pays at most 40%, to the level Gold, and 1% back to a buyer who is a"
        " shareholder: 41% together."
    )


def test_the_default_plan_pays_one_person_and_begins_with_own_purchases() -> None:
    assert practices(ShareholderRules()) == Practices(
        entry=Entry.FREE,
        paid_depth=1,
        pool_bp=500,
        seats_per_store=20,
        entry_spend_fen=100_000,
    )


def test_a_topup_is_a_topup_whatever_the_plan_declares() -> None:
    rules = ShareholderRules(
        entry_mode=EntryMode.TOPUP, conduct=Conduct(entry=Entry.FREE, promises_return=True)
    )

    told = practices(rules)

    assert (told.entry, told.promises_return) == (Entry.TOPUP, True)


def test_a_review_asks_for_no_purchases_and_a_pool_alone_pays_nobody_above() -> None:
    levels = (ShareholderLevel(code="A", weight=1, entry_fen=1, commission_bp=0),)
    rules = ShareholderRules(
        entry_mode=EntryMode.REVIEW,
        shareholder_levels=levels,
        conduct=Conduct(entry=Entry.FEE),
    )

    told = practices(rules)

    assert (told.entry, told.paid_depth, told.entry_spend_fen) == (Entry.FEE, 0, 0)
    paying = {5: ProductCommission(commissions_bp=(1,))}
    assert practices(rules.model_copy(update={"product_commissions": paying})).paid_depth == 1


def test_the_plan_as_practised_is_a_topup_paid_back_from_pools() -> None:
    rules = ShareholderRules.model_validate(MODEL.original, strict=False)

    assert practices(rules).entry is Entry.TOPUP
    assert practices(rules).promises_return
    assert rules.shareholder_levels[0].entry_fen == rules.cap_total_fen == 3_000_000
