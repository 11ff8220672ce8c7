"""The lives of requests and disputes: every state with every event."""

from itertools import product

import pytest

from app.approvals.states import ApprovalEvent, ApprovalState, after_approval
from app.attribution.dispute_states import DisputeEvent, DisputeState, after_dispute

ENDS = {
    ApprovalEvent.APPROVE: ApprovalState.APPROVED,
    ApprovalEvent.REFUSE: ApprovalState.REFUSED,
    ApprovalEvent.WITHDRAW: ApprovalState.WITHDRAWN,
    ApprovalEvent.EXPIRE: ApprovalState.EXPIRED,
    ApprovalEvent.VOID: ApprovalState.VOID,
}
DECISIONS = {
    DisputeEvent.UPHOLD: DisputeState.UPHELD,
    DisputeEvent.DISMISS: DisputeState.DISMISSED,
    DisputeEvent.WITHDRAW: DisputeState.WITHDRAWN,
}


@pytest.mark.parametrize(("state", "event"), list(product(ApprovalState, ApprovalEvent)))
def test_only_a_waiting_request_ends_and_ends_once(
    state: ApprovalState, event: ApprovalEvent
) -> None:
    expected = ENDS.get(event) if state is ApprovalState.REQUESTED else None

    assert after_approval(state, event) is expected


@pytest.mark.parametrize(("state", "event"), list(product(DisputeState, DisputeEvent)))
def test_only_an_open_dispute_is_decided_and_decided_once(
    state: DisputeState, event: DisputeEvent
) -> None:
    expected = DECISIONS.get(event) if state is DisputeState.OPEN else None

    assert after_dispute(state, event) is expected
