"""What happened, or could have, as one stream in the order of its instants. Pure.

A source yields newcomers to the team and paid orders, each order with all that became of it later;
`timeline` puts that in order with the ends of months between. Only orders with something still to
come are held in memory.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum
from heapq import heappop, heappush
from typing import Final, NamedTuple, TypeAlias

from app.engines.people import NO_INSTANT, Line, Person

BRAND_ZONE: Final = timezone(timedelta(hours=8))
"""The shops' clock: Shanghai, which has kept this offset since 1991."""
MONTHS_A_YEAR: Final = 12


class What(IntEnum):
    """What a fact is; of one instant the end of a month comes first, then the earlier order."""

    MONTH_ENDED = 0
    JOINED = 1
    PAID = 2
    RECEIVED = 3
    SETTLED = 4
    REFUNDED = 5


class Stage(IntEnum):
    """How far an order has come."""

    PAID = 0
    RECEIVED = 1
    SETTLED = 2


class Refund(NamedTuple):
    """What reached the customer at an instant, by line."""

    refund_id: int
    at: datetime
    lines: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Trade:
    """A paid order and what became of it. `stage` and `refunded` change as the stream passes.

    `around` are the buyer and the people above as the order keeps them; where that is missing,
    whoever simulates knows the team (`owner_id`).
    """

    order_id: int
    buyer_id: int
    owner_id: int | None
    lines: tuple[Line, ...]
    store_id: int
    at: datetime
    received_at: datetime | None
    settled_at: datetime | None
    refunds: tuple[Refund, ...] = ()
    is_first: bool = False
    around: tuple[Person, tuple[Person, ...]] | None = None
    stage: Stage = Stage.PAID
    refunded: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody approved as a distributor, with who recommended them."""

    person: Person
    recommender_id: int | None
    at: datetime


Happening: TypeAlias = Newcomer | Trade


class Fact(NamedTuple):
    """One thing that happened at an instant; of a month that ended `month` is its name."""

    what: What
    at: datetime
    trade: Trade | None = None
    refund: Refund | None = None
    newcomer: Newcomer | None = None
    month: str = ""


_Ahead: TypeAlias = tuple[datetime, datetime, int, int, int, Trade | None, Refund | None]


class _Queue:
    """What is still to come, the next first; the end of the running month is always in it."""

    def __init__(self, begins_at: datetime, until_at: datetime | None) -> None:
        self._until_at = until_at
        self._heap: list[_Ahead] = []
        self._put_month_end(begins_at)

    @property
    def next_at(self) -> datetime:
        return self._heap[0][0]

    def put(self, what: What, at: datetime | None, trade: Trade, refund: Refund | None) -> None:
        if at is not None and (self._until_at is None or at < self._until_at):
            number = 0 if refund is None else refund.refund_id
            heappush(self._heap, (at, trade.at, trade.order_id, what, number, trade, refund))

    def before(self, instant: datetime) -> Iterator[Fact]:
        while self._heap[0][0] <= instant:
            yield self._pop()

    def rest(self) -> Iterator[Fact]:
        """Yield what is left, with the months that end before the limit, or the one after it."""
        while len(self._heap) > 1:
            yield self._pop()
        if self._until_at is None:
            yield self._pop()
        else:
            yield from self.before(self._until_at)

    def _pop(self) -> Fact:
        at, _paid_at, _order_id, what, _number, trade, refund = heappop(self._heap)
        if trade is None:
            self._put_month_end(at)
            return Fact(What.MONTH_ENDED, at, month=month_of(at - timedelta(seconds=1)))
        return Fact(What(what), at, trade, refund)

    def _put_month_end(self, instant: datetime) -> None:
        end = month_ends_at(instant)
        heappush(self._heap, (end, NO_INSTANT, 0, What.MONTH_ENDED, 0, None, None))


def timeline(
    source: Iterable[Happening], *, until_at: datetime | None = None, with_received: bool = True
) -> Iterator[Fact]:
    """Yield everything in order; with `until_at` nothing from that instant on.

    Without it the orders are followed to their end, and the month in which that falls is ended.
    """
    queue: _Queue | None = None
    for one in source:
        if queue is None:
            queue = _Queue(one.at, until_at)
        if queue.next_at <= one.at:
            yield from queue.before(one.at)
        if isinstance(one, Newcomer):
            yield Fact(What.JOINED, one.at, newcomer=one)
            continue
        yield Fact(What.PAID, one.at, one)
        if with_received:
            queue.put(What.RECEIVED, one.received_at, one, None)
        queue.put(What.SETTLED, one.settled_at, one, None)
        for refund in one.refunds:
            queue.put(What.REFUNDED, refund.at, one, refund)
    if queue is not None:
        yield from queue.rest()


def month_of(instant: datetime) -> str:
    """Return the month of the shops' calendar that an instant falls in.

    >>> month_of(datetime(2026, 2, 28, 16, tzinfo=UTC))
    '2026-03'
    """
    local = instant.astimezone(BRAND_ZONE)
    return f"{local.year}-{local.month:02d}"


def month_ends_at(instant: datetime) -> datetime:
    """Return the first instant after the month of an instant.

    >>> month_ends_at(datetime(2026, 12, 31, 15, 59, tzinfo=UTC)).isoformat()
    '2026-12-31T16:00:00+00:00'
    """
    local = instant.astimezone(BRAND_ZONE)
    years, month = divmod(local.month, MONTHS_A_YEAR)
    return datetime(local.year + years, month + 1, 1, tzinfo=BRAND_ZONE).astimezone(UTC)


def months_before(instant: datetime, months: int) -> datetime:
    """Return when the month begins that lies so many whole months before an instant's month.

    >>> months_before(datetime(2026, 3, 15, tzinfo=UTC), 3).isoformat()
    '2025-11-30T16:00:00+00:00'
    """
    local = instant.astimezone(BRAND_ZONE)
    years, month = divmod(local.year * MONTHS_A_YEAR + local.month - 1 - months, MONTHS_A_YEAR)
    return datetime(years, month + 1, 1, tzinfo=BRAND_ZONE).astimezone(UTC)
