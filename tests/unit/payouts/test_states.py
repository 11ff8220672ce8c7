from datetime import UTC, datetime
from itertools import product

import pytest

import app.tables  # noqa: F401 - relations need every table
from app.payouts.errors import PayoutNotInState
from app.payouts.models import Payout, PayoutBill
from app.payouts.states import (
    BILL_TRANSITIONS,
    FINAL_BILL_STATES,
    FINAL_PAYOUT_STATES,
    OPEN_BILL_STATES,
    PAYOUT_TRANSITIONS,
    BillEvent,
    BillState,
    PayoutEvent,
    PayoutState,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAYOUT_FORBIDDEN = [
    pair for pair in product(PayoutState, PayoutEvent) if pair not in PAYOUT_TRANSITIONS
]
BILL_FORBIDDEN = [pair for pair in product(BillState, BillEvent) if pair not in BILL_TRANSITIONS]


@pytest.mark.parametrize(("state", "event"), list(PAYOUT_TRANSITIONS))
def test_a_step_of_a_payout_in_the_table_moves_it(state: PayoutState, event: PayoutEvent) -> None:
    payout = Payout(state=state)

    payout.advance(event, now=NOON, actor="staff:1", note="why")

    assert payout.state == PAYOUT_TRANSITIONS[state, event]


@pytest.mark.parametrize(("state", "event"), PAYOUT_FORBIDDEN)
def test_any_other_step_of_a_payout_is_refused(state: PayoutState, event: PayoutEvent) -> None:
    payout = Payout(state=state)

    with pytest.raises(PayoutNotInState) as refusal:
        payout.advance(event, now=NOON, actor="staff:1")

    assert (refusal.value.state, refusal.value.event) == (state, event)
    assert payout.state == state


@pytest.mark.parametrize(("state", "event"), list(BILL_TRANSITIONS))
def test_a_step_of_a_bill_in_the_table_moves_it(state: BillState, event: BillEvent) -> None:
    bill = PayoutBill(state=state)

    bill.advance(event, now=NOON)

    assert bill.state == BILL_TRANSITIONS[state, event]


@pytest.mark.parametrize(("state", "event"), BILL_FORBIDDEN)
def test_any_other_step_of_a_bill_is_refused(state: BillState, event: BillEvent) -> None:
    bill = PayoutBill(state=state)

    with pytest.raises(PayoutNotInState):
        bill.advance(event, now=NOON)

    assert bill.state == state


def test_every_state_is_final_or_leads_on_but_not_both() -> None:
    assert {state for state, _ in PAYOUT_TRANSITIONS} == set(PayoutState) - FINAL_PAYOUT_STATES
    assert {state for state, _ in BILL_TRANSITIONS} == OPEN_BILL_STATES
    assert set(BillState) == OPEN_BILL_STATES | FINAL_BILL_STATES


def test_every_state_can_be_reached() -> None:
    payouts, bills = {PayoutState.REQUESTED}, {BillState.CREATED}
    for _ in range(len(BillState)):
        payouts |= {end for (start, _), end in PAYOUT_TRANSITIONS.items() if start in payouts}
        bills |= {end for (start, _), end in BILL_TRANSITIONS.items() if start in bills}

    assert payouts == set(PayoutState)
    assert bills == set(BillState)


def test_only_a_bill_that_was_never_sent_can_be_dropped() -> None:
    droppable = {state for state, event in BILL_TRANSITIONS if event is BillEvent.DROP}

    assert droppable == {BillState.CREATED}
