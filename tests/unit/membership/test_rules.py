"""What growth deserves, what a purchase earns, what refunds take, what a level's price is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.membership.pricing import level_price
from app.membership.rules import Step, deserved, earned, taken_back

FEN = st.integers(1, 10**9)


@given(total=st.integers(0, 10**6), base=FEN, parts=st.lists(st.integers(1, 10**6), max_size=9))
def test_refunds_in_parts_take_as_much_as_one_and_never_more_than_was_given(
    total: int, base: int, parts: list[int]
) -> None:
    gone, taken = 0, 0
    for part in parts:
        gone = min(base, gone + part)
        due = taken_back(total, gone, base)
        assert taken <= due <= total
        taken = due

    assert taken == taken_back(total, gone, base)
    assert taken_back(total, base, base) == total
    assert taken_back(total, 0, base) == 0


@given(price=FEN, discount=st.integers(1, 10_000))
def test_a_level_never_raises_a_price_nor_gives_anything_away(price: int, discount: int) -> None:
    found = level_price(price, discount, excluded=False)

    assert 1 <= found <= price
    assert level_price(price, discount, excluded=True) == price
    assert level_price(price, 10_000, excluded=False) == price


@given(base=FEN, per_yuan=st.integers(0, 100), multiplier=st.integers(0, 100_000))
def test_what_is_earned_never_exceeds_the_rate(base: int, per_yuan: int, multiplier: int) -> None:
    assert earned(base, per_yuan, multiplier) * 1_000_000 <= base * per_yuan * multiplier


@pytest.mark.parametrize(
    ("growth", "rank"), [(0, None), (99, None), (100, 2), (999, 2), (1_000, 3)]
)
def test_growth_deserves_the_best_level_it_reaches(growth: int, rank: int | None) -> None:
    steps = [Step(1, 10, 0), Step(3, 30, 1_000), Step(2, 20, 100)]

    found = deserved(steps, growth)

    assert (found.rank if found else None) == rank
