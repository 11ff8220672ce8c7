"""Points given or taken by hand, where they are many."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from app.approvals.binding_kinds import subject_of
from app.approvals.contract import Kind, Topic, Values, Verdict, exactly
from app.kernel.i18n import N_
from app.members.errors import MemberNotFound
from app.members.models import Member
from app.points import accounts, adjusting
from app.stores.permissions import Permission

BY_HAND: Final = "points_by_hand"


def _facts(session: Session, topic: Topic, _now: datetime) -> Values:
    """Return what staff gave by hand so far, which every such change makes another."""
    return {BY_HAND: adjusting.by_hand(session, _member(session, topic).id)}


def _outcome(facts: Values, payload: Values) -> dict[str, Any]:
    return {BY_HAND: facts[BY_HAND] + payload["points"]}


def _check(session: Session, topic: Topic, now: datetime) -> None:
    adjusting.require_adjustable(
        session, subject_of(topic), topic.payload["points"], reason="-", now=now
    )


def _member(session: Session, topic: Topic) -> Member:
    row = session.get(Member, subject_of(topic))
    if row is None:
        raise MemberNotFound
    return row


def _adjust(session: Session, topic: Topic, verdict: Verdict) -> None:
    adjusting.adjust(
        session,
        subject_of(topic),
        topic.payload["points"],
        reason=verdict.reason,
        actor=verdict.maker,
        second=verdict.checker,
        now=verdict.now,
    )


POINTS_ADJUSTMENT: Final = Kind(
    name="points_adjustment",
    label=N_("Give or take points by hand"),
    subject_type="member",
    ask=Permission.POINTS_ADJUST,
    decide=Permission.POINTS_ADJUST,
    view=Permission.POINTS_VIEW,
    clean=exactly(points=int),
    lock=lambda session, topic: accounts.lock(session, subject_of(topic)),
    check=_check,
    facts=_facts,
    outcome=_outcome,
    store_of=lambda session, topic: _member(session, topic).origin_store_id,
    apply=_adjust,
)
