"""Whatever the brand and the plan: what always holds of a simulation."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.distribution.simulation.growth import Brand
from app.distribution.simulation.lane import Entry, Lane
from app.distribution.simulation.parameters import read_growth
from app.distribution.simulation.results import result_of, to_bytes
from app.distribution.simulation.runner import run
from app.engines.documents import load_rules
from app.engines.registry import MODELS
from app.kernel.money import BASIS_POINTS
from tests.thoroughness import examples

brands = st.fixed_dictionaries(
    {
        "members": st.integers(1, 120),
        "months": st.integers(1, 5),
        "referral_bp": st.integers(0, 10_000),
        "recruit_bp": st.integers(0, 10_000),
        "orders_bp": st.integers(10_000, 25_000),
        "min_fen": st.integers(1, 500),
        "typical_fen": st.integers(500, 50_000),
        "max_fen": st.integers(50_000, 2_000_000),
        "refund_bp": st.integers(0, 10_000),
        "stores": st.just(1),
        "seed": st.integers(0, 2**63 - 1),
    }
)
plans = st.sampled_from(
    [
        document
        for code, model in sorted(MODELS.items())
        for document in ({"model": code}, dict(model.original))
    ]
)


def grown(brand: dict[str, Any], *documents: dict[str, Any]) -> list[Lane]:
    entries = [Entry(rules=load_rules(document)) for document in documents]
    return run(Brand(read_growth(brand)).happenings(), entries, levels_rise=True)


@settings(max_examples=examples(150))
@given(brand=brands, plan=plans)
def test_no_plan_costs_more_than_its_bound_of_what_was_paid(
    brand: dict[str, Any], plan: dict[str, Any]
) -> None:
    [lane] = grown(brand, plan)
    bound, tally = lane.model.bound(lane.rules), lane.tally
    settled_fen = sum(month.settled_fen for month in tally.months.values())

    assert tally.awarded_fen * BASIS_POINTS <= (
        bound.enforced_bp * tally.turnover_fen + bound.monthly_bp * settled_fen
    )
    assert tally.worst_order.share_bp <= bound.enforced_bp
    assert tally.worst_month.share_bp <= bound.monthly_bp
    assert 0 <= tally.cost_fen <= tally.awarded_fen


@settings(max_examples=examples(60))
@given(brand=brands, plan=plans)
def test_what_is_paid_to_people_is_what_it_costs_and_nobody_owes(
    brand: dict[str, Any], plan: dict[str, Any]
) -> None:
    [lane] = grown(brand, plan)

    assert sum(lane.tally.people.values()) == lane.tally.cost_fen
    assert all(fen >= 0 for fen in lane.tally.people.values())
    assert lane.tally.refunded_fen <= lane.tally.turnover_fen


@settings(max_examples=examples(40))
@given(brand=brands, plan=plans)
def test_a_plan_beside_itself_is_the_same_twice(
    brand: dict[str, Any], plan: dict[str, Any]
) -> None:
    lanes = grown(brand, plan, plan)
    result = result_of(lanes, kind="growth", parameters=brand)
    again = result_of(grown(brand, plan, plan), kind="growth", parameters=brand)

    assert result["plan"] == result["against"]
    assert (result["comparison"]["gaining"], result["comparison"]["losing"]) == (0, 0)
    assert to_bytes(result) == to_bytes(again)
