"""A store with holders, and orders in it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.engines.events import Refunded, Settled, Sold
from app.engines.months import Earner, MonthBooks
from app.engines.people import Line, Person, Sale, Standing
from app.engines.shareholders.holdings import HoldingPlace, HoldingState
from app.kernel.i18n import Message, translate

STORE_ID = 3
BUYER_ID = 1
OWNER_ID = 11
NOON = datetime(2026, 10, 20, 12, tzinfo=UTC)
MONTH_END = datetime(2026, 11, 1, tzinfo=UTC)
BUYER = Person(BUYER_ID)
OWNER = Person(OWNER_ID, 1, Standing.ACTIVE)
LINE = Line(70, product_id=5, base_fen=39_800)


def holding(member_id: int = OWNER_ID, **fields: Any) -> HoldingPlace:
    """A gold holding in force, but for what is given."""
    given = HoldingPlace(
        member_id=member_id,
        number=STORE_ID,
        level=2,
        state=HoldingState.ACTIVE,
        until="2027-06-01T00:00:00+00:00",
    )
    return replace(given, **fields)


def sale(*lines: Line, buyer: Person = BUYER, store_id: int = STORE_ID) -> Sale:
    return Sale(7, buyer, lines or (LINE,), store_id=store_id, at=NOON, counted_at=NOON)


def sold(*lines: Line, chain: tuple[Person, ...] = (OWNER,), **fields: Any) -> Sold:
    return Sold(sale(*lines, **fields), chain)


def settled(base_fen: int, **fields: Any) -> Settled:
    return Settled(sale(Line(70, 5, base_fen), **fields), ())


def refunded(refunded_fen: int, *, is_settled: bool = True, buyer_id: int = BUYER_ID) -> Refunded:
    return Refunded(
        order_id=7,
        refund_id=1,
        buyer_id=buyer_id,
        owner_id=None,
        remaining_fen=0,
        is_settled=is_settled,
        at=NOON,
        store_id=STORE_ID,
        refunded_fen=refunded_fen,
    )


def earner(member_id: int, level: int = 1, **fields: Any) -> Earner:
    """A holder who bought something in the month, but for what is given."""
    given = Earner(member_id=member_id, level=level, own_settled_at=NOON)
    return replace(given, **fields)


def books(*people: Earner, net_fen: int = 100_000, **fields: Any) -> MonthBooks:
    given = MonthBooks(
        plan_id=1,
        month="2026-10",
        ends_at=MONTH_END,
        net_fen=net_fen,
        people=people,
        store_id=STORE_ID,
    )
    return replace(given, **fields)


def days_before_the_end(days: int, *, earlier_s: int = 0) -> datetime:
    return MONTH_END - timedelta(days=days, seconds=earlier_s)


def read(messages: Iterable[Message]) -> list[str]:
    return [translate(message, "en") for message in messages]
