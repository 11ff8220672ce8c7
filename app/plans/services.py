"""What can be done with plans: draft, submit, publish by a second person, retire.

A published version never changes. Publishing one ends the version in force at the very instant at
which the new one begins, so that every instant belongs to at most one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.plans.errors import AnotherVersionAhead, NotAhead, OwnPlan, PlanNotFound, PlanNotInState
from app.plans.models import Plan, PlanVersion, PlanVersionState
from app.plans.rules import dump_rules, load_rules

_PUBLISHING_LOCK: Final = 7_310_004


def create_plan(session: Session, name: str, *, model: str, now: datetime) -> Plan:
    """Open a plan; it pays nothing before a version of it is published."""
    plan = Plan(name=name, model=model, created_at=now)
    session.add(plan)
    session.flush()
    return plan


def draft(
    session: Session,
    plan_id: int,
    document: Mapping[str, Any] | str | bytes,
    *,
    actor: Actor,
    note: str,
    now: datetime,
) -> PlanVersion:
    """Write the next version of a plan as a draft; its rules are validated field by field."""
    rules = load_rules(document)
    plan = session.get(Plan, plan_id, with_for_update=True)
    if plan is None:
        raise PlanNotFound
    last = session.scalar(
        sa.select(sa.func.max(PlanVersion.number)).where(PlanVersion.plan_id == plan_id)
    )
    version = PlanVersion(
        plan_id=plan_id,
        number=(last or 0) + 1,
        state=PlanVersionState.DRAFT,
        rules=dump_rules(rules),
        author_id=actor.id,
        note=note,
        created_at=now,
    )
    session.add(version)
    session.flush()
    _audit(session, actor, "plan.drafted", version, now=now, reason=note)
    return version


def submit(session: Session, version_id: int, *, actor: Actor, now: datetime) -> PlanVersion:
    """Hand a draft over to be published by somebody else."""
    version = _lock(session, version_id, PlanVersionState.DRAFT)
    version.state = PlanVersionState.SUBMITTED
    _audit(session, actor, "plan.submitted", version, now=now)
    return version


def publish(
    session: Session,
    version_id: int,
    *,
    actor: Actor,
    effective_from_at: datetime,
    now: datetime,
) -> PlanVersion:
    """Put a submitted version in force from an instant not before now, ending the one before it."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_PUBLISHING_LOCK)))
    version = _lock(session, version_id, PlanVersionState.SUBMITTED)
    if version.author_id is not None and version.author_id == actor.id:
        raise OwnPlan
    if effective_from_at < now:
        raise NotAhead
    _end_former(session, effective_from_at)
    version.state = PlanVersionState.PUBLISHED
    version.approver_id = actor.id
    version.effective_from_at = effective_from_at
    session.flush()
    _audit(session, actor, "plan.published", version, now=now)
    return version


def retire(session: Session, version_id: int, *, actor: Actor, now: datetime) -> PlanVersion:
    """End a published version now; orders made from now on pay no commission under it."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_PUBLISHING_LOCK)))
    version = _lock(session, version_id, PlanVersionState.PUBLISHED)
    assert version.effective_from_at is not None
    version.state = PlanVersionState.RETIRED
    version.effective_until_at = max(now, version.effective_from_at)
    session.flush()
    _audit(session, actor, "plan.retired", version, now=now)
    return version


def _end_former(session: Session, at: datetime) -> None:
    """End the version in force at an instant; refuse where one is to begin at or after it."""
    open_ones = session.scalars(
        sa.select(PlanVersion)
        .where(
            PlanVersion.effective_from_at.is_not(None),
            sa.or_(PlanVersion.effective_until_at.is_(None), PlanVersion.effective_until_at > at),
        )
        .with_for_update()
    ).all()
    for former in open_ones:
        if former.effective_from_at is None or former.effective_from_at >= at:
            raise AnotherVersionAhead
        former.effective_until_at = at
    session.flush()


def _lock(session: Session, version_id: int, wanted: PlanVersionState) -> PlanVersion:
    version = session.get(PlanVersion, version_id, with_for_update=True, populate_existing=True)
    if version is None:
        raise PlanNotFound
    if version.state is not wanted:
        raise PlanNotInState(version.state)
    return version


def _audit(
    session: Session,
    actor: Actor,
    action: str,
    version: PlanVersion,
    *,
    now: datetime,
    reason: str = "",
) -> None:
    facts = {
        "plan_id": version.plan_id,
        "number": version.number,
        "state": version.state.value,
        "rules": version.rules,
    }
    change = Change(after=facts, reason=reason)
    audit.record(session, actor, action, Subject("plan_version", version.id), change, now=now)
