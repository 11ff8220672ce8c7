import hashlib
import hmac
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from app.activities.draw_odds import Chance, commitment, drawn, outcomes, point

SEEDS = st.text("0123456789abcdef", min_size=1, max_size=64)
TICKETS = 200_000


@given(SEEDS, st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_point_is_what_anybody_computes_from_the_published_formula(
    seed: str, activity_id: int, number: int
) -> None:
    message = f"{activity_id}:{number}".encode()
    by_hand = int(hmac.new(seed.encode(), message, hashlib.sha256).hexdigest()[:16], 16)

    assert point(seed, activity_id, number) == by_hand % 1_000_000
    assert commitment(seed) == hashlib.sha256(seed.encode()).hexdigest()


def test_prizes_come_as_often_as_their_chances_say() -> None:
    chances = [100_000, 250_000, 1_000]

    counts = Counter(drawn("a seed", 3, number, chances) for number in range(1, TICKETS + 1))

    for place, chance_ppm in enumerate(chances):
        expected = TICKETS * chance_ppm / 1_000_000
        assert abs(counts[place] - expected) < 5 * expected**0.5
    assert sum(counts.values()) == TICKETS


@given(
    SEEDS,
    st.lists(st.tuples(st.integers(1, 80_000), st.integers(1, 5)), min_size=1, max_size=12),
    st.integers(0, 300),
)
def test_no_prize_is_won_more_often_than_there_are_pieces(
    seed: str, prizes: list[tuple[int, int]], tickets: int
) -> None:
    found = list(outcomes(seed, 7, [Chance(*one) for one in prizes], tickets=tickets))

    won = Counter(one.won for one in found if one.won is not None)
    tried = Counter(one.drawn for one in found if one.drawn is not None)
    assert len(found) == tickets
    assert all(won[place] == min(tried[place], stock) for place, (_, stock) in enumerate(prizes))
    assert all(one.won in {None, one.drawn} for one in found)


def test_chances_that_make_a_whole_leave_no_ticket_empty() -> None:
    chances = [500_000, 499_999, 1]

    assert all(drawn("whole", 1, number, chances) is not None for number in range(1, 5_000))
