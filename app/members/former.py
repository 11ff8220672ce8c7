"""Recognising a customer who had their data erased and comes back for what is for new ones.

What an erasure removes is gone. Beside it stay keyed hashes of the number, the WeChat account and
the devices, under a purpose of their own, so that they match nothing else that is stored; with
them only when somebody first bought and which guest cards they had. They serve one purpose, to
refuse what a person gets once, and are removed after a time that is a setting; 0 keeps none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base, Id
from app.kernel.secrecy import vault
from app.members.models import Member, MemberDevice

FORGET_MAX: Final = 5_000
"""How many are removed in one transaction."""


class MarkKind(StrEnum):
    """What somebody can be recognised by."""

    PHONE = "phone"
    OPENID = "openid"
    UNIONID = "unionid"
    DEVICE = "device"


class FormerCustomer(Base):
    """One thing by which a former customer is recognised until `until_at`; it names nobody.

    `card_claims` are the guest cards that were claimed with a device.
    """

    __tablename__ = "former_customers"
    __table_args__ = (
        sa.CheckConstraint("mark ~ '^[0-9a-f]{64}$'", name="mark"),
        sa.CheckConstraint("card_claims >= 0", name="card_claims"),
        sa.Index("ix_former_customers_until", "until_at"),
    )

    id: Mapped[Id]
    mark: Mapped[str] = mapped_column(index=True)
    first_paid_at: Mapped[datetime | None]
    card_template_ids: Mapped[list[int]] = mapped_column(sa.ARRAY(sa.BigInteger))
    has_used_card: Mapped[bool]
    card_claims: Mapped[int]
    until_at: Mapped[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardsHad:
    """The guest cards that somebody had: of which kinds, whether one was used, on which devices."""

    template_ids: tuple[int, ...] = ()
    has_used: bool = False
    claims: Mapping[str, int]
    """How many were claimed with each device, by its hash."""


def remember(
    session: Session, member: Member, cards: CardsHad, *, until_at: datetime, now: datetime
) -> int:
    """Keep by what a member who is about to be erased can be recognised; return how many marks.

    Nothing is kept of somebody who never bought and never had a card: they lost no right.
    """
    if until_at <= now or not (member.first_paid_at or cards.template_ids):
        return 0
    held = sa.select(MemberDevice.device_hash).where(MemberDevice.member_id == member.id)
    devices = {*session.scalars(held), *cards.claims}
    rows = [
        FormerCustomer(
            mark=mark,
            first_paid_at=member.first_paid_at,
            card_template_ids=list(cards.template_ids),
            has_used_card=cards.has_used,
            card_claims=0,
            until_at=until_at,
        )
        for mark in _marks(member)
    ]
    rows += [
        FormerCustomer(
            mark=_mark(MarkKind.DEVICE, one),
            first_paid_at=None,
            card_template_ids=[],
            has_used_card=False,
            card_claims=cards.claims.get(one, 0),
            until_at=until_at,
        )
        for one in sorted(devices)
        if cards.claims.get(one)
    ]
    session.add_all(rows)
    session.flush()
    return len(rows)


def recognise(session: Session, member: Member, *, now: datetime) -> bool:
    """Make an existing customer of a member who bought before an erasure; tell whether they did.

    The member is locked. It holds for their number, their WeChat account and their unionid.
    """
    paid = [one.first_paid_at for one in _found(session, member, now=now) if one.first_paid_at]
    if paid:
        member.first_paid_at = min([*paid, member.first_paid_at or paid[0]])
        session.flush()
    return bool(paid)


def has_used_card(session: Session, member: Member, *, now: datetime) -> bool:
    """Tell whether somebody used a guest card before an erasure."""
    return any(one.has_used_card for one in _found(session, member, now=now))


def had_card(session: Session, member: Member, template_id: int, *, now: datetime) -> bool:
    """Tell whether somebody claimed a guest card of a template before an erasure."""
    return any(template_id in one.card_template_ids for one in _found(session, member, now=now))


def card_claims(session: Session, device_hash: str, *, now: datetime) -> int:
    """Count the guest cards that people who were erased since had claimed with a device."""
    wanted = sa.select(sa.func.coalesce(sa.func.sum(FormerCustomer.card_claims), 0)).where(
        FormerCustomer.mark == _mark(MarkKind.DEVICE, device_hash), FormerCustomer.until_at > now
    )
    return int(session.scalar(wanted) or 0)


def forget(session: Session, *, now: datetime) -> int:
    """Remove marks whose time is over; return how many, at most `FORGET_MAX`."""
    due = (
        sa.select(FormerCustomer.id)
        .where(FormerCustomer.until_at <= now)
        .order_by(FormerCustomer.until_at)
        .limit(FORGET_MAX)
    )
    gone = session.scalars(
        sa.delete(FormerCustomer)
        .where(FormerCustomer.id.in_(due))
        .returning(FormerCustomer.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _found(session: Session, member: Member, *, now: datetime) -> Iterable[FormerCustomer]:
    return session.scalars(
        sa.select(FormerCustomer).where(
            FormerCustomer.mark.in_(list(_marks(member))), FormerCustomer.until_at > now
        )
    ).all()


def _marks(member: Member) -> Iterator[str]:
    yield _mark(MarkKind.OPENID, member.wechat_openid)
    if member.wechat_unionid is not None:
        yield _mark(MarkKind.UNIONID, member.wechat_unionid)
    if member.phone_hash is not None:
        yield _mark(MarkKind.PHONE, member.phone_hash)


def _mark(kind: MarkKind, value: str) -> str:
    return vault().look_up(f"former-{kind}", value)
