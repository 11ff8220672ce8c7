"""Group buys (拼团): so many people pay, then all get it; too few in time, and all get it back.

A group's row lock decides everything about it. `look_after` is the only place where a group moves:
it looks at the orders of all seats as they are now and does what follows, so that it does not
matter which event came first, came twice, or never came. Nobody is ever added to make a group
complete: a seat is a member's paid order.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Session

from app.activities import dealing, entries, queries, sweeping
from app.activities.contract import Kind
from app.activities.dealing import Purchase, Terms
from app.activities.entries import OrderFate, Taking
from app.activities.errors import (
    ActivityNotOpen,
    AlreadyInGroup,
    GroupAlreadyOpen,
    GroupFull,
    GroupNotFound,
    GroupNotOpen,
    NewcomersOnly,
)
from app.activities.group_models import BuyingGroup, GroupSeat
from app.activities.models import Activity, ActivityEntry, ActivityItem
from app.activities.rules import Newcomers, TradeRules
from app.activities.states import ActivityKind, ActivityState, GroupState, SeatState
from app.kernel.i18n import N_
from app.kernel.ids import random_text
from app.kernel.outbox import emit
from app.orders import services as orders
from app.orders.models import Order
from app.settings import Settings

CODE_LENGTH: Final = 16
"""About 95 bits: a group is found by its link only."""
LAST_CALL: Final = timedelta(seconds=60)
"""Nobody joins in the last minute: there would be no time left to pay."""
FAILED: Final = "group_failed"
"""The reason of refunds when too few came."""


class GroupBuyRules(TradeRules):
    """What a group asks of its people."""

    size: Annotated[
        int,
        Field(
            ge=2,
            le=100,
            title=N_("People in a group"),
            description=N_("So many have to pay, the one who opens the group included."),
        ),
    ] = 3
    group_seconds: Annotated[
        int,
        Field(
            ge=600,
            le=7 * 86_400,
            title=N_("Time to complete a group"),
            description=N_("After this everybody gets their money back by itself."),
        ),
    ] = 86_400
    newcomers: Annotated[
        Newcomers,
        Field(
            title=N_("Who has to be a new customer"),
            description=N_("Those who join, everybody, or nobody."),
        ),
    ] = "nobody"


def open_group(
    session: Session, item_id: int, purchase: Purchase, *, settings: Settings, now: datetime
) -> tuple[BuyingGroup, Order]:
    """Open a group and take its first seat with an order; who opens it pays what all pay."""
    activity, item = queries.offered(session, item_id, kind=ActivityKind.GROUP_BUY)
    queries.require_open(activity, store_id=purchase.store_id, now=now)
    rules = GroupBuyRules.model_validate(activity.rules)
    if rules.newcomers == "everybody":
        _require_newcomer(session, purchase.member_id)
    _require_no_open(session, item_id, purchase.member_id)
    group = BuyingGroup(
        code=random_text(CODE_LENGTH),
        activity_id=activity.id,
        item_id=item.id,
        store_id=purchase.store_id,
        leader_id=purchase.member_id,
        size=rules.size,
        state=GroupState.OPEN,
        opened_at=now,
        expires_at=now + timedelta(seconds=rules.group_seconds),
    )
    try:
        with session.begin_nested():
            session.add(group)
    except sa.exc.IntegrityError:
        _require_no_open(session, item_id, purchase.member_id)
        raise
    order = _sit_down(session, group, 1, purchase, settings=settings, now=now)
    return group, order


def join(
    session: Session, code: str, purchase: Purchase, *, settings: Settings, now: datetime
) -> tuple[BuyingGroup, Order]:
    """Take a free seat of an open group with an order, in the store where it was opened.

    Raises `GroupFull`, `GroupNotOpen`, `AlreadyInGroup`, `NewcomersOnly`; then nothing was taken.
    """
    group = _lock(session, BuyingGroup.code == code)
    activity = session.get_one(Activity, group.activity_id, populate_existing=True)
    if activity.state is ActivityState.CANCELLED:
        raise ActivityNotOpen
    if group.state is not GroupState.OPEN or now >= group.expires_at - LAST_CALL:
        raise GroupNotOpen
    if GroupBuyRules.model_validate(activity.rules).newcomers != "nobody":
        _require_newcomer(session, purchase.member_id)
    seats = live_seats(session, group.id)
    if any(seat.member_id == purchase.member_id for seat in seats):
        raise AlreadyInGroup
    if len(seats) >= group.size:
        raise GroupFull
    taken = {seat.number for seat in seats}
    number = next(one for one in range(1, group.size + 1) if one not in taken)
    order = _sit_down(session, group, number, purchase, settings=settings, now=now)
    return group, order


def look_after(session: Session, group_id: int, *, now: datetime) -> GroupState:
    """Do what follows for a group from its orders, its time and its activity as they are now.

    Free the seats of orders that are gone; complete the group when all seats are paid; let it fail
    when its time is over, its activity was cancelled or nobody is left. What is paid in a group
    that failed goes back, also when the money came later. Repeat it freely.
    """
    group = _lock(session, BuyingGroup.id == group_id)
    held = _orders_of(session, live_seats(session, group.id))
    if group.state is GroupState.OPEN:
        held = _update_seats(session, held, now=now)
        paid = [seat for seat, _ in held if seat.state is SeatState.PAID]
        if len(paid) == group.size:
            _complete(session, group, held, now=now)
        elif not held or now >= group.expires_at or _is_cancelled(session, group):
            group.state, group.ended_at = GroupState.FAILED, now
            session.flush()
            emit(session, "group_failed", group.id, now=now)
    if group.state is GroupState.FAILED:
        _let_go_of_all(session, held, now=now)
    return group.state


def live_seats(session: Session, group_id: int) -> Sequence[GroupSeat]:
    """Return the seats of a group that are taken, by number."""
    return session.scalars(
        sa.select(GroupSeat)
        .where(GroupSeat.group_id == group_id, GroupSeat.state != SeatState.LEFT)
        .order_by(GroupSeat.number)
        .execution_options(populate_existing=True)
    ).all()


def group_by_code(session: Session, code: str) -> BuyingGroup:
    """Return a group by what its link carries."""
    group = session.scalar(sa.select(BuyingGroup).where(BuyingGroup.code == code))
    if group is None:
        raise GroupNotFound
    return group


def sweep(now: datetime) -> int:
    """Look after open groups whose time is over or whose activity was cancelled."""
    return sweeping.each(_due(now), lambda session, one: look_after(session, one, now=now))


def _due(now: datetime) -> sa.Select[int]:
    return (
        sa.select(BuyingGroup.id)
        .join(Activity, Activity.id == BuyingGroup.activity_id)
        .where(
            BuyingGroup.state == GroupState.OPEN,
            sa.or_(BuyingGroup.expires_at <= now, Activity.state == ActivityState.CANCELLED),
        )
        .order_by(BuyingGroup.expires_at, BuyingGroup.id)
    )


def _sit_down(
    session: Session,
    group: BuyingGroup,
    number: int,
    purchase: Purchase,
    *,
    settings: Settings,
    now: datetime,
) -> Order:
    """Order for a seat; the group is locked, or new."""
    activity = session.get_one(Activity, group.activity_id)
    item = session.get_one(ActivityItem, group.item_id)
    rules = GroupBuyRules.model_validate(activity.rules)
    taking = Taking(
        activity=activity,
        item=item,
        member_id=purchase.member_id,
        store_id=group.store_id,
        regular_fen=dealing.regular_price(session, item),
        price_fen=item.price_fen,
    )
    entries.begin(session, taking)
    time_left = int((group.expires_at - now).total_seconds())
    terms = Terms(
        activity=activity,
        item=item,
        rules=rules,
        price_fen=item.price_fen,
        pay_seconds=min(rules.pay_seconds, time_left),
        is_held=True,
    )
    order = dealing.order(session, purchase, terms, settings=settings, now=now)
    entry = entries.finish(session, taking, order_id=order.id, now=now)
    session.add(
        GroupSeat(
            group_id=group.id,
            number=number,
            member_id=purchase.member_id,
            entry_id=entry.id,
            order_id=order.id,
            state=SeatState.HELD,
            at=now,
        )
    )
    session.flush()
    return order


def _update_seats(
    session: Session, held: Sequence[tuple[GroupSeat, Order]], *, now: datetime
) -> list[tuple[GroupSeat, Order]]:
    """Note which seats are paid, free those whose order is gone; return those that are left."""
    gone = [seat for seat, order in held if entries.fate_of(order) is OrderFate.GONE]
    staying = [(seat, order) for seat, order in held if seat not in gone]
    for seat, order in staying:
        if entries.fate_of(order) is OrderFate.PAID:
            seat.state = SeatState.PAID
    _free(session, gone, now=now)
    return staying


def _complete(
    session: Session, group: BuyingGroup, held: Sequence[tuple[GroupSeat, Order]], *, now: datetime
) -> None:
    group.state, group.ended_at = GroupState.COMPLETE, now
    session.flush()
    entries.keep(session, [seat.entry_id for seat, _ in held])
    for _, order in held:
        orders.let_go(session, order.id, now=now)
    emit(session, "group_completed", group.id, now=now)


def _let_go_of_all(
    session: Session, held: Sequence[tuple[GroupSeat, Order]], *, now: datetime
) -> None:
    """Give back what was paid, and close what was not; a seat is free once nothing is owed."""
    freed = []
    for seat, order in held:
        if entries.fate_of(order) is OrderFate.WAITING:
            orders.request_close(session, order.number, member_id=order.member_id, now=now)
            session.refresh(order)
        fate = entries.fate_of(order)
        if fate is OrderFate.PAID:
            orders.give_back_all(session, order.id, reason=FAILED, now=now)
        if fate is not OrderFate.WAITING:
            freed.append(seat)
    _free(session, freed, now=now)


def _free(session: Session, seats: Sequence[GroupSeat], *, now: datetime) -> None:
    for seat in seats:
        seat.state, seat.left_at = SeatState.LEFT, now
    session.flush()
    entries.release(session, [seat.entry_id for seat in seats], now=now)


def _order_moved(session: Session, entry: ActivityEntry, now: datetime) -> None:
    group_id = session.scalar(sa.select(GroupSeat.group_id).where(GroupSeat.entry_id == entry.id))
    assert group_id is not None, "an entry of a group buy has a seat"
    look_after(session, group_id, now=now)


def _orders_of(session: Session, seats: Sequence[GroupSeat]) -> list[tuple[GroupSeat, Order]]:
    """Return seats with their orders as they are now."""
    found = session.scalars(
        sa.select(Order)
        .where(Order.id.in_([seat.order_id for seat in seats]))
        .execution_options(populate_existing=True)
    )
    by_id = {order.id: order for order in found}
    return [(seat, by_id[seat.order_id]) for seat in seats]


def _lock(session: Session, which: sa.ColumnElement[bool]) -> BuyingGroup:
    group = session.scalar(
        sa.select(BuyingGroup)
        .where(which)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if group is None:
        raise GroupNotFound
    return group


def _is_cancelled(session: Session, group: BuyingGroup) -> bool:
    state = session.scalar(sa.select(Activity.state).where(Activity.id == group.activity_id))
    return state is ActivityState.CANCELLED


def _require_no_open(session: Session, item_id: int, member_id: int) -> None:
    code = session.scalar(
        sa.select(BuyingGroup.code).where(
            BuyingGroup.item_id == item_id,
            BuyingGroup.leader_id == member_id,
            BuyingGroup.state == GroupState.OPEN,
        )
    )
    if code is not None:
        raise GroupAlreadyOpen(code)


def _require_newcomer(session: Session, member_id: int) -> None:
    if not entries.is_newcomer(session, member_id):
        raise NewcomersOnly


KIND: Final = Kind(
    code=ActivityKind.GROUP_BUY,
    title=N_("Group buy"),
    about=N_("So many people pay a lower price together, or everybody gets their money back."),
    counts=N_("seats"),
    rules=GroupBuyRules,
    sells=True,
    order_moved=_order_moved,
    sweep=sweep,
)
