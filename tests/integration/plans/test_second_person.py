"""Whoever wrote any of a version is not its second person; what was called off stands in no way."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import Actor
from app.plans import publishing
from app.plans import services as plans
from app.plans.errors import OwnPlan
from app.plans.models import PlanConfirmation, PlanVersion, PlanVersionState
from app.plans.queries import versions_for
from app.plans.services import Draft
from app.settings import Settings
from tests.factories.plan_lives import (
    NOON,
    approved,
    bring_to_approval,
    check,
    person,
    published,
    write_draft,
)

HOUR = timedelta(hours=1)
STATEMENT = "Looked at and taken upon myself."


def revised(session: Session) -> tuple[PlanVersion, Actor, Actor]:
    """A version that one person wrote and another one put a hand to."""
    first, second = person(session, "owner"), person(session, "owner")
    version = write_draft(session, author=first)
    plans.revise(
        session, version.id, Draft(rules=version.rules), revision=1, actor=second, now=NOON
    )
    return version, first, second


def test_nobody_approves_what_they_wrote_even_where_somebody_put_a_hand_to_it(
    session: Session, settings: Settings
) -> None:
    version, first, second = revised(session)
    officer = bring_to_approval(session, version, settings)

    for writer in (first, second):
        with pytest.raises(OwnPlan):
            plans.approve(session, version.id, actor=writer, now=NOON)

    assert version.state is PlanVersionState.SUBMITTED
    plans.approve(session, version.id, actor=officer, now=NOON)
    assert version.approver_id == officer.id


def test_nobody_answers_for_the_risks_of_what_they_wrote(
    session: Session, settings: Settings
) -> None:
    version, first, second = revised(session)
    check(session, version, settings)

    for writer in (first, second):
        with pytest.raises(OwnPlan):
            plans.confirm_finding(
                session, version.id, "C4", statement=STATEMENT, officer=writer, now=NOON
            )

    assert session.scalars(sa.select(PlanConfirmation.id)).all() == []


def test_a_version_called_off_before_it_began_does_not_stand_in_the_way_of_the_next(
    session: Session, settings: Settings
) -> None:
    first = published(session, settings)
    document = Draft(rules={**first.rules, "payout_cap_bp": 2_900})

    def next_one(begins: timedelta) -> PlanVersion:
        version = plans.draft(session, first.plan_id, document, actor=person(session), now=NOON)
        officer = bring_to_approval(session, version, settings)
        plans.approve(session, version.id, actor=officer, now=NOON)
        return publishing.publish(
            session, version.id, actor=officer, effective_from_at=NOON + begins, now=NOON
        )

    second = next_one(9 * HOUR)
    publishing.retire(session, second.id, actor=person(session), now=NOON)
    third = next_one(HOUR)

    def in_force(at: timedelta) -> dict[int, int]:
        return versions_for(session, store_id=1, product_ids=[1], at=NOON + at)

    assert in_force(HOUR - timedelta.resolution) == {1: first.id}
    assert in_force(HOUR) == in_force(10 * HOUR) == {1: third.id}
    assert first.effective_until_at == NOON + HOUR


def test_another_plan_follows_from_the_very_instant_at_which_one_ends(
    session: Session, settings: Settings
) -> None:
    first = published(session, settings)
    ends = NOON + HOUR / 2
    publishing.retire(session, first.id, actor=person(session), now=NOON, until_at=ends)
    other = approved(session, settings)

    publishing.publish(session, other.id, actor=person(session), effective_from_at=ends, now=NOON)

    assert versions_for(session, store_id=1, product_ids=[1], at=ends - timedelta.resolution) == {
        1: first.id
    }
    assert versions_for(session, store_id=1, product_ids=[1], at=ends) == {1: other.id}
