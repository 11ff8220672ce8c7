"""The engines that are measured do what is counted."""

from app.engines import differential, two_level
from scripts.benchmarks.engines import close_a_month, decide_orders


def test_every_measured_order_brings_two_awards() -> None:
    assert decide_orders(two_level.MODEL, orders=7) == 14
    assert decide_orders(differential.MODEL, orders=7) == 14


def test_everybody_in_the_measured_month_is_told_of() -> None:
    assert close_a_month(people=120) == 120
