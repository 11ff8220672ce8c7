"""Small brands and plans to try."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.distribution.simulation.growth import Brand
from app.distribution.simulation.lane import Entry, Lane
from app.distribution.simulation.parameters import Growth, read_growth
from app.distribution.simulation.results import result_of, to_bytes
from app.distribution.simulation.runner import run
from app.distribution.simulation.stream import Happening, Newcomer, Refund, Trade
from app.engines.documents import load_rules
from app.engines.people import Line, Person, Standing

DAY: Final = timedelta(days=1)
NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
SMALL: Final[dict[str, Any]] = {
    "members": 400,
    "months": 4,
    "recruit_bp": 1_500,
    "orders_bp": 8_000,
    "min_fen": 20_000,
    "typical_fen": 60_000,
    "max_fen": 120_000,
    "refund_bp": 1_500,
    "stores": 2,
}


def growth(**changes: Any) -> Growth:
    return read_growth({**SMALL, **changes})


def entry(model: str = "CHANNEL_TWO_LEVEL", **rules: Any) -> Entry:
    return Entry(rules=load_rules({"model": model, **rules}))


def grown(*entries: Entry, **changes: Any) -> list[Lane]:
    return run(Brand(growth(**changes)).happenings(), entries, levels_rise=True)


def grown_bytes(*entries: Entry, **changes: Any) -> bytes:
    parameters = growth(**changes).model_dump(mode="json")
    return to_bytes(result_of(grown(*entries, **changes), kind="growth", parameters=parameters))


def joins(member_id: int, above: int | None = None, *, at: datetime = NOON) -> Newcomer:
    return Newcomer(Person(member_id, 1, Standing.ACTIVE), above, at)


def trade(
    order_id: int = 7,
    *,
    owner_id: int | None = 1,
    buyer_id: int = 50,
    fen: Sequence[int] = (10_000,),
    refunds: Sequence[tuple[timedelta, int]] = (),
    settles: bool = True,
    store_id: int = 1,
    at: datetime = NOON + DAY,
) -> Trade:
    """An order received two days and settled nine days after; refunds are of its first line."""
    lines = tuple(Line(order_id * 10 + n, product_id=n, base_fen=one) for n, one in enumerate(fen))
    return Trade(
        order_id,
        buyer_id,
        owner_id,
        lines,
        store_id,
        at,
        at + 2 * DAY,
        at + 9 * DAY if settles else None,
        tuple(
            Refund(order_id * 100 + n, at + after, ((order_id * 10, amount),))
            for n, (after, amount) in enumerate(refunds)
        ),
    )


def tried(happenings: Sequence[Happening], *entries: Entry) -> list[Lane]:
    return run(happenings, entries or (entry(),), levels_rise=True)
