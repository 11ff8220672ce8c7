"""What the check says of every model's defaults, and of the plan as the trade practises it."""

import pytest

from app.engines.compliance.check import check, is_blocked, to_confirm
from app.engines.compliance.dossier import Outside, ProductFacts, dossier_of
from app.engines.contract import Model
from app.engines.documents import load_rules
from app.engines.parameters import PlanParameters
from app.engines.registry import MODELS

UNPUBLISHABLE = {"THREE_MATRIX", "REFER_THREE_RETURN_ONE"}
"""Models that can be simulated and never published: in both only a purchase lets people earn."""

ALL = pytest.mark.parametrize("model", list(MODELS.values()), ids=lambda model: model.code)


def default_of(model: Model) -> PlanParameters:
    return load_rules({"model": model.code})


@ALL
def test_the_default_plan_of_a_model_can_be_published(model: Model) -> None:
    outside = Outside(products=(ProductFacts(product_id=5, price_fen=100, list_price_fen=100),))

    findings = check(dossier_of(default_of(model), outside))

    assert is_blocked(findings) is (model.code in UNPUBLISHABLE)


@ALL
def test_the_plan_as_practised_is_blocked(model: Model) -> None:
    assert is_blocked(check(dossier_of(load_rules(model.original))))


@ALL
def test_what_needs_a_confirmation_in_a_default_plan_is_the_second_level_alone(
    model: Model,
) -> None:
    if model.code not in UNPUBLISHABLE:
        confirmed = [one.rule for one in to_confirm(check(dossier_of(default_of(model))))]
        assert confirmed in ([], ["C4"])


def test_shareholders_by_default_are_warned_of_and_need_no_confirmation() -> None:
    findings = check(dossier_of(default_of(MODELS["SHARING_SHAREHOLDERS"])))

    assert [(one.rule, one.severity.value) for one in findings] == [("C1", "WARN")]


def test_shareholders_as_practised_break_what_the_law_is_about() -> None:
    original = load_rules(MODELS["SHARING_SHAREHOLDERS"].original)

    blocked = {one.rule for one in check(dossier_of(original)) if one.severity.value == "BLOCK"}

    assert blocked == {"C1", "C12", "C14"}


def test_chain_as_practised_breaks_what_the_law_is_about() -> None:
    original = load_rules(MODELS["CHAIN_2_1"].original)

    blocked = {one.rule for one in check(dossier_of(original)) if one.severity.value == "BLOCK"}

    assert blocked >= {"C1", "C2", "C5", "C6"}


def test_a_dossier_takes_what_the_model_says_of_the_plan() -> None:
    model = MODELS["SHARING_SHAREHOLDERS"]
    rules = default_of(model)

    dossier = dossier_of(rules, Outside(store_count=11))

    assert dossier.practices == model.practices(rules)
    assert dossier.bound == model.bound(rules)
    assert (dossier.conduct, dossier.settle_seconds) == (rules.conduct, rules.settle_seconds)
    assert dossier.shareholders_overall == 220
