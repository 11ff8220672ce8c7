"""Ending versions sooner, and settings that no check could follow."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app.factory import create_app
from app.kernel.audit import SYSTEM
from app.plans import publishing
from app.plans.errors import PlanNotInState
from app.plans.queries import versions_in_force
from app.settings import Settings, SettingsError
from tests.factories.orders import NOON
from tests.factories.plans import make_plan

WEEK = timedelta(days=7)


def test_a_version_that_was_to_end_later_can_be_ended_sooner_and_not_later(
    session: Session,
) -> None:
    version = make_plan(session)
    publishing.retire(session, version.id, actor=SYSTEM, now=NOON, until_at=NOON + WEEK)
    with pytest.raises(PlanNotInState):
        publishing.retire(session, version.id, actor=SYSTEM, now=NOON, until_at=NOON + 2 * WEEK)

    publishing.retire(session, version.id, actor=SYSTEM, now=NOON + WEEK / 7)

    assert version.effective_until_at == NOON + WEEK / 7
    assert versions_in_force(session, at=NOON + WEEK / 7) == []
    assert versions_in_force(session, at=NOON) == [version]
    with pytest.raises(PlanNotInState):
        publishing.retire(session, version.id, actor=SYSTEM, now=NOON + WEEK)


def test_a_profile_that_does_not_exist_stops_the_start(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="COMPLIANCE_PROFILE: one of cn"):
        create_app(replace(settings, compliance_profile="free"))
