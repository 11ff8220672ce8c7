"""One set of rules on the stream: what happens becomes events of its engine, and is added up. Pure.

An order counts when the rules say: what was refunded before is not in its base, what is refunded
after is taken back by the same function as in the shop. Only awards of orders that still have a
refund before them are kept.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from app.distribution.simulation.crowd import Crowd
from app.distribution.simulation.monthly import Books
from app.distribution.simulation.registers import Register
from app.distribution.simulation.stream import (
    Newcomer,
    Refund,
    Stage,
    Trade,
    month_ends_at,
    month_of,
)
from app.distribution.simulation.tally import NO_LEVEL, NO_SEAT, Cell, Month, Tally
from app.engines.contract import Model
from app.engines.events import Event, Joined, Refunded, Settled, Sold
from app.engines.months import MonthBooks
from app.engines.parameters import Moment, PlanParameters
from app.engines.people import NO_INSTANT, Line, Person, Sale, Standing
from app.engines.places import Board
from app.engines.registry import MODELS
from app.engines.results import NOTHING, Decisions
from app.engines.reversals import AwardNet, reverse

STAGES: Final[Mapping[Moment, Stage]] = {
    Moment.PAID: Stage.PAID,
    Moment.RECEIVED: Stage.RECEIVED,
    Moment.AFTER_SALE_CLOSED: Stage.SETTLED,
}
"""How far an order must have come to count."""


class _TeamBoard(Board[Any]):
    """Places in memory; who never was approved may not earn, as in the shop."""

    def standing(self, member_id: int) -> Standing:
        """Tell whether somebody may earn now."""
        return self.standings.get(member_id, Standing.NONE)


class _Kept(NamedTuple):
    """An award that a refund may still reduce, and where it was counted."""

    net: AwardNet
    member_id: int
    cell: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Rules to be tried, and which stores and products they are for; None means all."""

    rules: PlanParameters
    store_ids: Collection[int] | None = None
    product_ids: Collection[int] | None = None


class Lane:
    """One set of rules while the stream passes."""

    def __init__(self, entry: Entry, *, levels_rise: bool) -> None:
        """Begin with empty places and books; with `levels_rise` distributors earn their levels."""
        self.rules = entry.rules
        self.model: Model = MODELS[entry.rules.model]
        self._stores = None if entry.store_ids is None else frozenset(entry.store_ids)
        self._products = None if entry.product_ids is None else frozenset(entry.product_ids)
        self._counts_at = STAGES[entry.rules.effective_at]
        self._reacts = self.model.reacts_to
        self.tally = Tally()
        self.crowd = Crowd(entry.rules.levels, rises=levels_rise)
        self.board = _TeamBoard()
        self._register = Register(entry.rules, self.board)
        self._books: Books | None = None
        self._kept: dict[int, list[_Kept]] = {}
        self._current = Month()
        self._current_ends_at = NO_INSTANT
        if self.model.close_month is not None and self.model.bound(entry.rules).monthly_bp:
            self._books = Books(self.model, entry.rules, self.crowd, self._register)

    @property
    def needs_received(self) -> bool:
        """Tell whether orders count here when they are received."""
        return self._counts_at is Stage.RECEIVED

    def join(self, newcomer: Newcomer, at: datetime) -> None:
        """Take somebody into the team, and give them the place that the model gives them."""
        self.crowd.join(newcomer)
        self.board.standings[newcomer.person.member_id] = newcomer.person.standing
        if Joined in self._reacts:
            self._decide(Joined(newcomer.person, newcomer.recommender_id, at), at)

    def advance(self, trade: Trade, at: datetime) -> None:
        """Take note that an order was paid, received or settled; `trade.stage` tells which."""
        lines = self._lines(trade)
        if not lines:
            return
        if trade.stage is Stage.PAID:
            paid_fen = sum(line.base_fen for line in lines)
            self.tally.orders += 1
            self.tally.turnover_fen += paid_fen
            month = self._month(at)
            month.orders += 1
            month.paid_fen += paid_fen
        if trade.stage is self._counts_at:
            self._sell(trade, lines, at)
        if trade.stage is Stage.SETTLED:
            self._settle(trade, lines, at)

    def refund(self, trade: Trade, refund: Refund) -> None:
        """Take back what a refund takes back; `trade.refunded` holds it already."""
        lines = self._lines(trade)
        ours = {line.line_id: line.distributable for line in lines}
        fen = sum(amount for line_id, amount in refund.lines if line_id in ours)
        if not fen:
            return
        self.tally.refunded_fen += fen
        self._month(refund.at).refunded_fen += fen
        if trade.stage >= self._counts_at:
            self._take_back(trade, lines, refund)
            if Refunded in self._reacts:
                self._decide(_refunded(trade, lines, refund, fen), refund.at)
        if trade.stage is Stage.SETTLED:
            self.crowd.take_back(trade, fen)
            if self._books is not None:
                paying_fen = sum(amount for line_id, amount in refund.lines if ours.get(line_id))
                self._books.take_back(trade, _owner(trade), paying_fen)

    def end_month(self, month: str, ends_at: datetime) -> None:
        """Close a month and let levels rise."""
        self.crowd.end_month(ends_at)
        if self._books is not None:
            for books, close in self._books.close(month, ends_at):
                self.tally.pool_fen += close.pool_fen
                own_fen = close.total_fen - books.carried_fen
                self.tally.worst_month.see(own_fen, _month_sales_fen(books))
                self.tally.months[month].monthly_fen += close.total_fen
                for award in close.awards:
                    person = self.crowd.people.get(award.beneficiary_id)
                    level = (person.level if person else None) or NO_LEVEL
                    cell = Cell(award.kind, NO_SEAT, level)
                    self.tally.award(cell, award.beneficiary_id, award.amount_fen)
                self.tally.refused.update(one.reason for one in close.refusals)
        self._register.end_month(ends_at)

    def _month(self, at: datetime) -> Month:
        """Return the month of an instant; instants only ever rise."""
        if at >= self._current_ends_at:
            self._current = self.tally.months[month_of(at)]
            self._current_ends_at = month_ends_at(at)
        return self._current

    def _lines(self, trade: Trade) -> tuple[Line, ...]:
        """Return the lines that these rules are for."""
        if self._stores is not None and trade.store_id not in self._stores:
            return ()
        if self._products is None:
            return trade.lines
        return tuple(one for one in trade.lines if one.product_id in self._products)

    def _sell(self, trade: Trade, lines: tuple[Line, ...], at: datetime) -> None:
        if self._counts_at is not Stage.PAID:
            lines = _left(trade, lines)
        if Sold not in self._reacts:
            return
        buyer, chain = self.crowd.around(trade)
        decisions = self._decide(Sold(_sale(trade, buyer, lines, at), chain), at)
        if decisions.awards:
            self._count(trade, decisions, (buyer, *chain), at)
            base_fen = sum(line.base_fen for line in lines)
            self.tally.worst_order.see(decisions.total_fen, base_fen, trade.order_id)

    def _settle(self, trade: Trade, lines: tuple[Line, ...], at: datetime) -> None:
        left = _left(trade, lines)
        net_fen = sum(line.base_fen for line in left)
        self._month(at).settled_fen += net_fen
        self.crowd.settle(trade, net_fen)
        if self._books is not None:
            paying_fen = sum(line.base_fen for line in left if line.distributable)
            self._books.settle(trade, _owner(trade), paying_fen, at)
        if Settled in self._reacts:
            buyer, chain = self.crowd.around(trade)
            self._decide(Settled(_sale(trade, buyer, left, at), chain), at)

    def _decide(self, event: Event, at: datetime) -> Decisions:
        if type(event) not in self._reacts:
            return NOTHING
        decisions = self.model.decide(self.rules, event, self.board)
        tally = self.tally
        for refusal in decisions.refusals:
            tally.refused[refusal.reason] += 1
        for gift in decisions.gifts:
            tally.gifts[gift.kind, gift.item] += gift.amount
        for note in decisions.notes:
            tally.notes[str(note.get("code", ""))] += 1
        if decisions.places:
            self.board.apply(decisions.places)
            self._register.see(decisions.places, at)
        return decisions

    def _count(
        self, trade: Trade, decisions: Decisions, around: tuple[Person, ...], at: datetime
    ) -> None:
        tally = self.tally
        tally.orders_paying += 1
        month = self._month(at)
        keeps = any(refund.at >= at for refund in trade.refunds)
        for number, award in enumerate(decisions.awards):
            member_id, amount_fen = award.beneficiary_id, award.amount_fen
            cell = Cell(award.kind, award.seat, _level(member_id, around))
            tally.award(cell, member_id, amount_fen)
            month.awarded_fen += amount_fen
            self.crowd.earn(member_id, amount_fen)
            if award.capped_from_fen is not None:
                tally.capped += 1
                tally.capped_fen += award.capped_from_fen - amount_fen
            if keeps:
                net = AwardNet(
                    number, award.line_id, award.base_fen, award.rate_bp, amount_fen, amount_fen
                )
                self._kept.setdefault(trade.order_id, []).append(_Kept(net, member_id, cell))

    def _take_back(self, trade: Trade, lines: tuple[Line, ...], refund: Refund) -> None:
        kept = self._kept.get(trade.order_id)
        if kept is None:
            return
        month = self._month(refund.at)
        left = {line.line_id: line.base_fen for line in _left(trade, lines)}
        for index, one in enumerate(kept):
            gone_fen = max(one.net.base_fen - left[one.net.line_id], 0)
            for change in reverse([one.net], {one.net.line_id: gone_fen}):
                self.tally.reverse(one.cell, one.member_id, change.delta_fen)
                month.reversed_fen += change.delta_fen
                self.crowd.earn(one.member_id, -change.delta_fen)
                net = AwardNet(
                    one.net.award_id,
                    one.net.line_id,
                    one.net.base_fen,
                    one.net.rate_bp,
                    change.new_fen,
                    one.net.amount_fen,
                )
                kept[index] = one._replace(net=net)
        if refund is trade.refunds[-1]:
            del self._kept[trade.order_id]


def _left(trade: Trade, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Return lines less what has been refunded of them by now."""
    if not trade.refunded:
        return lines
    return tuple(
        Line(
            line.line_id,
            line.product_id,
            line.base_fen - trade.refunded.get(line.line_id, 0),
            distributable=line.distributable,
            quantity=line.quantity,
        )
        for line in lines
    )


def _sale(trade: Trade, buyer: Person, lines: tuple[Line, ...], at: datetime) -> Sale:
    return Sale(trade.order_id, buyer, lines, trade.store_id, trade.at, at, trade.is_first)


def _refunded(trade: Trade, lines: tuple[Line, ...], refund: Refund, fen: int) -> Refunded:
    return Refunded(
        order_id=trade.order_id,
        refund_id=refund.refund_id,
        buyer_id=trade.buyer_id,
        owner_id=_owner(trade),
        remaining_fen=sum(line.base_fen for line in _left(trade, lines)),
        is_settled=trade.stage is Stage.SETTLED,
        at=refund.at,
        store_id=trade.store_id,
        refunded_fen=fen,
    )


def _month_sales_fen(books: MonthBooks) -> int:
    """Return what a month's pay is a share of: sales, without the losses of those below zero."""
    return max(books.net_fen, sum(max(one.sales_fen, 0) for one in books.people))


def _owner(trade: Trade) -> int | None:
    """Return whose customer the buyer was, as the order keeps it where it does."""
    if trade.around is None:
        return trade.owner_id
    chain = trade.around[1]
    return chain[0].member_id if chain else None


def _level(member_id: int, around: tuple[Person, ...]) -> int:
    """Return the level of somebody around an order; 0 for others and for those without one."""
    for person in around:
        if person.member_id == member_id:
            return person.level or NO_LEVEL
    return NO_LEVEL
