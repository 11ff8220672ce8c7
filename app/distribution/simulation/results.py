"""What came of a simulation, as plain JSON: whole numbers, in one order, the same bytes. Pure."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, TypeAlias

from app.distribution.simulation.figures import (
    LISTED,
    TOP,
    Comparison,
    Shift,
    buckets,
    compare,
    gini_bp,
    share_of_top_bp,
)
from app.distribution.simulation.lane import Lane
from app.distribution.simulation.tally import Cell, Sum, Tally
from app.kernel.money import BASIS_POINTS

SCHEMA: Final = 1
PEOPLE_KEPT: Final = 10_000
"""So many of the best-paid are kept one by one; of the others their number and sum."""
Result: TypeAlias = dict[str, Any]


def result_of(lanes: Sequence[Lane], *, kind: str, parameters: Mapping[str, Any]) -> Result:
    """Put together what one or two sets of rules brought; the second is what is compared with."""
    plan, *others = lanes
    against = others[0] if others else None
    return {
        "schema": SCHEMA,
        "kind": kind,
        "parameters": dict(parameters),
        "plan": _of_lane(plan),
        "against": None if against is None else _of_lane(against),
        "comparison": None
        if against is None
        else _comparison(compare(plan.tally.people, against.tally.people)),
        "people": _people(plan, against),
    }


def to_bytes(result: Result) -> bytes:
    """Write a result so that equal results are equal bytes."""
    return json.dumps(result, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _of_lane(lane: Lane) -> Result:
    tally = lane.tally
    bound = lane.model.bound(lane.rules)
    return {
        "model": lane.model.code,
        "orders": tally.orders,
        "orders_paying": tally.orders_paying,
        "turnover_fen": tally.turnover_fen,
        "refunded_fen": tally.refunded_fen,
        "net_turnover_fen": tally.net_turnover_fen,
        "awarded_fen": tally.awarded_fen,
        "reversed_fen": tally.reversed_fen,
        "cost_fen": tally.cost_fen,
        "share_bp": _share_bp(tally.cost_fen, tally.net_turnover_fen),
        "pool_fen": tally.pool_fen,
        "capped": tally.capped,
        "capped_fen": tally.capped_fen,
        "bound": {
            "order_bp": bound.enforced_bp,
            "monthly_bp": bound.monthly_bp,
            "total_bp": bound.total_bp,
            "worst_order_bp": tally.worst_order.share_bp,
            "worst_order_id": tally.worst_order.order_id,
            "worst_month_bp": tally.worst_month.share_bp,
        },
        "kinds": _by(tally, lambda cell: cell.kind.value, "kind"),
        "levels": _by(tally, lambda cell: cell.level, "level"),
        "seats": _by(tally, lambda cell: cell.seat, "seat"),
        "refused": _counted(tally.refused, "reason"),
        "gifts": [
            {"kind": kind.value, "item": item, "amount": amount}
            for (kind, item), amount in sorted(tally.gifts.items())
        ],
        "notes": _counted(tally.notes, "code"),
        "months": [
            {"month": month, **asdict(found)} for month, found in sorted(tally.months.items())
        ],
        "team": [
            {"level": level, "people": people}
            for level, people in lane.crowd.level_counts().items()
        ],
        "spread": _spread(lane),
    }


def _by(tally: Tally, of: Callable[[Cell], Any], name: str) -> list[Result]:
    """Add awards up by one of what they are counted by."""
    sums: defaultdict[Any, Sum] = defaultdict(Sum)
    for cell, found in tally.cells.items():
        one = sums[of(cell)]
        one.count += found.count
        one.amount_fen += found.amount_fen
        one.reversed_fen += found.reversed_fen
    return [
        {
            name: key,
            **asdict(found),
            "net_fen": found.amount_fen - found.reversed_fen,
            "share_bp": _share_bp(found.amount_fen - found.reversed_fen, tally.cost_fen),
        }
        for key, found in sorted(sums.items())
    ]


def _counted(counter: Counter[Any], name: str) -> list[Result]:
    """List what was counted, the most first."""
    listed = sorted(counter.items(), key=lambda one: (-one[1], str(one[0])))
    return [{name: str(key), "count": count} for key, count in listed]


def _spread(lane: Lane) -> Result:
    """Tell how the money is spread over those who earn and those who could have."""
    amounts = [fen for fen in lane.tally.people.values() if fen]
    active = {*lane.crowd.people, *lane.tally.people}
    everybody = amounts + [0] * (len(active) - len(amounts))
    tenth = -(-len(amounts) // 10)
    ordered = sorted(amounts)
    return {
        "active": len(active),
        "paid": len(amounts),
        "gini_bp": gini_bp(amounts),
        "gini_of_active_bp": gini_bp(everybody),
        "top_bp": share_of_top_bp(amounts, TOP),
        "top_tenth_bp": share_of_top_bp(amounts, tenth),
        "median_fen": ordered[len(ordered) // 2] if ordered else 0,
        "most_fen": ordered[-1] if ordered else 0,
        "buckets": [asdict(one) for one in buckets(amounts)],
        "top": [
            {"member_id": member_id, "fen": fen}
            for member_id, fen in _best(lane.tally.people)[:LISTED]
        ],
    }


def _best(people: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return who earns anything, the best-paid first."""
    paid = [(member_id, fen) for member_id, fen in people.items() if fen]
    return sorted(paid, key=lambda one: (-one[1], one[0]))


def _people(plan: Lane, against: Lane | None) -> Result:
    """List the best-paid of either plan one by one, and sum up the others."""
    mine = plan.tally.people
    theirs: Mapping[int, int] = {} if against is None else against.tally.people
    best = dict.fromkeys(one for one, _ in _best(mine))
    best |= dict.fromkeys(one for one, _ in _best(theirs))
    kept = list(best)[:PEOPLE_KEPT]
    rows = [[one, mine.get(one, 0), theirs.get(one, 0)] for one in kept]
    return {
        "rows": rows,
        "others": len(best) - len(kept),
        "others_fen": sum(mine.values()) - sum(row[1] for row in rows),
        "others_against_fen": sum(theirs.values()) - sum(row[2] for row in rows),
    }


def _comparison(found: Comparison) -> Result:
    return {
        "gaining": found.gaining,
        "gained_fen": found.gained_fen,
        "losing": found.losing,
        "lost_fen": found.lost_fen,
        "unchanged": found.unchanged,
        "gainers": [_shift(one) for one in found.gainers],
        "losers": [_shift(one) for one in found.losers],
    }


def _shift(one: Shift) -> Result:
    return {**asdict(one), "difference_fen": one.difference_fen}


def _share_bp(part_fen: int, whole_fen: int) -> int:
    return part_fen * BASIS_POINTS // whole_fen if whole_fen > 0 else 0
