"""Exchanging points in the mall: the points, the piece and the member's share, all or nothing.

Order of locks: the member's accounts, the exchange, the item, the store's stock. The item is locked
last of what many want at once, so that a hot one is held for two statements only. A coupon is given
by whoever calls (`deliver`), in the same transaction, because points know nothing of coupons.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.catalog import pieces
from app.catalog.models import Product, ProductKind
from app.catalog.pieces import Piece
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.ids import business_number
from app.points import mall, spending
from app.points.accounts import lock
from app.points.errors import (
    ExchangeNotFound,
    ExchangeNotWaiting,
    MallItemGone,
    MallItemNotFound,
    MallLimitReached,
    MallStoreWrong,
    PointsReasonMissing,
)
from app.points.mall_models import ExchangeStep, MallExchange, MallItem, MallTally
from app.points.states import ExchangeKind, ExchangeState
from app.stores.models import Store

NUMBER_PREFIX: Final = "E"
REASON_MAX: Final = 500

Deliver = Callable[[MallItem, str], int]
"""Gives a coupon of an item's template, once by the key that it gets; returns the coupon's id."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member wants, and the store that hands it over; none for a coupon."""

    item_id: int
    store_id: int | None = None


def exchange(
    session: Session,
    wish: Wish,
    *,
    member_id: int,
    deliver: Deliver | None = None,
    now: datetime,
) -> MallExchange:
    """Let a member have a piece for points. An item of coupons is absent without `deliver`.

    Raises `MallItemNotFound`, `MallStoreWrong`, `PointsShort`, `MallLimitReached`, `MallItemGone`,
    `StockOut`, and what `deliver` raises; the caller rolls back then.
    """
    item = mall.item(session, wish.item_id)
    if item.kind is ExchangeKind.COUPON and deliver is None:
        raise MallItemNotFound
    _require_store(session, item, wish.store_id)
    number, actor = business_number(NUMBER_PREFIX, now), Actor("member", member_id)
    spending.hold(session, spend_key(number), item.points, member_id=member_id, now=now)
    spending.spend_held(session, spend_key(number), now=now)
    _count_for_member(session, item, member_id)
    row = _row(session, item, number, wish.store_id, member_id=member_id, now=now)
    if deliver is not None and item.kind is ExchangeKind.COUPON:
        row.coupon_id = deliver(item, spend_key(number))
        row.state, row.ended_at = ExchangeState.GIVEN, now
    session.add(row)
    session.flush()
    _step(session, row, actor=str(actor), now=now)
    _take_piece(session, item)
    if row.is_stocked:
        pieces.set_aside(session, _piece(row), actor=actor, now=now)
    return row


def cancel(
    session: Session, exchange_id: int, *, actor: Actor, now: datetime, reason: str = ""
) -> MallExchange:
    """Cancel what waits to be fetched: the points go back, the piece and the share as well.

    Raises `ExchangeNotFound`, `ExchangeNotWaiting`, and of staff who say no reason
    `PointsReasonMissing`.
    """
    reason = reason.strip()
    if len(reason) > REASON_MAX or (actor.kind == "staff" and not reason):
        raise PointsReasonMissing
    found = session.get(MallExchange, exchange_id)
    if found is None:
        raise ExchangeNotFound
    lock(session, found.member_id)
    row = locked(session, exchange_id)
    row.state, row.ended_at = ExchangeState.CANCELLED, now
    session.flush()
    _step(session, row, actor=str(actor), reason=reason, now=now)
    spending.give_back_up_to(session, spend_key(row.number), row.points, now=now)
    session.execute(
        sa.update(MallTally)
        .where(MallTally.item_id == row.item_id, MallTally.member_id == row.member_id)
        .values(taken=MallTally.taken - 1)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        sa.update(MallItem)
        .where(MallItem.id == row.item_id)
        .values(exchanged=MallItem.exchanged - 1)
        .execution_options(synchronize_session=False)
    )
    if row.is_stocked:
        pieces.let_go(session, _piece(row), actor=actor, now=now)
    if actor.kind == "staff":
        subject = Subject("mall_exchange", row.id, row.store_id)
        change = Change({"state": "waiting"}, {"state": "cancelled"}, reason)
        audit.record(session, actor, "mall_exchange_cancelled", subject, change, now=now)
    return row


def locked(session: Session, exchange_id: int) -> MallExchange:
    """Lock an exchange that waits to be fetched.

    Raises `ExchangeNotFound`, `ExchangeNotWaiting`.
    """
    row = session.get(MallExchange, exchange_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise ExchangeNotFound
    if row.state is not ExchangeState.WAITING:
        raise ExchangeNotWaiting
    return row


def end_handed_over(
    session: Session, row: MallExchange, *, store_id: int, actor: Actor, now: datetime
) -> None:
    """Note that a locked exchange was handed over, and take the piece off the shelf."""
    row.state, row.ended_at = ExchangeState.HANDED_OVER, now
    session.flush()
    _step(session, row, actor=str(actor), store_id=store_id, now=now)
    if row.is_stocked:
        pieces.hand_over(session, _piece(row), actor=actor, now=now)


def exchange_of(session: Session, exchange_id: int, member_id: int) -> MallExchange:
    """Return a member's own exchange; somebody else's is the same as none."""
    row = session.get(MallExchange, exchange_id)
    if row is None or row.member_id != member_id:
        raise ExchangeNotFound
    return row


def exchanges_page(
    session: Session, member_id: int, *, after_id: int | None, limit: int
) -> Sequence[MallExchange]:
    """Return one page of a member's exchanges, the newest first."""
    wanted = sa.select(MallExchange).where(MallExchange.member_id == member_id)
    if after_id is not None:
        wanted = wanted.where(MallExchange.id < after_id)
    return session.scalars(wanted.order_by(MallExchange.id.desc()).limit(limit)).all()


def steps_of(session: Session, exchange_id: int) -> Sequence[ExchangeStep]:
    """Return what happened to an exchange, the first first."""
    return session.scalars(
        sa.select(ExchangeStep)
        .where(ExchangeStep.exchange_id == exchange_id)
        .order_by(ExchangeStep.id)
    ).all()


def spend_key(number: str) -> str:
    """Return the key of the spend that paid for an exchange."""
    return f"exchange:{number}"


def _require_store(session: Session, item: MallItem, store_id: int | None) -> None:
    if item.kind is ExchangeKind.COUPON:
        if store_id is not None:
            raise MallStoreWrong
        return
    store = session.get(Store, store_id) if store_id is not None else None
    if store is None or not store.is_open:
        raise MallStoreWrong
    if item.store_ids is not None and store.id not in item.store_ids:
        raise MallStoreWrong


def _count_for_member(session: Session, item: MallItem, member_id: int) -> None:
    """Count one piece more for a member, or raise where they have their share."""
    more = insert(MallTally).values(item_id=item.id, member_id=member_id, taken=1)
    under = None if item.limit_per_member is None else MallTally.taken < item.limit_per_member
    counted = session.scalar(
        more.on_conflict_do_update(
            index_elements=["item_id", "member_id"],
            set_={"taken": MallTally.taken + 1},
            where=under,
        ).returning(MallTally.taken)
    )
    if counted is None:
        raise MallLimitReached(item.limit_per_member or 0)


def _take_piece(session: Session, item: MallItem) -> None:
    taken = session.scalar(
        sa.update(MallItem)
        .where(MallItem.id == item.id, MallItem.exchanged < MallItem.stock, MallItem.is_published)
        .values(exchanged=MallItem.exchanged + 1)
        .returning(MallItem.exchanged)
        .execution_options(synchronize_session=False)
    )
    if taken is None:
        raise MallItemGone


def _row(
    session: Session,
    item: MallItem,
    number: str,
    store_id: int | None,
    *,
    member_id: int,
    now: datetime,
) -> MallExchange:
    product = session.get(Product, item.product_id) if item.product_id is not None else None
    return MallExchange(
        number=number,
        item_id=item.id,
        member_id=member_id,
        kind=item.kind,
        title=item.title,
        points=item.points,
        product_id=item.product_id,
        is_stocked=product is not None and product.kind is ProductKind.GOODS,
        store_id=store_id,
        state=ExchangeState.WAITING,
        created_at=now,
    )


def _piece(row: MallExchange) -> Piece:
    assert row.product_id is not None, "only products are stocked"
    assert row.store_id is not None, "a product is fetched in a store"
    return Piece(row.product_id, row.store_id, spend_key(row.number))


def _step(
    session: Session,
    row: MallExchange,
    *,
    actor: str,
    now: datetime,
    store_id: int | None = None,
    reason: str = "",
) -> None:
    session.add(
        ExchangeStep(
            exchange_id=row.id,
            to_state=row.state,
            at=now,
            actor=actor,
            store_id=store_id,
            reason=reason,
        )
    )
    session.flush()
