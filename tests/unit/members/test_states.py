from datetime import UTC, datetime
from itertools import product

import pytest

from app.members.errors import StandingConflict
from app.members.models import Distributor
from app.members.states import TRANSITIONS, Standing, StandingEvent

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FORBIDDEN = [pair for pair in product(Standing, StandingEvent) if pair not in TRANSITIONS]


@pytest.mark.parametrize(("standing", "event"), TRANSITIONS)
def test_a_step_in_the_table_changes_the_standing(standing: Standing, event: StandingEvent) -> None:
    row = Distributor(member_id=1, standing=standing)

    row.advance(event, now=NOON, actor="staff:1", reason="why")

    assert row.standing is TRANSITIONS[standing, event]


@pytest.mark.parametrize(("standing", "event"), FORBIDDEN)
def test_any_other_step_is_refused_and_changes_nothing(
    standing: Standing, event: StandingEvent
) -> None:
    row = Distributor(member_id=1, standing=standing)

    with pytest.raises(StandingConflict) as refused:
        row.advance(event, now=NOON, actor="staff:1")

    assert row.standing is standing
    assert (refused.value.standing, refused.value.event) == (standing, event)


def test_every_standing_can_be_reached_and_left() -> None:
    reached = {Standing.APPLIED}
    for _ in Standing:
        reached |= {target for (source, _), target in TRANSITIONS.items() if source in reached}

    assert reached == set(Standing)
    assert {source for source, _ in TRANSITIONS} == set(Standing)


def test_nobody_becomes_active_but_through_a_decision_of_staff() -> None:
    ways = {event for (_, event), target in TRANSITIONS.items() if target is Standing.ACTIVE}

    assert ways == {StandingEvent.APPROVE, StandingEvent.UNFREEZE}
