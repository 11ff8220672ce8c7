"""Recording touches: gather the facts, let the rules decide, write down both."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.attribution import history
from app.attribution.codes import live_code
from app.attribution.guessing import address_key
from app.attribution.history import Cause, Newest, Period
from app.attribution.models import Binding, ShareCode, Touch
from app.attribution.rules import (
    BindingEvent,
    BindingRule,
    BindingState,
    Decision,
    Facts,
    Owner,
    Terms,
    TouchOutcome,
    TouchReason,
    TouchSource,
    decide_touch,
)
from app.kernel.secrecy import vault
from app.members.errors import MemberNotFound
from app.members.models import Distributor, Member
from app.members.queries import household_of
from app.members.sessions import remember_device
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class TouchResult:
    """What a touch did, and where the code leads.

    Who owns the customer is told only where the touch's owner does: of a refused touch the caller
    learns the reason and nothing of the other owner.
    """

    outcome: TouchOutcome
    reason: TouchReason
    binding_id: int | None
    owner_id: int | None
    owner_store_id: int | None
    valid_until_at: datetime | None
    page: str
    product_id: int | None


@dataclass(frozen=True, slots=True)
class _Scene:
    """One touch while it is being worked on."""

    code: ShareCode
    member: Member
    source: TouchSource
    device_hash: str | None
    ip_hash: str | None
    at: datetime
    newest: Newest

    @property
    def owner(self) -> Owner:
        return Owner.of(self.code.distributor_id, self.code.owner_store_id)


def record_touch(  # noqa: PLR0913 - the facts of one request, all by keyword
    session: Session,
    *,
    code: str,
    member_id: int,
    source: TouchSource,
    device_id: str | None,
    ip: str | None,
    settings: Settings,
    now: datetime,
) -> TouchResult:
    """Record that a member met a share code, and bind, renew, keep or refuse by the rules.

    The caller answers for `source`: a member's own client may claim `rules.SELF_REPORTED` only.
    Raises `CodeUnknown`, `CodeRevoked`, `MemberNotFound`; whoever serves strangers wraps the call
    in `guessing.counting_misses`.
    """
    share_code = live_code(session, code)
    owner = Owner.of(share_code.distributor_id, share_code.owner_store_id)
    member = history.lock_customer(session, member_id, owner)
    if member.deleted_at is not None:
        raise MemberNotFound
    newest = history.newest(session, member_id)
    scene = _Scene(
        code=share_code,
        member=member,
        source=source,
        device_hash=vault().look_up("device", device_id) if device_id else None,
        ip_hash=address_key(ip) if ip else None,
        at=newest.not_before(now),
        newest=newest,
    )
    if scene.device_hash is not None:
        remember_device(session, member_id, scene.device_hash, now=scene.at)
    decision = decide_touch(_gather(session, scene, settings))
    binding = _write(session, scene, decision, history.rule_now(settings))
    return TouchResult(
        outcome=decision.outcome,
        reason=decision.reason,
        binding_id=binding.id if binding else None,
        owner_id=binding.owner_id if binding else None,
        owner_store_id=binding.owner_store_id if binding else None,
        valid_until_at=binding.valid_until_at if binding else None,
        page=share_code.page,
        product_id=share_code.product_id,
    )


def _gather(session: Session, scene: _Scene, settings: Settings) -> Facts:
    owner, member_id = scene.owner, scene.member.id
    others = {owner.distributor_id} if owner.distributor_id is not None else set()
    return Facts(
        now=scene.at,
        owner=owner,
        source=scene.source,
        rule=history.rule_now(settings),
        held=history.held(scene.newest.in_force(scene.at)),
        was_bound=scene.newest.binding is not None,
        has_paid=scene.member.first_paid_at is not None,
        owner_is_active=history.is_active(session, owner),
        is_self=owner.distributor_id == member_id,
        is_household=bool(household_of(session, member_id, others)),
        is_mutual=history.is_mutual(session, member_id, owner, at=scene.at),
    )


def _write(
    session: Session, scene: _Scene, decision: Decision, rule: BindingRule
) -> Binding | None:
    """Write the touch and what it does; return the binding that stands for its owner."""
    in_force = scene.newest.in_force(scene.at)
    if decision.terms is None:
        kept = in_force if decision.outcome is TouchOutcome.KEPT else None
        _write_touch(session, scene, decision, kept)
        return kept
    if decision.outcome is TouchOutcome.BOUND:
        return _bind(
            session,
            scene,
            decision,
            Period(
                customer_id=scene.member.id,
                owner=scene.owner,
                state=BindingState.SOFT,
                source=decision.terms.source,
                rule=rule,
                from_at=scene.at,
                until_at=decision.terms.valid_until_at,
            ),
        )
    assert in_force is not None, "only what is in force can be renewed"
    return _renew(session, scene, decision, in_force, decision.terms)


def _bind(session: Session, scene: _Scene, decision: Decision, period: Period) -> Binding:
    """Begin the new period exactly where the one in force, if any, ends."""
    before = scene.newest.in_force(scene.at)
    if before is not None:
        history.end(session, before, at=scene.at)
    if scene.member.origin_store_id is None:
        scene.member.origin_store_id = _store_of(session, scene.code)
    after = history.begin(session, period)
    cause = _write_touch(session, scene, decision, after)
    if before is not None:
        history.add_step(session, before, BindingEvent.REPLACED, cause, at=scene.at)
    history.add_step(session, after, BindingEvent.BOUND, cause, at=scene.at)
    return after


def _renew(
    session: Session, scene: _Scene, decision: Decision, binding: Binding, terms: Terms
) -> Binding:
    cause = _write_touch(session, scene, decision, binding)
    binding.source = terms.source
    binding.valid_until_at = terms.valid_until_at
    history.add_step(session, binding, BindingEvent.RENEWED, cause, at=scene.at)
    return binding


def _store_of(session: Session, code: ShareCode) -> int | None:
    """Return the store a customer won by this code comes from, where one can be told."""
    if code.owner_store_id is not None:
        return code.owner_store_id
    if code.channel.store_id is not None:
        return code.channel.store_id
    owner = session.get(Distributor, code.distributor_id)
    return owner.store_id if owner else None


def _write_touch(
    session: Session, scene: _Scene, decision: Decision, binding: Binding | None
) -> Cause:
    """Write the touch, and return it as the cause of the steps that follow from it."""
    touch = Touch(
        share_code_id=scene.code.id,
        member_id=scene.member.id,
        source=scene.source,
        device_hash=scene.device_hash,
        ip_hash=scene.ip_hash,
        occurred_at=scene.at,
        outcome=decision.outcome,
        reason=decision.reason,
        binding_id=binding.id if binding else None,
    )
    session.add(touch)
    session.flush()
    return Cause(f"member:{scene.member.id}", decision.reason, touch_id=touch.id)
