"""The worst case of DIFFERENTIAL, and what it does in the words of the law."""

from collections.abc import Iterator
from typing import Final

from app.engines.bound import BoundStep, PayoutBound
from app.engines.differential.rules import DifferentialRules, PeerBase
from app.engines.incentives_profile import with_incentive_practices, with_incentives
from app.engines.practices import Practices, fewest_recruits
from app.kernel.i18n import N_, Message
from app.kernel.money import BASIS_POINTS, percent

PLAN_ALONE: Final = N_(
    "However many stand above a buyer, their differences add up to the highest rate, %(rate)s at"
    " level %(level)s."
)
PLAN_WITH_PEERS: Final = N_(
    "However many stand above a buyer, their differences add up to the highest rate, %(rate)s at"
    " level %(level)s; at most %(peers)s peers get %(peer)s each besides: %(sum)s together."
)
PRODUCT_ALONE: Final = N_(
    "For product %(product_id)s the differences add up to %(rate)s, at level %(level)s."
)
PRODUCT_WITH_PEERS: Final = N_(
    "For product %(product_id)s the differences add up to %(rate)s, at level %(level)s, and at most"
    " %(peers)s peers get %(peer)s each besides: %(sum)s together."
)


def payout_bound(rules: DifferentialRules) -> PayoutBound:
    """Derive the worst case of a plan from its parameters.

    Differences add up to the rate reached, so to the highest one at most. Peers come besides: each
    time the rate rises, up to `peer_generations` of them, and it can rise once for each different
    rate above zero; whoever raises it and whoever equals it take one step each of `max_depth`.
    Peers of an income get most where one person reaches the highest rate at once: several rises
    share the same sum of differences, and take more steps. The bound is reached.

    >>> payout_bound(DifferentialRules()).bound_bp
    1600
    """
    steps = tuple(_steps(rules))
    bound = PayoutBound(max(step.sum_bp for step in steps), rules.payout_cap_bp, steps)
    return with_incentives(bound, rules.incentives)


def practices(rules: DifferentialRules) -> Practices:
    """Describe a plan as the compliance check reads it."""
    described = Practices(
        entry=rules.conduct.entry,
        paid_depth=rules.max_depth,
        has_unlimited_team_pay=rules.max_depth is None,
        promotion_recruits=fewest_recruits(rules),
        promises_return=rules.conduct.promises_return,
    )
    return with_incentive_practices(described, rules.incentives)


def most_peers(rules: DifferentialRules, rates: tuple[int, ...]) -> int:
    """Return how many peers one line can pay at most, besides those who reach its highest rate."""
    rises = len({rate_bp for rate_bp in rates if rate_bp})
    generations = rules.peer_generations if rules.peer_bp else 0
    if rules.peer_base is PeerBase.INCOME:
        rises = min(rises, 1)
    if rules.max_depth is None:
        return rises * generations
    return max(
        (
            min(taken * generations, rules.max_depth - taken)
            for taken in range(1, min(rises, rules.max_depth) + 1)
        ),
        default=0,
    )


def _steps(rules: DifferentialRules) -> Iterator[BoundStep]:
    yield _dearest(rules, None, rules.rates_bp)
    for product_id, own in sorted(rules.product_rates.items()):
        if own.rates_bp is not None:
            yield _dearest(rules, product_id, own.rates_bp)


def _dearest(rules: DifferentialRules, product_id: int | None, rates: tuple[int, ...]) -> BoundStep:
    highest_bp = max(rates)
    peer_bp = rules.peer_bp
    if rules.peer_base is PeerBase.INCOME:
        peer_bp = highest_bp * rules.peer_bp // BASIS_POINTS
    peers = most_peers(rules, rates)
    sum_bp = highest_bp + peers * peer_bp
    told = {
        "product_id": product_id,
        "rate": percent(highest_bp),
        "level": rates.index(highest_bp) + 1,
        "peers": peers,
        "peer": percent(peer_bp),
        "sum": percent(sum_bp),
    }
    alone, with_peers = (
        (PLAN_ALONE, PLAN_WITH_PEERS) if product_id is None else (PRODUCT_ALONE, PRODUCT_WITH_PEERS)
    )
    return BoundStep(Message(with_peers if sum_bp > highest_bp else alone, told), sum_bp)
