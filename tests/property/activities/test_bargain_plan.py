"""However a bargain is drawn, its parts add up to the way to the floor."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from app.activities import bargain_plan

SEEDS = st.text(alphabet="0123456789abcdef", min_size=1, max_size=64)


@given(seed=SEEDS, count=st.integers(1, 200), more=st.integers(0, 10_000_000))
def test_parts_add_up_exactly_and_none_is_empty(seed: str, count: int, more: int) -> None:
    parts = bargain_plan.parts(seed, total_fen=count + more, count=count)

    assert sum(parts) == count + more
    assert len(parts) == count
    assert min(parts) >= 1


@given(seed=SEEDS, count=st.integers(1, 50), more=st.integers(0, 100_000))
def test_the_same_seed_always_draws_the_same(seed: str, count: int, more: int) -> None:
    total = count + more

    first = bargain_plan.parts(seed, total_fen=total, count=count)

    assert bargain_plan.parts(seed, total_fen=total, count=count) == first


@given(seed=SEEDS, count=st.integers(2, 50), more=st.integers(10_000, 1_000_000))
def test_no_part_is_more_than_a_few_times_another(seed: str, count: int, more: int) -> None:
    parts = bargain_plan.parts(seed, total_fen=count + more, count=count)

    most, least = bargain_plan.MOST_WEIGHT, bargain_plan.LEAST_WEIGHT
    assert (max(parts) - 2) * least <= (min(parts) + 1) * most


@given(
    amounts=st.lists(st.integers(1, 1_000), min_size=1, max_size=40),
    wanted=st.lists(st.integers(1, 5), min_size=40, max_size=40),
)
def test_cuts_of_any_width_take_every_part_once(amounts: list[int], wanted: list[int]) -> None:
    first, total = 0, 0
    for width in wanted:
        if first >= len(amounts):
            break
        parts, amount = bargain_plan.next_cut(amounts, first=first, wanted=width)
        first, total = first + parts, total + amount
        assert total == list(accumulate(amounts))[first - 1]

    assert (first, total) == (len(amounts), sum(amounts))


def test_a_seed_is_shown_by_its_digest_before_it_is_shown() -> None:
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    assert bargain_plan.commitment("abc") == known
