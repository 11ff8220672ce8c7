"""Figures stand beside their baseline and their aim."""

import pytest

from scripts.benchmarks.table import Row, heading, missed, percentile, render


def test_a_ratio_is_the_figure_as_a_multiple_of_its_baseline() -> None:
    row = Row(name="rate", value=900.0, unit="req/s", baseline=1_800.0, aim=">= 0.5", met=True)

    assert row.ratio == 0.5
    assert render(row).split() == ["rate", "900.00", "req/s", "1,800.00", "0.50", ">=", "0.5", "ok"]


def test_a_figure_without_baseline_and_aim_shows_neither() -> None:
    row = Row(name="rate", value=1_234.5, unit="/s")

    assert row.ratio is None
    assert render(row).split() == ["rate", "1,234.50", "/s"]
    assert missed([row]) == []


def test_a_missed_aim_is_said_and_counted() -> None:
    row = Row(name="rate", value=1.0, unit="req/s", baseline=4.0, aim=">= 0.5", met=False)

    assert render(row).endswith("MISSED")
    assert missed([row]) == [row]


def test_the_columns_stand_below_their_headings() -> None:
    row = Row(name="rate", value=900.0, unit="req/s", baseline=1_800.0, aim=">= 0.5", met=True)

    titles, _ = heading().splitlines()
    line = render(row)
    for title, figure in (("measured", "900.00"), ("baseline", "1,800.00"), ("ratio", "0.50")):
        assert titles.index(title) + len(title) == line.index(figure) + len(figure)
    assert titles.index("aim") == line.index(">=")


def test_a_row_for_programs_has_everything_and_the_ratio() -> None:
    row = Row(name="rate", value=1.0, unit="ms", baseline=2.0, aim="<= 15 ms", met=True)

    assert row.to_json() == {
        "name": "rate",
        "value": 1.0,
        "unit": "ms",
        "baseline": 2.0,
        "aim": "<= 15 ms",
        "met": True,
        "ratio": 0.5,
    }


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50.0), (0.95, 95.0), (0.951, 96.0), (1.0, 100.0), (0.0, 1.0)]
)
def test_a_percentile_is_a_value_that_occurred(share: float, expected: float) -> None:
    values = [float(value) for value in range(100, 0, -1)]

    assert percentile(values, share) == expected
