"""Offers of activities that an order is made by. Pure.

Activities stand above orders and pass a `Deal` to `services.create`; orders know of it what prices
them and whether they are held (see `holds`), nothing more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """What an activity offers: its price of each product, and what else may lower it.

    `prices_fen` goes by product id, a piece each; an order by a deal holds these products only.
    Where a product costs less without the deal, it costs that. `pay_seconds` takes the place of
    the usual time to pay.
    """

    kind: str
    activity_id: int
    title: str
    prices_fen: Mapping[int, int]
    allows_coupons: bool = False
    allows_points: bool = False
    allows_level: bool = False
    pays_commission: bool = True
    is_held: bool = False
    pay_seconds: int | None = None

    @property
    def holder(self) -> str | None:
        """Return who keeps the order until it is let go; None where it is not held."""
        return f"{self.kind}:{self.activity_id}" if self.is_held else None

    def to_json(self) -> dict[str, Any]:
        """Return what an order keeps of it."""
        return {
            "kind": self.kind,
            "activity_id": self.activity_id,
            "title": self.title,
            "prices_fen": {str(product_id): fen for product_id, fen in self.prices_fen.items()},
            "allows_coupons": self.allows_coupons,
            "allows_points": self.allows_points,
            "allows_level": self.allows_level,
            "pays_commission": self.pays_commission,
            "is_held": self.is_held,
        }
