import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ledger.transfers import (
    COMMISSION_EXPENSE,
    Account,
    Name,
    Transfer,
    Unit,
    available,
    claw_back,
    credit,
    debt,
    pending,
)

AMOUNTS = st.integers(1, 10**9)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_transfer_moves_a_positive_amount(amount: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        Transfer(pending(1), available(1), amount)


def test_a_transfer_needs_two_accounts() -> None:
    with pytest.raises(ValueError, match="two accounts"):
        Transfer(pending(1), pending(1), 5)


def test_a_transfer_never_crosses_units() -> None:
    points = Account(Name.COMMISSION_AVAILABLE, Unit.POINT, 1)

    with pytest.raises(ValueError, match="different units"):
        Transfer(pending(1), points, 5)


@given(amount=AMOUNTS, owed=st.integers(0, 10**9))
def test_a_credit_fills_the_debt_first_and_moves_exactly_the_amount(amount: int, owed: int) -> None:
    parts = credit(7, pending(7), amount, debt_fen=owed)

    to_debt = sum(part.amount for part in parts if part.target == debt(7))
    assert sum(part.amount for part in parts) == amount
    assert to_debt == min(amount, owed)
    assert all(part.source == pending(7) for part in parts)


@given(amount=AMOUNTS, held=st.integers(0, 10**9))
def test_a_clawback_takes_what_is_there_and_leaves_the_rest_as_debt(amount: int, held: int) -> None:
    parts = claw_back(7, amount, available_fen=held)

    from_available = sum(part.amount for part in parts if part.source == available(7))
    assert sum(part.amount for part in parts) == amount
    assert from_available == min(amount, held)
    assert all(part.target == COMMISSION_EXPENSE for part in parts)
