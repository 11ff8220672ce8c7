"""The periods of a customer's bindings and the steps that made them what they are.

Whoever writes here holds the lock on the customer's row of `members`, so all writers of one
customer's history stand in line. What is written changes nothing before its own instant: asked
about a past instant, the history gives the same answer for ever.

Order of locks: rows of `members` by id, then nothing further. Bindings need no lock of their own;
an exclusion constraint refuses overlapping periods all the same.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution.models import Binding, BindingStep
from app.attribution.rules import (
    BindingEvent,
    BindingRule,
    BindingState,
    Held,
    Owner,
    TouchSource,
)
from app.members.errors import MemberNotFound
from app.members.models import Distributor, Member
from app.members.states import Standing
from app.settings import Settings
from app.stores.models import Store

BY_SYSTEM: Final = "system"


@dataclass(frozen=True, slots=True)
class Cause:
    """What made a step happen."""

    actor: str
    reason: str
    touch_id: int | None = None
    order_id: int | None = None


@dataclass(frozen=True, slots=True)
class Newest:
    """The latest period of a customer, if any, and the instant of the last step taken."""

    binding: Binding | None
    last_at: datetime | None

    def not_before(self, now: datetime) -> datetime:
        """Return `now`, or the last step's instant where another transaction overtook this one."""
        return now if self.last_at is None else max(now, self.last_at)

    def in_force(self, at: datetime) -> Binding | None:
        """Return the latest period where it covers an instant not before its beginning."""
        binding = self.binding
        return binding if binding is not None and at < binding.valid_until_at else None


def lock_customer(session: Session, customer_id: int, owner: Owner | None = None) -> Member:
    """Lock a customer's row, also of one who was deleted. Raises `MemberNotFound`.

    Where the customer is a distributor too, the owner-to-be is locked against being won by them at
    the same moment. Other customers of the same owner are not held up: they share that lock.
    """
    locks = {customer_id: False}
    owner_id = owner.distributor_id if owner else None
    if owner_id is not None and session.get(Distributor, customer_id) is not None:
        locks.setdefault(owner_id, True)
    found = {}
    for member_id, is_shared in sorted(locks.items()):
        found[member_id] = session.scalar(
            sa.select(Member)
            .where(Member.id == member_id)
            .with_for_update(read=is_shared, key_share=not is_shared)
            .execution_options(populate_existing=True)
        )
    customer = found[customer_id]
    if customer is None:
        raise MemberNotFound
    return customer


def newest(session: Session, customer_id: int) -> Newest:
    """Read the latest period of a customer who is locked."""
    binding = session.scalar(
        sa.select(Binding)
        .where(Binding.customer_id == customer_id)
        .order_by(Binding.valid_from_at.desc(), Binding.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    if binding is None:
        return Newest(None, None)
    last_at = session.scalar(
        sa.select(sa.func.max(BindingStep.at)).where(BindingStep.binding_id == binding.id)
    )
    return Newest(binding, last_at)


def held(binding: Binding | None) -> Held | None:
    """Return what the rules need to know of the binding in force."""
    if binding is None:
        return None
    return Held(
        owner=owner_of(binding),
        state=binding.state,
        source=binding.source,
        valid_until_at=binding.valid_until_at,
        rule=BindingRule.from_json(binding.rule),
    )


def owner_of(binding: Binding) -> Owner:
    """Return who owns the customer of a binding."""
    return Owner.of(binding.owner_id, binding.owner_store_id)


def rule_now(settings: Settings) -> BindingRule:
    """Return the rule that a binding made now lives by."""
    return BindingRule(
        binding_soft_seconds=settings.binding_soft_seconds,
        binding_lock_seconds=settings.binding_lock_seconds,
        existing_customers_bindable=settings.existing_customers_bindable,
    )


def is_active(session: Session, owner: Owner) -> bool:
    """Tell whether an owner may win and keep customers at present."""
    if owner.store_id is not None:
        store = session.get(Store, owner.store_id)
        return store is not None and store.is_open
    standing = session.scalar(
        sa.select(Distributor.standing).where(Distributor.member_id == owner.distributor_id)
    )
    return standing is Standing.ACTIVE


def is_mutual(session: Session, customer_id: int, owner: Owner, *, at: datetime) -> bool:
    """Tell whether the owner is, at an instant, the customer's own customer."""
    if owner.distributor_id is None:
        return False
    found = sa.select(Binding.id).where(
        Binding.customer_id == owner.distributor_id,
        Binding.owner_id == customer_id,
        Binding.valid_from_at <= at,
        Binding.valid_until_at > at,
    )
    return session.scalar(found) is not None


@dataclass(frozen=True, slots=True)
class Period:
    """What a new binding is made of."""

    customer_id: int
    owner: Owner
    state: BindingState
    source: TouchSource
    rule: BindingRule
    from_at: datetime
    until_at: datetime


def begin(session: Session, period: Period) -> Binding:
    """Write a new binding; its first step is for the caller, who knows the cause."""
    binding = Binding(
        customer_id=period.customer_id,
        owner_id=period.owner.distributor_id,
        owner_store_id=period.owner.store_id,
        state=period.state,
        source=period.source,
        valid_from_at=period.from_at,
        valid_until_at=period.until_at,
        rule=period.rule.to_json(),
    )
    session.add(binding)
    session.flush()
    return binding


def end(session: Session, binding: Binding, *, at: datetime) -> None:
    """End a binding that is in force; its step is for the caller, who knows the cause."""
    binding.valid_until_at = at
    session.flush()


def add_step(
    session: Session, binding: Binding, event: BindingEvent, cause: Cause, *, at: datetime
) -> None:
    """Record what happened to a binding, with its end as it now stands."""
    session.add(
        BindingStep(
            binding_id=binding.id,
            event=event,
            at=at,
            valid_until_at=binding.valid_until_at,
            touch_id=cause.touch_id,
            order_id=cause.order_id,
            actor=cause.actor,
            reason=cause.reason,
        )
    )
    session.flush()
