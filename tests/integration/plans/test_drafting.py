"""Writing plans down: with what exists, and from files."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import drafting
from app.engines.documents import load_rules
from app.engines.faults import PlanRulesInvalid
from app.engines.registry import MODELS
from app.kernel.i18n import ENGLISH, translate
from app.plans.errors import ModelDiffers, PlanNameTaken, PlanNotFound, UnknownModel
from app.plans.models import Plan, PlanVersion
from app.plans.portable import write_file
from app.plans.services import Draft
from tests.factories.orders import make_product
from tests.factories.people import make_store
from tests.factories.plan_lives import NOON, person, write_draft

RULES = {"model": "CHANNEL_TWO_LEVEL"}


def faults(error: PlanRulesInvalid) -> list[tuple[str, str]]:
    return [(one.path, translate(one.message, ENGLISH)) for one in error.faults]


def file_of(session: Session, version: PlanVersion) -> str:
    """Return a version as a file; its plan is loaded for that."""
    plan = session.get_one(Plan, version.plan_id)
    assert version.plan is plan
    return write_file(version)


def counts(session: Session) -> tuple[int, int]:
    plans = session.scalar(sa.select(sa.func.count()).select_from(Plan)) or 0
    versions = session.scalar(sa.select(sa.func.count()).select_from(PlanVersion)) or 0
    return plans, versions


@pytest.mark.parametrize("original", [False, True])
@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_plan_of_each_model_opens_with_a_first_draft(
    session: Session, model: str, *, original: bool
) -> None:
    author = person(session)

    version = drafting.open_plan(
        session, "Spring", model=model, original=original, actor=author, now=NOON
    )

    expected = MODELS[model].original if original else {"model": model}
    assert load_rules(version.rules) == load_rules(expected)
    assert (version.number, version.state.value, version.author_id) == (1, "draft", author.id)
    assert session.get_one(Plan, version.plan_id).name == "Spring"


def test_a_name_is_not_given_twice_and_a_model_must_exist(session: Session) -> None:
    drafting.open_plan(
        session, "Spring", model=RULES["model"], original=False, actor=person(session), now=NOON
    )
    before = counts(session)

    with pytest.raises(PlanNameTaken):
        drafting.open_plan(
            session, "Spring", model=RULES["model"], original=False, actor=person(session), now=NOON
        )
    with pytest.raises(UnknownModel):
        drafting.open_plan(
            session, "Other", model="NONE", original=False, actor=person(session), now=NOON
        )

    assert counts(session) == before


def test_stores_and_products_that_do_not_exist_are_named_all_at_once(session: Session) -> None:
    version = write_draft(session)
    store, product = make_store(session), make_product(session)
    document = Draft(
        rules={**RULES, "product_rates": {"901": {"excluded": True}}, "payout_cap_bp": 3_000},
        scope={"store_ids": [store.id, 902], "product_ids": [product.id, 903, 904]},
    )

    with pytest.raises(PlanRulesInvalid) as refused:
        drafting.draft(session, version.plan_id, document, actor=person(session), now=NOON)

    assert faults(refused.value) == [
        ("product_rates", "There is no product 901."),
        ("scope.store_ids", "There is no store 902."),
        ("scope.product_ids", "There is no product 903, 904."),
    ]
    assert counts(session) == (1, 1)


@pytest.mark.parametrize(
    ("model", "changes", "path"),
    [
        ("CHANNEL_DIFFERENTIAL", {"product_rates": {"901": {"excluded": True}}}, "product_rates"),
        (
            "SHARING_SHAREHOLDERS",
            {"product_commissions": {"901": {"excluded": True}}},
            "product_commissions",
        ),
        ("THREE_MATRIX", {"entry_product_ids": [901]}, "entry_product_ids"),
    ],
)
def test_products_in_the_terms_of_any_model_must_exist(
    session: Session, model: str, changes: dict[str, Any], path: str
) -> None:
    with pytest.raises(PlanRulesInvalid) as refused:
        drafting.parse(session, {"model": model, **changes})

    assert faults(refused.value) == [(path, "There is no product 901.")]


def test_faults_of_rules_and_scope_are_told_together_by_field(session: Session) -> None:
    with pytest.raises(PlanRulesInvalid) as refused:
        drafting.parse(session, {**RULES, "payout_cap_bp": 0}, {"store_ids": ["x"]})

    assert [path for path, _ in faults(refused.value)] == ["payout_cap_bp", "scope.store_ids.0"]


def test_a_file_becomes_the_next_version_of_a_plan_or_a_plan_of_its_own(session: Session) -> None:
    source = write_draft(session, rules={**RULES, "payout_cap_bp": 2_800})
    text, author = file_of(session, source), person(session)

    of_plan = drafting.import_file(session, text, plan_id=source.plan_id, actor=author, now=NOON)
    renamed = json.dumps({**json.loads(text), "name": "Carried"})
    of_new = drafting.import_file(session, renamed, plan_id=None, actor=author, now=NOON)

    assert (of_plan.plan_id, of_plan.number) == (source.plan_id, 2)
    assert (of_new.number, session.get_one(Plan, of_new.plan_id).name) == (1, "Carried")
    assert of_plan.rules == of_new.rules
    assert load_rules(of_plan.rules).payout_cap_bp == 2_800
    assert of_plan.author_id == author.id


def test_a_file_that_does_not_fit_changes_nothing(session: Session) -> None:
    source = write_draft(session)
    other = write_draft(session, model="CHAIN_2_1")
    document = json.loads(file_of(session, source))
    author, before = person(session), counts(session)

    def bring(plan_id: int | None, **changes: Any) -> None:
        text = json.dumps({**document, **changes})
        drafting.import_file(session, text, plan_id=plan_id, actor=author, now=NOON)

    with pytest.raises(ModelDiffers):
        bring(other.plan_id)
    with pytest.raises(PlanNotFound):
        bring(10**9)
    with pytest.raises(PlanNameTaken):
        bring(None)
    with pytest.raises(PlanRulesInvalid) as refused:
        bring(source.plan_id, scope={"store_ids": [901], "product_ids": [902]})

    assert faults(refused.value) == [
        ("scope.store_ids", "There is no store 901."),
        ("scope.product_ids", "There is no product 902."),
    ]
    assert counts(session) == before
