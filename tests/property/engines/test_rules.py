"""Whatever the plan: it survives storage, and its levels only ever lift."""

import json

from hypothesis import given
from hypothesis import strategies as st

from app.engines.documents import dump_rules, load_rules
from app.engines.levels import figures_needed, promote
from app.engines.parameters import Condition, Levels, Mode, Upgrade, direct_sales, paying_customers
from app.engines.two_level.rules import TwoLevelRules
from tests.property.engines.strategies import plans

conditions: st.SearchStrategy[Condition] = st.one_of(
    st.builds(direct_sales, at_least_fen=st.integers(1, 9), window_days=st.integers(1, 3)),
    st.builds(paying_customers, at_least_count=st.integers(1, 9), window_days=st.integers(1, 3)),
)


@st.composite
def ladders(draw: st.DrawFn) -> Levels:
    return Levels(
        upgrades=tuple(
            Upgrade(
                level=level,
                mode=draw(st.sampled_from(Mode)),
                conditions=tuple(draw(st.lists(conditions, min_size=1, max_size=3))),
            )
            for level in range(2, draw(st.integers(1, 5)) + 1)
        ),
        jump=draw(st.booleans()),
    )


@given(plans())
def test_a_plan_survives_the_trip_through_json(rules: TwoLevelRules) -> None:
    document = dump_rules(rules)

    assert load_rules(json.dumps(document)) == load_rules(document) == rules


@given(ladders(), st.integers(1, 5), st.data())
def test_a_promotion_only_lifts_and_repeats_until_nothing_more_is_reached(
    levels: Levels, level: int, data: st.DataObject
) -> None:
    level = min(level, levels.count)
    figures = {figure: data.draw(st.integers(0, 9)) for figure in figures_needed(levels)}

    reached = [level]
    while promotion := promote(levels, reached[-1], figures):
        assert promotion.from_level == reached[-1]
        reached.append(promotion.to_level)

    assert reached == sorted(set(reached))
    assert reached[-1] <= levels.count
    if levels.jump:
        assert len(reached) <= 2
    else:
        assert reached == list(range(level, reached[-1] + 1))


@given(ladders(), st.integers(1, 5), st.data())
def test_more_of_everything_never_reaches_less(
    levels: Levels, level: int, data: st.DataObject
) -> None:
    less = {figure: data.draw(st.integers(0, 9)) for figure in figures_needed(levels)}
    more = {figure: found + data.draw(st.integers(0, 3)) for figure, found in less.items()}
    with_less, with_more = promote(levels, level, less), promote(levels, level, more)

    if with_less is not None:
        assert with_more is not None
        assert with_more.to_level >= with_less.to_level
