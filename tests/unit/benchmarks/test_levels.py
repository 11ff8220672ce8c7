"""Only the biggest brand is held against the minute, and only what evaluates levels."""

from scripts.benchmarks.levels import rows

TAKEN = {"evaluate everybody, again": [60.1, 3], "count teams": [99.0, 1]}


def test_the_biggest_may_take_a_minute() -> None:
    evaluated, counted = rows(1_000_000, TAKEN, {}, is_last=True)

    assert (evaluated.met, evaluated.aim) == (False, "<= 60 s")
    assert (counted.met, counted.aim) == (None, "")
    assert "1,000,000 distributors" in evaluated.name


def test_a_smaller_one_has_no_aim_and_growth_is_told_against_the_size_before() -> None:
    evaluated, counted = rows(
        100_000, TAKEN, {"evaluate everybody, again": [6.01, 0]}, is_last=False
    )

    assert (evaluated.met, evaluated.baseline, counted.baseline) == (None, 6.01, None)
