from typing import Any

from app.engines.bound import BoundStep
from app.engines.parameters import ProductRates
from app.engines.two_level.engine import RatesOf
from app.engines.two_level.profile import BOUND_OF, payout_bound
from app.engines.two_level.rules import TwoLevelRules
from app.kernel.i18n import Message


def step_of(product_id: int | None, *seats: tuple[int, str], total: str, sum_bp: int) -> BoundStep:
    (first_level, first), (second_level, second) = seats
    told: dict[str, Any] = {
        "product_id": product_id,
        "first": first,
        "first_level": first_level,
        "second": second,
        "second_level": second_level,
        "sum": total,
    }
    whose = RatesOf.PLAN if product_id is None else RatesOf.PRODUCT
    return BoundStep(Message(BOUND_OF[whose], told), sum_bp)


PLAN_STEP = step_of(None, (3, "20%"), (3, "8%"), total="28%", sum_bp=2_800)


def test_the_default_plan_pays_at_most_28_percent_and_keeps_its_cap() -> None:
    bound = payout_bound(TwoLevelRules())

    assert (bound.bound_bp, bound.cap_bp, bound.enforced_bp) == (2_800, 3_000, 2_800)
    assert bound.within_cap
    assert bound.steps == (PLAN_STEP,)


def test_the_dearest_level_need_not_be_the_highest() -> None:
    rules = TwoLevelRules(rates_first_bp=(900, 1_700, 200), rates_second_bp=(700, 500, 700))

    [step] = payout_bound(rules).steps

    assert step == step_of(None, (2, "17%"), (1, "7%"), total="24%", sum_bp=2_400)
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
        PLAN_STEP,
        step_of(8, (3, "20%"), (2, "15%"), total="35%", sum_bp=3_500),
        step_of(9, (1, "1%"), (3, "8%"), total="9%", sum_bp=900),
    )
    assert (bound.bound_bp, bound.enforced_bp, bound.within_cap) == (3_500, 3_000, False)


def test_a_cap_that_just_fits_is_kept() -> None:
    assert payout_bound(TwoLevelRules(payout_cap_bp=2_800)).within_cap
    assert not payout_bound(TwoLevelRules(payout_cap_bp=2_799)).within_cap
