"""Refer three, return one, a second time: a table with a row for each turn."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

from app.engines.events import Refunded, Sold
from app.engines.people import Standing
from app.engines.refer_three import ReferThreeRules

Paid = tuple[int, int, int, int]
"""Line, beneficiary, base, fen."""


@dataclass
class Row:
    """One turn of one unit of an order of one's own; `order_id` is that of whoever took it."""

    owner_id: int
    product_id: int
    own_order_id: int
    unit: int
    unit_fen: int
    rate_bp: int
    order_id: int | None = None
    buyer_id: int | None = None


@dataclass
class NaiveReturns:
    rules: ReferThreeRules
    rows: list[Row] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)
    units: int = 0

    def rows_of(self, owner_id: int, product_id: int) -> list[Row]:
        rows = [
            row
            for row in self.rows
            if (row.owner_id, row.product_id) == (owner_id, product_id)
            and row.own_order_id not in self.gone
        ]
        units = list(dict.fromkeys(row.unit for row in rows))[: self.rules.max_cycles]
        return [row for row in rows if row.unit in units]

    def sell(self, sold: Sold) -> list[Paid]:
        """Note a sale; return what comes back to the owner, line by line."""
        buyer, paid = sold.sale.buyer, []
        for line in sold.sale.lines:
            if not line.distributable or not line.base_fen or not sold.chain:
                continue
            owner = sold.chain[0]
            rows = self.rows_of(owner.member_id, line.product_id)
            is_self = owner.member_id == buyer.member_id or owner.household & buyer.household
            barred = is_self or owner.standing is not Standing.ACTIVE
            if barred or buyer.member_id in {row.buyer_id for row in rows}:
                continue
            for row in rows:
                if row.order_id is None:
                    row.order_id, row.buyer_id = sold.sale.order_id, buyer.member_id
                    base_fen = min(row.unit_fen, line.base_fen)
                    rate = Fraction(min(row.rate_bp, self.rules.payout_cap_bp), 10_000)
                    paid.append((line.line_id, owner.member_id, base_fen, floor(rate * base_fen)))
                    break
        self.own(sold)
        return [one for one in paid if one[-1]]

    def own(self, sold: Sold) -> None:
        for line in sold.sale.lines:
            if line.distributable and line.base_fen:
                for _ in range(line.quantity):
                    self.units += 1
                    self.rows += [
                        Row(
                            sold.sale.buyer.member_id,
                            line.product_id,
                            sold.sale.order_id,
                            self.units,
                            line.base_fen // line.quantity,
                            rate_bp,
                        )
                        for rate_bp in self.rules.rates_bp
                    ]

    def refund(self, event: Refunded) -> bool:
        """Free what an order took, and strike out what it opened; tell if others had begun it."""
        if event.remaining_fen or event.order_id in self.gone:
            return False
        self.gone.add(event.order_id)
        for row in self.rows:
            if row.order_id == event.order_id and row.own_order_id != event.order_id:
                row.order_id = row.buyer_id = None
        return any(row.own_order_id == event.order_id and row.order_id for row in self.rows)
