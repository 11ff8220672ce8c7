"""Asking for what takes two people, and deciding it: maker and checker at different desks.

`ask` notes what is wanted and how the subject stands. `approve` does it, through the kind's own
service and in one transaction with the approval, for a checker who is somebody else, holds the
right of the matter and sees its store. Where the subject stands otherwise by then, nothing is done
and the request is void, with both values kept; so it is where the one who asked may no longer ask.

Order of locks: the request, then the subject in the order of its own slice.
"""

import json
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.approvals.contract import Kind, Topic, Values, Verdict
from app.approvals.errors import (
    AlreadyAsked,
    ApprovalNotFound,
    ApprovalNotInState,
    MayNotAsk,
    MayNotDecide,
    NothingChanges,
    NotYourRequest,
    OwnRequest,
)
from app.approvals.kinds import KINDS
from app.approvals.models import Approval, ApprovalEvent, ApprovalState, ApprovalStep
from app.kernel import audit
from app.kernel.audit import SYSTEM, Actor, Change, Subject
from app.members.decisions import require_reason
from app.stores import queries as stores
from app.stores.independence import require_independent
from app.stores.models import Staff
from app.stores.permissions import Permission

WAITS_FOR: Final = timedelta(days=7)
"""A request nobody decided in a week is no longer about what the asker saw."""
STAFF: Final = "staff"
SUBJECT_TYPE: Final = "approval"


def ask(
    session: Session, kind_name: str, topic: Topic, *, actor: Actor, reason: str, now: datetime
) -> Approval:
    """Let a request wait for somebody else's decision.

    Raises `MayNotAsk`, `ReasonRequired`, `PayloadInvalid`, `NothingChanges`, `AlreadyAsked`, and
    what the kind's service would raise, were it called now.
    """
    kind = KINDS[kind_name]
    maker = _staff(session, actor)
    if maker is None or not stores.may(maker, kind.ask):
        raise MayNotAsk
    require_reason(reason)
    topic = Topic(topic.subject_id, kind.clean(topic.payload), topic.subject_key)
    kind.lock(session, topic)
    _require_none_open(session, kind, topic)
    kind.check(session, topic, now)
    facts = plain(kind.facts(session, topic, now))
    outcome = plain(kind.outcome(facts, topic.payload))
    if outcome == facts:
        raise NothingChanges
    row = _insert(session, kind, topic, facts, maker_id=maker.id, reason=reason.strip(), now=now)
    _record(session, actor, "approval_asked", row, Change(facts, outcome, row.reason), now=now)
    return row


def approve(
    session: Session, approval_id: int, *, actor: Actor, now: datetime, reason: str = ""
) -> Approval:
    """Agree to a request, and do what it asks for.

    The row that is returned is `approved`; or it is `void` or `expired`, with nothing else done,
    where the world has moved on: the caller commits that too and tells the person. Raises
    `ApprovalNotFound`, `ApprovalNotInState`, `OwnRequest`, `MayNotDecide`, `NotIndependent`, and
    whatever the kind's service refuses with, which leaves the request waiting.
    """
    row = _locked(session, approval_id, ApprovalEvent.APPROVE)
    kind = KINDS[row.kind]
    _require_checker(session, row, kind, actor, now=now)
    if now >= row.expires_at:
        return _close(session, row, ApprovalEvent.EXPIRE, SYSTEM, now=now)
    if not _maker_stands(session, row, kind, now=now):
        return _close(session, row, ApprovalEvent.VOID, SYSTEM, now=now)
    topic = topic_of(row)
    kind.lock(session, topic)
    found = plain(kind.facts(session, topic, now))
    if found != row.facts:
        row.facts_found = found
        return _close(session, row, ApprovalEvent.VOID, SYSTEM, now=now)
    maker = Actor(STAFF, row.asked_by_id, actor.request_id)
    kind.apply(session, topic, Verdict(maker, actor, row.reason, now))
    return _close(session, row, ApprovalEvent.APPROVE, actor, reason=reason.strip(), now=now)


def refuse(
    session: Session, approval_id: int, *, actor: Actor, reason: str, now: datetime
) -> Approval:
    """Turn a request down, saying why. Raises as `approve` does, and `ReasonRequired`."""
    require_reason(reason)
    row = _locked(session, approval_id, ApprovalEvent.REFUSE)
    _require_checker(session, row, KINDS[row.kind], actor, now=now)
    return _close(session, row, ApprovalEvent.REFUSE, actor, reason=reason.strip(), now=now)


def withdraw(
    session: Session, approval_id: int, *, actor: Actor, now: datetime, reason: str = ""
) -> Approval:
    """Take one's own request back.

    Raises `ApprovalNotFound`, `ApprovalNotInState`, `NotYourRequest`.
    """
    row = _locked(session, approval_id, ApprovalEvent.WITHDRAW)
    if actor.kind != STAFF or actor.id != row.asked_by_id:
        raise NotYourRequest
    return _close(session, row, ApprovalEvent.WITHDRAW, actor, reason=reason.strip(), now=now)


def end_overdue(session: Session, *, now: datetime, limit: int = 200) -> int:
    """End requests that nobody decided in time, and those of people who were disabled.

    Returns how many, at most one batch; rows that somebody is deciding are left alone.
    """
    disabled = sa.select(Staff.id).where(sa.not_(Staff.active))
    rows = session.scalars(
        sa.select(Approval)
        .where(
            Approval.state == ApprovalState.REQUESTED,
            sa.or_(Approval.expires_at <= now, Approval.asked_by_id.in_(disabled)),
        )
        .order_by(Approval.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        event = ApprovalEvent.EXPIRE if row.expires_at <= now else ApprovalEvent.VOID
        _close(session, row, event, SYSTEM, now=now)
    return len(rows)


def topic_of(row: Approval) -> Topic:
    """Return what a request is about, as its kind takes it."""
    return Topic(row.subject_id, row.payload, row.subject_key)


def plain(values: Values) -> dict[str, Any]:
    """Return values as JSON gives them back, so that they can be compared with stored ones."""
    held: dict[str, Any] = json.loads(json.dumps(dict(values)))
    return held


def _staff(session: Session, actor: Actor) -> Staff | None:
    if actor.kind != STAFF or actor.id is None:
        return None
    return session.get(Staff, actor.id)


def _require_none_open(session: Session, kind: Kind, topic: Topic) -> None:
    """Raise `AlreadyAsked` before anything else is checked: it is the more helpful answer."""
    found = session.scalar(
        sa.select(Approval.id).where(
            Approval.kind == kind.name,
            Approval.subject_id.is_not_distinct_from(topic.subject_id),
            Approval.subject_key == topic.subject_key,
            Approval.state == ApprovalState.REQUESTED,
        )
    )
    if found is not None:
        raise AlreadyAsked(found)


def _insert(  # noqa: PLR0913 - one row: what, about what, how it stands, whose, why, when
    session: Session,
    kind: Kind,
    topic: Topic,
    facts: dict[str, Any],
    *,
    maker_id: int,
    reason: str,
    now: datetime,
) -> Approval:
    """Write the request; where another came first on a subject that has no lock, say so."""
    approval_id = session.scalar(
        insert(Approval)
        .values(
            kind=kind.name,
            subject_type=kind.subject_type,
            subject_id=topic.subject_id,
            subject_key=topic.subject_key,
            store_id=kind.store_of(session, topic),
            payload=dict(topic.payload),
            facts=facts,
            reason=reason,
            state=ApprovalState.REQUESTED,
            asked_by_id=maker_id,
            asked_at=now,
            expires_at=now + WAITS_FOR,
        )
        .on_conflict_do_nothing()
        .returning(Approval.id)
    )
    if approval_id is None:
        _require_none_open(session, kind, topic)
        raise AssertionError("the conflict was with an open request")
    row = session.get_one(Approval, approval_id)
    by = f"{STAFF}:{maker_id}"
    row.steps.add(
        ApprovalStep(event=ApprovalEvent.ASK, to_state=row.state, at=now, actor=by, reason=reason)
    )
    session.flush()
    return row


def _locked(session: Session, approval_id: int, event: ApprovalEvent) -> Approval:
    row = session.scalar(
        sa.select(Approval)
        .where(Approval.id == approval_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise ApprovalNotFound
    if row.state is not ApprovalState.REQUESTED:
        raise ApprovalNotInState(row.state, event)
    return row


def _require_checker(
    session: Session, row: Approval, kind: Kind, actor: Actor, *, now: datetime
) -> None:
    """Raise unless the person is somebody else, holds the right and sees the store.

    That of the request, and the one it has come to belong to since.
    """
    if actor.kind == STAFF and actor.id == row.asked_by_id:
        raise OwnRequest
    checker = _staff(session, actor)
    if checker is None or not _may_now(checker, kind.decide, now=now):
        raise MayNotDecide
    store_ids = stores.visible_store_ids(checker)
    its_stores = {row.store_id, kind.store_of(session, topic_of(row))}
    if store_ids is not None and not its_stores <= store_ids:
        raise MayNotDecide
    require_independent(session, [Actor(STAFF, row.asked_by_id), actor], now=now)


def _maker_stands(session: Session, row: Approval, kind: Kind, *, now: datetime) -> bool:
    """Tell whether the one who asked may still ask; whoever left may do nothing."""
    return _may_now(session.get_one(Staff, row.asked_by_id), kind.ask, now=now)


def _may_now(person: Staff, permission: Permission, *, now: datetime) -> bool:
    """Tell whether somebody holds a right and works here today."""
    return stores.is_employed(person, now=now) and stores.may(person, permission)


ACTIONS: Final = {
    ApprovalEvent.APPROVE: "approval_approved",
    ApprovalEvent.REFUSE: "approval_refused",
    ApprovalEvent.WITHDRAW: "approval_withdrawn",
    ApprovalEvent.EXPIRE: "approval_expired",
    ApprovalEvent.VOID: "approval_void",
}
"""What the audit trail calls each end."""


BY_A_CHECKER: Final = frozenset({ApprovalEvent.APPROVE, ApprovalEvent.REFUSE})


def _close(
    session: Session,
    row: Approval,
    event: ApprovalEvent,
    actor: Actor,
    *,
    now: datetime,
    reason: str = "",
) -> Approval:
    row.advance(event, now=max(now, row.asked_at), actor=str(actor), reason=reason)
    row.decision_reason = reason
    if event in BY_A_CHECKER:
        row.decided_by_id = actor.id
    session.flush()
    before: dict[str, Any] = {"state": ApprovalState.REQUESTED.value}
    after: dict[str, Any] = {"state": row.state.value}
    if row.facts_found is not None:
        before["facts"], after["facts"] = row.facts, row.facts_found
    _record(session, actor, ACTIONS[event], row, Change(before, after, reason), now=now)
    return row


def _record(
    session: Session, actor: Actor, action: str, row: Approval, change: Change, *, now: datetime
) -> None:
    subject = Subject(SUBJECT_TYPE, row.id, row.store_id)
    facts = {"kind": row.kind, "subject_type": row.subject_type, "subject_id": row.subject_id}
    change = Change(change.before, {**facts, **change.after}, change.reason)
    audit.record(session, actor, action, subject, change, now=now)
