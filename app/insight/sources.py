"""Which rows each figure counts: of which table, by which instant, for which store.

The one definition. The refresh adds the rows up, lists show them, the glossary explains them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from app.attribution.models import Binding, ShareCode, Touch
from app.distribution.models import Award, AwardReversal
from app.distribution.plan_records import ClosedMonth
from app.kernel.clock import SHANGHAI, day_begins_at
from app.kernel.db import Base
from app.members.models import Distributor, Member
from app.orders.models import Order, Refund
from app.orders.states import RefundState
from app.payouts.models import Payout, PayoutBill
from app.payouts.states import BillState, PayoutState


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Rows of one table that make one figure, or a number and a sum."""

    model: type[Base]
    at: Any
    """The instant whose business day a row counts for; rows without it do not count."""
    store_id: Any
    """The store that a row counts for, asked of each row; NULL where it belongs to none."""
    condition: ColumnElement[bool] | None = None
    count: str
    """The column of `DayFigures` that holds how many there are."""
    amount: Any = None
    sum: str = ""
    """The column that holds the sum of their amounts, in fen."""

    @property
    def day(self) -> ColumnElement[date]:
        """Return the business day of a row, as SQL."""
        return sa.cast(sa.func.timezone(SHANGHAI.key, self.at), sa.Date)


def _store_of_order(order_id: Any) -> ColumnElement[Any]:
    order = aliased(Order)
    return sa.select(order.store_id).where(order.id == order_id).scalar_subquery()


def _store_of_distributor(member_id: Any) -> ColumnElement[Any]:
    distributor = aliased(Distributor)
    return (
        sa.select(distributor.store_id).where(distributor.member_id == member_id).scalar_subquery()
    )


def _store_of_code() -> ColumnElement[Any]:
    """The store that hung a code up, or that its distributor belongs to."""
    code = aliased(ShareCode)
    owner = sa.func.coalesce(code.owner_store_id, _store_of_distributor(code.distributor_id))
    return sa.select(owner).where(code.id == Touch.share_code_id).scalar_subquery()


def _store_of_award() -> ColumnElement[Any]:
    month = aliased(ClosedMonth)
    of_month = sa.select(month.store_id).where(month.id == Award.closed_month_id).scalar_subquery()
    return sa.func.coalesce(_store_of_order(Award.order_id), of_month)


def _store_of_reversal() -> ColumnElement[Any]:
    refund, order = aliased(Refund), aliased(Order)
    return (
        sa.select(order.store_id)
        .join(refund, refund.order_id == order.id)
        .where(refund.id == AwardReversal.refund_id)
        .scalar_subquery()
    )


def _is_first() -> ColumnElement[bool]:
    """The order that made somebody a customer; of two at the same instant, the older row."""
    buyer, other = aliased(Member), aliased(Order)
    opened = sa.exists().where(buyer.id == Order.member_id, buyer.first_paid_at == Order.paid_at)
    before = sa.exists().where(
        other.member_id == Order.member_id, other.paid_at == Order.paid_at, other.id < Order.id
    )
    return sa.and_(opened, sa.not_(before))


def _paid_out() -> ColumnElement[Any]:
    """What arrived of a payout: the whole, or those of its bills that succeeded."""
    bill = aliased(PayoutBill)
    return (
        sa.select(sa.func.coalesce(sa.func.sum(bill.amount_fen), 0))
        .where(bill.payout_id == Payout.id, bill.state == BillState.SUCCEEDED)
        .scalar_subquery()
    )


SOURCES: Final[Mapping[str, Source]] = {
    one.count: one
    for one in (
        Source(
            model=Order,
            at=Order.paid_at,
            store_id=Order.store_id,
            count="paid_orders",
            amount=Order.paid_fen,
            sum="paid_fen",
        ),
        Source(
            model=Order,
            at=Order.paid_at,
            store_id=Order.store_id,
            condition=Order.owner_id.is_not(None),
            count="distributor_orders",
            amount=Order.paid_fen,
            sum="distributor_fen",
        ),
        Source(
            model=Order,
            at=Order.paid_at,
            store_id=Order.store_id,
            condition=_is_first(),
            count="first_orders",
        ),
        Source(
            model=Order,
            at=Order.completed_at,
            store_id=Order.store_id,
            count="completed_orders",
        ),
        Source(
            model=Refund,
            at=Refund.ended_at,
            store_id=_store_of_order(Refund.order_id),
            condition=Refund.state == RefundState.SUCCEEDED,
            count="refunds",
            amount=Refund.amount_fen,
            sum="refunded_fen",
        ),
        Source(
            model=Member,
            at=Member.registered_at,
            store_id=Member.origin_store_id,
            count="new_members",
        ),
        Source(
            model=Binding,
            at=Binding.valid_from_at,
            store_id=sa.func.coalesce(
                Binding.owner_store_id, _store_of_distributor(Binding.owner_id)
            ),
            count="new_bindings",
        ),
        Source(model=Touch, at=Touch.occurred_at, store_id=_store_of_code(), count="touches"),
        Source(
            model=Distributor,
            at=Distributor.approved_at,
            store_id=Distributor.store_id,
            count="new_distributors",
        ),
        Source(
            model=Award,
            at=Award.created_at,
            store_id=_store_of_award(),
            count="awards",
            amount=Award.amount_fen,
            sum="awards_fen",
        ),
        Source(
            model=AwardReversal,
            at=AwardReversal.created_at,
            store_id=_store_of_reversal(),
            condition=AwardReversal.amount_fen > 0,
            count="clawbacks",
            amount=AwardReversal.amount_fen,
            sum="clawbacks_fen",
        ),
        Source(
            model=Payout,
            at=Payout.ended_at,
            store_id=_store_of_distributor(Payout.member_id),
            condition=Payout.state.in_((PayoutState.SUCCEEDED, PayoutState.PARTLY_SUCCEEDED)),
            count="payouts",
            amount=_paid_out(),
            sum="payouts_fen",
        ),
    )
}
"""Every source by the column of its number."""


def rows_of(
    source: Source, *, since: date, until: date, store_ids: frozenset[int] | None
) -> ColumnElement[bool]:
    """Return the condition that rows of a figure meet, for days from `since` to `until`, both in.

    `store_ids` keeps the rows of some stores; None keeps all, those of no store among them.
    """
    within = sa.and_(
        source.at >= day_begins_at(since),
        source.at < day_begins_at(until + timedelta(days=1)),
        sa.true() if source.condition is None else source.condition,
    )
    return within if store_ids is None else sa.and_(within, source.store_id.in_(store_ids))
