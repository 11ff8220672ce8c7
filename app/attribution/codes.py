"""Share codes and the channels they carry: issuing, revoking, looking up."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from app.attribution.errors import (
    ChannelInvalid,
    ChannelKindDiffers,
    ChannelNotFound,
    CodeRevoked,
    CodeUnknown,
    PageInvalid,
)
from app.attribution.models import Channel, ChannelKind, ShareCode
from app.attribution.rules import Owner, OwnerKind
from app.catalog.errors import ProductNotFound
from app.catalog.models import Product
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.ids import random_text
from app.members.profiles import has_controls
from app.members.queries import active_distributor
from app.stores.errors import StoreNotFound
from app.stores.models import Store

CODE_LENGTH: Final = 22
"""131 random bits; WeChat's scene takes 32 characters."""
CODE: Final = re.compile(rf"[0-9A-Za-z]{{{CODE_LENGTH}}}", re.ASCII)
PAGE: Final = re.compile(r"[0-9A-Za-z_-]+(?:/[0-9A-Za-z_-]+)*", re.ASCII)
PAGE_LENGTH_MAX: Final = 128
CHANNEL_NAME_LENGTH_MAX: Final = 40
TRIES: Final = 3
"""Once for a code that another transaction revoked between two looks, and once for luck."""


@dataclass(frozen=True, slots=True)
class ChannelChoice:
    """A channel by its name: taken where the owner has it, opened where not."""

    name: str
    kind: ChannelKind


@dataclass(frozen=True, slots=True)
class _Target:
    """The three things a code stands for."""

    owner: Owner
    channel_id: int
    page: str
    product_id: int | None


def issue_code(  # noqa: PLR0913 - the facts of one request, all by keyword
    session: Session,
    *,
    distributor_id: int | None = None,
    owner_store_id: int | None = None,
    channel: ChannelChoice | int,
    page: str,
    product_id: int | None = None,
    actor: Actor | None = None,
    now: datetime,
) -> ShareCode:
    """Return the live code of an owner for a channel and a target; make it where there is none.

    Exactly one owner is given; the channel by name and kind, or by id. `actor` is the member of
    staff where one issues it. Raises `NotADistributor`, `StoreNotFound`, `ChannelInvalid`,
    `ChannelNotFound`, `ChannelKindDiffers`, `PageInvalid`, `ProductNotFound`.
    """
    assert (distributor_id is None) is not (owner_store_id is None), "a code has one owner"
    if len(page) > PAGE_LENGTH_MAX or not PAGE.fullmatch(page):
        raise PageInvalid
    owner = Owner.of(distributor_id, owner_store_id)
    _check_owner(session, owner)
    if product_id is not None and session.get(Product, product_id) is None:
        raise ProductNotFound(product_id)
    channel_id = _channel_id(session, owner, channel, now=now)
    code, is_new = _live_or_new(session, _Target(owner, channel_id, page, product_id), now=now)
    if actor is not None and is_new:
        _record(session, actor, "share_code_issued", code, now=now)
    return code


def _check_owner(session: Session, owner: Owner) -> None:
    if owner.kind is OwnerKind.DISTRIBUTOR:
        active_distributor(session, owner.id)
    elif session.get(Store, owner.id) is None:
        raise StoreNotFound


def _channel_id(
    session: Session, owner: Owner, choice: ChannelChoice | int, *, now: datetime
) -> int:
    if isinstance(choice, int):
        return _own_or_brands(session, owner, choice)
    name = choice.name.strip()
    if has_controls(name) or not 1 <= len(name) <= CHANNEL_NAME_LENGTH_MAX:
        raise ChannelInvalid
    session.execute(
        insert(Channel)
        .values(
            name=name,
            kind=choice.kind,
            owner_id=owner.distributor_id,
            store_id=owner.store_id,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
    channel = session.scalars(
        sa.select(Channel).where(
            Channel.name == name,
            Channel.owner_id.is_not_distinct_from(owner.distributor_id),
            Channel.store_id.is_not_distinct_from(owner.store_id),
        )
    ).one()
    if channel.kind is not choice.kind:
        raise ChannelKindDiffers
    return channel.id


def _own_or_brands(session: Session, owner: Owner, channel_id: int) -> int:
    """Return the id of a channel if it is the owner's, or belongs to the brand as a whole."""
    channel = session.get(Channel, channel_id)
    if channel is None:
        raise ChannelNotFound
    holders = {(owner.distributor_id, owner.store_id), (None, None)}
    if (channel.owner_id, channel.store_id) not in holders:
        raise ChannelNotFound
    return channel.id


def _live_or_new(session: Session, target: _Target, *, now: datetime) -> tuple[ShareCode, bool]:
    """Insert a code, or find the live one that stood in the way; return whether it is new."""
    for _ in range(TRIES):
        new_id = session.scalar(
            insert(ShareCode)
            .values(
                code=random_text(CODE_LENGTH),
                distributor_id=target.owner.distributor_id,
                owner_store_id=target.owner.store_id,
                channel_id=target.channel_id,
                page=target.page,
                product_id=target.product_id,
                created_at=now,
            )
            .on_conflict_do_nothing()
            .returning(ShareCode.id)
        )
        found = session.scalar(_loaded().where(*_stands_for(target)))
        if found is not None:
            return found, new_id is not None
    raise AssertionError("a code that is live each time it is made, and gone each time it is read")


def _stands_for(target: _Target) -> list[sa.ColumnElement[bool]]:
    return [
        ShareCode.distributor_id.is_not_distinct_from(target.owner.distributor_id),
        ShareCode.owner_store_id.is_not_distinct_from(target.owner.store_id),
        ShareCode.channel_id == target.channel_id,
        ShareCode.page == target.page,
        ShareCode.product_id.is_not_distinct_from(target.product_id),
        ShareCode.revoked_at.is_(None),
    ]


def _loaded() -> sa.Select[ShareCode]:
    return sa.select(ShareCode).options(joinedload(ShareCode.channel))


def revoke_code(
    session: Session, code_id: int, *, owner_id: int | None, actor: Actor, now: datetime
) -> ShareCode:
    """Take a code back for good; a second time changes nothing.

    `owner_id` is the distributor whose it must be, or None for staff. Raises `CodeUnknown`.
    """
    code = _locked(session, code_id, owner_id)
    if code.revoked_at is None:
        code.revoked_at = now
        session.flush()
        _record(session, actor, "share_code_revoked", code, now=now)
    return code


def regenerate_code(
    session: Session, code_id: int, *, owner_id: int | None, actor: Actor, now: datetime
) -> ShareCode:
    """Take a code back and return a new one that stands for the same.

    Raises `CodeUnknown`, `CodeRevoked` for a code taken back before, `NotADistributor`.
    """
    old = _locked(session, code_id, owner_id)
    if old.revoked_at is not None:
        raise CodeRevoked
    owner = Owner.of(old.distributor_id, old.owner_store_id)
    _check_owner(session, owner)
    revoke_code(session, code_id, owner_id=owner_id, actor=actor, now=now)
    target = _Target(owner, old.channel_id, old.page, old.product_id)
    new, _ = _live_or_new(session, target, now=now)
    _record(session, actor, "share_code_issued", new, now=now)
    return new


def _locked(session: Session, code_id: int, owner_id: int | None) -> ShareCode:
    code = session.scalar(
        sa.select(ShareCode)
        .where(ShareCode.id == code_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if code is None or (owner_id is not None and code.distributor_id != owner_id):
        raise CodeUnknown
    return code


def _record(session: Session, actor: Actor, action: str, code: ShareCode, *, now: datetime) -> None:
    """Write what staff did with a code to the audit trail; a member's own doing stays out of it."""
    if actor.kind != "staff":
        return
    facts = {
        "distributor_id": code.distributor_id,
        "owner_store_id": code.owner_store_id,
        "page": code.page,
    }
    subject = Subject("share_code", code.id, code.owner_store_id)
    audit.record(session, actor, action, subject, Change(after=facts), now=now)


def live_code(session: Session, text: str) -> ShareCode:
    """Return the live code of that text, with its channel.

    Raises `CodeUnknown` for what is no code and for what could be one alike, and `CodeRevoked`.
    """
    code = code_by_text(session, text)
    if code is None:
        raise CodeUnknown
    if code.revoked_at is not None:
        raise CodeRevoked
    return code


def code_by_text(session: Session, text: str) -> ShareCode | None:
    """Return the code of that text, live or revoked, with its channel."""
    if not CODE.fullmatch(text):
        return None
    return session.scalar(
        _loaded().where(ShareCode.code == text).execution_options(populate_existing=True)
    )
