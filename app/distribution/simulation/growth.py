"""Invented growth: who joins, who brings whom, and what they buy, from nothing but a seed. Pure.

All chances come from one generator of random bits and are taken in whole numbers, so a seed gives
the same customers and orders on every machine.
"""

from array import array
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from app.distribution.simulation.parameters import Growth
from app.distribution.simulation.stream import (
    BRAND_ZONE,
    MONTHS_A_YEAR,
    Happening,
    Newcomer,
    Refund,
    Trade,
)
from app.engines.people import Line, Person, Standing
from app.kernel.money import BASIS_POINTS

BEGINS_IN: Final = 2026
"""The year whose January is the first month of every invented brand."""
RECEIVED_AFTER: Final = timedelta(days=2)
SETTLED_AFTER: Final = timedelta(days=9)
AT_ONCE: Final = timedelta(days=1)
SOON: Final = timedelta(days=5)
LATE: Final = timedelta(days=20)
"""After the after-sale window, when commission may have been paid out."""
NO_PRODUCT: Final = 0
BITS: Final = 32
MASK: Final = (1 << BITS) - 1


class Brand:
    """An invented brand as it grows."""

    def __init__(self, growth: Growth) -> None:
        """Begin with nobody."""
        self._growth = growth
        self._random = Random(growth.seed)  # noqa: S311 - chances of a story, no secret
        self._owners = array("q", [0])
        self._stores = array("q", [0])
        self._distributors = array("q")
        self._has_bought = bytearray(growth.members + 1)
        self._order_id = 0

    def happenings(self) -> Iterator[Happening]:
        """Yield newcomers to the team and paid orders, in order."""
        for month in range(1, self._growth.months + 1):
            yield from self._month(month)

    def _month(self, month: int) -> Iterator[Happening]:
        """Spread the newcomers and orders of a month evenly over it."""
        begins_at, ends_at = (_begins_at(month - 1), _begins_at(month))
        seconds = int((ends_at - begins_at).total_seconds())
        before = len(self._owners) - 1
        joining = self._growth.members_after(month) - before
        ordering = self._growth.orders_in(month)
        joined = 0
        for number in range(ordering):
            due = joining * (number + 1) // ordering
            if month == 1:
                due = max(due, min(self._growth.stores, joining))
            second = seconds * number // ordering
            at = begins_at + timedelta(seconds=second)
            for _ in range(due - joined):
                newcomer = self._join(at)
                if newcomer is not None:
                    yield newcomer
            joined = max(joined, due)
            yield self._order(at)

    def _join(self, at: datetime) -> Newcomer | None:
        """Let a customer in; return them where they become a distributor."""
        member_id = len(self._owners)
        bits = self._random.getrandbits(4 * BITS)
        is_founder = member_id <= self._growth.stores
        is_brought = not is_founder and _chance(bits, self._growth.referral_bp)
        owner_id = self._bringer(bits >> BITS) if is_brought else 0
        store_id = (
            member_id if is_founder else 1 + ((bits >> 2 * BITS & MASK) * self._growth.stores >> 32)
        )
        self._owners.append(owner_id)
        self._stores.append(self._stores[owner_id] if owner_id else store_id)
        if not is_founder and not _chance(bits >> 3 * BITS, self._growth.recruit_bp):
            return None
        self._distributors.append(member_id)
        return Newcomer(Person(member_id, 1, Standing.ACTIVE), owner_id or None, at)

    def _bringer(self, bits: int) -> int:
        """Choose a distributor, the earlier ones more often: the square of an even chance."""
        chance = bits & MASK
        return self._distributors[(len(self._distributors) * chance >> BITS) * chance >> BITS]

    def _order(self, at: datetime) -> Trade:
        bits = self._random.getrandbits(4 * BITS)
        buyer_id = 1 + ((bits & MASK) * (len(self._owners) - 1) >> BITS)
        self._order_id += 1
        product_id, base_fen = self._price(bits >> BITS)
        is_first = not self._has_bought[buyer_id]
        self._has_bought[buyer_id] = 1
        trade = Trade(
            self._order_id,
            buyer_id,
            self._owners[buyer_id] or None,
            (Line(self._order_id, product_id, base_fen),),
            self._stores[buyer_id],
            at,
            at + RECEIVED_AFTER,
            at + SETTLED_AFTER,
            is_first=is_first,
        )
        if _chance(bits >> 2 * BITS, self._growth.refund_bp):
            _refund(trade, base_fen, kind=bits >> 3 * BITS & 3)
        return trade

    def _price(self, bits: int) -> tuple[int, int]:
        chance = bits & MASK
        growth = self._growth
        if growth.products:
            product = growth.products[len(growth.products) * chance >> BITS]
            return product.product_id, product.price_fen
        low, high = growth.min_fen, growth.typical_fen
        if chance & 1:
            low, high = high, growth.max_fen
        return NO_PRODUCT, low + ((high - low + 1) * (chance >> 1) >> (BITS - 1))


def _chance(bits: int, share_bp: int) -> bool:
    """Take a chance of so many basis points."""
    return (bits & MASK) * BASIS_POINTS >> BITS < share_bp


def _refund(trade: Trade, base_fen: int, *, kind: int) -> None:
    """Refund an order whole before or after it was received, or half of it in time or late."""
    after, part_fen = {
        0: (AT_ONCE, base_fen),
        1: (SOON, base_fen),
        2: (SOON, (base_fen + 1) // 2),
        3: (LATE, (base_fen + 1) // 2),
    }[kind]
    line_id = trade.lines[0].line_id
    trade.refunds = (Refund(trade.order_id, trade.at + after, ((line_id, part_fen),)),)
    if part_fen == base_fen:
        trade.settled_at = None
        trade.received_at = None if after < RECEIVED_AFTER else trade.received_at


def _begins_at(month: int) -> datetime:
    """Return when an invented month begins, the first being 0."""
    years, index = divmod(month, MONTHS_A_YEAR)
    return datetime(BEGINS_IN + years, index + 1, 1, tzinfo=BRAND_ZONE).astimezone(UTC)
