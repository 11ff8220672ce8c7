"""The compliance check of a version, with all that is outside of the plan gathered around it.

The check itself is pure (`app.engines.compliance`). Here its surroundings are read in sets: what
the plan may sell and where, who holds seats already, how cash reaches people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import Product
from app.distribution.plan_records import PlanPlace
from app.engines.bound import PayoutBound
from app.engines.compliance.check import check
from app.engines.compliance.dossier import (
    Outside,
    PayoutFacts,
    ProductFacts,
    TextFacts,
    dossier_of,
)
from app.engines.compliance.findings import Finding
from app.engines.contract import Family
from app.engines.documents import load_rules
from app.engines.parameters import PlanParameters
from app.engines.registry import MODELS
from app.engines.shareholders.holdings import HoldingState
from app.kernel.audit import Actor
from app.kernel.db import atomic, retrying
from app.kernel.i18n import Message
from app.plans import publishing
from app.plans import services as plans
from app.plans.errors import PlanBlocked, PlanNotConfirmed
from app.plans.models import Plan, PlanCheck, PlanVersion
from app.plans.scopes import Scope
from app.settings import Settings
from app.stores.models import Store

MESSAGE_MARK = "message"


@dataclass(frozen=True, slots=True)
class Preview:
    """What the check says of rules that nobody has saved."""

    bound: PayoutBound
    findings: tuple[Finding, ...]


def gather(session: Session, rules: PlanParameters, scope: Scope, settings: Settings) -> Outside:
    """Read what is outside of a plan: products that it pays for, stores, shareholders, payouts."""
    products = _products(session, rules, scope)
    return Outside(
        products=tuple(
            ProductFacts(
                product_id=row.id,
                price_fen=row.price_fen,
                list_price_fen=row.list_price_fen,
                is_refundable=row.is_refundable,
                is_medical=row.is_medical,
            )
            for row in products
        ),
        texts=tuple(
            TextFacts(f"product {row.id}", f"{row.title}\n{row.title_en}\n{row.description}")
            for row in products
        ),
        payout=PayoutFacts(
            is_scene_set=bool(settings.wechat_transfer_scene_id),
            single_min_fen=settings.transfer_min_fen,
            single_max_fen=settings.transfer_max_fen,
            person_day_max_fen=settings.transfer_member_day_fen,
        ),
        store_count=_store_count(session, scope),
        shareholders=_shareholders(session),
        cap_max_bp=settings.payout_cap_max_bp,
    )


def preview(session: Session, rules: PlanParameters, scope: Scope, settings: Settings) -> Preview:
    """Check rules that nobody has saved; nothing is written."""
    outside = gather(session, rules, scope, settings)
    dossier = dossier_of(rules, outside)
    return Preview(dossier.bound, check(dossier, settings.compliance_profile))


def record(
    session: Session, version_id: int, *, settings: Settings, actor: Actor, now: datetime
) -> PlanCheck:
    """Check a version as it stands and keep what was found; it is locked meanwhile."""
    version = plans.lock_version(session, version_id)
    rules, scope = load_rules(version.rules), Scope.read(version.scope)
    found = preview(session, rules, scope, settings)
    verdict = plans.Verdict(
        profile=settings.compliance_profile,
        findings=tuple(finding_to_json(one) for one in found.findings),
        bound=found.bound,
    )
    return plans.record_check(session, version_id, verdict, actor=actor, now=now)


def check_version(version_id: int, *, settings: Settings, actor: Actor, now: datetime) -> PlanCheck:
    """Check a version in a transaction of its own. Raises PlanNotFound."""

    def act() -> PlanCheck:
        with atomic() as session:
            return record(session, version_id, settings=settings, actor=actor, now=now)

    return retrying(act)


def publish_version(
    version_id: int,
    *,
    effective_from_at: datetime,
    settings: Settings,
    actor: Actor,
    now: datetime,
) -> PlanVersion:
    """Check an approved version once more, and put it in force, in one transaction.

    Products and settings may have changed since it was approved. Where the check now forbids it,
    nothing is published, and what was found is kept. Raises what `publishing.publish` raises.
    """

    def act() -> PlanVersion:
        with atomic() as session:
            plans.demand_approved(session, version_id)
            record(session, version_id, settings=settings, actor=actor, now=now)
            return publishing.publish(
                session, version_id, actor=actor, effective_from_at=effective_from_at, now=now
            )

    try:
        return retrying(act)
    except (PlanBlocked, PlanNotConfirmed):
        check_version(version_id, settings=settings, actor=actor, now=now)
        raise


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as it is kept; `finding_message` tells it again in any language."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "text": finding.message.text,
        "facts": {name: _plain(value) for name, value in finding.message.parameters.items()},
        "citation": finding.citation,
    }


def finding_message(stored: Mapping[str, Any]) -> Message:
    """Return the sentence of a kept finding.

    >>> finding_message({"text": "%(a)s %(b)s", "facts": {"a": 1, "b": {"message": "x"}}})
    Message(text='%(a)s %(b)s', parameters={'a': 1, 'b': Message(text='x', parameters={})})
    """
    facts = stored.get("facts", {})
    return Message(str(stored["text"]), {name: _parsed(value) for name, value in facts.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        facts = {name: _plain(one) for name, one in value.parameters.items()}
        return {MESSAGE_MARK: value.text, "facts": facts}
    return value if isinstance(value, int | str | None) else str(value)


def _parsed(value: Any) -> Any:
    if isinstance(value, dict) and MESSAGE_MARK in value:
        return finding_message({"text": value[MESSAGE_MARK], "facts": value.get("facts", {})})
    return value


def _products(session: Session, rules: PlanParameters, scope: Scope) -> Sequence[Product]:
    """Return the products that may earn commission under a plan, whether on sale already or not."""
    query = sa.select(Product).where(Product.is_distributable).order_by(Product.id)
    if scope.product_ids is not None:
        query = query.where(Product.id.in_(scope.product_ids))
    excluded = _excluded(rules)
    if excluded:
        query = query.where(Product.id.not_in(excluded))
    return session.scalars(query).all()


def _excluded(rules: PlanParameters) -> list[int]:
    """Return the products that a plan's own terms leave out."""
    return [
        product_id
        for name in ("product_rates", "product_commissions")
        for product_id, own in getattr(rules, name, {}).items()
        if own.excluded
    ]


def _store_count(session: Session, scope: Scope) -> int:
    if scope.store_ids is not None:
        return len(scope.store_ids)
    return session.scalar(sa.select(sa.func.count()).select_from(Store)) or 0


def _shareholders(session: Session) -> int:
    """Count the people who hold a seat at any store."""
    models = [one.code for one in MODELS.values() if one.family is Family.SHAREHOLDERS]
    count = session.scalar(
        sa.select(sa.func.count(sa.distinct(PlanPlace.member_id)))
        .join(Plan, Plan.id == PlanPlace.plan_id)
        .where(Plan.model.in_(models), PlanPlace.facts["state"].astext == HoldingState.ACTIVE.value)
    )
    return count or 0
