"""Handing over, at the counter, what a member had for points: once, where they chose (B33)."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.counter import codes
from app.counter.codes import PickupCode
from app.counter.duty import duty_of
from app.counter.errors import PickupCodeInvalid
from app.counter.redeemable import Redeemable
from app.kernel.audit import Actor, Change, Subject, record
from app.points import exchanging
from app.points.errors import ExchangeNotFound, ExchangeNotWaiting, ExchangeOfStaff
from app.points.mall_models import MallExchange
from app.points.states import ExchangeKind, ExchangeState

KIND: Final = "gift"


def show_code(session: Session, exchange_id: int, *, member_id: int, now: datetime) -> PickupCode:
    """Make the code that lets staff hand one's own exchange over.

    Raises `ExchangeNotFound`, `ExchangeNotWaiting`.
    """
    row = exchanging.exchange_of(session, exchange_id, member_id)
    if row.state is not ExchangeState.WAITING:
        raise ExchangeNotWaiting
    return codes.show(f"{KIND}:{row.id}", member_id=member_id, now=now)


def look(
    session: Session, subject_id: int, *, store_ids: Collection[int] | None, now: datetime
) -> Redeemable:
    """Return what is to be handed over, for staff of some stores; None stands for all.

    One of another store is the same as none. Raises `ExchangeNotFound`.
    """
    del now
    row = session.get(MallExchange, subject_id)
    if row is None or row.kind is not ExchangeKind.PRODUCT:
        raise ExchangeNotFound
    if store_ids is not None and row.store_id not in store_ids:
        raise ExchangeNotFound
    return _shown(row)


def redeem(
    session: Session,
    subject_id: int,
    *,
    code: str | None,
    store_id: int,
    actor: Actor,
    now: datetime,
) -> Redeemable:
    """Hand an exchange over, in its store. Without a code it is the staff's word alone.

    Raises `ExchangeNotFound`, also for a foreign store's, `ExchangeNotWaiting`, `ExchangeOfStaff`,
    and what `codes.spend` raises.
    """
    found = session.get(MallExchange, subject_id)
    duty = duty_of(session, actor, now=now)
    if found is None or found.store_id != store_id or duty is None or not duty.covers(store_id):
        raise ExchangeNotFound
    if duty.is_one_of({found.member_id}):
        raise ExchangeOfStaff
    row = exchanging.locked(session, subject_id)
    if code is not None:
        shown = codes.read(code)
        if shown.subject != f"{KIND}:{row.id}":
            raise PickupCodeInvalid
        codes.spend(session, shown, member_id=row.member_id, actor=actor, now=now)
    exchanging.end_handed_over(session, row, store_id=store_id, actor=actor, now=now)
    change = Change({"state": "waiting"}, {"state": "handed_over", "by_code": code is not None})
    subject = Subject("mall_exchange", row.id, store_id)
    record(session, actor, "mall_exchange_handed_over", subject, change, now=now)
    return _shown(row)


def _shown(row: MallExchange) -> Redeemable:
    return Redeemable(
        kind=KIND,
        id=row.id,
        title=row.title,
        member_id=row.member_id,
        left=int(row.state is ExchangeState.WAITING),
        detail=row.number,
    )
