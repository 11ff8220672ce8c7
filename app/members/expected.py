"""People the brand knew before they signed in: brought in from a file, claimed by their phone.

A member exists only through WeChat, so nobody can be made one from a list. What the brand knows of
an earlier customer waits here under the keyed hash of the phone number; whoever proves that number
in the mini-program, and agrees to its use, takes it over. Until then nothing of it is used.
"""

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base, Id
from app.members.models import Member


class ExpectedMember(Base):
    """One earlier customer by the hash of a phone number, and the member who turned out to be them.

    Once claimed, name and birthday stand with the member and are erased here.
    """

    __tablename__ = "expected_members"
    __table_args__ = (
        sa.CheckConstraint("(claimed_by_id IS NULL) = (claimed_at IS NULL)", name="claimed_whole"),
        sa.CheckConstraint(
            "claimed_at IS NULL OR (nickname = '' AND birthday_on IS NULL)", name="moved_over"
        ),
    )

    id: Mapped[Id]
    phone_hash: Mapped[str] = mapped_column(unique=True)
    nickname: Mapped[str] = mapped_column(server_default="")
    birthday_on: Mapped[date | None]
    origin_store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    first_paid_at: Mapped[datetime | None]
    """When they first bought: what makes an existing customer of whoever claims this."""
    old_number: Mapped[str] = mapped_column(server_default="")
    """What the brand's former system called them."""
    expected_at: Mapped[datetime]
    actor: Mapped[str]
    claimed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("members.id"), index=True)
    claimed_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is known of an earlier customer."""

    phone_hash: str
    nickname: str = ""
    birthday_on: date | None = None
    origin_store_id: int | None = None
    first_paid_at: datetime | None = None
    old_number: str = ""


def expect(
    session: Session, known: Expectation, *, actor: str, now: datetime
) -> ExpectedMember | None:
    """Keep what is known of an earlier customer; None where the number is expected already.

    A member who has proven the number before takes it over at once.
    """
    held = sa.select(ExpectedMember.id).where(ExpectedMember.phone_hash == known.phone_hash)
    if session.scalar(held) is not None:
        return None
    row = ExpectedMember(
        phone_hash=known.phone_hash,
        nickname=known.nickname,
        birthday_on=known.birthday_on,
        origin_store_id=known.origin_store_id,
        first_paid_at=known.first_paid_at,
        old_number=known.old_number,
        expected_at=now,
        actor=actor,
    )
    session.add(row)
    session.flush()
    member = session.scalar(
        sa.select(Member)
        .where(Member.phone_hash == known.phone_hash, Member.deleted_at.is_(None))
        .order_by(Member.id)
        .limit(1)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if member is not None:
        claim(session, member, now=now)
    return row


def claim(session: Session, member: Member, *, now: datetime) -> ExpectedMember | None:
    """Give a member, who is locked and has proven a phone, what was expected under that number.

    What the member said themselves stays. The first purchase only moves to an earlier instant, so
    that rules about existing customers hold for them as well. Whoever claims first has it.
    """
    row = session.scalar(
        sa.select(ExpectedMember)
        .where(
            ExpectedMember.phone_hash == member.phone_hash,
            ExpectedMember.claimed_by_id.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    member.nickname = member.nickname or row.nickname
    member.birthday_on = member.birthday_on or row.birthday_on
    member.origin_store_id = member.origin_store_id or row.origin_store_id
    _bought_by(member, row.first_paid_at)
    row.nickname, row.birthday_on = "", None
    row.claimed_by_id, row.claimed_at = member.id, now
    session.flush()
    return row


def note_purchase(
    session: Session, *, member_id: int | None, expected_id: int | None, at: datetime
) -> None:
    """Make an existing customer of whoever bought at an instant, known by either id.

    Of an expected one who has been claimed meanwhile, the member is told as well.
    """
    if expected_id is not None:
        row = session.get_one(
            ExpectedMember, expected_id, with_for_update=True, populate_existing=True
        )
        row.first_paid_at = min(row.first_paid_at or at, at)
        member_id = row.claimed_by_id
    if member_id is not None:
        member = session.get_one(
            Member, member_id, with_for_update={"key_share": True}, populate_existing=True
        )
        _bought_by(member, at)
    session.flush()


def _bought_by(member: Member, at: datetime | None) -> None:
    if at is not None:
        member.first_paid_at = min(member.first_paid_at or at, at)
