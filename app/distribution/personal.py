"""What a member sees of plans: the rules in force, their places, and what they did not earn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.encoding import place_from_row
from app.distribution.models import AwardRefusal
from app.distribution.plan_records import PlanPlace
from app.engines.explaining import explain_facts
from app.engines.parameters import PlanParameters
from app.engines.places import Place
from app.engines.registry import MODELS
from app.kernel.i18n import N_, Message
from app.kernel.money import percent
from app.orders.models import Order
from app.plans.models import Plan, PlanVersion
from app.plans.queries import rules_of, versions_in_force

CAP = N_("Commission on a line is at most %(cap)s of what was paid for it.")
WAITING = N_(
    "It can be withdrawn %(days)s days after the customer received what they bought, and not before"
    " the time for returning it is over."
)
REVERSED = N_("Refunds take commission back, in proportion to what is refunded.")
THERE = N_("You have a place in this plan.")
NO_PROMISE = N_("Nobody is promised an income: what is earned depends on what customers buy.")


@dataclass(frozen=True, slots=True)
class PublicRules:
    """The rules of a plan in force as everybody may read them."""

    name: str
    model: str
    title: Message
    sentences: tuple[Message, ...]
    public_rules: str
    agreement_version: str
    since_at: datetime


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Somebody's place in a plan, in words; `number` tells several places of one plan apart."""

    plan_id: int
    plan_name: str
    model: str
    number: int
    sentences: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """Something that was not earned, and why."""

    id: int
    order_number: str | None
    reason: str
    created_at: datetime
    explanation: tuple[Message, ...]


def public_rules(session: Session, *, at: datetime) -> list[PublicRules]:
    """Return the rules of every plan in force, in words (the public rule page of rule C18)."""
    versions = versions_in_force(session, at=at)
    names = dict(
        session.execute(
            sa.select(Plan.id, Plan.name).where(Plan.id.in_([one.plan_id for one in versions]))
        ).all()
    )
    return [_public(version, names[version.plan_id]) for version in versions]


def rules_in_words(version_id: int) -> tuple[Message, ...]:
    """Return what a published version says, with the parts that all models share."""
    rules = rules_of(version_id)
    days = rules.settle_seconds // 86_400
    return (
        *MODELS[rules.model].describe(rules),
        Message(CAP, {"cap": percent(rules.payout_cap_bp)}),
        Message(WAITING, {"days": days}),
        Message(REVERSED),
        Message(NO_PROMISE),
    )


def places_of(session: Session, member_id: int) -> list[PlaceRow]:
    """Return a member's places in plans, each told by its model."""
    rows: Sequence[Any] = session.execute(
        sa.select(*PlanPlace.__table__.columns, Plan.name, Plan.model)
        .join(Plan, Plan.id == PlanPlace.plan_id)
        .where(PlanPlace.member_id == member_id)
        .order_by(PlanPlace.plan_id, PlanPlace.number)
    ).all()
    latest = latest_versions(session, {row.plan_id for row in rows})
    told = []
    for row in rows:
        model = MODELS[row.model]
        if model.place is None or row.plan_id not in latest:
            continue
        place = place_from_row(model.place, row)
        tell = model.tell or _just_there
        sentences = tuple(tell(rules_of(latest[row.plan_id]), place))
        told.append(PlaceRow(row.plan_id, row.name, row.model, row.number, sentences))
    return told


def refusals_page(
    session: Session, member_id: int, *, after_id: int | None, limit: int
) -> list[RefusalRow]:
    """Return one page of what a member did not earn, the newest first, and why."""
    wanted = (
        sa.select(AwardRefusal, Order.number)
        .outerjoin(Order, Order.id == AwardRefusal.order_id)
        .where(AwardRefusal.beneficiary_id == member_id)
    )
    if after_id is not None:
        wanted = wanted.where(AwardRefusal.id < after_id)
    rows = session.execute(wanted.order_by(AwardRefusal.id.desc()).limit(limit)).all()
    return [
        RefusalRow(
            id=refusal.id,
            order_number=number,
            reason=refusal.reason,
            created_at=refusal.created_at,
            explanation=explain_facts(refusal.explanation),
        )
        for refusal, number in rows
    ]


def _just_there(_rules: PlanParameters, _place: Place) -> tuple[Message, ...]:
    """What can be said of a place in a model that does not tell of it."""
    return (Message(THERE),)


def _public(version: PlanVersion, name: str) -> PublicRules:
    rules = rules_of(version.id)
    assert version.effective_from_at is not None, "in force since some instant"
    return PublicRules(
        name=name,
        model=rules.model,
        title=Message(MODELS[rules.model].title),
        sentences=rules_in_words(version.id),
        public_rules=rules.conduct.public_rules,
        agreement_version=rules.conduct.agreement_version,
        since_at=version.effective_from_at,
    )


def latest_versions(session: Session, plan_ids: set[int]) -> dict[int, int]:
    """Return the version that is in force last in each plan."""
    rows = session.execute(
        sa.select(PlanVersion.plan_id, PlanVersion.id)
        .where(PlanVersion.plan_id.in_(plan_ids), PlanVersion.effective_from_at.is_not(None))
        .order_by(PlanVersion.plan_id, PlanVersion.effective_from_at)
    )
    return {row.plan_id: row.id for row in rows}
