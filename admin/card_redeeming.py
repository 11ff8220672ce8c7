"""Redeeming guest cards at the counter page of the back office: by code, or by phone number."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from admin.actions import joined
from admin.decisions import Act
from admin.people import phone_hash
from app.guest_cards import redeeming
from app.guest_cards.errors import CardNotFound, NothingLeft
from app.guest_cards.models import CardItem
from app.kernel.audit import Actor
from app.members.models import Member


def redeem(_row: Any, act: Act) -> str:
    """Redeem what was filled in; return the id of the card."""
    form = act.form
    return str(
        joined(
            _redeem_shown,
            code=(form.code.data or "").strip(),
            phone=(form.phone.data or "").strip(),
            store_id=int(form.store_id.data),
            actor=act.actor,
            now=act.now,
        )
    )


def _redeem_shown(
    session: Session, *, code: str, phone: str, store_id: int, actor: Actor, now: datetime
) -> int:
    """Redeem what a code or a phone number stands for; return the card."""
    item_id = redeeming.item_of(code) if code else _item_by_phone(session, phone, store_id, now)
    redeeming.redeem(session, item_id, code=code or None, store_id=store_id, actor=actor, now=now)
    return session.get_one(CardItem, item_id).card_id


def _item_by_phone(session: Session, phone: str, store_id: int, now: datetime) -> int:
    """Return what runs out first of all that somebody of this number can use in a store."""
    number = phone_hash(phone)
    if number is None:
        raise CardNotFound
    found = session.scalars(
        sa.select(Member.id).where(Member.phone_hash == number, Member.deleted_at.is_(None))
    ).all()
    for member_id in found:
        usable = redeeming.usable_of(session, member_id, store_ids=[store_id], now=now)
        if usable:
            return usable[0].id
    raise NothingLeft if found else CardNotFound
