"""Paid orders as the engines see them: who stood around, which lines fall under which version."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from app.engines.contract import Model
from app.engines.parameters import Moment, PlanParameters
from app.engines.people import Line, Person, Sale, Standing
from app.engines.registry import MODELS
from app.orders.models import Order, OrderLine, Refund, RefundLine
from app.orders.states import RefundState
from app.orders.values import Seat
from app.plans.queries import plan_of, rules_of

_STANDINGS: Final[Mapping[str, Standing]] = {
    "active": Standing.ACTIVE,
    "frozen": Standing.FROZEN,
    "quit": Standing.QUIT,
}


@dataclass(frozen=True, slots=True)
class Returned:
    """What one refund took of one line, and when it had reached the customer."""

    refund_id: int
    ended_at: datetime
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a paid order that falls under one version, or under none.

    `paid_at`, `received_at` and `settled_at` are the order's. Lines hold their full base; what
    refunds have taken by now is in `returned`, by line, in the order of their success. An order's
    instants never lie before those of refunds that had succeeded by then (`app.orders`), so what is
    left of it at an instant never changes.
    """

    order_id: int
    version_id: int | None
    buyer: Person
    chain: tuple[Person, ...]
    lines: tuple[Line, ...]
    returned: Mapping[int, Sequence[Returned]]
    store_id: int
    paid_at: datetime
    received_at: datetime | None
    after_sale_until_at: datetime | None
    settled_at: datetime | None
    is_first: bool

    @property
    def rules(self) -> PlanParameters:
        """The rules it falls under."""
        assert self.version_id is not None, "no version, no rules"
        return rules_of(self.version_id)

    @property
    def model(self) -> Model:
        """The model of these rules."""
        return MODELS[self.rules.model]

    @property
    def plan_id(self) -> int:
        """The plan of its version."""
        assert self.version_id is not None, "no version, no plan"
        return plan_of(self.version_id)

    @property
    def base_fen(self) -> int:
        """What the lines offer to be shared at the moment at which they count."""
        return sum(line.base_fen for line in self.sale().lines)

    def counted_at(self) -> datetime | None:
        """Return when it counts for its plan; None while it does not yet."""
        if self.version_id is None:
            return self.paid_at
        return {
            Moment.PAID: self.paid_at,
            Moment.RECEIVED: self.received_at,
            Moment.AFTER_SALE_CLOSED: self.settled_at,
        }[self.rules.effective_at]

    def matures_at(self) -> datetime | None:
        """Return when its awards mature, for what counts once the order was received or later."""
        if self.received_at is None or self.after_sale_until_at is None:
            return None
        if self.version_id is None or self.rules.effective_at is Moment.PAID:
            return None
        waited = self.received_at + timedelta(seconds=self.rules.settle_seconds)
        return max(waited, self.after_sale_until_at)

    def sale(self) -> Sale:
        """Return the order as it counts: at payment whole, later less what was refunded before."""
        counted_at = self.counted_at() or self.paid_at
        whole = self.version_id is None or self.rules.effective_at is Moment.PAID
        return self._sale(self.lines if whole else self._left(counted_at), counted_at)

    def settled_sale(self) -> Sale:
        """Return the order as it was settled: what refunds have left of it."""
        assert self.settled_at is not None, "not settled yet"
        return self._sale(self._left(self.settled_at), self.settled_at)

    def remaining_fen(self, ended_at: datetime, refund_id: int) -> int:
        """Return what is left of its lines after a refund and all before it."""
        return sum(line.base_fen for line in self.lines) - sum(
            one.amount_fen
            for line in self.lines
            for one in self.returned.get(line.line_id, ())
            if (one.ended_at, one.refund_id) <= (ended_at, refund_id)
        )

    def taken_fen(self, refund_id: int) -> int:
        """Return what one refund took of its lines."""
        return sum(
            one.amount_fen
            for line in self.lines
            for one in self.returned.get(line.line_id, ())
            if one.refund_id == refund_id
        )

    def _left(self, at: datetime) -> tuple[Line, ...]:
        """Return the lines less what refunds had taken by an instant."""
        if not self.returned:
            return self.lines
        return tuple(
            Line(
                line.line_id,
                line.product_id,
                line.base_fen
                - sum(
                    one.amount_fen
                    for one in self.returned.get(line.line_id, ())
                    if one.ended_at <= at
                ),
                distributable=line.distributable,
                quantity=line.quantity,
            )
            for line in self.lines
        )

    def _sale(self, lines: tuple[Line, ...], counted_at: datetime) -> Sale:
        return Sale(
            self.order_id,
            self.buyer,
            lines,
            store_id=self.store_id,
            at=self.paid_at,
            counted_at=counted_at,
            is_first=self.is_first,
        )


def shares_of(session: Session, order_ids: Collection[int]) -> list[Share]:
    """Load paid orders by set, part by part, by the instant of their payment."""
    orders = _orders(session, order_ids)
    lines: dict[int, list[Any]] = {order.id: [] for order in orders}
    for line in session.execute(
        sa.select(
            OrderLine.id,
            OrderLine.order_id,
            OrderLine.product_id,
            OrderLine.net_fen,
            OrderLine.refunded_fen,
            OrderLine.quantity,
            OrderLine.is_distributable,
            OrderLine.plan_version_id,
        )
        .where(OrderLine.order_id.in_(lines))
        .order_by(OrderLine.id)
    ):
        lines[line.order_id].append(line)
    refunded = {line.id for found in lines.values() for line in found if line.refunded_fen}
    returned = _returned(session, refunded)
    return [share for order in orders for share in _shares(order, lines[order.id], returned)]


def _orders(session: Session, order_ids: Collection[int]) -> Sequence[Any]:
    return session.execute(orders_with_upline().where(Order.id.in_(order_ids))).all()


def orders_with_upline() -> sa.Select[Any]:
    """Return what has to be known of paid orders, by the instant of their payment."""
    earlier = aliased(Order)
    had_one = (
        sa.select(sa.literal(1))
        .where(
            earlier.member_id == Order.member_id,
            earlier.paid_at.is_not(None),
            earlier.closed_at.is_(None),
            sa.tuple_(earlier.paid_at, earlier.id) < sa.tuple_(Order.paid_at, Order.id),
        )
        .exists()
    )
    return (
        sa.select(
            Order.id,
            Order.member_id,
            Order.store_id,
            Order.upline,
            Order.paid_at,
            Order.completed_at,
            Order.after_sale_until_at,
            Order.settled_at,
            sa.not_(had_one).label("is_first"),
        )
        .where(Order.upline.is_not(None))
        .order_by(Order.paid_at, Order.id)
    )


def people_of(upline: Sequence[Any]) -> tuple[Person, tuple[Person, ...]]:
    """Return the buyer of an order and the people above, from the upline that it keeps."""
    buyer, *chain = (Seat.from_json(seat) for seat in upline)
    people = tuple(_person(seat, is_household=seat.is_household) for seat in chain)
    return _person(buyer, is_household=True), people


def _returned(session: Session, line_ids: Collection[int]) -> dict[int, list[Returned]]:
    """Return what refunds took of lines, in the order of their success."""
    found: dict[int, list[Returned]] = {}
    if line_ids:
        rows = session.execute(
            sa.select(RefundLine.order_line_id, Refund.id, Refund.ended_at, RefundLine.amount_fen)
            .join(Refund, Refund.id == RefundLine.refund_id)
            .where(RefundLine.order_line_id.in_(line_ids), Refund.state == RefundState.SUCCEEDED)
            .order_by(Refund.ended_at, Refund.id)
        )
        for line_id, refund_id, ended_at, amount_fen in rows:
            assert ended_at is not None, "what has succeeded has ended"
            found.setdefault(line_id, []).append(Returned(refund_id, ended_at, amount_fen))
    return found


def _shares(
    order: Any, lines: Sequence[Any], returned: Mapping[int, Sequence[Returned]]
) -> Iterator[Share]:
    buyer, people = people_of(order.upline)
    assert buyer.member_id == order.member_id, "the first seat is the buyer's"
    by_version: dict[int | None, list[Any]] = {}
    for line in lines:
        by_version.setdefault(line.plan_version_id, []).append(line)
    for version_id, own in by_version.items():
        yield Share(
            order_id=order.id,
            version_id=version_id,
            buyer=buyer,
            chain=people,
            lines=tuple(
                Line(
                    line.id,
                    line.product_id,
                    line.net_fen,
                    distributable=line.is_distributable,
                    quantity=line.quantity,
                )
                for line in own
            ),
            returned={line.id: returned[line.id] for line in own if line.id in returned},
            store_id=order.store_id,
            paid_at=order.paid_at,
            received_at=order.completed_at,
            after_sale_until_at=order.after_sale_until_at,
            settled_at=order.settled_at,
            is_first=order.is_first,
        )


def _person(seat: Seat, *, is_household: bool) -> Person:
    """Make the engine's person; the buyer's household, to which the buyer belongs, has one key."""
    return Person(
        seat.member_id,
        level=seat.level,
        standing=_STANDINGS.get(seat.standing or "", Standing.NONE),
        household=frozenset({"buyer"}) if is_household else frozenset(),
    )
