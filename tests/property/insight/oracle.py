"""The figures counted again the plain way: every row is read, in Python, one after the other."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution.models import Binding, ShareCode, Touch
from app.distribution.models import Award, AwardReversal
from app.distribution.plan_records import ClosedMonth
from app.insight.models import FIGURES, DayFigures, DayTotals
from app.members.models import Distributor, Member
from app.orders.models import Order, Refund
from app.payouts.models import Payout, PayoutBill

Figures = dict[tuple[date, int | None], dict[str, int]]


class Oracle:
    """Every row there is, and what it counts for."""

    def __init__(self, session: Session) -> None:
        session.expire_all()
        self._session = session
        self._found: defaultdict[tuple[date, int | None], Counter[str]] = defaultdict(Counter)
        self.orders = {one.id: one for one in self._all(Order)}
        self.stores_of = {one.member_id: one.store_id for one in self._all(Distributor)}

    def _all(self, model: Any) -> list[Any]:
        return list(self._session.scalars(sa.select(model)))

    def _put(self, at: datetime | None, store_id: int | None, **values: int) -> None:
        if at is not None:
            day = at.astimezone(ZoneInfo("Asia/Shanghai")).date()
            self._found[day, store_id].update(values)

    def count(self) -> Figures:
        """Return what each day brought to each store, zeros left out."""
        self._trade()
        self._people()
        self._money()
        return {
            key: {name: value for name, value in values.items() if value}
            for key, values in self._found.items()
            if any(values.values())
        }

    def _trade(self) -> None:
        first = self._first_orders()
        for order in self.orders.values():
            values = {"paid_orders": 1, "paid_fen": order.paid_fen}
            if order.owner_id is not None:
                values |= {"distributor_orders": 1, "distributor_fen": order.paid_fen}
            if order.id in first:
                values["first_orders"] = 1
            self._put(order.paid_at, order.store_id, **values)
            self._put(order.completed_at, order.store_id, completed_orders=1)
        for refund in self._all(Refund):
            if refund.state == "succeeded":
                store_id = self.orders[refund.order_id].store_id
                self._put(refund.ended_at, store_id, refunds=1, refunded_fen=refund.amount_fen)

    def _first_orders(self) -> set[int]:
        """Return the order at which each customer paid first, the older of two."""
        opened = {one.id: one.first_paid_at for one in self._all(Member)}
        by_member: dict[int, int] = {}
        for order in sorted(self.orders.values(), key=lambda one: one.id):
            if order.paid_at is not None and order.paid_at == opened[order.member_id]:
                by_member.setdefault(order.member_id, order.id)
        return set(by_member.values())

    def _people(self) -> None:
        for member in self._all(Member):
            self._put(member.registered_at, member.origin_store_id, new_members=1)
        for one in self._all(Distributor):
            self._put(one.approved_at, one.store_id, new_distributors=1)
        for binding in self._all(Binding):
            store_id = binding.owner_store_id or self.stores_of.get(binding.owner_id)
            self._put(binding.valid_from_at, store_id, new_bindings=1)
        codes = {one.id: one for one in self._all(ShareCode)}
        for touch in self._all(Touch):
            code = codes[touch.share_code_id]
            store_id = code.owner_store_id or self.stores_of.get(code.distributor_id)
            self._put(touch.occurred_at, store_id, touches=1)

    def _money(self) -> None:
        months = {one.id: one.store_id for one in self._all(ClosedMonth)}
        for award in self._all(Award):
            order = self.orders.get(award.order_id)
            store_id = order.store_id if order else months[award.closed_month_id]
            self._put(award.created_at, store_id, awards=1, awards_fen=award.amount_fen)
        refunds = {one.id: one for one in self._all(Refund)}
        for one in self._all(AwardReversal):
            if one.amount_fen:
                store_id = self.orders[refunds[one.refund_id].order_id].store_id
                self._put(one.created_at, store_id, clawbacks=1, clawbacks_fen=one.amount_fen)
        bills = self._all(PayoutBill)
        for payout in self._all(Payout):
            if payout.state in {"succeeded", "partly_succeeded"}:
                arrived = sum(
                    one.amount_fen
                    for one in bills
                    if one.payout_id == payout.id and one.state == "succeeded"
                )
                store_id = self.stores_of[payout.member_id]
                self._put(payout.ended_at, store_id, payouts=1, payouts_fen=arrived)


def totals(session: Session) -> dict[date, dict[str, int]]:
    """Return the totals of each day as they are kept, zeros left out."""
    query = sa.select(DayTotals).execution_options(populate_existing=True)
    return {
        row.day: {name: value for name in FIGURES if (value := getattr(row, name))}
        for row in session.scalars(query)
    }


def added_up(figures: Figures) -> dict[date, dict[str, int]]:
    """Return the figures of each day, of all stores together."""
    found: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for (day, _store_id), values in figures.items():
        found[day].update(values)
    return {day: dict(values) for day, values in found.items()}


def kept(session: Session, days: Iterable[date] | None = None) -> Figures:
    """Return the figures as they are kept, zeros left out."""
    query = sa.select(DayFigures).execution_options(populate_existing=True)
    if days is not None:
        query = query.where(DayFigures.day.in_(list(days)))
    return {
        (row.day, row.store_id): {name: value for name in FIGURES if (value := getattr(row, name))}
        for row in session.scalars(query)
    }
