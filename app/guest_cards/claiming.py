"""A friend claims a card, and may come to belong to whoever gave it.

Whom the friend belongs to is decided by the rules of ownership, as for every other touch: the
claim is a touch of the giver's share code with the source "guest card", in the claim's own
transaction. A giver who may not win customers at present wins none, and the card is good all the
same.

Order of locks: the card, then the friend (and the giver, where the friend could be won by them),
then the device and the phone number by their hashes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.attribution import history
from app.attribution.errors import CodeRevoked, CodeUnknown
from app.attribution.guessing import Guess
from app.attribution.models import ShareCode, Touch
from app.attribution.rules import Owner, OwnerKind, TouchSource
from app.attribution.touches import record_touch
from app.guest_cards.booking import require_not_blocked
from app.guest_cards.errors import (
    CardHadBefore,
    CardLapsed,
    CardPhoneRequired,
    CardsLocked,
    CardTaken,
    CardUnknown,
    DeviceCardsUsedUp,
    HouseholdCard,
    NotANewCustomer,
    OwnCard,
)
from app.guest_cards.models import CardUse, GuestCard
from app.guest_cards.sharing import share_code_of
from app.guest_cards.states import HELD, CardEvent, CardState
from app.kernel.outbox import emit
from app.kernel.secrecy import vault
from app.members import former
from app.members.errors import MemberNotFound, NotADistributor
from app.members.models import Member, MemberDevice
from app.members.queries import has_bought, household_of, same_person
from app.settings import Settings

CARD_TOKENS: Final = Guess("guest-card:", CardUnknown, CardsLocked)
"""How guesses at cards are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Friend:
    """Who claims, and from where: `device_id` is what their client says of the device."""

    member_id: int
    device_id: str
    ip: str | None


def by_token(session: Session, token: str) -> GuestCard:
    """Return the card of a link, with its items and template. Raises `CardUnknown`.

    Whoever serves strangers wraps the call in `guessing.counting_misses` with `CARD_TOKENS`.
    """
    card = session.scalar(
        sa.select(GuestCard)
        .where(GuestCard.token == token)
        .options(selectinload(GuestCard.items), selectinload(GuestCard.template))
    )
    if card is None:
        raise CardUnknown
    return card


def claim(
    session: Session, token: str, *, friend: Friend, settings: Settings, now: datetime
) -> GuestCard:
    """Give a shared card to the friend who asks first; the same friend again gets it again.

    Raises `CardUnknown`, `CardTaken`, `CardLapsed`, `CardPhoneRequired`, `OwnCard`,
    `HouseholdCard`, `NotANewCustomer`, `CardHadBefore`, `DeviceCardsUsedUp`, `CardsBlocked`.
    """
    card = _locked(session, token)
    if card.member_id == friend.member_id and card.state in HELD:
        return card
    _require_claimable(card, now=now)
    owner = Owner(OwnerKind.DISTRIBUTOR, card.giver_id)
    member = history.lock_customer(session, friend.member_id, owner)
    device_hash = vault().look_up("device", friend.device_id)
    is_new = _require_eligible(session, card, member, device_hash, settings=settings, now=now)
    touch_id = _touch(session, card, friend, settings=settings, now=now)
    card.member_id, card.claimed_at, card.is_new = member.id, now, is_new
    card.device_hash, card.touch_id = device_hash, touch_id
    until_at = now + timedelta(days=card.valid_days)
    card.expires_at = until_at if card.ends_at is None else min(until_at, card.ends_at)
    card.advance(CardEvent.CLAIM, now=now, actor=f"member:{member.id}")
    session.flush()
    emit(session, "guest_card_claimed", card.id, now=now)
    return card


def is_new_customer(session: Session, member: Member) -> bool:
    """Tell whether somebody has bought or used nothing here, under any account of theirs."""
    has_come = sa.exists().where(CardUse.member_id == Member.id, same_person(member))
    return not has_bought(session, member) and not session.scalar(sa.select(has_come))


def _locked(session: Session, token: str) -> GuestCard:
    card = session.scalar(
        sa.select(GuestCard)
        .where(GuestCard.token == token)
        .options(selectinload(GuestCard.items), selectinload(GuestCard.template))
        .with_for_update(of=GuestCard)
        .execution_options(populate_existing=True)
    )
    if card is None:
        raise CardUnknown
    return card


def _require_claimable(card: GuestCard, *, now: datetime) -> None:
    if card.state in {CardState.CLAIMED, CardState.BOOKED, CardState.USED}:
        raise CardTaken
    if card.state is not CardState.SHARED or card.share_until_at <= now:
        raise CardLapsed


def _require_eligible(
    session: Session,
    card: GuestCard,
    member: Member,
    device_hash: str,
    *,
    settings: Settings,
    now: datetime,
) -> bool:
    """Raise where this friend cannot have this card; return whether they are a new customer."""
    if member.deleted_at is not None:
        raise MemberNotFound
    if member.id == card.giver_id:
        raise OwnCard
    if member.phone_hash is None:
        raise CardPhoneRequired
    _stand_in_line(session, device_hash, member.phone_hash)
    if household_of(session, member.id, {card.giver_id}) or _used_givers_device(
        session, card, device_hash
    ):
        raise HouseholdCard
    require_not_blocked(session, member.id, settings=settings, now=now)
    is_new = is_new_customer(session, member) and not former.has_used_card(session, member, now=now)
    if card.is_new_only and not is_new:
        raise NotANewCustomer
    if _had_before(session, card, member, now=now):
        raise CardHadBefore
    if _claims_with(session, device_hash, now=now) >= settings.card_claims_per_device:
        raise DeviceCardsUsedUp
    return is_new


def _stand_in_line(session: Session, device_hash: str, phone_hash: str) -> None:
    """Let one claim of a device, and one of a phone number, look at a time."""
    for name in sorted((f"guest-card:{device_hash}", f"guest-card:{phone_hash}")):
        session.execute(
            sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 11)))
        )


def _used_givers_device(session: Session, card: GuestCard, device_hash: str) -> bool:
    """Tell whether the giver has used the very device that claims."""
    return bool(
        session.scalar(
            sa.select(
                sa.exists().where(
                    MemberDevice.member_id == card.giver_id,
                    MemberDevice.device_hash == device_hash,
                )
            )
        )
    )


def _claims_with(session: Session, device_hash: str, *, now: datetime) -> int:
    """Count the cards claimed with a device, by people who were erased since as well."""
    claimed = sa.select(sa.func.count()).where(GuestCard.device_hash == device_hash)
    return (session.scalar(claimed) or 0) + former.card_claims(session, device_hash, now=now)


def _had_before(session: Session, card: GuestCard, member: Member, *, now: datetime) -> bool:
    """Tell whether this person, by phone number or unionid, claimed one of this kind before."""
    had = sa.exists().where(
        GuestCard.template_id == card.template_id,
        GuestCard.member_id == Member.id,
        same_person(member),
    )
    return bool(session.scalar(sa.select(had))) or former.had_card(
        session, member, card.template_id, now=now
    )


def _touch(
    session: Session, card: GuestCard, friend: Friend, *, settings: Settings, now: datetime
) -> int | None:
    """Record the claim as a touch; None where the giver has no live code to count it for."""
    code = _code_of(session, card, now=now)
    if code is None:
        return None
    try:
        record_touch(
            session,
            code=code,
            member_id=friend.member_id,
            source=TouchSource.GUEST_CARD,
            device_id=friend.device_id,
            ip=friend.ip,
            settings=settings,
            now=now,
        )
    except (CodeRevoked, CodeUnknown):
        return None
    return session.scalar(
        sa.select(sa.func.max(Touch.id)).where(
            Touch.member_id == friend.member_id, Touch.source == TouchSource.GUEST_CARD
        )
    )


def _code_of(session: Session, card: GuestCard, *, now: datetime) -> str | None:
    """Return the live code that the card was shared with, or the one that stands in its place."""
    code = session.get_one(ShareCode, card.share_code_id)
    if code.revoked_at is None:
        return code.code
    try:
        return session.get_one(ShareCode, share_code_of(session, card.giver_id, now=now)).code
    except NotADistributor:
        return None
