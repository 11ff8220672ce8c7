"""What orders hand to those above them. Pure."""

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Seat:
    """One person around an order as they stood when it was paid.

    The buyer comes first, then the owner of the customer, then each recommender upwards.
    `level` and `standing` are None for a buyer who is no distributor; `is_household` tells that
    this person and the buyer count as one.
    """

    member_id: int
    level: int | None
    standing: str | None
    is_household: bool

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**value)

    def to_json(self) -> dict[str, Any]:
        """Return this seat as the order stores it."""
        return asdict(self)
