"""The check of a version, with what is outside of the plan."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import compliance
from app.distribution.compliance import finding_message, gather
from app.engines.documents import dump_rules, load_rules
from app.engines.registry import MODELS
from app.kernel.audit import Actor
from app.kernel.i18n import ENGLISH, translate
from app.plans import services as plans
from app.plans.errors import PlanBlocked, PlanNotConfirmed, PlanNotInState, ScopesOverlap
from app.plans.models import PlanCheck, PlanVersion
from app.plans.scopes import Scope
from app.settings import Settings
from tests.factories.orders import make_product
from tests.factories.people import make_member, make_store
from tests.factories.plan_lives import NOON, approved, check, person, published, write_draft
from tests.factories.shareholders import make_holding


def latest(session: Session, version: PlanVersion) -> PlanCheck:
    found = plans.find_check(session, version)
    assert found is not None
    return found


def rules_found(check: PlanCheck) -> set[tuple[str, str]]:
    return {(one["rule"], one["severity"]) for one in check.findings}


def publish(version: PlanVersion, settings: Settings, actor: Actor) -> PlanVersion:
    return compliance.publish_version(
        version.id, effective_from_at=NOON, settings=settings, actor=actor, now=NOON
    )


def test_only_products_of_the_scope_that_earn_commission_are_looked_at(
    session: Session, settings: Settings
) -> None:
    wanted, other = make_product(session), make_product(session)
    silent = make_product(session, is_distributable=False)
    left_out = make_product(session)
    rules = load_rules(
        {"model": "CHANNEL_TWO_LEVEL", "product_rates": {left_out.id: {"excluded": True}}}
    )

    narrow = gather(
        session, rules, Scope(product_ids=(wanted.id, silent.id, left_out.id)), settings
    )
    wide = gather(session, rules, Scope(), settings)

    assert [one.product_id for one in narrow.products] == [wanted.id]
    assert {wanted.id, other.id} <= {one.product_id for one in wide.products}
    assert not {silent.id, left_out.id} & {one.product_id for one in wide.products}


def test_facts_of_products_stores_and_settings_are_passed_on(
    session: Session, settings: Settings
) -> None:
    stores = [make_store(session) for _ in range(3)]
    product = make_product(session, title="童颜针 保本")
    product.is_medical, product.is_refundable, product.list_price_fen = True, False, 12_000
    session.flush()
    rules = load_rules({"model": "CHANNEL_TWO_LEVEL"})
    scope = Scope(product_ids=(product.id,), store_ids=tuple(sorted(one.id for one in stores[:2])))

    outside = gather(session, rules, scope, settings)

    (facts,) = outside.products
    assert (facts.price_fen, facts.list_price_fen) == (10_000, 12_000)
    assert (facts.is_medical, facts.is_refundable) == (True, False)
    assert [one.where for one in outside.texts] == [f"product {product.id}"]
    assert (outside.store_count, outside.cap_max_bp) == (2, settings.payout_cap_max_bp)
    assert outside.payout.is_scene_set
    assert outside.payout.single_max_fen == settings.transfer_max_fen
    unset = replace(settings, wechat_transfer_scene_id="")
    assert not gather(session, rules, scope, unset).payout.is_scene_set
    everywhere = gather(session, rules, Scope(), settings)
    assert everywhere.store_count == len(stores)


def test_each_shareholder_is_counted_once_at_however_many_stores(
    session: Session, settings: Settings
) -> None:
    version = write_draft(session, model="SHARING_SHAREHOLDERS")
    member = make_member(session)
    for store in (make_store(session), make_store(session)):
        make_holding(session, version.plan_id, member.id, store.id, state="ACTIVE")
    make_holding(session, version.plan_id, make_member(session).id, make_store(session).id)

    rules = load_rules(version.rules)

    assert gather(session, rules, Scope(), settings).shareholders == 1


def test_a_medical_or_final_product_shows_in_the_check_and_stops_publication(
    session: Session, settings: Settings
) -> None:
    product = make_product(session)
    version = approved(session, settings)
    officer = person(session, "finance")
    product.is_refundable = False
    session.commit()

    with pytest.raises(PlanBlocked) as refused:
        publish(version, settings, officer)

    assert refused.value.rules == "C11"
    session.refresh(version)
    assert (version.state.value, version.effective_from_at) == ("approved", None)
    assert ("C11", "BLOCK") in rules_found(latest(session, version))

    product.is_refundable, product.is_medical = True, True
    session.commit()
    with pytest.raises(PlanNotConfirmed) as waiting:
        publish(version, settings, officer)
    assert waiting.value.rules == "C24"
    plans.confirm_finding(
        session,
        version.id,
        "C24",
        statement="Only in licensed stores.",
        officer=officer,
        now=NOON,
    )
    session.commit()

    assert publish(version, settings, officer).state.value == "published"


def test_publication_checks_once_more_and_keeps_that_check(
    session: Session, settings: Settings
) -> None:
    version = approved(session, settings)
    session.commit()
    before = latest(session, version).id

    publish(version, settings, person(session))

    assert latest(session, version).id > before
    assert session.get_one(PlanVersion, version.id).state.value == "published"


def test_a_refused_publication_leaves_no_check_behind_but_one_that_forbids(
    session: Session, settings: Settings
) -> None:
    published(session, settings)
    version, draft = approved(session, settings), write_draft(session)
    session.commit()
    count = sa.select(sa.func.count()).select_from(PlanCheck)
    before = session.scalar(count)

    with pytest.raises(ScopesOverlap):
        publish(version, settings, person(session))
    with pytest.raises(PlanNotInState):
        publish(draft, settings, person(session))

    assert session.scalar(count) == before


@pytest.mark.parametrize("model", sorted(MODELS))
def test_findings_are_kept_so_that_they_can_be_told_again(
    session: Session, settings: Settings, model: str
) -> None:
    """What the trade practises breaks rules enough to try every kind of sentence."""
    rules = load_rules(MODELS[model].original)
    version = write_draft(session, model=model, rules=dump_rules(rules))
    found = compliance.preview(session, rules, Scope(), settings)

    check(session, version, settings)

    kept = latest(session, version)
    told = [translate(finding_message(one), ENGLISH) for one in kept.findings]
    assert told == [translate(one.message, ENGLISH) for one in found.findings]
    assert all(one["citation"] for one in kept.findings)
    assert (kept.bound_bp, kept.cap_bp) == (found.bound.bound_bp, found.bound.cap_bp)
    assert kept.is_blocked is any(one["severity"] == "BLOCK" for one in kept.findings)


def test_a_stricter_profile_finds_more(session: Session, settings: Settings) -> None:
    version = write_draft(session)
    strict: Any = replace(settings, compliance_profile="cn-strict")

    check(session, version, strict)

    kept = latest(session, version)
    assert (kept.profile, kept.is_blocked) == ("cn-strict", True)
    assert ("C4", "BLOCK") in rules_found(kept)
    assert session.get_one(PlanVersion, version.id).state.value == "draft"
