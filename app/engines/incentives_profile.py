"""The worst case of monthly incentives, and what they do in the words of the law."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from app.engines.bound import BoundStep, PayoutBound
from app.engines.incentives import Incentives
from app.engines.ladders import Ladder
from app.engines.practices import Practices
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import percent

LADDER: Final = N_(
    "By the month the ladder pays at most its highest rate on each sale, %(rate)s, for what belongs"
    " to leaders below is taken off above."
)
RANKING: Final = N_(
    "A prize is at most %(prize)s and asks for sales of %(minimum)s, so prizes take %(rate)s of the"
    " winners' sales at most."
)
PROMOTION: Final = N_(
    "For somebody promoted their recommender gets at most %(rate)s of what they sell in a month."
)


def with_incentives(bound: PayoutBound, incentives: Incentives | None) -> PayoutBound:
    """Add to a bound what the month brings: a share of all sales above zero of the month."""
    if incentives is None:
        return bound
    steps = tuple(_steps(incentives))
    monthly_bp = sum(step.sum_bp for step in steps)
    return replace(bound, steps=bound.steps + steps, monthly_bp=bound.monthly_bp + monthly_bp)


def ladder_step(ladder: Ladder) -> BoundStep:
    """Tell the most that a ladder pays on a sale (derived in `team_ladder.profile`)."""
    return BoundStep(Message(LADDER, {"rate": percent(ladder.top_bp)}), ladder.top_bp)


def _steps(incentives: Incentives) -> Iterator[BoundStep]:
    """Yield what each incentive can take; a promotion brings one share in a month, never both."""
    if incentives.ladder is not None:
        yield ladder_step(incentives.ladder)
    if ranking := incentives.ranking:
        told = {
            "prize": yuan(ranking.prizes_fen[0]),
            "minimum": yuan(ranking.minimum_sales_fen),
            "rate": percent(ranking.share_bp),
        }
        yield BoundStep(Message(RANKING, told), ranking.share_bp)
    shares = [one.rate_bp for one in (incentives.cultivation, incentives.recommendation) if one]
    if shares:
        yield BoundStep(Message(PROMOTION, {"rate": percent(max(shares))}), max(shares))


def with_incentive_practices(practices: Practices, incentives: Incentives | None) -> Practices:
    """Add to a description what the incentives do."""
    if incentives is None:
        return practices
    ladder = incentives.ladder
    to_any_depth = ladder is not None and ladder.max_depth is None
    depths = [ladder.max_depth or 0] if ladder else []
    depths += [2] if incentives.cultivation or incentives.recommendation else []
    depths += [1] if incentives.ranking else []
    depth = practices.paid_depth
    return replace(
        practices,
        paid_depth=None if depth is None or to_any_depth else max(depth, *depths),
        has_unlimited_team_pay=practices.has_unlimited_team_pay or to_any_depth,
        fixed_share_bp=max(
            practices.fixed_share_bp, incentives.ranking.share_bp if incentives.ranking else 0
        ),
    )
