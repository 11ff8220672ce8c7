from hypothesis import assume, given
from hypothesis import strategies as st

from app.payouts.splitting import split

fen = st.integers(min_value=1, max_value=10_000_000)


@given(amount_fen=fen, min_fen=st.integers(1, 5_000), max_fen=st.integers(1, 50_000))
def test_bills_add_up_exactly_and_each_keeps_the_limits(
    amount_fen: int, min_fen: int, max_fen: int
) -> None:
    count = -(-amount_fen // max_fen)
    assume(count < 20_000)
    assume(count * min_fen <= amount_fen)

    parts = split(amount_fen, min_fen=min_fen, max_fen=max_fen)

    assert sum(parts) == amount_fen
    assert min(parts) >= min_fen
    assert max(parts) <= max_fen
    assert len(parts) == count
    assert list(parts) == sorted(parts, reverse=True)
