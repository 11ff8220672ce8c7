"""The life of a version, from a draft to its end, and every way in which it is refused."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.engines.documents import load_rules
from app.engines.faults import PlanRulesInvalid
from app.engines.registry import MODELS
from app.kernel.audit import Actor, AuditRecord
from app.plans import publishing
from app.plans import services as plans
from app.plans.errors import (
    AnotherVersionAhead,
    FindingConfirmed,
    FindingNotFound,
    ModelDiffers,
    NotAhead,
    OwnPlan,
    PlanBlocked,
    PlanNotChecked,
    PlanNotConfirmed,
    PlanNotFound,
    PlanNotInState,
    PlanNotSimulated,
    PlanRevised,
    StatementTooShort,
)
from app.plans.models import PlanCheck, PlanConfirmation, PlanScope, PlanVersion, PlanVersionState
from app.plans.queries import version_in_force_of
from app.plans.services import Draft, Verdict
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


def author_of(version: PlanVersion) -> Actor:
    return Actor("staff", version.author_id)


def steps(session: Session, version: PlanVersion) -> list[str]:
    return [one.event.value for one in session.scalars(version.steps.select())]


def state_of(session: Session, version: PlanVersion) -> str:
    session.refresh(version)
    return version.state.value


def test_a_version_goes_from_draft_to_retired_through_two_people(
    session: Session, settings: Settings
) -> None:
    version = write_draft(session)
    officer = bring_to_approval(session, version, settings)

    plans.approve(session, version.id, actor=officer, now=NOON)
    begins = NOON + 2 * HOUR
    publishing.publish(
        session,
        version.id,
        actor=officer,
        effective_from_at=begins,
        now=NOON + HOUR / 2,
    )
    publishing.retire(
        session, version.id, actor=officer, now=NOON + 3 * HOUR, until_at=NOON + 9 * HOUR
    )

    assert steps(session, version) == [
        "check",
        "simulate",
        "submit",
        "approve",
        "publish",
        "retire",
    ]
    assert state_of(session, version) == "retired"
    assert (version.effective_from_at, version.effective_until_at) == (begins, NOON + 9 * HOUR)
    assert (version.approver_id, version.approved_at) == (officer.id, NOON)
    during = session.scalars(sa.select(PlanScope.during)).one()
    assert (during.lower, during.upper) == (begins, NOON + 9 * HOUR)
    trail = session.scalars(sa.select(AuditRecord.action).order_by(AuditRecord.id)).all()
    assert [one for one in trail if one.startswith("plan.")] == [
        "plan.drafted",
        "plan.submitted",
        "plan.finding_confirmed",
        "plan.approved",
        "plan.published",
        "plan.retired",
    ]


def test_nobody_approves_their_own_draft(session: Session, settings: Settings) -> None:
    version = write_draft(session)
    bring_to_approval(session, version, settings)

    with pytest.raises(OwnPlan):
        plans.approve(session, version.id, actor=author_of(version), now=NOON)

    assert (version.state, version.approver_id) == (PlanVersionState.SUBMITTED, None)


def test_whoever_revised_a_version_last_is_its_author_and_does_not_approve_it(
    session: Session, settings: Settings
) -> None:
    version = write_draft(session)
    second = person(session, "owner")
    plans.revise(
        session, version.id, Draft(rules=version.rules), revision=1, actor=second, now=NOON
    )
    bring_to_approval(session, version, settings)

    with pytest.raises(OwnPlan):
        plans.approve(session, version.id, actor=second, now=NOON)


@pytest.mark.parametrize("reached", ["draft", "checked", "simulated", "submitted"])
def test_what_is_not_approved_is_not_published(
    session: Session, settings: Settings, reached: str
) -> None:
    version = write_draft(session)
    if reached != "draft":
        check(session, version, settings)
    if reached in {"simulated", "submitted"}:
        plans.note_simulated(session, version.id, revision=1, actor="staff:1", now=NOON)
    if reached == "submitted":
        plans.submit(session, version.id, actor=author_of(version), now=NOON)

    with pytest.raises(PlanNotInState) as refused:
        publishing.publish(
            session, version.id, actor=person(session), effective_from_at=NOON, now=NOON
        )

    assert refused.value.state == reached
    assert session.scalars(sa.select(PlanScope.id)).all() == []


def test_what_was_not_checked_or_not_tried_is_not_submitted(
    session: Session, settings: Settings
) -> None:
    version = write_draft(session)
    with pytest.raises(PlanNotChecked):
        plans.submit(session, version.id, actor=author_of(version), now=NOON)
    check(session, version, settings)
    with pytest.raises(PlanNotSimulated):
        plans.submit(session, version.id, actor=author_of(version), now=NOON)
    assert state_of(session, version) == "checked"


def test_a_published_version_is_not_revised(session: Session, settings: Settings) -> None:
    version = published(session, settings)
    before = dict(version.rules)

    with pytest.raises(PlanNotInState), session.begin_nested():
        plans.revise(
            session,
            version.id,
            Draft(rules={**before, "payout_cap_bp": 1}),
            revision=1,
            actor=author_of(version),
            now=NOON,
        )

    session.refresh(version)
    assert (version.rules, version.revision) == (before, 1)


def test_a_revision_nobody_saw_is_not_overwritten(session: Session) -> None:
    version = write_draft(session)
    one, other = person(session), person(session)
    cap = {**version.rules, "payout_cap_bp": 2_900}
    plans.revise(session, version.id, Draft(rules=cap), revision=1, actor=one, now=NOON)

    with pytest.raises(PlanRevised) as refused:
        plans.revise(
            session, version.id, Draft(rules=version.rules), revision=1, actor=other, now=NOON
        )

    assert refused.value.revision == 2
    assert (version.revision, version.author_id) == (2, one.id)
    assert version.rules["payout_cap_bp"] == 2_900


def test_what_was_checked_and_tried_counts_for_nothing_once_it_is_revised(
    session: Session, settings: Settings
) -> None:
    version = write_draft(session)
    bring_to_approval(session, version, settings)
    back = person(session, "finance")
    plans.send_back(session, version.id, reason="dear", actor=back, now=NOON)
    assert state_of(session, version) == "draft"

    plans.revise(
        session,
        version.id,
        Draft(rules=version.rules),
        revision=1,
        actor=author_of(version),
        now=NOON,
    )

    with pytest.raises(PlanNotChecked):
        plans.submit(session, version.id, actor=author_of(version), now=NOON)
    check(session, version, settings)
    plans.note_simulated(session, version.id, revision=1, actor="staff:1", now=NOON)
    assert state_of(session, version) == "checked"
    assert [one["rule"] for one in plans.unanswered(session, version)] == ["C4"]
    assert session.scalars(sa.select(PlanCheck.revision).order_by(PlanCheck.id)).all() == [1, 2]


def test_a_check_older_than_an_hour_does_not_publish(session: Session, settings: Settings) -> None:
    version = approved(session, settings)
    late = NOON + HOUR + timedelta(seconds=1)

    with pytest.raises(PlanNotChecked):
        publishing.publish(
            session, version.id, actor=person(session), effective_from_at=late, now=late
        )
    assert state_of(session, version) == "approved"

    on_time = NOON + HOUR
    publishing.publish(
        session, version.id, actor=person(session), effective_from_at=on_time, now=on_time
    )
    assert state_of(session, version) == "published"


def test_a_high_risk_that_nobody_answered_for_stops_approval(
    session: Session, settings: Settings
) -> None:
    version = write_draft(session)
    check(session, version, settings)
    plans.note_simulated(session, version.id, revision=1, actor="staff:1", now=NOON)
    plans.submit(session, version.id, actor=author_of(version), now=NOON)

    with pytest.raises(PlanNotConfirmed) as refused:
        plans.approve(session, version.id, actor=person(session, "finance"), now=NOON)

    assert refused.value.rules == "C4"
    assert state_of(session, version) == "submitted"


def test_an_officer_answers_once_by_name_in_some_words_and_never_for_their_own(
    session: Session, settings: Settings
) -> None:
    version = write_draft(session)
    check(session, version, settings)
    officer = person(session, "finance")

    def confirm(rule: str, who: Actor, statement: str = STATEMENT) -> PlanConfirmation:
        return plans.confirm_finding(
            session, version.id, rule, statement=statement, officer=who, now=NOON
        )

    with pytest.raises(OwnPlan):
        confirm("C4", author_of(version))
    with pytest.raises(StatementTooShort):
        confirm("C4", officer, "  ok      ")
    with pytest.raises(FindingNotFound):
        confirm("C9", officer)
    kept = confirm("C4", officer, f"  {STATEMENT} ")
    with pytest.raises(FindingConfirmed):
        confirm("C4", person(session, "owner"))

    assert (kept.statement, kept.officer_id, kept.revision) == (STATEMENT, officer.id, 1)
    assert kept.finding["rule"] == "C4"
    assert kept.officer_name
    assert session.scalars(sa.select(PlanConfirmation.id)).all() == [kept.id]


def test_a_blocked_plan_is_neither_checked_nor_approved_nor_published(
    session: Session, settings: Settings
) -> None:
    version = approved(session, settings)
    rules = load_rules(version.rules)
    finding = {"rule": "C1", "severity": "BLOCK", "text": "no", "facts": {}, "citation": "x"}
    verdict = Verdict(profile="cn", findings=(finding,), bound=MODELS[rules.model].bound(rules))
    plans.record_check(session, version.id, verdict, actor=person(session), now=NOON)

    with pytest.raises(PlanBlocked) as refused:
        publishing.publish(
            session, version.id, actor=person(session), effective_from_at=NOON, now=NOON
        )

    assert refused.value.rules == "C1"
    draft = write_draft(session)
    plans.record_check(session, draft.id, verdict, actor=person(session), now=NOON)
    assert draft.state is PlanVersionState.DRAFT


def test_rules_of_another_model_are_refused(session: Session) -> None:
    version = write_draft(session)
    wrong = Draft(rules={"model": "CHAIN_2_1"})
    before = dict(version.rules)

    with pytest.raises(ModelDiffers):
        plans.draft(session, version.plan_id, wrong, actor=person(session), now=NOON)
    with pytest.raises(ModelDiffers):
        plans.revise(session, version.id, wrong, revision=1, actor=person(session), now=NOON)

    assert (version.rules, version.revision) == (before, 1)
    assert session.scalars(sa.select(PlanVersion.id)).all() == [version.id]


def test_nothing_takes_effect_or_ends_in_the_past(session: Session, settings: Settings) -> None:
    version = approved(session, settings)
    past = NOON - timedelta(seconds=1)

    with pytest.raises(NotAhead):
        publishing.publish(
            session, version.id, actor=person(session), effective_from_at=past, now=NOON
        )
    assert state_of(session, version) == "approved"
    publishing.publish(session, version.id, actor=person(session), effective_from_at=NOON, now=NOON)
    with pytest.raises(NotAhead):
        publishing.retire(session, version.id, actor=person(session), now=NOON, until_at=past)
    assert (version.state, version.effective_until_at) == (PlanVersionState.PUBLISHED, None)


def test_a_version_not_in_force_yet_that_is_retired_never_comes_into_force(
    session: Session, settings: Settings
) -> None:
    version = approved(session, settings)
    begins = NOON + 5 * HOUR
    actor = person(session)
    publishing.publish(session, version.id, actor=actor, effective_from_at=begins, now=NOON)

    publishing.retire(session, version.id, actor=actor, now=NOON + HOUR)

    assert (version.effective_from_at, version.effective_until_at) == (begins, begins)
    assert session.scalars(sa.select(PlanScope.during)).one().isempty


def test_the_next_version_ends_the_one_before_at_the_instant_it_begins(
    session: Session, settings: Settings
) -> None:
    first = published(session, settings)
    document = Draft(rules={**first.rules, "payout_cap_bp": 2_900})
    second = plans.draft(session, first.plan_id, document, actor=person(session), now=NOON)
    officer = bring_to_approval(session, second, settings)
    plans.approve(session, second.id, actor=officer, now=NOON)
    begins = NOON + HOUR

    publishing.publish(session, second.id, actor=officer, effective_from_at=begins, now=NOON)

    assert (second.number, first.effective_until_at) == (2, begins)
    assert first.state is PlanVersionState.PUBLISHED
    current = version_in_force_of(session, first.plan_id)
    assert current is not None
    assert current.id == second.id

    third = plans.draft(session, first.plan_id, document, actor=person(session), now=NOON)
    officer = bring_to_approval(session, third, settings)
    plans.approve(session, third.id, actor=officer, now=NOON)
    with pytest.raises(AnotherVersionAhead), session.begin_nested():
        publishing.publish(session, third.id, actor=officer, effective_from_at=NOON, now=NOON)
    session.refresh(first)
    assert first.effective_until_at == begins


def test_a_version_that_does_not_exist_is_not_found(session: Session) -> None:
    with pytest.raises(PlanNotFound):
        plans.submit(session, 10**9, actor=person(session), now=NOON)
    document = Draft(rules={"model": "CHANNEL_TWO_LEVEL"})
    with pytest.raises(PlanNotFound):
        plans.draft(session, 10**9, document, actor=person(session), now=NOON)


@pytest.mark.parametrize(
    "rules", ["{", '{"model": "NONE"}', {"model": "CHANNEL_TWO_LEVEL", "payout_cap_bp": -1}]
)
def test_a_draft_that_is_not_valid_is_not_kept(session: Session, rules: Any) -> None:
    version = write_draft(session)

    with pytest.raises(PlanRulesInvalid):
        plans.draft(session, version.plan_id, Draft(rules=rules), actor=person(session), now=NOON)

    assert session.scalars(sa.select(PlanVersion.id)).all() == [version.id]
