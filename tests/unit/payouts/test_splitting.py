import pytest

from app.payouts.splitting import split


@pytest.mark.parametrize(
    ("amount_fen", "parts"),
    [
        (10, (10,)),
        (20_000, (20_000,)),
        (20_001, (19_991, 10)),
        (20_010, (20_000, 10)),
        (50_000, (20_000, 20_000, 10_000)),
        (500_000, (20_000,) * 25),
    ],
)
def test_an_amount_is_sent_in_as_few_bills_as_wechat_allows(
    amount_fen: int, parts: tuple[int, ...]
) -> None:
    assert split(amount_fen, min_fen=10, max_fen=20_000) == parts


def test_where_the_limits_are_close_the_need_of_later_bills_is_kept_back() -> None:
    assert split(250, min_fen=80, max_fen=100) == (90, 80, 80)


@pytest.mark.parametrize(
    ("amount_fen", "min_fen", "max_fen"), [(9, 10, 20), (0, 10, 20), (-5, 10, 20), (101, 60, 100)]
)
def test_an_amount_that_no_bills_can_carry_is_refused(
    amount_fen: int, min_fen: int, max_fen: int
) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        split(amount_fen, min_fen=min_fen, max_fen=max_fen)
