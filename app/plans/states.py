"""The life of a plan version, as one table.

    draft ─ check ▶ checked ─ simulate ▶ simulated ─ submit ▶ submitted ─ approve ▶ approved
      ▲                │                    │                    │                    │ publish
      └──── revise ────┴────── revise ──────┘◀──── send_back ────┴──── send_back ─────┤   ▼
                                                                        retired ◀ retire ─ published

Whatever changes the rules begins at `draft` again, so what was checked and simulated is what is
approved, and what was approved is what is published.
One retired for later may be ended sooner.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class PlanVersionState(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    CHECKED = "checked"
    SIMULATED = "simulated"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    PUBLISHED = "published"
    RETIRED = "retired"


class PlanVersionEvent(StrEnum):
    """What can happen to a version."""

    REVISE = "revise"
    CHECK = "check"
    SIMULATE = "simulate"
    SUBMIT = "submit"
    SEND_BACK = "send_back"
    APPROVE = "approve"
    PUBLISH = "publish"
    RETIRE = "retire"


_S, _E = PlanVersionState, PlanVersionEvent
TRANSITIONS: Final[Mapping[tuple[PlanVersionState, PlanVersionEvent], PlanVersionState]] = {
    (_S.DRAFT, _E.REVISE): _S.DRAFT,
    (_S.CHECKED, _E.REVISE): _S.DRAFT,
    (_S.SIMULATED, _E.REVISE): _S.DRAFT,
    (_S.DRAFT, _E.CHECK): _S.CHECKED,
    (_S.CHECKED, _E.CHECK): _S.CHECKED,
    (_S.SIMULATED, _E.CHECK): _S.SIMULATED,
    (_S.CHECKED, _E.SIMULATE): _S.SIMULATED,
    (_S.SIMULATED, _E.SIMULATE): _S.SIMULATED,
    (_S.SIMULATED, _E.SUBMIT): _S.SUBMITTED,
    (_S.SUBMITTED, _E.SEND_BACK): _S.DRAFT,
    (_S.APPROVED, _E.SEND_BACK): _S.DRAFT,
    (_S.SUBMITTED, _E.APPROVE): _S.APPROVED,
    (_S.APPROVED, _E.PUBLISH): _S.PUBLISHED,
    (_S.PUBLISHED, _E.RETIRE): _S.RETIRED,
    (_S.RETIRED, _E.RETIRE): _S.RETIRED,
}

OPEN_STATES: Final = frozenset({_S.DRAFT, _S.CHECKED, _S.SIMULATED})
"""The states in which the rules may still be revised."""
IN_FORCE_STATES: Final = frozenset({_S.PUBLISHED, _S.RETIRED})
"""The states of versions that are, will be or were in force."""


def after_version(state: PlanVersionState, event: PlanVersionEvent) -> PlanVersionState | None:
    """Return the state that an event leads to, or None where it cannot happen.

    >>> after_version(PlanVersionState.DRAFT, PlanVersionEvent.PUBLISH) is None
    True
    """
    return TRANSITIONS.get((state, event))
