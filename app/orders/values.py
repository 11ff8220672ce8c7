"""What orders hand to those above them. Pure."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self
from zlib import crc32


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


class PaymentOutcome(StrEnum):
    """What a word of WeChat about a payment did to our books."""

    PAID = "paid"
    PAID_LATE = "paid_late"
    """The order was closed already, so the money goes back by itself."""
    REPEATED = "repeated"
    NOT_PAID = "not_paid"
    MISMATCH = "mismatch"
    """Amount, currency or payer are not the order's. Nothing was changed; people must look."""
    SECOND_TRANSACTION = "second_transaction"
    """The order is paid by another transaction. Nothing was changed; people must look."""
    UNKNOWN_ORDER = "unknown_order"
    """A payment of an order that we do not have or never offered. People must look."""


class RefundOutcome(StrEnum):
    """What a word of WeChat about a refund did to our books."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABNORMAL = "abnormal"
    """The payer's account cannot take it. It stays reserved until people have found a way."""
    WAITING = "waiting"
    REPEATED = "repeated"
    MISMATCH = "mismatch"
    """Payment, amount or currency are not the refund's. Nothing was changed; people must look."""
    CONTRADICTION = "contradiction"
    """It ended in another way before. Nothing was changed; people must look."""
    UNKNOWN_REFUND = "unknown_refund"
    """A refund that is not ours, as one made by hand at WeChat. People must look."""


BREAKS: Final = frozenset(
    {
        PaymentOutcome.MISMATCH,
        PaymentOutcome.SECOND_TRANSACTION,
        PaymentOutcome.UNKNOWN_ORDER,
        RefundOutcome.MISMATCH,
        RefundOutcome.CONTRADICTION,
        RefundOutcome.UNKNOWN_REFUND,
    }
)
"""Outcomes that leave our books and WeChat's apart until a person acts; the inbox keeps them."""


def ask_again_at(
    number: str, tries: int, *, base_seconds: int, most_seconds: int, now: datetime
) -> datetime:
    """Return when WeChat is to be asked next: doubling waits, spread by up to a fifth.

    The spread comes from number and try, so that a crowd that was hit together does not come back
    together, and a repeated calculation gives the same answer.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> ask_again_at("R1", 3, base_seconds=60, most_seconds=120, now=noon) - noon
    datetime.timedelta(seconds=133, microseconds=757000)
    """
    seconds = min(base_seconds << min(tries, 20), max(base_seconds, most_seconds))
    spread = crc32(f"{number}:{tries}".encode()) % (seconds * 200)
    return now + timedelta(milliseconds=seconds * 1000 + spread)
