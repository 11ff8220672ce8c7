"""Plans in force for tests."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from sqlalchemy.orm import Session

from app.engines.documents import dump_rules, load_rules
from app.engines.registry import MODELS
from app.kernel.audit import SYSTEM
from app.plans import publishing
from app.plans import services as plans
from app.plans.models import PlanVersion
from app.plans.services import Draft, Verdict

BEGINNING: Final = datetime(2024, 1, 1, tzinfo=UTC)
_numbers = count(1)


def make_plan(
    session: Session,
    *,
    at: datetime = BEGINNING,
    model: str = "CHANNEL_TWO_LEVEL",
    scope: Mapping[str, Any] | None = None,
    plan_id: int | None = None,
    **changes: Any,
) -> PlanVersion:
    """A published version with its model's default rules but for `changes`.

    It went every step of its life as if the check had found nothing, so that what the law forbids
    can be put in force here, and only here.
    """
    rules = dump_rules(load_rules({"model": model, **changes}))
    if plan_id is None:
        plan_id = plans.create_plan(session, f"Plan {next(_numbers)}", model=model, now=at).id
    written = Draft(rules=rules, scope=scope, note="test")
    version = plans.draft(session, plan_id, written, actor=SYSTEM, now=at)
    approve_version(session, version.id, now=at)
    return publishing.publish(session, version.id, actor=SYSTEM, effective_from_at=at, now=at)


def approve_version(session: Session, version_id: int, *, now: datetime) -> PlanVersion:
    """Take a draft all the way to approved, as if the check had found nothing."""
    version = session.get_one(PlanVersion, version_id)
    rules = load_rules(version.rules)
    verdict = Verdict(profile="cn", findings=(), bound=MODELS[rules.model].bound(rules))
    plans.record_check(session, version_id, verdict, actor=SYSTEM, now=now)
    plans.note_simulated(session, version_id, revision=version.revision, actor=str(SYSTEM), now=now)
    plans.submit(session, version_id, actor=SYSTEM, now=now)
    return plans.approve(session, version_id, actor=SYSTEM, now=now)
