"""Segments: named choices of customers, counted and looked at before anything goes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.interactions.audience_models import Segment
from app.interactions.errors import InteractionNotFound, TextUnfit
from app.interactions.rules import SegmentRule, members_of
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.db import take_time
from app.members.models import Consent, ConsentPurpose, Member
from app.members.profiles import has_controls

NAME_LENGTH_MAX: Final = 40
COUNTED_MAX: Final = 100_000
"""A look counts so far; beyond it says "more than"."""
SAMPLE: Final = 10


@dataclass(frozen=True, slots=True)
class Preview:
    """How many a rule means at present, up to a limit, how many may be told of offers, and a few.

    `sample` holds ids; who shows them masks what names a person.
    """

    people: int
    is_cut: bool
    reachable: int
    sample: tuple[int, ...]


def clean_name(text: str, *, length_max: int = NAME_LENGTH_MAX) -> str:
    """Return a name without spaces around it. Raises `TextUnfit`."""
    name = text.strip()
    if has_controls(name) or not 1 <= len(name) <= length_max:
        raise TextUnfit(length_max)
    return name


def create_segment(
    session: Session,
    *,
    name: str,
    store_id: int | None,
    document: Any,
    actor: Actor,
    now: datetime,
) -> Segment:
    """Name a choice of customers. Raises `SegmentInvalid`, `TextUnfit`."""
    assert actor.id is not None, "segments are made by staff"
    rule = SegmentRule.read(document)
    row = Segment(
        name=clean_name(name),
        store_id=store_id,
        rule=rule.document(),
        created_by_id=actor.id,
        created_at=now,
    )
    session.add(row)
    session.flush()
    change = Change({}, {"name": row.name, "rule": row.rule})
    _record(session, actor, "segment_saved", row, change, now=now)
    return row


def change_segment(
    session: Session,
    segment_id: int,
    *,
    name: str,
    document: Any,
    actor: Actor,
    now: datetime,
) -> Segment:
    """Mean others from now on; campaigns that are under way keep asking this rule anew."""
    row = locked(session, segment_id)
    rule = SegmentRule.read(document)
    before = {"name": row.name, "rule": dict(row.rule)}
    row.name, row.rule = clean_name(name), rule.document()
    session.flush()
    change = Change(before, {"name": row.name, "rule": row.rule})
    _record(session, actor, "segment_saved", row, change, now=now)
    return row


def retire_segment(session: Session, segment_id: int, *, actor: Actor, now: datetime) -> None:
    """Offer a segment for nothing new any more."""
    row = locked(session, segment_id)
    if row.retired_at is None:
        row.retired_at = now
        _record(session, actor, "segment_retired", row, Change(), now=now)


def locked(session: Session, segment_id: int) -> Segment:
    """Return a segment with its row locked. Raises `InteractionNotFound`."""
    row = session.get(Segment, segment_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise InteractionNotFound
    return row


def holds(session: Session, segment: Segment, member_id: int, *, now: datetime) -> bool:
    """Tell whether a segment means somebody at present."""
    people = members_of(SegmentRule.read(segment.rule), store_id=segment.store_id, now=now)
    return session.scalar(people.where(Member.id == member_id)) is not None


def preview(session: Session, rule: SegmentRule, *, store_id: int | None, now: datetime) -> Preview:
    """Count whom a rule means, up to a limit, and return a few of them."""
    take_time(session)
    people = members_of(rule, store_id=store_id, now=now)
    first = people.limit(COUNTED_MAX + 1).subquery()
    agrees = sa.exists().where(
        Consent.member_id == first.c.id,
        Consent.purpose == ConsentPurpose.MARKETING,
        Consent.withdrawn_at.is_(None),
    )
    count, reachable = session.execute(
        sa.select(sa.func.count(), sa.func.count().filter(agrees)).select_from(first)
    ).one()
    sample: Sequence[int] = session.scalars(people.order_by(Member.id.desc()).limit(SAMPLE)).all()
    return Preview(min(count, COUNTED_MAX), count > COUNTED_MAX, reachable, tuple(sample))


def _record(
    session: Session, actor: Actor, action: str, row: Segment, change: Change, *, now: datetime
) -> None:
    subject = Subject("segment", row.id, row.store_id)
    audit.record(session, actor, action, subject, change, now=now)
