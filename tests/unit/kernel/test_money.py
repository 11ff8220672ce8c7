import pytest

from app.kernel.money import Rate, percent, share_of, split


@pytest.mark.parametrize(
    ("amount", "basis_points", "share"),
    [
        (25_999, 1_000, 2_599),
        (25_999, 500, 1_299),
        (8_643_219, 500, 432_160),
        (9_999, 1, 0),
        (10_000, 1, 1),
        (0, 10_000, 0),
        (7, 10_000, 7),
        (7, 0, 0),
    ],
)
def test_a_share_is_rounded_down(amount: int, basis_points: int, share: int) -> None:
    assert share_of(amount, basis_points) == share
    assert Rate(basis_points).of(amount) == share


def test_a_share_of_a_negative_amount_has_no_meaning() -> None:
    with pytest.raises(AssertionError):
        share_of(-1, 1_000)


@pytest.mark.parametrize("basis_points", [-1, 10_001])
def test_a_rate_outside_the_whole_is_refused(basis_points: int) -> None:
    with pytest.raises(ValueError, match=r"within 0\.\.10000"):
        Rate(basis_points)


@pytest.mark.parametrize("basis_points", [0, 10_000])
def test_nothing_and_the_whole_are_rates(basis_points: int) -> None:
    assert Rate(basis_points).basis_points == basis_points


@pytest.mark.parametrize(
    ("amount", "weighing", "parts"),
    [
        (100, [1, 1, 1], (34, 33, 33)),
        (5, [1, 1, 1], (2, 2, 1)),
        (10, [1, 2, 4], (1, 3, 6)),
        (1_000, [19_900, 9_950, 0], (667, 333, 0)),
        (7, [3], (7,)),
        (0, [1, 2], (0, 0)),
        (0, [0], (0,)),
        (0, [], ()),
    ],
)
def test_what_is_left_over_goes_to_the_parts_that_lost_most_the_earlier_first(
    amount: int, weighing: list[int], parts: tuple[int, ...]
) -> None:
    assert split(amount, weighing) == parts


def test_something_cannot_be_divided_among_parts_that_weigh_nothing() -> None:
    with pytest.raises(ValueError, match="weigh nothing"):
        split(1, [0, 0])


@pytest.mark.parametrize(("amount", "weighing"), [(-1, [1]), (1, [2, -1])])
def test_nothing_negative_can_be_divided_or_weighs(amount: int, weighing: list[int]) -> None:
    with pytest.raises(AssertionError):
        split(amount, weighing)


@pytest.mark.parametrize(
    ("basis_points", "text"),
    [(0, "0%"), (1, "0.01%"), (10, "0.1%"), (305, "3.05%"), (1_250, "12.5%"), (10_000, "100%")],
)
def test_a_percentage_is_written_exactly(basis_points: int, text: str) -> None:
    assert percent(basis_points) == text
