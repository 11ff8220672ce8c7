"""Kinds of guest cards: what they are good for, where, for how long, and who may give how many.

A change alters nothing that was shared before: cards copy what they need.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.catalog.models import Product, ProductKind
from app.guest_cards.errors import (
    CardTemplateEnded,
    CardTemplateInvalid,
    CardTemplateNotFound,
)
from app.guest_cards.models import MONEY_MAX, CardLevelQuota, CardTemplate, CardTemplateService
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.members.decisions import require_reason
from app.members.profiles import has_controls
from app.stores.models import Store

NAME_LENGTH_MAX: Final = 40
DESCRIPTION_LENGTH_MAX: Final = 500
SERVICES_MAX: Final = 10
COUNT_MAX: Final = 99
QUOTA_MAX: Final = 999
LEVEL_MAX: Final = 9
VALID_DAYS_MAX: Final = 366
SLOT_MINUTES: Final = range(10, 481)
SLOT_CAPACITY: Final = range(1, 100)
REWARD_POINTS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSpec:
    """What staff say of a kind of card. `store_ids` None stands for all stores."""

    name: str
    face_value_fen: int
    services: Mapping[int, int]
    """How many times of each service, by product."""
    valid_days: int
    description: str = ""
    cost_fen: int = 0
    settle_price_fen: int = 0
    store_ids: tuple[int, ...] | None = None
    ends_at: datetime | None = None
    is_new_only: bool = True
    slot_minutes: int | None = None
    slot_capacity: int | None = None
    reward_points: int = 0
    reward_coupon_template_id: int | None = None
    quotas: Mapping[int, int] = field(default_factory=dict)
    """How many a distributor of a level may share in a month, by level."""


def create_template(
    session: Session,
    spec: TemplateSpec,
    *,
    scope: Collection[int] | None,
    actor: Actor,
    now: datetime,
) -> CardTemplate:
    """Make a kind of card. `scope` are the stores of whoever makes it, None for all.

    Raises `CardTemplateInvalid`.
    """
    _check(session, spec, scope=scope)
    template = CardTemplate(created_at=now)
    _fill(template, spec)
    _fill_lists(template, spec)
    session.add(template)
    session.flush()
    _record(session, actor, "card_template_created", template, Change(after=facts(spec)), now=now)
    return template


def change_template(
    session: Session,
    template_id: int,
    spec: TemplateSpec,
    *,
    scope: Collection[int] | None,
    actor: Actor,
    now: datetime,
) -> CardTemplate:
    """Change a kind of card for those that are shared from now on.

    A month's quota that was granted before is not made smaller. Raises `CardTemplateNotFound`,
    `CardTemplateEnded`, `CardTemplateInvalid`.
    """
    template = _locked(session, template_id, scope=scope)
    if template.ended_at is not None:
        raise CardTemplateEnded
    _check(session, spec, scope=scope)
    before = facts(spec_of(template))
    _fill(template, spec)
    template.services, template.level_quotas = [], []
    session.flush()
    _fill_lists(template, spec)
    session.flush()
    _record(
        session,
        actor,
        "card_template_changed",
        template,
        Change(before=before, after=facts(spec)),
        now=now,
    )
    return template


def end_template(
    session: Session,
    template_id: int,
    *,
    reason: str,
    scope: Collection[int] | None,
    actor: Actor,
    now: datetime,
) -> CardTemplate:
    """Let nobody share cards of a kind any more; those that were shared stay good.

    Raises `ReasonRequired`, `CardTemplateNotFound`, `CardTemplateEnded`.
    """
    require_reason(reason)
    template = _locked(session, template_id, scope=scope)
    if template.ended_at is not None:
        raise CardTemplateEnded
    template.ended_at = now
    session.flush()
    _record(session, actor, "card_template_ended", template, Change(reason=reason), now=now)
    return template


def spec_of(template: CardTemplate) -> TemplateSpec:
    """Return what a template says; its lists must be loaded."""
    return TemplateSpec(
        name=template.name,
        description=template.description,
        face_value_fen=template.face_value_fen,
        cost_fen=template.cost_fen,
        settle_price_fen=template.settle_price_fen,
        store_ids=None if template.store_ids is None else tuple(template.store_ids),
        valid_days=template.valid_days,
        ends_at=template.ends_at,
        is_new_only=template.is_new_only,
        slot_minutes=template.slot_minutes,
        slot_capacity=template.slot_capacity,
        reward_points=template.reward_points,
        reward_coupon_template_id=template.reward_coupon_template_id,
        services={row.product_id: row.count for row in template.services},
        quotas={row.level: row.count for row in template.level_quotas},
    )


def facts(spec: TemplateSpec) -> dict[str, Any]:
    """Return a spec as the audit trail keeps it."""
    plain: dict[str, Any] = {name: getattr(spec, name) for name in spec.__slots__}
    plain["store_ids"] = None if spec.store_ids is None else sorted(spec.store_ids)
    plain["ends_at"] = None if spec.ends_at is None else spec.ends_at.isoformat()
    for name in ("services", "quotas"):
        plain[name] = {str(key): count for key, count in sorted(plain[name].items())}
    return plain


def loaded() -> sa.Select[CardTemplate]:
    """Return a select of templates with their services and quotas."""
    return sa.select(CardTemplate).options(
        selectinload(CardTemplate.services), selectinload(CardTemplate.level_quotas)
    )


def may_edit(template: CardTemplate, scope: Collection[int] | None) -> bool:
    """Tell whether staff of some stores may change a kind of card: all its stores are theirs."""
    if scope is None:
        return True
    return template.store_ids is not None and set(template.store_ids) <= set(scope)


def _locked(session: Session, template_id: int, *, scope: Collection[int] | None) -> CardTemplate:
    template = session.scalar(
        loaded()
        .where(CardTemplate.id == template_id)
        .with_for_update(of=CardTemplate)
        .execution_options(populate_existing=True)
    )
    if template is None or not may_edit(template, scope):
        raise CardTemplateNotFound
    return template


def _check(session: Session, spec: TemplateSpec, *, scope: Collection[int] | None) -> None:
    """Raise `CardTemplateInvalid` for the first field that lies outside what is allowed."""
    for name, is_right in _figures(spec).items():
        if not is_right:
            raise CardTemplateInvalid(name)
    if not _stores_are_right(session, spec.store_ids, scope):
        raise CardTemplateInvalid("store_ids")
    if not _are_services(session, spec.services):
        raise CardTemplateInvalid("services")


def _figures(spec: TemplateSpec) -> dict[str, bool]:
    """Return for each field whether it can be what it is, without asking the database."""
    has_slots = spec.slot_minutes is not None
    return {
        "name": 1 <= len(spec.name.strip()) <= NAME_LENGTH_MAX and not has_controls(spec.name),
        "description": len(spec.description) <= DESCRIPTION_LENGTH_MAX,
        "face_value_fen": 1 <= spec.face_value_fen <= MONEY_MAX,
        "cost_fen": 0 <= spec.cost_fen <= MONEY_MAX,
        "settle_price_fen": 0 <= spec.settle_price_fen <= MONEY_MAX,
        "valid_days": 1 <= spec.valid_days <= VALID_DAYS_MAX,
        "slot_minutes": not has_slots or spec.slot_minutes in SLOT_MINUTES,
        "slot_capacity": spec.slot_capacity in SLOT_CAPACITY
        if has_slots
        else spec.slot_capacity is None,
        "reward_points": 0 <= spec.reward_points <= REWARD_POINTS_MAX,
        "services": 1 <= len(spec.services) <= SERVICES_MAX
        and all(1 <= count <= COUNT_MAX for count in spec.services.values()),
        "quotas": all(
            1 <= level <= LEVEL_MAX and 0 <= count <= QUOTA_MAX
            for level, count in spec.quotas.items()
        ),
    }


def _stores_are_right(
    session: Session, store_ids: tuple[int, ...] | None, scope: Collection[int] | None
) -> bool:
    if store_ids is None:
        return scope is None
    if not store_ids or (scope is not None and not set(store_ids) <= set(scope)):
        return False
    wanted = set(store_ids)
    return wanted == set(session.scalars(sa.select(Store.id).where(Store.id.in_(wanted))))


def _are_services(session: Session, services: Mapping[int, int]) -> bool:
    found = session.scalars(
        sa.select(Product.id).where(
            Product.id.in_(list(services)), Product.kind == ProductKind.SERVICE
        )
    )
    return set(found) == set(services)


def _fill(template: CardTemplate, spec: TemplateSpec) -> None:
    for name in spec.__slots__:
        if name not in {"services", "quotas", "store_ids", "name"}:
            setattr(template, name, getattr(spec, name))
    template.name = spec.name.strip()
    template.store_ids = None if spec.store_ids is None else sorted(set(spec.store_ids))


def _fill_lists(template: CardTemplate, spec: TemplateSpec) -> None:
    template.services = [
        CardTemplateService(product_id=product_id, count=count)
        for product_id, count in sorted(spec.services.items())
    ]
    template.level_quotas = [
        CardLevelQuota(level=level, count=count)
        for level, count in sorted(spec.quotas.items())
        if count
    ]


def _record(
    session: Session,
    actor: Actor,
    action: str,
    template: CardTemplate,
    change: Change,
    *,
    now: datetime,
) -> None:
    stores = template.store_ids or []
    subject = Subject("card_template", template.id, stores[0] if len(stores) == 1 else None)
    audit.record(session, actor, action, subject, change, now=now)
