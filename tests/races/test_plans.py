"""Plans published, revised and answered for at once: one wins, the others hear why not."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.distribution import compliance
from app.kernel.audit import Actor
from app.kernel.db import atomic, retrying
from app.plans import services as plans
from app.plans.errors import (
    FindingConfirmed,
    PlanNotInState,
    PlanRevised,
    ScopesOverlap,
)
from app.plans.models import PlanConfirmation, PlanScope, PlanVersion
from app.plans.services import Draft
from app.settings import Settings
from tests.factories.plan_lives import NOON, approved, check, person, write_draft
from tests.races.crowd import at_once

pytestmark = pytest.mark.commits
CROWD = 8


def publish(settings: Settings, actor: Actor, now: datetime, version_id: int) -> int:
    return compliance.publish_version(
        version_id, effective_from_at=now, settings=settings, actor=actor, now=now
    ).id


def test_of_many_plans_for_the_same_stores_published_at_once_one_is_in_force(
    app: Flask, session: Session, settings: Settings
) -> None:
    versions = [approved(session, settings).id for _ in range(CROWD)]
    actor = person(session)
    session.commit()

    acts: list[Callable[[], int]] = [
        partial(publish, settings, actor, NOON, one) for one in versions
    ]
    answers = at_once(app, *acts)

    (winner,) = [one for one in answers if isinstance(one, int)]
    assert answers.count(ScopesOverlap.code) == CROWD - 1
    assert session.scalars(sa.select(PlanScope.version_id)).all() == [winner]
    in_force = sa.select(PlanVersion.id).where(PlanVersion.effective_from_at.is_not(None))
    assert session.scalars(in_force).all() == [winner]


def test_one_version_published_many_times_at_once_is_published_once(
    app: Flask, session: Session, settings: Settings
) -> None:
    version_id = approved(session, settings).id
    actor = person(session)
    session.commit()

    act: Callable[[], int] = partial(publish, settings, actor, NOON, version_id)
    answers = at_once(app, *[act] * CROWD)

    assert answers.count(version_id) == 1
    assert answers.count(PlanNotInState.code) == CROWD - 1
    assert session.scalars(sa.select(PlanScope.version_id)).all() == [version_id]


def test_plans_for_other_stores_published_at_once_are_all_in_force(
    app: Flask, session: Session, settings: Settings
) -> None:
    versions = [
        approved(session, settings, scope={"store_ids": [number]}).id
        for number in range(1, CROWD + 1)
    ]
    actor = person(session)
    session.commit()

    acts: list[Callable[[], int]] = [
        partial(publish, settings, actor, NOON, one) for one in versions
    ]

    assert at_once(app, *acts) == versions


def test_of_many_who_revise_one_version_at_once_one_is_heard(app: Flask, session: Session) -> None:
    version = write_draft(session)
    authors = [person(session) for _ in range(CROWD)]
    rules = dict(version.rules)
    version_id = version.id
    session.commit()

    def revise(author: Actor, cap_bp: int) -> int:
        def act() -> int:
            with atomic() as mine:
                document = Draft(rules={**rules, "payout_cap_bp": cap_bp})
                plans.revise(mine, version_id, document, revision=1, actor=author, now=NOON)
            return cap_bp

        return retrying(act)

    acts: list[Callable[[], int]] = [
        partial(revise, author, 2_000 + index) for index, author in enumerate(authors)
    ]
    answers = at_once(app, *acts)

    (winner,) = [one for one in answers if isinstance(one, int)]
    assert answers.count(PlanRevised.code) == CROWD - 1
    saved = session.get_one(PlanVersion, version_id, populate_existing=True)
    assert (saved.revision, saved.rules["payout_cap_bp"]) == (2, winner)
    assert saved.author_id == authors[winner - 2_000].id


def test_of_many_officers_who_answer_for_one_risk_at_once_one_is_kept(
    app: Flask, session: Session, settings: Settings
) -> None:
    version = write_draft(session)
    check(session, version, settings)
    officers = [person(session, "finance") for _ in range(CROWD)]
    version_id = version.id
    session.commit()

    def confirm(officer: Actor) -> int:
        def act() -> int:
            with atomic() as mine:
                statement = "Taken upon myself."
                kept = plans.confirm_finding(
                    mine, version_id, "C4", statement=statement, officer=officer, now=NOON
                )
                return kept.officer_id

        return retrying(act)

    acts: list[Callable[[], int]] = [partial(confirm, officer) for officer in officers]
    answers = at_once(app, *acts)

    assert answers.count(FindingConfirmed.code) == CROWD - 1
    (winner,) = [one for one in answers if isinstance(one, int)]
    assert session.scalars(sa.select(PlanConfirmation.officer_id)).all() == [winner]
