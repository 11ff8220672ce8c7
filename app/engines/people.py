"""Who stands around an order, and the order itself, as values."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

NO_INSTANT: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Standing(StrEnum):
    """Whether a person may earn: only ACTIVE may. NONE is everyone who never was approved."""

    ACTIVE = "ACTIVE"
    FROZEN = "FROZEN"
    QUIT = "QUIT"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Person:
    """A buyer or someone above, as they stood when the order was paid.

    `level` is the rank from 1, not the id of a row. `household` holds opaque keys of phones,
    devices and payment accounts; people who share one count as the same person.
    """

    member_id: int
    level: int | None = None
    standing: Standing = Standing.NONE
    household: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Line:
    """One order line: `base_fen` is what was paid for it without shipping, coupons and points.

    Where a plan counts an order later than its payment, what was refunded before is not in it.
    """

    line_id: int
    product_id: int
    base_fen: int
    distributable: bool = True
    quantity: int = 1

    def __post_init__(self) -> None:
        if self.base_fen < 0:
            raise ValueError(f"line {self.line_id} cannot have been paid {self.base_fen} fen")


@dataclass(frozen=True, slots=True)
class Sale:
    """An order that counts: only the lines that fall under the plan.

    `at` is the instant of payment, which orders the events of a plan together with `order_id`;
    `counted_at` is when it counted for this plan. `is_first` tells that the buyer had no paid
    order at the brand before.
    """

    order_id: int
    buyer: Person
    lines: tuple[Line, ...]
    store_id: int = 0
    at: datetime = NO_INSTANT
    counted_at: datetime = NO_INSTANT
    is_first: bool = False
