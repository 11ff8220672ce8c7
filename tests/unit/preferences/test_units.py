"""How values of settings are written for people."""

import pytest

from app.kernel.i18n import ENGLISH, translate
from app.preferences.units import Unit, Value, is_kind_of, measure_of, worded


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (Unit.SPAN, 30 * 86_400, "30 days"),
        (Unit.SPAN, 86_400, "1 day"),
        (Unit.SPAN, 5_400, "90 minutes"),
        (Unit.SPAN, 7_200, "2 hours"),
        (Unit.SPAN, 61, "61 seconds"),
        (Unit.SPAN, 0, "0 seconds"),
        (Unit.MONEY, 0, "¥0.00"),
        (Unit.MONEY, 1_234_567, "¥12,345.67"),
        (Unit.RATE, 5_000, "50%"),
        (Unit.COUNT, 0, "0"),
        (Unit.SWITCH, True, "Yes"),
        (Unit.SWITCH, False, "No"),
    ],
)
def test_a_value_is_written_in_its_unit(unit: Unit, value: Value, text: str) -> None:
    assert translate(worded(unit, value), ENGLISH) == text


@pytest.mark.parametrize("unit", [Unit.SPAN, Unit.MONEY, Unit.RATE, Unit.COUNT])
@pytest.mark.parametrize("value", [True, 1.5, "5", None, [5]])
def test_a_number_is_whole_and_no_switch(unit: Unit, value: object) -> None:
    assert not is_kind_of(unit, value)
    assert is_kind_of(unit, 5)


@pytest.mark.parametrize(("seconds", "size"), [(1, 1), (60, 60), (3_660, 60), (90_000, 3_600)])
def test_a_span_is_measured_by_what_it_is_whole_in(seconds: int, size: int) -> None:
    assert measure_of(seconds) == size
