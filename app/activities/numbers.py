"""What an activity brought, computed from its entries and their orders; nothing is counted twice.

Amounts are fen. Revenue is what was paid and has not gone back. What the activity gave away is
what its pieces would have cost without it, less their price here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities.models import ActivityEntry
from app.activities.states import EntryState
from app.orders.models import Order

ZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """One activity's figures so far."""

    joins: int
    people: int
    orders: int
    pieces: int
    revenue_fen: int
    refunded_fen: int
    given_fen: int
    newcomers: int

    @property
    def newcomer_cost_fen(self) -> int | None:
        """Return what the activity gave away for each new customer, rounded down."""
        return self.given_fen // self.newcomers if self.newcomers else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayNumbers:
    """One business day of an activity."""

    day: date
    joins: int
    orders: int
    revenue_fen: int


def numbers_of(
    session: Session, activity_id: int, *, store_ids: Collection[int] | None = None
) -> Numbers:
    """Return what an activity brought, in some stores only where they are named."""
    is_paid = sa.and_(Order.paid_at.is_not(None), Order.closed_at.is_(None))
    is_kept = ActivityEntry.state == EntryState.KEPT
    given = ActivityEntry.quantity * (ActivityEntry.regular_fen - ActivityEntry.price_fen)
    row = session.execute(
        sa.select(
            sa.func.count(ActivityEntry.id),
            sa.func.count(sa.distinct(ActivityEntry.member_id)),
            sa.func.count(Order.id).filter(is_paid),
            _sum(ActivityEntry.quantity, is_kept),
            _sum(Order.paid_fen - Order.refunded_fen, is_paid),
            _sum(Order.refunded_fen, is_paid),
            _sum(given, is_kept),
            sa.func.count(sa.distinct(ActivityEntry.member_id)).filter(
                is_kept, ActivityEntry.is_newcomer
            ),
        )
        .outerjoin(Order, Order.id == ActivityEntry.order_id)
        .where(*_meant(activity_id, store_ids))
    ).one()
    return Numbers(
        joins=row[0],
        people=row[1],
        orders=row[2],
        pieces=int(row[3]),
        revenue_fen=int(row[4]),
        refunded_fen=int(row[5]),
        given_fen=int(row[6]),
        newcomers=row[7],
    )


def days_of(
    session: Session, activity_id: int, *, store_ids: Collection[int] | None = None
) -> Sequence[DayNumbers]:
    """Return the days on which somebody took part, the first one first; orders on their entry's."""
    day = sa.func.date(sa.func.timezone(ZONE, ActivityEntry.created_at))
    is_paid = sa.and_(Order.paid_at.is_not(None), Order.closed_at.is_(None))
    rows = session.execute(
        sa.select(
            day,
            sa.func.count(ActivityEntry.id),
            sa.func.count(Order.id).filter(is_paid),
            _sum(Order.paid_fen - Order.refunded_fen, is_paid),
        )
        .outerjoin(Order, Order.id == ActivityEntry.order_id)
        .where(*_meant(activity_id, store_ids))
        .group_by(day)
        .order_by(day)
    )
    return [
        DayNumbers(day=row[0], joins=row[1], orders=row[2], revenue_fen=int(row[3])) for row in rows
    ]


def _meant(activity_id: int, store_ids: Collection[int] | None) -> Sequence[sa.ColumnElement[bool]]:
    whole = ActivityEntry.activity_id == activity_id
    return [whole] if store_ids is None else [whole, ActivityEntry.store_id.in_(store_ids)]


def _sum(
    amount: sa.ColumnElement[int] | sa.orm.InstrumentedAttribute[int],
    where: sa.ColumnElement[bool],
) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(amount).filter(where), 0)
