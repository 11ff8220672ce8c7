"""The last months of own orders, as a stream: what was really paid, received, settled, refunded.

Read in batches by place (payment, number), each in a short transaction of its own, so that a
simulation of hours holds back nothing. `until_at` is part of the parameters: later facts do not
count, and running it again reads the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.boards import STANDINGS
from app.distribution.gathering import orders_with_upline, people_of
from app.distribution.simulation.errors import NothingToSimulate
from app.distribution.simulation.lane import Entry
from app.distribution.simulation.parameters import History
from app.distribution.simulation.stream import (
    Happening,
    Newcomer,
    Refund,
    Trade,
    months_before,
)
from app.engines.people import Line, Person, Standing
from app.kernel.db import atomic
from app.members.models import Distributor
from app.orders.models import Order, OrderLine, RefundLine
from app.orders.models import Refund as StoredRefund
from app.orders.states import RefundState

BATCH: Final = 2_000


@dataclass(frozen=True, slots=True)
class Window:
    """From which instant on orders count, and until which everything does."""

    months: int
    from_at: datetime
    until_at: datetime


def window_of(history: History, *, now: datetime) -> Window:
    """Return the whole months before the running one, and what there is of that."""
    until_at = datetime.fromisoformat(history.until_at) if history.until_at else now
    return Window(history.months, months_before(until_at, history.months), until_at)


def count_orders(session: Session, window: Window, entry: Entry) -> int:
    """Return how many orders of the window the rules are for; raises NothingToSimulate."""
    wanted = sa.select(sa.func.count()).select_from(Order).where(*_meant(window, entry))
    count = session.scalar(wanted) or 0
    if not count:
        raise NothingToSimulate(window.months)
    return count


def demand_orders(session: Session, window: Window, entry: Entry) -> None:
    """Raise NothingToSimulate where the rules are for no order of the window; counts none."""
    if session.scalar(sa.select(Order.id).where(*_meant(window, entry)).limit(1)) is None:
        raise NothingToSimulate(window.months)


def happenings(window: Window) -> Iterator[Happening]:
    """Yield newcomers to the team and paid orders, in order.

    Who was approved before the window joins at its beginning, the recommender before those they
    brought.
    """
    return merge(_newcomers(window), _trades(window), key=lambda one: one.at)


def _meant(window: Window, entry: Entry) -> list[sa.ColumnElement[bool]]:
    """Return what an order of the window must meet to fall under the rules."""
    wanted = _in_window(window)
    if entry.store_ids is not None:
        wanted.append(Order.store_id.in_(entry.store_ids))
    if entry.product_ids is not None:
        line = OrderLine.order_id == Order.id
        wanted.append(sa.exists().where(line, OrderLine.product_id.in_(entry.product_ids)))
    return wanted


def _in_window(window: Window) -> list[sa.ColumnElement[bool]]:
    return [
        Order.upline.is_not(None),
        Order.paid_at >= window.from_at,
        Order.paid_at < window.until_at,
    ]


def _newcomers(window: Window) -> Iterator[Newcomer]:
    """Yield distributors by the instant at which they joined, then by their place in the team."""
    last: tuple[datetime, int] = (window.from_at, 0)
    while rows := _newcomers_after(last, window):
        for row in rows:
            standing = STANDINGS.get(row.standing, Standing.NONE)
            person = Person(row.member_id, row.level, standing)
            yield Newcomer(person, row.recommender_id, row.joined_at)
        last = rows[-1].joined_at, rows[-1].team_order


def _newcomers_after(last: tuple[datetime, int], window: Window) -> Sequence[Any]:
    joined_at = sa.func.greatest(Distributor.approved_at, window.from_at)
    place = sa.tuple_(joined_at, Distributor.team_order)
    with atomic() as session:
        return session.execute(
            sa.select(
                Distributor.member_id,
                Distributor.recommender_id,
                Distributor.level,
                Distributor.standing,
                Distributor.team_order,
                joined_at.label("joined_at"),
            )
            .where(
                Distributor.approved_at < window.until_at,
                place > sa.tuple_(*map(sa.literal, last)),
            )
            .order_by(joined_at, Distributor.team_order)
            .limit(BATCH)
        ).all()


def _trades(window: Window) -> Iterator[Trade]:
    last: tuple[datetime, int] = (window.from_at, 0)
    while True:
        with atomic() as session:
            keys = session.execute(
                sa.select(Order.paid_at, Order.id)
                .where(
                    *_in_window(window),
                    sa.tuple_(Order.paid_at, Order.id) > sa.tuple_(*map(sa.literal, last)),
                )
                .order_by(Order.paid_at, Order.id)
                .limit(BATCH)
            ).all()
            found = _load(session, [key.id for key in keys], window)
        yield from found
        if len(keys) < BATCH:
            return
        last = keys[-1].paid_at, keys[-1].id


def _load(session: Session, order_ids: Sequence[int], window: Window) -> list[Trade]:
    """Load orders whole, whatever version each of their lines fell under."""
    if not order_ids:
        return []
    ids = _any_of(order_ids)
    refunds = _refunds(session, ids, window.until_at)
    lines: dict[int, list[Line]] = {order_id: [] for order_id in order_ids}
    for line_id, order_id, product_id, net_fen, distributable, quantity in session.execute(
        sa.select(
            OrderLine.id,
            OrderLine.order_id,
            OrderLine.product_id,
            OrderLine.net_fen,
            OrderLine.is_distributable,
            OrderLine.quantity,
        )
        .where(OrderLine.order_id == ids)
        .order_by(OrderLine.id)
    ):
        lines[order_id].append(Line(line_id, product_id, net_fen, distributable, quantity))
    return [
        _trade(row, tuple(lines[row.id]), refunds.get(row.id, ()))
        for row in session.execute(orders_with_upline().where(Order.id == ids))
    ]


def _trade(row: Any, lines: tuple[Line, ...], refunds: tuple[Refund, ...]) -> Trade:
    buyer, chain = people_of(row.upline)
    return Trade(
        row.id,
        buyer.member_id,
        chain[0].member_id if chain else None,
        lines,
        row.store_id,
        row.paid_at,
        row.completed_at,
        row.settled_at,
        refunds,
        row.is_first,
        (buyer, chain),
    )


def _any_of(ids: Sequence[int]) -> Any:
    """Return what equals one of these; as one parameter, which thousands of them are not."""
    return sa.any_(sa.literal(list(ids), sa.ARRAY(sa.BigInteger)))


def _refunds(session: Session, ids: Any, until_at: datetime) -> dict[int, tuple[Refund, ...]]:
    """Return the refunds that had reached their customers, by order, the first first."""
    rows = session.execute(
        sa.select(
            StoredRefund.order_id,
            StoredRefund.id,
            StoredRefund.ended_at,
            sa.func.array_agg(RefundLine.order_line_id).label("line_ids"),
            sa.func.array_agg(RefundLine.amount_fen).label("amounts_fen"),
        )
        .join(RefundLine, RefundLine.refund_id == StoredRefund.id)
        .where(
            StoredRefund.order_id == ids,
            StoredRefund.state == RefundState.SUCCEEDED,
            StoredRefund.ended_at < until_at,
        )
        .group_by(StoredRefund.id)
        .order_by(StoredRefund.ended_at, StoredRefund.id)
    )
    found: dict[int, tuple[Refund, ...]] = {}
    for row in rows:
        lines = tuple(zip(row.line_ids, row.amounts_fen, strict=True))
        refund = Refund(row.id, row.ended_at, lines)
        found[row.order_id] = (*found.get(row.order_id, ()), refund)
    return found
