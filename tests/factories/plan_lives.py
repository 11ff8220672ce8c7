"""Steps in the life of a version, taken by people, for tests."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from sqlalchemy.orm import Session

from app.distribution import compliance
from app.engines.documents import dump_rules, load_rules
from app.kernel.audit import Actor
from app.plans import publishing
from app.plans import services as plans
from app.plans.models import PlanVersion
from app.plans.services import Draft
from app.settings import Settings
from tests.factories.people import make_staff

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
_numbers = count(1)


def person(session: Session, role: str = "operations") -> Actor:
    """Somebody on the staff."""
    return Actor("staff", make_staff(session, role).id)


def write_draft(
    session: Session,
    *,
    model: str = "CHANNEL_TWO_LEVEL",
    rules: Mapping[str, Any] | None = None,
    scope: Mapping[str, Any] | None = None,
    author: Actor | None = None,
    now: datetime = NOON,
) -> PlanVersion:
    """A draft of a new plan, by somebody."""
    plan = plans.create_plan(session, f"Drafted {next(_numbers)}", model=model, now=now)
    written = rules or dump_rules(load_rules({"model": model}))
    author = author or person(session)
    document = Draft(rules=written, scope=scope, note="first")
    return plans.draft(session, plan.id, document, actor=author, now=now)


def check(
    session: Session, version: PlanVersion, settings: Settings, *, now: datetime = NOON
) -> None:
    """Check a version as the back office does, in the test's transaction."""
    actor = Actor("staff", version.author_id)
    compliance.record(session, version.id, settings=settings, actor=actor, now=now)


def bring_to_approval(
    session: Session, version: PlanVersion, settings: Settings, *, now: datetime = NOON
) -> Actor:
    """Check, try out and submit a version, and answer for its risks; return who may approve it."""
    author = Actor("staff", version.author_id)
    check(session, version, settings, now=now)
    plans.note_simulated(session, version.id, revision=version.revision, actor=str(author), now=now)
    plans.submit(session, version.id, actor=author, now=now)
    officer = person(session, "finance")
    for one in plans.unanswered(session, version):
        statement = "Looked at and taken upon myself."
        plans.confirm_finding(
            session, version.id, one["rule"], statement=statement, officer=officer, now=now
        )
    return officer


def approved(session: Session, settings: Settings, **draft: Any) -> PlanVersion:
    """A version that a second person has approved; `draft` as `write_draft` takes it."""
    version = write_draft(session, **draft)
    officer = bring_to_approval(session, version, settings)
    return plans.approve(session, version.id, actor=officer, now=NOON)


def published(session: Session, settings: Settings, **draft: Any) -> PlanVersion:
    """A version in force since `NOON`."""
    version = approved(session, settings, **draft)
    return publishing.publish(
        session, version.id, actor=person(session), effective_from_at=NOON, now=NOON
    )
