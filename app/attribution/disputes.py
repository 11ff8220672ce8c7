"""Disputes about who owns a customer: opened with a claim, decided with a reason.

Whatever the decision, it holds from that moment on. The orders a customer made before keep the
owner they were made under, and so do the commissions of those orders: a dispute that is upheld
ends in the same transfer that staff can make without one, decided by two people.

Only an owner in force can be contested. A customer who belongs to nobody goes to the next touch,
and there is nothing to hand over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.attribution import bindings, history, queries
from app.attribution.dispute_errors import (
    ClaimInvalid,
    DisputeNotFound,
    DisputeNotInState,
    DisputeOpenAlready,
    MomentInvalid,
    TooManyDisputes,
)
from app.attribution.dispute_models import (
    DisputeEvent,
    DisputeState,
    DisputeStep,
    EvidenceFile,
    OwnershipDispute,
)
from app.attribution.models import Binding, ShareCode, Touch
from app.attribution.rules import Owner
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.members.decisions import require_reason, require_two_desks
from app.members.errors import MemberNotFound, NotADistributor
from app.members.models import Distributor, Member, Standing
from app.members.profiles import lock_member

CLAIM_LENGTH_MIN: Final = 10
CLAIM_LENGTH_MAX: Final = 2000
OPEN_MAX: Final = 20
"""How many disputes one distributor can have open; enough for an honest one."""
FACTS_MAX: Final = 20
"""How many periods and touches the snapshot keeps, the latest ones; the tables keep them all."""
SUBJECT_TYPE: Final = "ownership_dispute"


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose the customer is said to be, since when or at which moment, and why."""

    customer_id: int
    claimant: Owner
    text: str
    about_at: datetime


def open_dispute(
    session: Session, claim: Claim, *, actor: Actor, now: datetime
) -> OwnershipDispute:
    """Contest the owner of a customer; what is on record now is kept with it.

    What is claimed stands with the dispute alone: it tells of a person, and log and trail are for
    ever.

    Raises `ClaimInvalid`, `MomentInvalid`, `MemberNotFound`, `NoBindingInForce`, `OwnerRefused`
    for one who could not own this customer, `DisputeOpenAlready`, and `TooManyDisputes` for a
    distributor who has many.
    """
    text = claim.text.strip()
    if not CLAIM_LENGTH_MIN <= len(text) <= CLAIM_LENGTH_MAX:
        raise ClaimInvalid
    if claim.about_at > now:
        raise MomentInvalid
    lock_member(session, claim.customer_id)
    bindings.require_transferable(session, claim.customer_id, claim.claimant, now=now)
    _require_few(session, claim.claimant, actor)
    facts = _snapshot(session, claim, now=now)
    dispute_id = session.scalar(
        insert(OwnershipDispute)
        .values(
            customer_id=claim.customer_id,
            claimant_id=claim.claimant.distributor_id,
            claimant_store_id=claim.claimant.store_id,
            about_at=claim.about_at,
            claim=text,
            facts=facts,
            state=DisputeState.OPEN,
            opened_by=str(actor),
            opened_at=now,
        )
        .on_conflict_do_nothing()
        .returning(OwnershipDispute.id)
    )
    if dispute_id is None:
        raise DisputeOpenAlready
    row = session.get_one(OwnershipDispute, dispute_id)
    row.steps.add(
        DisputeStep(
            event=DisputeEvent.OPEN, to_state=row.state, at=now, actor=str(actor), reason=""
        )
    )
    after = {**_sides(row), "about_at": claim.about_at.isoformat()}
    _record(session, actor, "dispute_opened", row, Change({}, after), now=now)
    return row


def open_own_dispute(
    session: Session, claimant_id: int, *, customer_id: int, text: str, now: datetime
) -> OwnershipDispute:
    """Let a distributor contest, as of now, the owner of a customer they have had to do with.

    That is one who was theirs before or touched a code of theirs. Anybody else is as absent to
    them as a customer who does not exist, so that nothing can be learnt by asking. Raises
    `NotADistributor`, `MemberNotFound`, and what `open_dispute` does.
    """
    standing = session.scalar(
        sa.select(Distributor.standing).where(Distributor.member_id == claimant_id)
    )
    if standing is not Standing.ACTIVE:
        raise NotADistributor
    if not _has_met(session, claimant_id, customer_id):
        raise MemberNotFound
    claim = Claim(customer_id, Owner.of(claimant_id, None), text, about_at=now)
    return open_dispute(session, claim, actor=Actor("member", claimant_id), now=now)


def _has_met(session: Session, claimant_id: int, customer_id: int) -> bool:
    """Tell whether a customer was the distributor's before, or touched a code of theirs."""
    bound = sa.select(Binding.id).where(
        Binding.customer_id == customer_id, Binding.owner_id == claimant_id
    )
    touched = (
        sa.select(Touch.id)
        .join(ShareCode, ShareCode.id == Touch.share_code_id)
        .where(Touch.member_id == customer_id, ShareCode.distributor_id == claimant_id)
    )
    met: bool = session.scalar(sa.select(sa.or_(bound.exists(), touched.exists()))) or False
    return met


def _require_few(session: Session, claimant: Owner, actor: Actor) -> None:
    """Raise `TooManyDisputes` where a distributor opens one more than they may; staff may."""
    if actor.kind != "member":
        return
    count = session.scalar(
        sa.select(sa.func.count()).where(
            OwnershipDispute.claimant_id == claimant.distributor_id,
            OwnershipDispute.state == DisputeState.OPEN,
        )
    )
    if (count or 0) >= OPEN_MAX:
        raise TooManyDisputes(OPEN_MAX)


def _snapshot(session: Session, claim: Claim, *, now: datetime) -> dict[str, Any]:
    """Return what is on record about a customer: the owner then and now, periods and touches."""
    return {
        "then": _answer(queries.owner_at(session, claim.customer_id, at=claim.about_at)),
        "now": _answer(queries.owner_at(session, claim.customer_id, at=now)),
        "periods": [
            _period(one) for one in queries.bindings_of(session, claim.customer_id)[:FACTS_MAX]
        ],
        "touches": [_touch(*one) for one in touches_of(session, claim.customer_id)[:FACTS_MAX]],
    }


def _answer(found: queries.OwnerAnswer) -> dict[str, Any]:
    return {
        "owner_id": found.owner.distributor_id if found.owner else None,
        "owner_store_id": found.owner.store_id if found.owner else None,
        "binding_id": found.binding.id if found.binding else None,
        "state": found.state.value if found.state else None,
        "valid_until_at": found.valid_until_at.isoformat() if found.valid_until_at else None,
        "touch_id": found.touch.id if found.touch else None,
        "rule": found.rule,
    }


def _period(binding: Binding) -> dict[str, Any]:
    return {
        "binding_id": binding.id,
        "owner_id": binding.owner_id,
        "owner_store_id": binding.owner_store_id,
        "valid_from_at": binding.valid_from_at.isoformat(),
        "valid_until_at": binding.valid_until_at.isoformat(),
    }


def _touch(touch: Touch, code: ShareCode) -> dict[str, Any]:
    return {
        "touch_id": touch.id,
        "owner_id": code.distributor_id,
        "owner_store_id": code.owner_store_id,
        "occurred_at": touch.occurred_at.isoformat(),
        "outcome": touch.outcome.value,
    }


def touches_of(session: Session, customer_id: int) -> Sequence[tuple[Touch, ShareCode]]:
    """Return the latest touches of a customer with the codes they touched, the newest first."""
    rows = session.execute(
        sa.select(Touch, ShareCode)
        .join(ShareCode, ShareCode.id == Touch.share_code_id)
        .where(Touch.member_id == customer_id)
        .order_by(Touch.occurred_at.desc(), Touch.id.desc())
        .limit(100)
    )
    return [(touch, code) for touch, code in rows]


def locked_dispute(session: Session, dispute_id: int) -> OwnershipDispute:
    """Lock a dispute and the customer it is about; raises `DisputeNotFound`.

    The customer comes first, as everybody who changes owners locks them before anything else.
    """
    known = session.get(OwnershipDispute, dispute_id)
    if known is None:
        raise DisputeNotFound
    history.lock_customer(session, known.customer_id, known.claimant)
    return session.scalars(
        sa.select(OwnershipDispute)
        .where(OwnershipDispute.id == dispute_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def uphold_dispute(
    session: Session,
    dispute_id: int,
    *,
    actor: Actor,
    second_actor: Actor,
    reason: str,
    now: datetime,
) -> OwnershipDispute:
    """Give the customer to the claimant from now on; two members of staff, with a reason.

    Raises `DisputeNotFound`, `DisputeNotInState`, and what `hand_over` does.
    """
    require_two_desks(session, actor, second_actor, now=now)
    require_reason(reason)
    row = _locked_open(session, dispute_id, DisputeEvent.UPHOLD)
    new = bindings.hand_over(
        session,
        customer_id=row.customer_id,
        owner=row.claimant,
        actor=actor,
        second_actor=second_actor,
        reason=reason,
        now=now,
    )
    row.advance(DisputeEvent.UPHOLD, now=now, actor=f"{actor}+{second_actor}", reason=reason)
    after = {"state": row.state.value, "binding_id": new.id, "second_actor": str(second_actor)}
    change = Change({"state": DisputeState.OPEN.value}, after, reason)
    _record(session, actor, "dispute_upheld", row, change, now=now)
    return row


def dismiss_dispute(
    session: Session, dispute_id: int, *, actor: Actor, reason: str, now: datetime
) -> OwnershipDispute:
    """Leave the customer where they are, saying why. Raises as `uphold_dispute` does."""
    require_reason(reason)
    return _end(session, dispute_id, DisputeEvent.DISMISS, actor=actor, reason=reason, now=now)


def withdraw_dispute(
    session: Session,
    dispute_id: int,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
    claimant_id: int | None = None,
) -> OwnershipDispute:
    """Take a dispute back, saying why.

    Where a distributor does it, `claimant_id` is theirs; another's dispute is as good as none.
    """
    require_reason(reason)
    if claimant_id is not None:
        known = session.get(OwnershipDispute, dispute_id)
        if known is None or known.claimant_id != claimant_id:
            raise DisputeNotFound
    return _end(session, dispute_id, DisputeEvent.WITHDRAW, actor=actor, reason=reason, now=now)


ACTIONS: Final = {
    DisputeEvent.DISMISS: "dispute_dismissed",
    DisputeEvent.WITHDRAW: "dispute_withdrawn",
}


def _end(
    session: Session,
    dispute_id: int,
    event: DisputeEvent,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
) -> OwnershipDispute:
    row = _locked_open(session, dispute_id, event)
    row.advance(event, now=now, actor=str(actor), reason=reason.strip())
    change = Change({"state": DisputeState.OPEN.value}, {"state": row.state.value}, reason)
    _record(session, actor, ACTIONS[event], row, change, now=now)
    return row


def _locked_open(session: Session, dispute_id: int, event: DisputeEvent) -> OwnershipDispute:
    row = locked_dispute(session, dispute_id)
    require_open(row, event)
    return row


def require_open(row: OwnershipDispute, event: DisputeEvent = DisputeEvent.UPHOLD) -> None:
    """Raise `DisputeNotInState` where a dispute has been decided or withdrawn."""
    if row.state is not DisputeState.OPEN:
        raise DisputeNotInState(row.state, event)


def _record(
    session: Session,
    actor: Actor,
    action: str,
    row: OwnershipDispute,
    change: Change,
    *,
    now: datetime,
) -> None:
    subject = Subject(SUBJECT_TYPE, row.id, store_of(session, row.customer_id))
    audit.record(session, actor, action, subject, change, now=now)


def _sides(row: OwnershipDispute) -> dict[str, Any]:
    return {
        "customer_id": row.customer_id,
        "claimant_id": row.claimant_id,
        "claimant_store_id": row.claimant_store_id,
    }


def store_of(session: Session, customer_id: int) -> int | None:
    """Return the store a customer came from. Raises `MemberNotFound`."""
    found = session.execute(
        sa.select(Member.origin_store_id).where(Member.id == customer_id)
    ).one_or_none()
    if found is None:
        raise MemberNotFound
    store_id: int | None = found.origin_store_id
    return store_id


def disputes_of_claimant(
    session: Session, claimant_id: int, *, after_id: int | None, limit: int
) -> Sequence[OwnershipDispute]:
    """Return a page of a distributor's own disputes, the newest first."""
    statement = (
        sa.select(OwnershipDispute)
        .where(OwnershipDispute.claimant_id == claimant_id)
        .order_by(OwnershipDispute.id.desc())
        .limit(limit)
    )
    if after_id is not None:
        statement = statement.where(OwnershipDispute.id < after_id)
    return session.scalars(statement).all()


def evidence_of(session: Session, dispute_id: int) -> Sequence[EvidenceFile]:
    """Return the pictures of a dispute in their order, without their content."""
    return session.scalars(
        sa.select(EvidenceFile)
        .where(EvidenceFile.dispute_id == dispute_id)
        .order_by(EvidenceFile.place)
    ).all()


def dispute_steps(session: Session, dispute_id: int) -> Sequence[DisputeStep]:
    """Return what happened to a dispute, the first step first."""
    return session.scalars(
        sa.select(DisputeStep).where(DisputeStep.dispute_id == dispute_id).order_by(DisputeStep.id)
    ).all()
