"""Gifts that plans granted instead of money: handing them over, or taking them back.

A gift is due from the moment the engine granted it. Staff hand it over, or revoke it with a reason,
as where the round that brought it turns out to be invented.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.plan_records import Gift, GiftState
from app.engines.explaining import explain_facts
from app.kernel.audit import Actor, Change, Subject, record
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_, Message
from app.orders.models import Order
from app.orders.states import OrderState


@dataclass(eq=False)
class GiftNotFound(DomainError):
    """There is no gift of that number."""

    code: ClassVar[str] = "gift_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such gift.")


@dataclass(eq=False)
class GiftNotDue(DomainError):
    """It was handed over or revoked before."""

    code: ClassVar[str] = "gift_not_due"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This gift was handed over or revoked already.")


@dataclass(eq=False)
class GiftOrderRefunded(DomainError):
    """The order that brought it was refunded whole, so it is not handed over any more."""

    code: ClassVar[str] = "gift_order_refunded"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The order behind this gift was refunded. Revoke the gift.")


@dataclass(frozen=True, slots=True)
class GiftRow:
    """A gift as whoever gets it sees it."""

    id: int
    kind: str
    item: str
    amount: int
    state: GiftState
    created_at: datetime
    ended_at: datetime | None
    explanation: tuple[Message, ...]


def give(session: Session, gift_id: int, *, actor: Actor, now: datetime) -> Gift:
    """Note that a gift was handed over; once, and not after its order was refunded whole."""
    is_refunded = session.scalar(
        sa.select(Order.state == OrderState.REFUNDED)
        .join(Gift, Gift.order_id == Order.id)
        .where(Gift.id == gift_id)
    )
    if is_refunded:
        raise GiftOrderRefunded
    return _end(session, gift_id, GiftState.GIVEN, actor=actor, now=now)


def revoke(session: Session, gift_id: int, *, reason: str, actor: Actor, now: datetime) -> Gift:
    """Take back a gift that was not handed over yet."""
    return _end(session, gift_id, GiftState.REVOKED, actor=actor, now=now, reason=reason)


def gifts_page(
    session: Session, member_id: int, *, after_id: int | None, limit: int
) -> list[GiftRow]:
    """Return one page of a member's gifts, the newest first, each with its explanation."""
    wanted = sa.select(Gift).where(Gift.beneficiary_id == member_id)
    if after_id is not None:
        wanted = wanted.where(Gift.id < after_id)
    rows: Sequence[Gift] = session.scalars(wanted.order_by(Gift.id.desc()).limit(limit)).all()
    return [
        GiftRow(
            id=row.id,
            kind=row.kind,
            item=row.item,
            amount=row.amount,
            state=row.state,
            created_at=row.created_at,
            ended_at=row.ended_at,
            explanation=explain_facts(row.explanation),
        )
        for row in rows
    ]


def _end(
    session: Session,
    gift_id: int,
    state: GiftState,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> Gift:
    gift = session.get(Gift, gift_id, with_for_update=True, populate_existing=True)
    if gift is None:
        raise GiftNotFound
    if gift.state is not GiftState.DUE:
        raise GiftNotDue
    gift.state, gift.ended_at, gift.actor = state, now, str(actor)
    session.flush()
    store_id = session.scalar(sa.select(Order.store_id).where(Order.id == gift.order_id))
    change = Change(
        before={"state": GiftState.DUE.value}, after={"state": state.value}, reason=reason
    )
    record(session, actor, f"gift.{state}", Subject("gift", gift.id, store_id), change, now=now)
    return gift
