"""Only the biggest brand is held against the aims: 15 ms, and twice the smallest brand's figure."""

import pytest

from scripts.benchmarks.teams import rows


@pytest.mark.parametrize(("value", "met"), [(0.8, True), (1.0, True), (1.1, False)])
def test_the_biggest_may_take_twice_as_long_as_the_smallest(value: float, *, met: bool) -> None:
    [row] = rows(1_000_000, {"counts, query": value}, {"counts, query": 0.5}, is_last=True)

    assert (row.met, row.baseline, row.aim) == (met, 0.5, "<= 15 ms, <= 2 x")


def test_the_biggest_may_take_fifteen_milliseconds() -> None:
    [row] = rows(1_000_000, {"counts, query": 15.1}, {"counts, query": 14.0}, is_last=True)

    assert row.met is False


def test_smaller_ones_have_no_aim() -> None:
    [row] = rows(10_000, {"counts, query": 99.0}, {"counts, query": 99.0}, is_last=False)

    assert (row.met, row.aim) == (None, "")
