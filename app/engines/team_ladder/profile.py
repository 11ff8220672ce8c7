"""The worst case of TEAM_LADDER, and what it does in the words of the law."""

from app.engines.bound import PayoutBound
from app.engines.incentives_profile import ladder_step
from app.engines.practices import Practices, fewest_recruits
from app.engines.team_ladder.rules import TeamLadderRules


def payout_bound(rules: TeamLadderRules) -> PayoutBound:
    """Derive the worst case: the highest rate of the ladder, as a share of the month's sales.

    Sales are those of everybody whose month is above zero; the negative months of others do not
    raise what is paid for them.

    With depth 2, the seller of an order gets its rate `r` on it, and whoever recommended the
    seller at most what their own rate is higher, so together the higher of two rates. To any depth,
    a team's claim is its gross or what its parts claim, whichever is higher, and what everybody in
    it gets adds up to that; neither exceeds the highest rate of the sales above zero in it. An
    order pays nothing by itself, so the cap has nothing to withhold.

    >>> bound = payout_bound(TeamLadderRules())
    >>> bound.bound_bp, bound.monthly_bp, bound.total_bp
    (0, 300, 300)
    """
    step = ladder_step(rules.ladder)
    return PayoutBound(0, rules.payout_cap_bp, (step,), monthly_bp=step.sum_bp)


def practices(rules: TeamLadderRules) -> Practices:
    """Describe a plan as the compliance check reads it."""
    return Practices(
        entry=rules.conduct.entry,
        paid_depth=rules.ladder.max_depth,
        has_unlimited_team_pay=rules.ladder.max_depth is None,
        promotion_recruits=fewest_recruits(rules),
        promises_return=rules.conduct.promises_return,
    )
