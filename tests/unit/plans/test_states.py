"""The life of a version: every state with every event."""

from itertools import product

import pytest

from app.plans.states import (
    IN_FORCE_STATES,
    OPEN_STATES,
    PlanVersionEvent,
    PlanVersionState,
    after_version,
)

WRITTEN_BY_HAND = """
draft      revise    draft
draft      check     checked
checked    revise    draft
checked    check     checked
checked    simulate  simulated
simulated  revise    draft
simulated  check     simulated
simulated  simulate  simulated
simulated  submit    submitted
submitted  send_back draft
submitted  approve   approved
approved   send_back draft
approved   publish   published
published  retire    retired
retired    retire    retired
"""
"""All that may happen; written down apart from the product's own table."""
LEADS = {(one, event): to for one, event, to in map(str.split, WRITTEN_BY_HAND.split("\n")[1:-1])}


@pytest.mark.parametrize(("state", "event"), list(product(PlanVersionState, PlanVersionEvent)))
def test_each_event_leads_from_each_state_where_it_should_and_nowhere_else(
    state: PlanVersionState, event: PlanVersionEvent
) -> None:
    target = after_version(state, event)

    assert (target and target.value) == LEADS.get((state.value, event.value))


def test_nothing_can_be_published_that_was_not_checked_simulated_submitted_and_approved() -> None:
    """Walk back from `published`: there is one way to it, by these steps in this order."""
    steps, state = [], PlanVersionState.PUBLISHED
    while state is not PlanVersionState.DRAFT:
        (before,) = {
            (one, event)
            for one, event in product(PlanVersionState, PlanVersionEvent)
            if after_version(one, event) is state and one is not state
        }
        state = before[0]
        steps.append(before[1].value)

    assert steps[::-1] == ["check", "simulate", "submit", "approve", "publish"]


def test_whatever_can_be_revised_becomes_a_draft_and_whatever_is_in_force_cannot_be() -> None:
    for state in PlanVersionState:
        target = after_version(state, PlanVersionEvent.REVISE)
        assert target == (PlanVersionState.DRAFT if state in OPEN_STATES else None)
    assert not OPEN_STATES & IN_FORCE_STATES
