"""A plan from a draft to its end, by the people of the back office."""

import io
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.engines.documents import load_rules
from app.engines.registry import MODELS
from app.kernel.clock import SHANGHAI
from app.plans import services as plans
from app.plans.models import Plan, PlanConfirmation, PlanVersion
from app.settings import Settings
from app.stores.permissions import Permission, RoleName, permissions_of
from tests.admin.conftest import Desk
from tests.admin.pages import fields_of, text_of
from tests.factories.plan_lives import NOON, bring_to_approval, person, published, write_draft

Seat = Callable[..., Desk]


def version_of(session: Session) -> PlanVersion:
    session.expire_all()
    return session.scalars(sa.select(PlanVersion)).one()


def state(session: Session, version: PlanVersion) -> str:
    session.expire_all()
    return session.get_one(PlanVersion, version.id).state.value


def details(desk: Desk, version: PlanVersion) -> str:
    answer = desk.get("/plan_versions/details/", id=version.id)
    assert answer.status_code == 200
    return text_of(answer)


@pytest.mark.parametrize("begin_with", ["defaults", "original"])
@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_plan_of_any_model_is_opened_with_its_parameters_and_shown(
    session: Session, owner: Desk, model: str, begin_with: str
) -> None:
    form = {"name": "Spring", "model": model, "begin_with": begin_with}

    answer = owner.post("/plan_versions/form/plan/", form)

    version = version_of(session)
    assert answer.headers["Location"].endswith(f"/plan_versions/details/?id={version.id}")
    expected = MODELS[model].original if begin_with == "original" else {"model": model}
    assert load_rules(version.rules) == load_rules(expected)
    page = details(owner, version)
    assert "Spring v1" in page
    for heading in ("Rules in words", "What it can cost at worst", "Compliance check"):
        assert heading in page


def test_a_plan_goes_from_draft_to_retired_through_two_people(
    session: Session, sit_down: Seat
) -> None:
    author, officer = sit_down("operations"), sit_down("finance")
    author.post("/plan_versions/form/plan/", {"name": "Spring", "model": "CHANNEL_TWO_LEVEL"})
    version = version_of(session)
    data = fields_of(author.get("/plan_versions/form/edit/", id=version.id).get_data(as_text=True))
    author.post(
        "/plan_versions/form/edit/",
        {**data, "f.payout_cap_bp": "29", "note": "less"},
        query_string={"id": version.id},
    )

    author.decide("plan_versions", "check", version.id)
    assert state(session, version) == "checked"
    page = details(author, version)
    assert "C4" in page
    assert f"/simulations/form/new/?version={version.id}" in page
    plans.note_simulated(session, version.id, revision=2, actor="staff:1", now=NOON)
    session.commit()
    author.decide("plan_versions", "submit", version.id)
    assert state(session, version) == "submitted"

    assert author.decide("plan_versions", "approve", version.id).status_code == 403
    officer.decide("plan_versions", "approve", version.id)
    assert any("An officer has to answer in writing for: C4" in one for one in officer.flashes())
    form = officer.get("/plan_versions/form/confirm/", id=version.id)
    assert 'name="answer_C4"' in form.get_data(as_text=True)
    officer.post(
        "/plan_versions/form/confirm/",
        {"answer_C4": "Two seats, both for sales."},
        query_string={"id": version.id},
    )
    assert "Two seats, both for sales." in details(author, version)
    officer.decide("plan_versions", "approve", version.id)
    assert state(session, version) == "approved"

    officer.decide("plan_versions", "publish", version.id)
    row = session.get_one(PlanVersion, version.id, populate_existing=True)
    assert (row.state.value, row.rules["payout_cap_bp"]) == ("published", 2_900)
    assert (row.author_id, row.approver_id) == (author.staff_id, officer.staff_id)
    assert row.effective_from_at is not None

    later = (row.effective_from_at + timedelta(days=3)).astimezone(SHANGHAI)
    until = later.strftime("%Y-%m-%dT%H:%M")
    officer.decide("plan_versions", "retire", version.id, until_at=until)
    row = session.get_one(PlanVersion, version.id, populate_existing=True)
    assert row.state.value == "retired"
    assert row.effective_until_at == later.replace(second=0, microsecond=0)
    page = details(author, version)
    for step in ("Revised", "Checked", "Simulated", "Submitted", "Approved", "Published"):
        assert f'<span class="step-1" ><span>{step}</span></span>' in page


def test_nobody_approves_or_answers_for_their_own_draft(
    session: Session, owner: Desk, settings: Settings
) -> None:
    owner.post("/plan_versions/form/plan/", {"name": "Spring", "model": "CHANNEL_TWO_LEVEL"})
    version = version_of(session)
    owner.decide("plan_versions", "check", version.id)

    answer = owner.post(
        "/plan_versions/form/confirm/",
        {"answer_C4": "I take this upon myself."},
        query_string={"id": version.id},
    )
    assert answer.status_code == 200
    assert "Another person has to publish what you drafted." in text_of(answer)
    assert session.scalars(sa.select(PlanConfirmation.id)).all() == []

    bring_to_approval(session, version, settings)
    session.commit()
    owner.decide("plan_versions", "approve", version.id)

    assert state(session, version) == "submitted"
    assert any("Another person has to publish" in one for one in owner.flashes())


def test_a_version_is_sent_back_with_a_reason_and_can_be_edited_again(
    session: Session, settings: Settings, sit_down: Seat
) -> None:
    version = write_draft(session)
    bring_to_approval(session, version, settings)
    officer = sit_down("finance")

    officer.decide("plan_versions", "send_back", version.id, reason="Too dear")

    assert state(session, version) == "draft"
    assert "Too dear" in details(officer, version)


def test_what_differs_from_the_version_in_force_is_shown_in_words(
    session: Session, owner: Desk, settings: Settings
) -> None:
    first = published(session, settings)
    document = plans.Draft(
        rules={**first.rules, "rates_first_bp": [900, 1_500, 2_000], "compress": True}
    )
    second = plans.draft(session, first.plan_id, document, actor=person(session), now=NOON)
    session.commit()

    page = details(owner, second)

    assert "Compared with v1, which is in force" in page
    assert "Brought the customer › 1" in page
    assert ">10%</td>" in page
    assert ">9%</td>" in page
    assert "Who cannot earn is skipped" in page
    assert "Compared with" not in details(owner, first)


def test_a_version_is_downloaded_and_imported_again(session: Session, owner: Desk) -> None:
    version = write_draft(session)
    session.commit()
    answer = owner.get("/plan_versions/file/", id=version.id)
    disposition = answer.headers["Content-Disposition"]
    assert disposition == f'attachment; filename="plan-{version.plan_id}-v1.json"'
    document = json.loads(answer.get_data(as_text=True))

    upload = (io.BytesIO(json.dumps({**document, "name": "Carried"}).encode()), "plan.json")
    owner.post("/plan_versions/form/import/", {"plan_id": "", "file": upload})
    pasted = json.dumps({**document, "note": "again"})
    owner.post("/plan_versions/form/import/", {"plan_id": str(version.plan_id), "text": pasted})

    names = session.scalars(sa.select(Plan.name).order_by(Plan.id)).all()
    assert names[1:] == ["Carried"]
    versions = session.scalars(sa.select(PlanVersion).order_by(PlanVersion.id)).all()
    assert [(one.number, one.note) for one in versions] == [
        (1, "first"),
        (1, "first"),
        (2, "again"),
    ]
    assert versions[1].rules == versions[2].rules == version.rules


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Please choose a file, or paste its text."),
        ("{", "JSON: "),
        ('{"format": "tuoke-plan"}', "rules: This is required."),
    ],
)
def test_a_file_that_is_none_is_refused_by_field_and_what_was_pasted_stays(
    session: Session, owner: Desk, text: str, said: str
) -> None:
    answer = owner.post("/plan_versions/form/import/", {"plan_id": "", "text": text})

    page = text_of(answer)
    assert answer.status_code == 200
    assert said in page
    assert f">\r\n{text}</textarea>" in page
    assert session.scalars(sa.select(Plan.id)).all() == []


@pytest.mark.parametrize("role", list(RoleName))
def test_each_role_sees_the_steps_that_are_theirs(
    session: Session, settings: Settings, sit_down: Seat, role: str
) -> None:
    version = write_draft(session)
    bring_to_approval(session, version, settings)
    desk, allowed = sit_down(role), permissions_of([role])
    answer = desk.get("/plan_versions/details/", id=version.id)
    if Permission.PLANS_VIEW not in allowed:
        assert answer.status_code == 403
        return

    page = text_of(answer)

    may_publish = Permission.PLANS_PUBLISH in allowed
    for name in ("approve", "send_back"):
        assert (f'name="action" value="{name}"' in page) is may_publish
    assert ('name="action" value="check"' in page) is (Permission.PLANS_DRAFT in allowed)
    assert 'name="action" value="publish"' not in page
    assert "/form/edit/" not in page
    assert ("/form/copy/" in page) is (Permission.PLANS_DRAFT in allowed)
    assert "/plan_versions/file/" in page
