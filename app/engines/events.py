"""What can happen to a plan. Each model reacts to those that matter to it (`Model.reacts_to`)."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from app.engines.people import Person, Sale


@dataclass(frozen=True, slots=True)
class Sold:
    """An order counts for the plan, at the moment its rules name; each order once.

    `chain` is the upline as snapshotted at payment: the owner, the owner's recommender, and so on.
    """

    sale: Sale
    chain: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """An order's after-sale window has closed; the lines hold what refunds have left."""

    sale: Sale
    chain: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund has reached its customer after the order had counted.

    `remaining_fen` is what is left of the order's lines under the plan; the awards themselves are
    reversed apart from this, in proportion (`reversals`). `is_settled` tells that the after-sale
    window had closed before. `refunded_fen` is what this refund took of these lines, and `store_id`
    where the order belongs.
    """

    order_id: int
    refund_id: int
    buyer_id: int
    owner_id: int | None
    remaining_fen: int
    is_settled: bool
    at: datetime
    store_id: int = 0
    refunded_fen: int = 0


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody was approved as a distributor, and who recommended them."""

    person: Person
    recommender_id: int | None
    at: datetime


Event: TypeAlias = Sold | Settled | Refunded | Joined
