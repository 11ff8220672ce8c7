"""What can be done with plans, from a draft to its approval by a second person.

What is checked and what is simulated is worked out above this slice; here stands what has to be
there before the next step. Publication is `publishing`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.engines.bound import PayoutBound
from app.engines.documents import dump_rules, load_rules
from app.engines.registry import MODELS
from app.kernel import audit
from app.kernel.audit import Actor, AuditRecord, Change, Subject
from app.plans.errors import (
    FindingConfirmed,
    FindingNotFound,
    ModelDiffers,
    OwnPlan,
    PlanBlocked,
    PlanNameTaken,
    PlanNotChecked,
    PlanNotConfirmed,
    PlanNotFound,
    PlanNotInState,
    PlanNotSimulated,
    PlanRevised,
    StatementTooShort,
    UnknownModel,
)
from app.plans.models import Plan, PlanCheck, PlanConfirmation, PlanVersion
from app.plans.scopes import Scope
from app.plans.states import OPEN_STATES, PlanVersionEvent, PlanVersionState
from app.stores.independence import STAFF, require_independent
from app.stores.models import Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody writes down: rules and scope, as JSON or already parsed, and why."""

    rules: Mapping[str, Any] | str | bytes
    scope: Mapping[str, Any] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the compliance check of one profile found, each finding as plain JSON."""

    profile: str
    findings: tuple[Mapping[str, Any], ...]
    bound: PayoutBound


NO_CHANGE: Final = Change()
STATEMENT_MIN: Final = 10
SUBJECT, DRAFTED, REVISED = "plan_version", "plan.drafted", "plan.revised"
"""How the audit trail calls a version, and what it says of those who wrote it."""


def create_plan(session: Session, name: str, *, model: str, now: datetime) -> Plan:
    """Open a plan; it pays nothing before a version of it is published."""
    if model not in MODELS:
        raise UnknownModel(model)
    if session.scalar(sa.select(Plan.id).where(Plan.name == name)) is not None:
        raise PlanNameTaken(name)
    plan = Plan(name=name, model=model, created_at=now)
    session.add(plan)
    session.flush()
    return plan


def draft(
    session: Session, plan_id: int, document: Draft, *, actor: Actor, now: datetime
) -> PlanVersion:
    """Write the next version of a plan as a draft; rules and scope are validated field by field."""
    rules, scope = load_rules(document.rules), Scope.read(dict(document.scope or {}))
    plan = session.get(Plan, plan_id, with_for_update=True)
    if plan is None:
        raise PlanNotFound
    if rules.model != plan.model:
        raise ModelDiffers(rules.model, plan.model)
    last = session.scalar(
        sa.select(sa.func.max(PlanVersion.number)).where(PlanVersion.plan_id == plan_id)
    )
    version = PlanVersion(
        plan_id=plan_id,
        number=(last or 0) + 1,
        state=PlanVersionState.DRAFT,
        revision=1,
        rules=dump_rules(rules),
        scope=scope.to_json(),
        author_id=actor.id,
        note=document.note,
        created_at=now,
    )
    session.add(version)
    session.flush()
    record_step(session, actor, DRAFTED, version, now=now, change=Change(reason=document.note))
    return version


def revise(
    session: Session,
    version_id: int,
    document: Draft,
    *,
    revision: int,
    actor: Actor,
    now: datetime,
) -> PlanVersion:
    """Change an open version; `revision` is the one the author saw, so nobody overwrites another.

    It becomes a draft again: what was checked and simulated was something else.
    """
    rules, scope = load_rules(document.rules), Scope.read(dict(document.scope or {}))
    version = lock_version(session, version_id)
    if version.revision != revision:
        raise PlanRevised(version.revision)
    plan = session.get_one(Plan, version.plan_id)
    if rules.model != plan.model:
        raise ModelDiffers(rules.model, plan.model)
    before = {"rules": version.rules, "scope": version.scope}
    version.revision += 1
    version.advance(PlanVersionEvent.REVISE, now=now, actor=str(actor), note=document.note)
    version.rules, version.scope = dump_rules(rules), scope.to_json()
    version.author_id, version.note = actor.id, document.note or version.note
    session.flush()
    record_step(session, actor, REVISED, version, now=now, change=Change(before=before))
    return version


def record_check(
    session: Session,
    version_id: int,
    verdict: Verdict,
    *,
    actor: Actor,
    now: datetime,
) -> PlanCheck:
    """Keep what the compliance check found in the version as it stands.

    Without a finding of severity BLOCK an open version counts as checked.
    """
    version = lock_version(session, version_id)
    check = PlanCheck(
        version_id=version_id,
        revision=version.revision,
        profile=verdict.profile,
        findings=[dict(one) for one in verdict.findings],
        bound_bp=verdict.bound.bound_bp,
        monthly_bp=verdict.bound.monthly_bp,
        cap_bp=verdict.bound.cap_bp,
        is_blocked=any(one["severity"] == "BLOCK" for one in verdict.findings),
        checked_at=now,
        actor=str(actor),
    )
    session.add(check)
    if version.state in OPEN_STATES and not check.is_blocked:
        version.advance(PlanVersionEvent.CHECK, now=now, actor=str(actor))
    session.flush()
    return check


def confirm_finding(
    session: Session, version_id: int, rule: str, *, statement: str, officer: Actor, now: datetime
) -> PlanConfirmation:
    """Keep an officer's written word on a finding of severity HIGH, for ever.

    The officer answers for the brand with their name, and wrote nothing of the plan.
    """
    statement = statement.strip()
    if len(statement) < STATEMENT_MIN:
        raise StatementTooShort(STATEMENT_MIN)
    version = lock_version(session, version_id)
    _demand_second_person(session, version, officer, now=now)
    check = latest_check(session, version)
    found = [one for one in check.findings if one["rule"] == rule and one["severity"] == "HIGH"]
    if not found:
        raise FindingNotFound(rule)
    if rule in confirmed_rules(session, version):
        raise FindingConfirmed(rule)
    assert officer.id is not None, "only people confirm"
    confirmation = PlanConfirmation(
        version_id=version_id,
        revision=version.revision,
        rule=rule,
        finding=found[0],
        statement=statement,
        officer_id=officer.id,
        officer_name=session.get_one(Staff, officer.id).name,
        confirmed_at=now,
    )
    session.add(confirmation)
    session.flush()
    record_step(
        session,
        officer,
        "plan.finding_confirmed",
        version,
        now=now,
        change=Change(reason=statement),
    )
    return confirmation


def note_simulated(
    session: Session, version_id: int, *, revision: int, actor: str, now: datetime
) -> None:
    """Note that a simulation of this revision has ended; an older one counts for nothing."""
    version = lock_version(session, version_id)
    if version.revision == revision and version.state in {
        PlanVersionState.CHECKED,
        PlanVersionState.SIMULATED,
    }:
        version.advance(PlanVersionEvent.SIMULATE, now=now, actor=actor)
        session.flush()


def submit(session: Session, version_id: int, *, actor: Actor, now: datetime) -> PlanVersion:
    """Hand a checked and simulated version over to be approved by somebody else."""
    version = lock_version(session, version_id)
    if version.state is PlanVersionState.DRAFT:
        raise PlanNotChecked
    if version.state is PlanVersionState.CHECKED:
        raise PlanNotSimulated
    version.advance(PlanVersionEvent.SUBMIT, now=now, actor=str(actor))
    record_step(session, actor, "plan.submitted", version, now=now)
    return version


def send_back(
    session: Session, version_id: int, *, reason: str, actor: Actor, now: datetime
) -> PlanVersion:
    """Return a version to its author, who may revise it."""
    version = lock_version(session, version_id)
    version.advance(PlanVersionEvent.SEND_BACK, now=now, actor=str(actor), note=reason)
    version.approver_id, version.approved_at = None, None
    session.flush()
    record_step(session, actor, "plan.sent_back", version, now=now, change=Change(reason=reason))
    return version


def approve(session: Session, version_id: int, *, actor: Actor, now: datetime) -> PlanVersion:
    """Approve a submitted version as its second person, who wrote nothing of it.

    Raises PlanBlocked and PlanNotConfirmed where the latest check of this revision forbids it.
    """
    version = lock_version(session, version_id)
    _demand_second_person(session, version, actor, now=now)
    if version.state is not PlanVersionState.SUBMITTED:
        raise PlanNotInState(version.state)
    demand_lawful(session, version)
    version.advance(PlanVersionEvent.APPROVE, now=now, actor=str(actor))
    version.approver_id, version.approved_at = actor.id, now
    session.flush()
    record_step(session, actor, "plan.approved", version, now=now)
    return version


def _demand_second_person(
    session: Session, version: PlanVersion, actor: Actor, *, now: datetime
) -> None:
    """Refuse whoever drafted or revised a version; its `author_id` is only the last of them."""
    writers = session.scalars(
        sa.select(AuditRecord.actor_id).where(
            AuditRecord.subject_type == SUBJECT,
            AuditRecord.subject_id == version.id,
            AuditRecord.action.in_((DRAFTED, REVISED)),
            AuditRecord.actor_kind == "staff",
        )
    )
    wrote = {one for one in (*writers, version.author_id) if one is not None}
    if actor.id in wrote:
        raise OwnPlan
    for one in sorted(wrote):
        require_independent(session, [Actor(STAFF, one), actor], now=now)


def demand_approved(session: Session, version_id: int) -> PlanVersion:
    """Lock a version that somebody has approved; raises PlanNotInState."""
    version = lock_version(session, version_id)
    if version.state is not PlanVersionState.APPROVED:
        raise PlanNotInState(version.state)
    return version


def demand_lawful(session: Session, version: PlanVersion) -> PlanCheck:
    """Refuse what the latest check forbids, and what no officer has answered for."""
    check = latest_check(session, version)
    if check.is_blocked:
        raise PlanBlocked(_rules_in(check, "BLOCK"))
    confirmed = confirmed_rules(session, version)
    missing = [rule for rule in _rules_in(check, "HIGH").split(", ") if rule not in confirmed]
    if any(missing):
        raise PlanNotConfirmed(", ".join(missing))
    return check


def confirmed_rules(session: Session, version: PlanVersion) -> set[str]:
    """Return the rules under which an officer has answered for this revision of a version."""
    return set(
        session.scalars(
            sa.select(PlanConfirmation.rule).where(
                PlanConfirmation.version_id == version.id,
                PlanConfirmation.revision == version.revision,
            )
        )
    )


def unanswered(session: Session, version: PlanVersion) -> list[dict[str, Any]]:
    """Return the findings of severity HIGH that still wait for an officer, one for each rule."""
    check = find_check(session, version)
    confirmed = confirmed_rules(session, version)
    waiting = {
        one["rule"]: one
        for one in reversed(check.findings if check else [])
        if one["severity"] == "HIGH" and one["rule"] not in confirmed
    }
    return list(reversed(waiting.values()))


def _rules_in(check: PlanCheck, severity: str) -> str:
    rules = (one["rule"] for one in check.findings if one["severity"] == severity)
    return ", ".join(dict.fromkeys(rules))


def latest_check(session: Session, version: PlanVersion) -> PlanCheck:
    """Return the last check of the version as it stands; raises PlanNotChecked."""
    check = find_check(session, version)
    if check is None:
        raise PlanNotChecked
    return check


def find_check(session: Session, version: PlanVersion) -> PlanCheck | None:
    """Return the last check of the version as it stands, if there is any."""
    return session.scalar(
        sa.select(PlanCheck)
        .where(PlanCheck.version_id == version.id, PlanCheck.revision == version.revision)
        .order_by(PlanCheck.id.desc())
        .limit(1)
    )


def lock_version(session: Session, version_id: int) -> PlanVersion:
    """Lock a version; raises PlanNotFound."""
    version = session.get(PlanVersion, version_id, with_for_update=True, populate_existing=True)
    if version is None:
        raise PlanNotFound
    return version


def record_step(
    session: Session,
    actor: Actor,
    action: str,
    version: PlanVersion,
    *,
    now: datetime,
    change: Change = NO_CHANGE,
) -> None:
    """Leave an audit record of a step, with the rules as they are; `change` says why, from what."""
    facts = {
        "plan_id": version.plan_id,
        "number": version.number,
        "revision": version.revision,
        "state": version.state.value,
        "rules": version.rules,
        "scope": version.scope,
    }
    change = replace(change, after=facts)
    audit.record(session, actor, action, Subject(SUBJECT, version.id), change, now=now)
