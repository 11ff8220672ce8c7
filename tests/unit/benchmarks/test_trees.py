"""The teams of the benchmarks are teams: no cycles, right counters, a few big ones."""

from collections import Counter

from scripts.benchmarks.trees import callers, grow, tier_counts


def test_everybody_but_the_first_was_brought_by_somebody_before_them() -> None:
    recommenders = grow(2_000)

    assert len(recommenders) == 2_000
    assert recommenders[0] is None
    for number, up in enumerate(recommenders[1:], start=2):
        assert up is not None
        assert 1 <= up < number


def test_the_same_size_grows_the_same_team() -> None:
    assert grow(500) == grow(500)


def test_a_few_have_brought_many() -> None:
    direct, _ = tier_counts(grow(20_000))

    assert max(direct) > 200
    assert sum(1 for count in direct if count == 0) > 10_000


def test_both_tiers_are_counted() -> None:
    # 1 brought 2 and 3; 2 brought 4; 3 brought 5 and 6; 4 brought 7.
    direct, second = tier_counts([None, 1, 1, 2, 3, 3, 4])

    assert direct == [0, 2, 1, 2, 1, 0, 0, 0]
    assert second == [0, 3, 1, 0, 0, 0, 0, 0]


def test_those_with_the_biggest_teams_are_asked_and_others_by_size() -> None:
    recommenders = grow(2_000)
    direct, second = tier_counts(recommenders)

    asked = callers(recommenders, biggest=2, drawn=500)

    assert len(asked) == 504
    assert [direct[one] for one in asked[:2]] == sorted(direct, reverse=True)[:2]
    assert [second[one] for one in asked[2:4]] == sorted(second, reverse=True)[:2]
    assert all(direct[one] > 0 for one in asked[4:])
    assert Counter(asked[4:]).most_common(1)[0][0] == asked[0]
