"""Adding up what a plan pays, order by order, without keeping the orders. Pure."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from app.kernel.money import BASIS_POINTS

NO_SEAT: Final = -1
"""What is paid by the month stands nowhere above a buyer."""
NO_LEVEL: Final = 0


class Cell(NamedTuple):
    """For what, how far above the buyer, and to whom of which level something is paid."""

    kind: StrEnum
    seat: int
    level: int


@dataclass(slots=True)
class Sum:
    """How often something was paid, how much, and how much refunds took back of it."""

    count: int = 0
    amount_fen: int = 0
    reversed_fen: int = 0


@dataclass(slots=True)
class Month:
    """What one month brought: paid for, refunded, settled; awarded and taken back."""

    paid_fen: int = 0
    refunded_fen: int = 0
    settled_fen: int = 0
    orders: int = 0
    awarded_fen: int = 0
    reversed_fen: int = 0
    monthly_fen: int = 0


@dataclass(slots=True)
class Worst:
    """The largest share that anything took of anything, kept as it was found."""

    amount_fen: int = 0
    of_fen: int = 1
    order_id: int | None = None

    def see(self, amount_fen: int, of_fen: int, order_id: int | None = None) -> None:
        """Look at one more."""
        if of_fen > 0 and amount_fen * self.of_fen > self.amount_fen * of_fen:
            self.amount_fen, self.of_fen, self.order_id = amount_fen, of_fen, order_id

    @property
    def share_bp(self) -> int:
        """The share in basis points, rounded up, so that it is never told smaller than it is."""
        return -(-self.amount_fen * BASIS_POINTS // self.of_fen)


@dataclass(slots=True)
class Tally:
    """Everything added up for one set of rules."""

    orders: int = 0
    orders_paying: int = 0
    turnover_fen: int = 0
    refunded_fen: int = 0
    cells: defaultdict[Cell, Sum] = field(default_factory=lambda: defaultdict(Sum))
    people: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    refused: Counter[StrEnum] = field(default_factory=Counter)
    capped_fen: int = 0
    capped: int = 0
    gifts: Counter[tuple[StrEnum, str]] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    months: defaultdict[str, Month] = field(default_factory=lambda: defaultdict(Month))
    worst_order: Worst = field(default_factory=Worst)
    worst_month: Worst = field(default_factory=Worst)
    pool_fen: int = 0

    def award(self, cell: Cell, member_id: int, amount_fen: int) -> None:
        """Count one award."""
        found = self.cells[cell]
        found.count += 1
        found.amount_fen += amount_fen
        self.people[member_id] += amount_fen

    def reverse(self, cell: Cell, member_id: int, amount_fen: int) -> None:
        """Count what a refund took back of an award."""
        self.cells[cell].reversed_fen += amount_fen
        self.people[member_id] -= amount_fen

    @property
    def awarded_fen(self) -> int:
        """What was awarded, before refunds."""
        return sum(one.amount_fen for one in self.cells.values())

    @property
    def reversed_fen(self) -> int:
        """What refunds took back of it."""
        return sum(one.reversed_fen for one in self.cells.values())

    @property
    def cost_fen(self) -> int:
        """What the plan costs in the end."""
        return self.awarded_fen - self.reversed_fen

    @property
    def net_turnover_fen(self) -> int:
        """What customers paid and did not get back."""
        return self.turnover_fen - self.refunded_fen
