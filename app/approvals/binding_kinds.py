"""Matters about who owns a customer: transfers, endings, disputes."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.approvals.contract import Kind, Topic, Values, Verdict, exactly
from app.approvals.errors import PayloadInvalid
from app.attribution import bindings, disputes, history
from app.attribution.dispute_errors import DisputeNotFound
from app.attribution.dispute_models import DisputeState, OwnershipDispute
from app.attribution.errors import NoBindingInForce
from app.attribution.rules import Owner
from app.kernel.i18n import N_
from app.members.models import Member
from app.stores.permissions import Permission

NOBODY: Final[Values] = {"owner_id": None, "owner_store_id": None}


def subject_of(topic: Topic) -> int:
    """Return the id of a subject that is a row; raises `PayloadInvalid` where it has none."""
    if topic.subject_id is None:
        raise PayloadInvalid("subject_id")
    return topic.subject_id


def _owner_to_be(topic: Topic) -> Owner:
    return Owner.of(topic.payload["owner_id"], topic.payload["owner_store_id"])


def _clean_owner(payload: Values) -> dict[str, object]:
    clean = exactly(owner_id=int | None, owner_store_id=int | None)(payload)
    if (clean["owner_id"] is None) == (clean["owner_store_id"] is None):
        raise PayloadInvalid("owner_id")
    return clean


def _binding_facts(session: Session, topic: Topic, now: datetime) -> Values:
    """Return who owns the customer. Renewals of the same period do not count as a change.

    As the slice itself does, it looks at the latest period, also where that was begun by somebody
    who overtook us: their instant may be after our `now`.
    """
    latest = history.newest(session, subject_of(topic))
    binding = latest.in_force(latest.not_before(now))
    if binding is None:
        return {**NOBODY, "binding_id": None}
    return {
        "owner_id": binding.owner_id,
        "owner_store_id": binding.owner_store_id,
        "binding_id": binding.id,
    }


def _store_of_customer(session: Session, topic: Topic) -> int | None:
    return disputes.store_of(session, subject_of(topic))


def _lock_both(session: Session, topic: Topic) -> Member:
    return history.lock_customer(session, subject_of(topic), _owner_to_be(topic))


def _check_transfer(session: Session, topic: Topic, now: datetime) -> None:
    owner = _owner_to_be(topic)
    bindings.require_transferable(session, subject_of(topic), owner, now=now)


def _transfer(session: Session, topic: Topic, verdict: Verdict) -> object:
    return bindings.hand_over(
        session,
        customer_id=subject_of(topic),
        owner=_owner_to_be(topic),
        actor=verdict.maker,
        second_actor=verdict.checker,
        reason=verdict.reason,
        now=verdict.now,
    )


BINDING_TRANSFER: Final = Kind(
    name="binding_transfer",
    label=N_("Hand a customer over"),
    subject_type="member",
    ask=Permission.BINDINGS_TRANSFER,
    decide=Permission.BINDINGS_TRANSFER,
    view=Permission.BINDINGS_VIEW,
    clean=_clean_owner,
    lock=_lock_both,
    check=_check_transfer,
    facts=_binding_facts,
    store_of=_store_of_customer,
    apply=_transfer,
)


def _lock_customer(session: Session, topic: Topic) -> Member:
    return history.lock_customer(session, subject_of(topic))


def _check_end(session: Session, topic: Topic, now: datetime) -> None:
    if _binding_facts(session, topic, now)["binding_id"] is None:
        raise NoBindingInForce


def _end(session: Session, topic: Topic, verdict: Verdict) -> object:
    return bindings.end_binding(
        session,
        customer_id=subject_of(topic),
        actor=verdict.maker,
        second_actor=verdict.checker,
        reason=verdict.reason,
        now=verdict.now,
    )


BINDING_END: Final = Kind(
    name="binding_end",
    label=N_("End a binding"),
    subject_type="member",
    ask=Permission.BINDINGS_TRANSFER,
    decide=Permission.BINDINGS_TRANSFER,
    view=Permission.BINDINGS_VIEW,
    clean=exactly(),
    lock=_lock_customer,
    check=_check_end,
    facts=_binding_facts,
    store_of=_store_of_customer,
    apply=_end,
    outcome=lambda facts, _payload: {**facts, **NOBODY, "binding_id": None},
)


def _dispute(session: Session, topic: Topic) -> OwnershipDispute:
    found = session.get(OwnershipDispute, subject_of(topic))
    if found is None:
        raise DisputeNotFound
    return found


def _lock_dispute(session: Session, topic: Topic) -> OwnershipDispute:
    return disputes.locked_dispute(session, subject_of(topic))


def _dispute_facts(session: Session, topic: Topic, now: datetime) -> Values:
    row = _dispute(session, topic)
    of_customer = _binding_facts(session, Topic(row.customer_id), now)
    return {
        "customer_id": row.customer_id,
        "claimant_id": row.claimant_id,
        "claimant_store_id": row.claimant_store_id,
        "state": row.state.value,
        **of_customer,
    }


def _check_dispute(session: Session, topic: Topic, now: datetime) -> None:
    row = _dispute(session, topic)
    disputes.require_open(row)
    bindings.require_transferable(session, row.customer_id, row.claimant, now=now)


def _uphold(session: Session, topic: Topic, verdict: Verdict) -> object:
    return disputes.uphold_dispute(
        session,
        subject_of(topic),
        actor=verdict.maker,
        second_actor=verdict.checker,
        reason=verdict.reason,
        now=verdict.now,
    )


def _upheld(facts: Values, _payload: Values) -> Values:
    return {
        **facts,
        "state": DisputeState.UPHELD.value,
        "owner_id": facts["claimant_id"],
        "owner_store_id": facts["claimant_store_id"],
    }


def _store_of_dispute(session: Session, topic: Topic) -> int | None:
    return disputes.store_of(session, _dispute(session, topic).customer_id)


DISPUTE_RESOLUTION: Final = Kind(
    name="dispute_resolution",
    label=N_("Uphold a dispute"),
    subject_type=disputes.SUBJECT_TYPE,
    ask=Permission.BINDINGS_TRANSFER,
    decide=Permission.BINDINGS_TRANSFER,
    view=Permission.BINDINGS_VIEW,
    clean=exactly(),
    lock=_lock_dispute,
    check=_check_dispute,
    facts=_dispute_facts,
    store_of=_store_of_dispute,
    apply=_uphold,
    outcome=_upheld,
)
