"""Tags: a short list of words of the brand, and which customers bear them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.members.file_errors import FileTextInvalid, TagNameTaken, TagNotFound, TooManyTags
from app.members.file_models import TAG_LENGTH_MAX, MemberTag, Tag
from app.members.profiles import has_controls, lock_member

TAGS_MAX: Final = 200
"""So many tags the brand may have in use: more, and nobody finds the right one."""
TAGS_OF_MEMBER_MAX: Final = 20
_LIST_LOCK: Final = 7_310_023


def create_tag(session: Session, name: str, *, actor: Actor, now: datetime) -> Tag:
    """Add a tag to the brand's list. Raises `FileTextInvalid`, `TagNameTaken`, `TooManyTags`."""
    word = _clean(name)
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LIST_LOCK)))
    in_use = session.scalar(sa.select(sa.func.count()).where(Tag.retired_at.is_(None))) or 0
    if in_use >= TAGS_MAX:
        raise TooManyTags(TAGS_MAX)
    _require_free(session, word)
    tag = Tag(name=word, created_at=now)
    session.add(tag)
    session.flush()
    _audit_tag(session, actor, "tag_created", tag, Change({}, {"name": word}), now=now)
    return tag


def rename_tag(session: Session, tag_id: int, name: str, *, actor: Actor, now: datetime) -> Tag:
    """Call a tag something else, wherever it was put. Raises as `create_tag`, `TagNotFound`."""
    word = _clean(name)
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LIST_LOCK)))
    tag = _locked(session, tag_id)
    _require_free(session, word, besides=tag_id)
    before, tag.name = tag.name, word
    session.flush()
    change = Change({"name": before}, {"name": word})
    _audit_tag(session, actor, "tag_renamed", tag, change, now=now)
    return tag


def retire_tag(session: Session, tag_id: int, *, actor: Actor, now: datetime) -> Tag:
    """Put a tag on nobody any more; whoever bears it keeps it. Raises `TagNotFound`."""
    tag = _locked(session, tag_id)
    if tag.retired_at is None:
        tag.retired_at = now
        session.flush()
        _audit_tag(session, actor, "tag_retired", tag, Change(), now=now)
    return tag


def put_tag(session: Session, member_id: int, *, tag_id: int, actor: Actor, now: datetime) -> None:
    """Put a tag on a customer; one they bear already stays as it is.

    Raises `MemberNotFound`, `TagNotFound`, `TooManyTags`.
    """
    assert actor.id is not None, "tags are put by staff"
    member = lock_member(session, member_id)
    tag = session.get(Tag, tag_id, with_for_update={"read": True}, populate_existing=True)
    if tag is None or tag.retired_at is not None:
        raise TagNotFound
    borne = set(
        session.scalars(sa.select(MemberTag.tag_id).where(MemberTag.member_id == member_id))
    )
    if tag_id in borne:
        return
    if len(borne) >= TAGS_OF_MEMBER_MAX:
        raise TooManyTags(TAGS_OF_MEMBER_MAX)
    session.execute(
        insert(MemberTag).values(
            member_id=member_id, tag_id=tag_id, staff_id=actor.id, tagged_at=now
        )
    )
    subject = Subject("member", member_id, member.origin_store_id)
    change = Change({}, {"tag": tag.name})
    audit.record(session, actor, "member_tagged", subject, change, now=now)


def take_tag(session: Session, member_id: int, *, tag_id: int, actor: Actor, now: datetime) -> None:
    """Take a tag off a customer; one they do not bear changes nothing. Raises `MemberNotFound`."""
    member = lock_member(session, member_id)
    gone = session.scalar(
        sa.delete(MemberTag)
        .where(MemberTag.member_id == member_id, MemberTag.tag_id == tag_id)
        .returning(MemberTag.tag_id)
    )
    if gone is None:
        return
    subject = Subject("member", member_id, member.origin_store_id)
    change = Change({"tag": session.get_one(Tag, tag_id).name}, {})
    audit.record(session, actor, "member_untagged", subject, change, now=now)


def tags_in_use(session: Session) -> Sequence[Tag]:
    """Return the tags that can be put on somebody, by name."""
    return session.scalars(sa.select(Tag).where(Tag.retired_at.is_(None)).order_by(Tag.name)).all()


def tags_of(session: Session, member_ids: Collection[int]) -> Mapping[int, Sequence[Tag]]:
    """Return the tags of customers by their ids, by name; retired ones too."""
    found: dict[int, list[Tag]] = {one: [] for one in member_ids}
    rows = session.execute(
        sa.select(MemberTag.member_id, Tag)
        .join(Tag, Tag.id == MemberTag.tag_id)
        .where(MemberTag.member_id.in_(member_ids))
        .order_by(Tag.name)
    )
    for member_id, tag in rows:
        found[member_id].append(tag)
    return found


def _clean(name: str) -> str:
    word = name.strip()
    if has_controls(word) or not 1 <= len(word) <= TAG_LENGTH_MAX:
        raise FileTextInvalid(TAG_LENGTH_MAX)
    return word


def _require_free(session: Session, word: str, *, besides: int | None = None) -> None:
    taken = session.scalar(sa.select(Tag.id).where(sa.func.lower(Tag.name) == sa.func.lower(word)))
    if taken not in (None, besides):
        raise TagNameTaken


def _locked(session: Session, tag_id: int) -> Tag:
    tag = session.get(Tag, tag_id, with_for_update=True, populate_existing=True)
    if tag is None:
        raise TagNotFound
    return tag


def _audit_tag(
    session: Session, actor: Actor, action: str, tag: Tag, change: Change, *, now: datetime
) -> None:
    audit.record(session, actor, action, Subject("tag", tag.id), change, now=now)
