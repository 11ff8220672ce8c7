from app.distribution.engine.bound import BoundStep, payout_bound
from app.plans.rules import ProductRates, TwoLevelRules


def test_the_default_plan_pays_at_most_28_percent_and_keeps_its_cap() -> None:
    bound = payout_bound(TwoLevelRules())

    assert (bound.bound_bp, bound.cap_bp, bound.enforced_bp) == (2_800, 3_000, 2_800)
    assert bound.within_cap
    assert bound.steps == (BoundStep(None, 3, 2_000, 3, 800),)


def test_the_dearest_level_need_not_be_the_highest() -> None:
    rules = TwoLevelRules(rates_first_bp=(900, 1_700, 200), rates_second_bp=(700, 500, 700))

    [step] = payout_bound(rules).steps

    assert step == BoundStep(None, 2, 1_700, 1, 700)
    assert step.sum_bp == 2_400


def test_a_product_with_rates_of_its_own_can_be_the_dearest() -> None:
    rules = TwoLevelRules(
        product_rates={
            9: ProductRates(rates_first_bp=(100, 100, 100)),
            8: ProductRates(rates_second_bp=(0, 1_500, 0)),
            7: ProductRates(excluded=True),
        }
    )

    bound = payout_bound(rules)

    assert bound.steps == (
        BoundStep(None, 3, 2_000, 3, 800),
        BoundStep(8, 3, 2_000, 2, 1_500),
        BoundStep(9, 1, 100, 3, 800),
    )
    assert (bound.bound_bp, bound.enforced_bp, bound.within_cap) == (3_500, 3_000, False)


def test_a_cap_that_just_fits_is_kept() -> None:
    assert payout_bound(TwoLevelRules(payout_cap_bp=2_800)).within_cap
    assert not payout_bound(TwoLevelRules(payout_cap_bp=2_799)).within_cap
