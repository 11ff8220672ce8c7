"""Whatever the amounts: what always holds of shares and of parts."""

from hypothesis import given
from hypothesis import strategies as st

from app.kernel.money import BASIS_POINTS, share_of, split

FEN_MAX = 10**13

amounts = st.integers(0, FEN_MAX)
rates = st.integers(0, BASIS_POINTS)
weights = st.lists(st.integers(0, FEN_MAX), min_size=1, max_size=12)


@given(amounts, amounts, rates)
def test_a_share_of_more_is_never_less(less: int, more: int, basis_points: int) -> None:
    less, more = sorted((less, more))

    assert share_of(less, basis_points) <= share_of(more, basis_points)


@given(amounts, st.lists(st.integers(0, 2_000), max_size=5))
def test_shares_of_one_amount_stay_within_the_share_of_their_sum(
    amount: int, several: list[int]
) -> None:
    assert sum(share_of(amount, each) for each in several) <= share_of(amount, sum(several))


@given(amounts, weights)
def test_parts_add_up_and_none_is_a_unit_off_its_proportion(
    amount: int, weighing: list[int]
) -> None:
    whole = sum(weighing)
    if whole == 0:
        weighing[0] = whole = 1

    parts = split(amount, weighing)

    assert sum(parts) == amount
    for part, weight in zip(parts, weighing, strict=True):
        assert abs(part * whole - amount * weight) < whole
        assert part == 0 or weight > 0
