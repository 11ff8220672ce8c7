"""What is measured of simulations is the simulation that was meant."""

import pytest

from scripts.benchmarks.simulation import brand, simulate_apart


@pytest.mark.parametrize("orders", [10_000, 100_000, 1_000_000])
def test_a_brand_makes_about_as_many_orders_as_were_asked_for(orders: int) -> None:
    assert orders <= brand(orders).orders <= orders * 102 // 100


def test_a_simulation_runs_in_a_process_of_its_own_and_tells_what_it_took() -> None:
    found = simulate_apart(500)

    assert found["orders"] == brand(500).orders
    assert found["peak_mb"] > 1
    assert found["bytes"] > 1_000
    assert found["seconds"] > 0
