"""A second way to the same pools: exact fractions, and the lifetime caps by searching a level.

The engine divides again and again, each time without those who reach their cap. This one looks for
the price of one unit of weight at which everybody gets the smaller of weight times price and what
their cap leaves, and the parts add up to the pool; only then fen are cut off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from math import floor

from app.engines.months import Earner, MonthBooks
from app.engines.people import Standing
from app.engines.shareholders.rules import ShareholderRules


@dataclass(frozen=True)
class Month:
    """What a month should bring: fen by member, and what goes on."""

    pool_fen: int
    paid: dict[int, int]
    carried_fen: int
    kept_fen: int
    deficit_fen: int


def close(rules: ShareholderRules, books: MonthBooks) -> Month:
    """Close a month by another route; without redistribution, which rounds on its way."""
    turnover = books.net_fen - books.deficit_fen
    pool = floor(Fraction(max(turnover, 0)) * rules.pool_bp / 10_000) + books.carried_fen
    deficit = -min(turnover, 0)
    takers = [one for one in books.people if takes_part(rules, books, one)]
    if not takers:
        return Month(pool, {}, 0, pool, deficit)
    due = dues(rules, pool, takers)
    whole = {member: floor(part) for member, part in due.items()}
    paid = {one.member_id: _capped(rules, one, whole[one.member_id]) for one in takers}
    unclaimed = unclaimed_parts(rules, pool, takers)
    carried = pool - sum(whole.values()) - unclaimed
    kept = sum(whole.values()) - sum(paid.values()) + unclaimed
    return Month(pool, {one: fen for one, fen in paid.items() if fen}, carried, kept, deficit)


def takes_part(rules: ShareholderRules, books: MonthBooks, one: Earner) -> bool:
    """Say by one long condition who is eligible."""
    known = range(1, len(rules.shareholder_levels) + 1)
    return (
        one.standing is Standing.ACTIVE
        and one.level in known
        and not (one.until_at and one.until_at < books.ends_at)
        and one.own_settled_at is not None
        and books.ends_at - one.own_settled_at <= timedelta(days=rules.active_days)
    )


def dues(rules: ShareholderRules, pool: int, takers: Sequence[Earner]) -> dict[int, Fraction]:
    """Return everybody's part before caps, as a fraction."""
    weight = {rank: one.weight for rank, one in enumerate(rules.shareholder_levels, start=1)}
    heads = [one.level or 0 for one in takers]
    if rules.split.value == "BY_WEIGHT":
        whole = sum(weight[rank] for rank in heads)
        return {one.member_id: Fraction(pool * weight[one.level or 0], whole) for one in takers}
    of_level = {rank: pool * weight[rank] // sum(weight.values()) for rank in weight}
    return {
        one.member_id: Fraction(of_level[one.level or 0], heads.count(one.level or 0))
        for one in takers
    }


def unclaimed_parts(rules: ShareholderRules, pool: int, takers: Sequence[Earner]) -> int:
    """Return the parts of levels that nobody holds."""
    if rules.split.value == "BY_WEIGHT":
        return 0
    whole = sum(one.weight for one in rules.shareholder_levels)
    held = {one.level for one in takers}
    return sum(
        pool * one.weight // whole
        for rank, one in enumerate(rules.shareholder_levels, start=1)
        if rank not in held
    )


def _capped(rules: ShareholderRules, one: Earner, fen: int) -> int:
    if rules.cap_total_fen is None:
        return fen
    return min(fen, max(rules.cap_total_fen - one.received_fen, 0))


def levelled(pool: int, takers: Sequence[tuple[int, int]]) -> list[Fraction]:
    """Return what holders of (weight, room) get where all excess goes to the others, in fractions.

    The price of a unit of weight lies where the pool is used up: between two rooms it is a line.
    """
    if pool >= sum(room for _, room in takers):
        return [Fraction(room) for _, room in takers]
    for price in sorted({Fraction(room, weight) for weight, room in takers}):
        if sum(min(weight * price, Fraction(room)) for weight, room in takers) >= pool:
            full = [room for weight, room in takers if Fraction(room, weight) < price]
            rest = sum(weight for weight, room in takers if Fraction(room, weight) >= price)
            price = Fraction(pool - sum(full), rest)
            return [min(weight * price, Fraction(room)) for weight, room in takers]
    raise AssertionError("the pool is smaller than all rooms together")
