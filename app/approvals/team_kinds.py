"""Matters about distributors: who brought them, and which level they have."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.approvals.binding_kinds import subject_of
from app.approvals.contract import Kind, Topic, Values, Verdict, exactly
from app.distribution import levels
from app.kernel.i18n import N_
from app.members import team, tree
from app.members.errors import DistributorNotFound
from app.members.models import Distributor
from app.stores.permissions import Permission


def _distributor(session: Session, topic: Topic) -> Distributor:
    row = session.scalar(
        sa.select(Distributor)
        .where(Distributor.member_id == subject_of(topic))
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise DistributorNotFound
    return row


def _store_of(session: Session, topic: Topic) -> int | None:
    return _distributor(session, topic).store_id


def _recommender(session: Session, topic: Topic, _now: datetime) -> Values:
    return {"recommender_id": _distributor(session, topic).recommender_id}


def _check_move(session: Session, topic: Topic, _now: datetime) -> None:
    to_member_id = topic.payload["recommender_id"]
    team.require_movable(session, subject_of(topic), to_member_id=to_member_id)


def _move(session: Session, topic: Topic, verdict: Verdict) -> object:
    return team.move_recommender(
        session,
        subject_of(topic),
        to_member_id=topic.payload["recommender_id"],
        actor=verdict.maker,
        second_actor=verdict.checker,
        reason=verdict.reason,
        now=verdict.now,
    )


RECOMMENDER_MOVE: Final = Kind(
    name="recommender_move",
    label=N_("Move a distributor to another recommender"),
    subject_type="distributor",
    ask=Permission.DISTRIBUTORS_MOVE,
    decide=Permission.DISTRIBUTORS_MOVE,
    view=Permission.DISTRIBUTORS_VIEW,
    clean=exactly(recommender_id=int | None),
    lock=lambda session, _topic: tree.take(session),
    check=_check_move,
    facts=_recommender,
    store_of=_store_of,
    apply=_move,
)


def _lock_distributor(session: Session, topic: Topic) -> object:
    return session.scalar(
        sa.select(Distributor.member_id)
        .where(Distributor.member_id == subject_of(topic))
        .with_for_update(key_share=True)
    )


def _level(session: Session, topic: Topic, _now: datetime) -> Values:
    return {"level": _distributor(session, topic).level}


def _set_level(session: Session, topic: Topic, verdict: Verdict) -> None:
    levels.set_level(
        session,
        subject_of(topic),
        level=topic.payload["level"],
        actor=verdict.maker,
        second_actor=verdict.checker,
        reason=verdict.reason,
        now=verdict.now,
    )


LEVEL_BY_HAND: Final = Kind(
    name="level_by_hand",
    label=N_("Give a level by hand"),
    subject_type="distributor",
    ask=Permission.DISTRIBUTORS_MOVE,
    decide=Permission.DISTRIBUTORS_MOVE,
    view=Permission.DISTRIBUTORS_VIEW,
    clean=exactly(level=int),
    lock=_lock_distributor,
    facts=_level,
    store_of=_store_of,
    apply=_set_level,
)
