import json

import pytest

from app.engines.reversals import AwardNet, Reversal, net_after, reverse

FIRST = AwardNet(1, line_id=70, base_fen=25_999, rate_bp=1_000, net_fen=2_599)
SECOND = AwardNet(2, line_id=70, base_fen=25_999, rate_bp=500, net_fen=1_299)
OTHER_LINE = AwardNet(3, line_id=71, base_fen=25_999, rate_bp=1_000, net_fen=2_599)


def changes(reversals: tuple[Reversal, ...]) -> list[tuple[int, int, int]]:
    return [(change.award_id, change.new_fen, change.delta_fen) for change in reversals]


def test_a_partial_refund_takes_back_the_difference_of_the_two_floors() -> None:
    assert changes(reverse([FIRST, SECOND], {70: 9_999})) == [(1, 1_600, 999), (2, 800, 499)]


def test_a_full_refund_leaves_nothing() -> None:
    assert changes(reverse([FIRST, SECOND], {70: 25_999})) == [(1, 0, 2_599), (2, 0, 1_299)]


def test_a_refund_of_more_than_the_base_counts_as_the_base() -> None:
    [change] = reverse([FIRST], {70: 26_500})

    assert (change.new_fen, change.refunded_fen) == (0, 25_999)
    assert net_after(25_999, 1_000, 26_500) == net_after(25_999, 1_000, 99_999) == 0


def test_a_refund_leaves_awards_of_other_lines_alone() -> None:
    assert changes(reverse([FIRST, OTHER_LINE], {71: 25_999, 72: 5})) == [(3, 0, 2_599)]


def test_the_same_figure_again_changes_nothing() -> None:
    after = AwardNet(1, 70, 25_999, 1_000, net_fen=1_600)

    assert reverse([after], {70: 9_999}) == ()


def test_an_older_and_smaller_figure_gives_nothing_back() -> None:
    after = AwardNet(1, 70, 25_999, 1_000, net_fen=1_600)

    assert reverse([after], {70: 5_000}) == ()


def test_a_second_refund_counts_from_the_whole_and_not_from_the_rest() -> None:
    after = AwardNet(1, 70, 25_999, 1_000, net_fen=1_600)

    assert changes(reverse([after], {70: 20_000})) == [(1, 599, 1_001)]


def test_a_slice_too_small_to_matter_changes_nothing_yet() -> None:
    assert reverse([FIRST], {70: 9}) == ()
    assert changes(reverse([FIRST], {70: 10})) == [(1, 2_598, 1)]


def test_an_award_taken_back_before_stays_where_it_is() -> None:
    voided = AwardNet(1, 70, 25_999, 1_000, net_fen=0)

    assert reverse([voided], {70: 9_999}) == ()


def test_no_refund_leaves_everything() -> None:
    assert reverse([FIRST], {}) == ()
    assert reverse([FIRST], {70: 0}) == ()
    assert net_after(25_999, 1_000, 0) == 2_599


def test_less_than_nothing_cannot_have_been_refunded() -> None:
    with pytest.raises(AssertionError):
        net_after(25_999, 1_000, -1)


def test_a_reversal_carries_every_fact_that_decided_it() -> None:
    [change] = reverse([FIRST], {70: 9_999})

    assert json.loads(json.dumps(change.explanation)) == {
        "schema": 1,
        "outcome": "REVERSAL",
        "line_id": 70,
        "base_fen": 25_999,
        "refunded_fen": 9_999,
        "remaining_fen": 16_000,
        "rate_bp": 1_000,
        "old_fen": 2_599,
        "new_fen": 1_600,
        "delta_fen": 999,
    }
