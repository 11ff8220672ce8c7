"""What happens to bindings other than by touches: payment locks, staff transfer or end them."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution import history
from app.attribution.errors import NoBindingInForce, OwnerRefused
from app.attribution.history import BY_SYSTEM, Cause, Period
from app.attribution.models import Binding, BindingStep
from app.attribution.rules import (
    BindingEvent,
    BindingRule,
    BindingState,
    Owner,
    OwnerKind,
    TouchReason,
)
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.members.decisions import require_reason, require_two_desks
from app.members.queries import household_of
from app.settings import Settings
from app.stores.independence import require_unconcerned

PAID = "paid"
PAID_AFTER_LAPSE = "paid_after_lapse"


def lock_binding(
    session: Session,
    *,
    customer_id: int,
    binding_id: int | None,
    order_id: int,
    settings: Settings,
    now: datetime,
) -> Binding | None:
    """Protect the owner of a customer whose order was just paid; return the binding protected.

    `binding_id` is the one the order was made under. It is locked for the period of its own rule,
    counted from now and never shortened. Where it lapsed between order and payment and nobody else
    holds the customer, the owner gets a new, locked period. Nothing happens where the customer was
    not bound, where another owner took over, or where the owner may not win customers at present:
    what protection is left then runs out, and the customer is the brand's again.
    """
    if binding_id is None:
        return None
    history.lock_customer(session, customer_id)
    latest = history.newest(session, customer_id)
    at = latest.not_before(now)
    binding = latest.binding
    if binding is None or binding.id != binding_id or not _may_keep(session, binding):
        return None
    if latest.in_force(at) is None:
        return _begin_locked(session, binding, settings, order_id=order_id, at=at)
    rule = BindingRule.from_json(binding.rule)
    binding.state = BindingState.LOCKED
    binding.valid_until_at = max(binding.valid_until_at, rule.locked_until(at))
    cause = Cause(BY_SYSTEM, PAID, order_id=order_id)
    history.add_step(session, binding, BindingEvent.LOCKED, cause, at=at)
    return binding


def _may_keep(session: Session, binding: Binding) -> bool:
    """Tell whether a payment protects the owner: active, and not relieved by staff."""
    ended = sa.select(BindingStep.id).where(
        BindingStep.binding_id == binding.id, BindingStep.event == BindingEvent.ENDED
    )
    is_relieved = session.scalar(ended) is not None
    return not is_relieved and history.is_active(session, history.owner_of(binding))


def _begin_locked(
    session: Session, lapsed: Binding, settings: Settings, *, order_id: int, at: datetime
) -> Binding:
    rule = history.rule_now(settings)
    binding = history.begin(
        session,
        Period(
            customer_id=lapsed.customer_id,
            owner=history.owner_of(lapsed),
            state=BindingState.LOCKED,
            source=lapsed.source,
            rule=rule,
            from_at=at,
            until_at=rule.locked_until(at),
        ),
    )
    cause = Cause(BY_SYSTEM, PAID_AFTER_LAPSE, order_id=order_id)
    history.add_step(session, binding, BindingEvent.BOUND, cause, at=at)
    history.add_step(session, binding, BindingEvent.LOCKED, cause, at=at)
    return binding


def transfer_binding(  # noqa: PLR0913 - one decision: about whom, to whom, by whom, why, when
    session: Session,
    *,
    customer_id: int,
    to_owner_id: int,
    actor: Actor,
    second_actor: Actor,
    reason: str,
    now: datetime,
) -> Binding:
    """Hand a customer over to another distributor for the rest of the period in force.

    Raises what `hand_over` does.
    """
    return hand_over(
        session,
        customer_id=customer_id,
        owner=Owner(OwnerKind.DISTRIBUTOR, to_owner_id),
        actor=actor,
        second_actor=second_actor,
        reason=reason,
        now=now,
    )


def hand_over(  # noqa: PLR0913 - one decision: about whom, to whom, by whom, why, when
    session: Session,
    *,
    customer_id: int,
    owner: Owner,
    actor: Actor,
    second_actor: Actor,
    reason: str,
    now: datetime,
) -> Binding:
    """Hand a customer over to a distributor or a store for the rest of the period in force.

    Two different members of staff decide it, with a reason. Orders made before keep their owner.
    Raises `SecondPersonRequired`, `ReasonRequired`, `NoBindingInForce`, `OwnerRefused` for one who
    could not have won this customer either, `MemberNotFound`, `NotIndependent`, `OwnMatter`.
    """
    require_two_desks(session, actor, second_actor, now=now)
    require_unconcerned(session, [actor, second_actor], owner.distributor_id)
    require_reason(reason)
    old, at = _lock_for_transfer(session, customer_id, owner, now=now)
    until_at = old.valid_until_at
    history.end(session, old, at=at)
    new = history.begin(
        session,
        Period(
            customer_id=customer_id,
            owner=owner,
            state=old.state,
            source=old.source,
            rule=BindingRule.from_json(old.rule),
            from_at=at,
            until_at=until_at,
        ),
    )
    cause = Cause(f"{actor}+{second_actor}", reason)
    history.add_step(session, old, BindingEvent.TRANSFERRED, cause, at=at)
    history.add_step(session, new, BindingEvent.BOUND, cause, at=at)
    if new.state is BindingState.LOCKED:
        history.add_step(session, new, BindingEvent.LOCKED, cause, at=at)
    change = Change(_facts(old), {**_facts(new), "second_actor": str(second_actor)}, reason)
    audit.record(
        session, actor, "binding_transferred", Subject("member", customer_id), change, now=at
    )
    return new


def require_transferable(
    session: Session, customer_id: int, owner: Owner, *, now: datetime
) -> None:
    """Raise what `hand_over` would, were it asked now; locks the customer."""
    _lock_for_transfer(session, customer_id, owner, now=now)


def _lock_for_transfer(
    session: Session, customer_id: int, owner: Owner, *, now: datetime
) -> tuple[Binding, datetime]:
    """Lock a customer who may go to a new owner; return the binding and the instant to act at."""
    old, at = _lock_in_force(session, customer_id, owner, now=now)
    _check_new_owner(session, old, owner, at=at)
    return old, at


def end_binding(
    session: Session,
    *,
    customer_id: int,
    actor: Actor,
    second_actor: Actor,
    reason: str,
    now: datetime,
) -> Binding:
    """Give a customer back to the brand; the next touch may bind them.

    Two different members of staff decide it, with a reason. Raises `SecondPersonRequired`,
    `ReasonRequired`, `NoBindingInForce`, `MemberNotFound`.
    """
    require_two_desks(session, actor, second_actor, now=now)
    require_reason(reason)
    binding, at = _lock_in_force(session, customer_id, None, now=now)
    history.end(session, binding, at=at)
    cause = Cause(f"{actor}+{second_actor}", reason)
    history.add_step(session, binding, BindingEvent.ENDED, cause, at=at)
    change = Change(_facts(binding), {"second_actor": str(second_actor)}, reason)
    audit.record(session, actor, "binding_ended", Subject("member", customer_id), change, now=at)
    return binding


def _lock_in_force(
    session: Session, customer_id: int, owner: Owner | None, *, now: datetime
) -> tuple[Binding, datetime]:
    """Lock a customer and return their binding in force, with the instant to act at."""
    history.lock_customer(session, customer_id, owner)
    latest = history.newest(session, customer_id)
    at = latest.not_before(now)
    binding = latest.in_force(at)
    if binding is None:
        raise NoBindingInForce
    return binding, at


def _check_new_owner(session: Session, old: Binding, owner: Owner, *, at: datetime) -> None:
    customer_id = old.customer_id
    person_ids = set() if owner.distributor_id is None else {owner.distributor_id}
    obstacles = {
        TouchReason.SELF: customer_id in person_ids,
        TouchReason.SAME_OWNER: owner == history.owner_of(old),
        TouchReason.OWNER_NOT_ACTIVE: not history.is_active(session, owner),
        TouchReason.HOUSEHOLD: bool(household_of(session, customer_id, person_ids)),
        TouchReason.MUTUAL: history.is_mutual(session, customer_id, owner, at=at),
    }
    for reason, stands_in_the_way in obstacles.items():
        if stands_in_the_way:
            raise OwnerRefused(reason)


def _facts(binding: Binding) -> dict[str, object]:
    return {
        "binding_id": binding.id,
        "owner_id": binding.owner_id,
        "owner_store_id": binding.owner_store_id,
        "state": binding.state.value,
        "valid_until_at": binding.valid_until_at.isoformat(),
    }
