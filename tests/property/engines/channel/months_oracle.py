"""A second way to what a month brings: by recursion and by sets, in exact fractions.

The ladder to any depth is written down as its definition says, from the top: a team claims its
gross, or what the teams below claim where that is more. Within depth 2 each sale is looked at by
itself: what its seller and whoever recommended the seller have of it. Ranks are counted and not
sorted; the month of a promotion is read off its date in Shanghai.
"""

from collections.abc import Sequence
from datetime import timedelta, timezone
from fractions import Fraction
from math import ceil, floor

from app.engines.incentives import Cultivation, Ranking, Recommendation
from app.engines.ladders import Ladder
from app.engines.months import Earner
from app.engines.people import Standing

SHANGHAI = timezone(timedelta(hours=8))
ACTIVE = Standing.ACTIVE


def _rate(ladder: Ladder, sales_fen: int) -> Fraction:
    reached = [rung.rate_bp for rung in ladder.rungs if rung.from_fen <= sales_fen]
    return Fraction(max(reached, default=0), 10_000)


def _below(one: Earner, people: Sequence[Earner]) -> list[Earner]:
    return [other for other in people if other.recommender_id == one.member_id]


def _everybody(one: Earner, people: Sequence[Earner]) -> list[Earner]:
    return [one] + [other for r in _below(one, people) for other in _everybody(r, people)]


def _gross(ladder: Ladder, team: Sequence[Earner]) -> int:
    sales_fen = sum(other.sales_fen for other in team)
    return floor(_rate(ladder, sales_fen) * max(sales_fen, 0))


def _claim(ladder: Ladder, one: Earner, people: Sequence[Earner]) -> int:
    below = sum(_claim(ladder, other, people) for other in _below(one, people))
    return max(_gross(ladder, _everybody(one, people)), below)


def ladder_bonuses(ladder: Ladder, people: Sequence[Earner]) -> dict[int, int]:
    """Return everybody's bonus before it is asked whether they may be paid."""
    bonuses = {}
    for one in people:
        if ladder.max_depth is None:
            below = sum(_claim(ladder, other, people) for other in _below(one, people))
            bonuses[one.member_id] = _claim(ladder, one, people) - below
            continue
        recruits = _below(one, people) if ladder.max_depth == 2 else []
        theirs = 0
        for other in recruits:
            team = [other, *_below(other, people)]
            rate = _rate(ladder, sum(member.sales_fen for member in team))
            theirs += ceil(rate * max(other.sales_fen, 0))
        bonuses[one.member_id] = max(_gross(ladder, [one, *recruits]) - theirs, 0)
    return bonuses


def prizes(ranking: Ranking, people: Sequence[Earner]) -> dict[int, int]:
    """Return who wins which prize."""
    able = [p for p in people if p.sales_fen >= ranking.minimum_sales_fen and p.standing is ACTIVE]

    def beats(one: Earner, other: Earner) -> bool:
        if one.sales_fen != other.sales_fen:
            return one.sales_fen > other.sales_fen
        if one.last_sale_at != other.last_sale_at:
            if one.last_sale_at is None or other.last_sale_at is None:
                return other.last_sale_at is None
            return one.last_sale_at < other.last_sale_at
        return one.member_id < other.member_id

    ranks = {one.member_id: sum(beats(other, one) for other in able) for one in able}
    return {who: ranking.prizes_fen[n] for who, n in ranks.items() if n < len(ranking.prizes_fen)}


def _months_ago(one: Earner) -> int | None:
    if one.promoted_at is None:
        return None
    local = one.promoted_at.astimezone(SHANGHAI)
    return (2026 * 12 + 10) - (local.year * 12 + local.month)


def shares(
    people: Sequence[Earner], regular: Cultivation | None, once: Recommendation | None
) -> dict[tuple[str, int, int], int]:
    """Return (kind, recommender, promoted) → fen for promotions, in October 2026."""
    found = {}
    for one in people:
        above = next((p for p in people if p.member_id == one.recommender_id), None)
        ago = _months_ago(one)
        if above is None or ago is None or one.level is None:
            continue
        kind, rate_bp = "", 0
        if once and ago == 0 and above.level and one.level >= max(above.level, 2):
            kind, rate_bp = "RECOMMENDATION", once.rate_bp
        if regular and 0 < ago <= regular.months and one.level >= regular.from_level:
            kind, rate_bp = "CULTIVATION", regular.rate_bp
        fen = floor(Fraction(rate_bp, 10_000) * max(one.sales_fen, 0))
        if fen and above.standing is one.standing is ACTIVE:
            found[kind, above.member_id, one.member_id] = fen
    return found
