"""Rising and keeping a level, against a second reckoning in fractions and sets."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from app.engines.level_wording import explain_move, explain_warning
from app.engines.levels import Figure, promote, review
from app.engines.parameters import (
    AMOUNTS,
    Condition,
    ConditionKind,
    Every,
    Levels,
    Mode,
    Retention,
    Upgrade,
)
from tests.factories.levels import condition

KINDS = st.sampled_from(ConditionKind)
FIGURES = st.dictionaries(KINDS, st.integers(0, 12), max_size=9)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    return condition(draw(KINDS), draw(st.integers(1, 9)), draw(st.integers(1, 3)))


@st.composite
def ladders(draw: st.DrawFn) -> Levels:
    return Levels(
        upgrades=tuple(
            Upgrade(
                level=level,
                mode=draw(st.sampled_from(Mode)),
                conditions=tuple(draw(st.lists(conditions(), min_size=1, max_size=4))),
            )
            for level in range(2, draw(st.integers(1, 6)) + 1)
        ),
        jump=draw(st.booleans()),
        retention=Retention(
            every=draw(st.sampled_from(Every)),
            share_bp=draw(st.integers(1, 10_000)),
            grace_days=draw(st.integers(0, 365)),
        ),
    )


def reached(levels: Levels, known: dict[Figure, int]) -> set[int]:
    """Return every level whose conditions are met, by counting those that are not."""
    found = set()
    for upgrade in levels.upgrades:
        unmet = [
            one
            for one in upgrade.conditions
            if known.get(Figure(one.kind, one.window_days), 0) < one.at_least
        ]
        allowed = 0 if upgrade.mode is Mode.ALL else len(upgrade.conditions) - 1
        if len(unmet) <= allowed:
            found.add(upgrade.level)
    return found


@given(ladders(), st.integers(1, 7), st.data())
def test_somebody_rises_to_the_highest_level_met_or_to_the_next(
    levels: Levels, level: int, data: st.DataObject
) -> None:
    known = {
        Figure(one.kind, one.window_days): data.draw(st.integers(0, 12))
        for upgrade in levels.upgrades
        for one in upgrade.conditions
    }
    met = reached(levels, known)
    expected = (
        max((one for one in met if one > level), default=None)
        if levels.jump
        else (level + 1 if level + 1 in met else None)
    )

    rise = promote(levels, level, known)

    assert (rise.to_level if rise else None) == expected
    if rise is not None:
        assert len(explain_move("upgrade", rise.explanation)) > 1


@given(ladders(), st.integers(1, 7), FIGURES)
def test_a_level_is_kept_by_its_share_of_each_threshold_to_the_fraction(
    levels: Levels, level: int, found: dict[ConditionKind, int]
) -> None:
    upgrade = next((one for one in levels.upgrades if one.level == level), None)
    assert levels.retention is not None
    share = Fraction(levels.retention.share_bp, 10_000)

    seen = review(levels, level, found)

    if upgrade is None:
        assert seen is None
        return
    enough = [found.get(one.kind, 0) >= one.at_least * share for one in upgrade.conditions]
    assert seen is not None
    assert seen.is_kept == (all(enough) if upgrade.mode is Mode.ALL else any(enough))
    told = {**seen.explanation, "period": "2026-10"}
    assert len(explain_warning(told)) == 1 + len(upgrade.conditions)
    fallen = {**told, "from_level": level, "to_level": level - 1}
    assert len(explain_move("downgrade", fallen)) == 1 + len(upgrade.conditions)


@given(ladders(), FIGURES, KINDS, st.integers(1, 9))
def test_selling_more_never_costs_a_level(
    levels: Levels, found: dict[ConditionKind, int], kind: ConditionKind, more: int
) -> None:
    richer = {**found, kind: found.get(kind, 0) + more}

    for level in range(2, levels.count + 1):
        before, after = review(levels, level, found), review(levels, level, richer)
        assert before is not None
        assert after is not None
        assert before.is_kept <= after.is_kept


def test_without_retention_nothing_is_asked() -> None:
    for level in (1, 2, 3, 9):
        assert review(Levels(), level, {}) is None


def test_amounts_are_told_in_yuan_and_counts_as_they_are() -> None:
    for kind in ConditionKind:
        levels = Levels(
            upgrades=(Upgrade(level=2, conditions=(condition(kind, 12_300, 30),)),),
            retention=Retention(share_bp=10_000),
        )
        seen = review(levels, 2, {kind: 4_500})
        assert seen is not None
        _, told = explain_warning({**seen.explanation, "period": "2026-10"})
        expected = ("¥45.00", "¥123.00") if kind in AMOUNTS else (4_500, 12_300)
        assert (told.parameters["found"], told.parameters["at_least"]) == expected
