"""Plans in force for tests."""

from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM
from app.plans import services as plans
from app.plans.models import PlanVersion
from app.plans.rules import dump_rules, load_rules

BEGINNING: Final = datetime(2024, 1, 1, tzinfo=UTC)
_numbers = count(1)


def make_plan(session: Session, *, at: datetime = BEGINNING, **changes: Any) -> PlanVersion:
    """A published two-level version with the default rules but for `changes`."""
    document = dump_rules(load_rules({"model": "CHANNEL_TWO_LEVEL"})) | changes
    plan = plans.create_plan(session, f"Plan {next(_numbers)}", model="CHANNEL_TWO_LEVEL", now=at)
    version = plans.draft(session, plan.id, document, actor=SYSTEM, note="test", now=at)
    plans.submit(session, version.id, actor=SYSTEM, now=at)
    return plans.publish(session, version.id, actor=SYSTEM, effective_from_at=at, now=at)
