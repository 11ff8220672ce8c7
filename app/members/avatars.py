"""Members' own pictures and names as others see them.

A picture comes from the member's phone, never from an address that somebody typed, and is drawn
anew as a small square. A nickname is looked at by WeChat before it is kept.
"""

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, undefer

from app.kernel import audit, pictures
from app.kernel.audit import Actor, Change, Subject
from app.kernel.pictures import Bounds, Picture
from app.members.avatar_models import DoubtfulNickname, MemberAvatar
from app.members.models import Member
from app.members.profiles import lock_member

UPLOAD_BYTES_MAX: Final = 2 * 1024 * 1024
PIXELS_MAX: Final = 25_000_000
SIDE: Final = 320
BOUNDS: Final = Bounds(UPLOAD_BYTES_MAX, PIXELS_MAX, SIDE)


def redraw(handed_in: bytes) -> Picture:
    """Draw an avatar anew; takes up to a second, so call it outside a transaction.

    Raises `PictureTooLarge`, `PictureTooManyPixels`, `PictureUnreadable`.
    """
    return pictures.square(handed_in, BOUNDS)


def put_avatar(session: Session, member_id: int, picture: Picture, *, now: datetime) -> str:
    """Keep a member's picture in place of the one before; return its digest.

    Raises `MemberNotFound`.
    """
    lock_member(session, member_id)
    values = {"content": picture.content, "sha256": picture.sha256, "changed_at": now}
    session.execute(
        insert(MemberAvatar)
        .values(member_id=member_id, **values)
        .on_conflict_do_update(index_elements=["member_id"], set_=values)
    )
    return picture.sha256


def remove_avatar(session: Session, member_id: int) -> None:
    """Take a member's picture away; doing it twice is no error."""
    session.execute(sa.delete(MemberAvatar).where(MemberAvatar.member_id == member_id))


def avatar_of(session: Session, member_id: int) -> MemberAvatar | None:
    """Return a member's picture with its content."""
    return session.scalar(
        sa.select(MemberAvatar)
        .options(undefer(MemberAvatar.content))
        .where(MemberAvatar.member_id == member_id)
    )


def avatar_digest(session: Session, member_id: int) -> str | None:
    """Return the digest of a member's picture, by which it is told from an earlier one."""
    return session.scalar(sa.select(MemberAvatar.sha256).where(MemberAvatar.member_id == member_id))


def mark_nickname(session: Session, member_id: int, *, is_clear: bool, now: datetime) -> None:
    """Remember whether the nickname that a member just took may be shown to strangers."""
    if is_clear:
        _forget_doubt(session, member_id)
        return
    session.execute(
        insert(DoubtfulNickname)
        .values(member_id=member_id, found_at=now)
        .on_conflict_do_update(index_elements=["member_id"], set_={"found_at": now})
    )


def clear_nickname(session: Session, member_id: int, *, actor: Actor, now: datetime) -> None:
    """Say that a doubtful nickname is fine; where it is not doubtful, nothing changes."""
    member = lock_member(session, member_id)
    if _forget_doubt(session, member_id):
        _record(session, "nickname_cleared", member, {}, actor=actor, now=now)


def erase_nickname(session: Session, member_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a nickname away that must not be shown; the member can take another one."""
    member = lock_member(session, member_id)
    if _forget_doubt(session, member_id):
        _record(session, "nickname_erased", member, {"nickname": ""}, actor=actor, now=now)
        member.nickname = ""
        session.flush()


def shown_name(session: Session, member_id: int) -> str:
    """Return the nickname that strangers may see: none while it is in doubt."""
    doubtful = sa.exists().where(DoubtfulNickname.member_id == Member.id)
    query = sa.select(Member.nickname).where(Member.id == member_id, ~doubtful)
    return session.scalar(query) or ""


def _forget_doubt(session: Session, member_id: int) -> bool:
    gone = session.execute(
        sa.delete(DoubtfulNickname)
        .where(DoubtfulNickname.member_id == member_id)
        .returning(DoubtfulNickname.member_id)
    )
    return gone.first() is not None


def _record(
    session: Session,
    action: str,
    member: Member,
    after: dict[str, str],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    subject = Subject("member", member.id, member.origin_store_id)
    audit.record(session, actor, action, subject, Change({}, after), now=now)
