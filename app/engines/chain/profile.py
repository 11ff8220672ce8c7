"""The worst case of chain 2+1, and what it does in the words of the law."""

from collections.abc import Iterator, Mapping
from typing import Final

from app.engines.bound import BoundStep, PayoutBound
from app.engines.chain.rules import (
    ChainRules,
    PeerBase,
    PromotionBy,
    Repurchase,
    Reward,
    Role,
)
from app.engines.parameters import ConditionKind, Entry
from app.engines.practices import Practices
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import BASIS_POINTS, percent

BOUND_OF: Final[Mapping[Role, str]] = {
    Role.AGENT: N_(
        "Where an agent brings the buyer, the direct reward takes %(direct)s of a line at most, the"
        " team reward %(team)s and the peer reward %(peer)s: %(sum)s together."
    ),
    Role.BOSS: N_(
        "Where a boss brings the buyer, the direct reward takes %(direct)s of a line at most, the"
        " team reward %(team)s and the peer reward %(peer)s: %(sum)s together."
    ),
}
BOUND_FIXED: Final = N_(
    "Fixed sums count as the share they are of a package of %(price)s, the cheapest there is,"
    " rounded up."
)
BOUND_REPURCHASE: Final = N_(
    "Where somebody buys again, the two above get %(first)s and %(second)s: %(sum)s together."
)
TEAM_ABOVE_AGENT: Final = 2
PEER_ABOVE: Final[Mapping[Role, int]] = {Role.AGENT: 3, Role.BOSS: 2}
"""How far above the buyer the nearest that can be stands: a boss above an agent, and so on."""


def payout_bound(rules: ChainRules) -> PayoutBound:
    """Derive the worst case of a plan from its parameters.

    A fixed sum is paid for a package alone, which costs the entry price at least, so it is never a
    larger share than of that. Shares are rounded up to whole basis points, as the cap does
    (`results.Room`); so a plan whose bound is within its cap is never cut.

    >>> bound = payout_bound(ChainRules())
    >>> bound.bound_bp, bound.cap_bp, bound.within_cap
    (1500, 3000, True)
    """
    steps = tuple(_steps(rules))
    return PayoutBound(max(step.sum_bp for step in steps), rules.payout_cap_bp, steps)


def practices(rules: ChainRules) -> Practices:
    """Describe a plan as the compliance check reads it."""
    rewards = (rules.direct.agent, rules.direct.boss, rules.team.agent, rules.team.boss)
    fixed_share_bp = max(
        (_share_bp(rules, one) for one in rewards if one.fixed_fen is not None), default=0
    )
    return Practices(
        entry=rules.conduct.entry,
        paid_depth=_paid_depth(rules),
        pays_per_head=fixed_share_bp > 0 and rules.conduct.entry is Entry.BUY_PACKAGE,
        fixed_share_bp=fixed_share_bp,
        has_unlimited_team_pay=rules.max_depth is None and rules.team.agent.pays,
        pays_after_leaving=_pays_peers(rules),
        promotion_recruits=_fewest_recruits(rules),
        promises_return=rules.conduct.promises_return,
    )


def _steps(rules: ChainRules) -> Iterator[BoundStep]:
    if any(
        one.fixed_fen is not None
        for one in (rules.direct.agent, rules.direct.boss, rules.team.agent, rules.team.boss)
    ):
        assert rules.entry_price_fen is not None, "a fixed sum has a package"
        yield BoundStep(Message(BOUND_FIXED, {"price": yuan(rules.entry_price_fen)}), 0)
    yield _step(rules, Role.AGENT, rules.direct.agent, rules.team.agent)
    yield _step(rules, Role.BOSS, rules.direct.boss, rules.team.boss)
    if rules.repurchase is Repurchase.TWO_LEVEL:
        second_bp = rules.repurchase_second_bp if _reaches(rules, TEAM_ABOVE_AGENT) else 0
        told = {
            "first": percent(rules.repurchase_first_bp),
            "second": percent(second_bp),
            "sum": percent(rules.repurchase_first_bp + second_bp),
        }
        sum_bp = rules.repurchase_first_bp + second_bp
        yield BoundStep(Message(BOUND_REPURCHASE, told), sum_bp)


def _step(rules: ChainRules, role: Role, direct: Reward, team: Reward) -> BoundStep:
    """Add up what a line can bring where somebody of this role brings the buyer."""
    has_team = role is Role.BOSS or _reaches(rules, TEAM_ABOVE_AGENT)
    direct_bp = _share_bp(rules, direct)
    team_bp = _share_bp(rules, team) if has_team else 0
    peer_bp = 0
    if _reaches(rules, PEER_ABOVE[role]):
        is_of_both = role is Role.BOSS and rules.peer_base is PeerBase.ALL
        peer_bp = _share_bp(rules, team, direct if is_of_both else None, of_bp=rules.peer_bp)
    told = {
        "direct": percent(direct_bp),
        "team": percent(team_bp),
        "peer": percent(peer_bp),
        "sum": percent(direct_bp + team_bp + peer_bp),
    }
    return BoundStep(Message(BOUND_OF[role], told), direct_bp + team_bp + peer_bp)


def _share_bp(
    rules: ChainRules, one: Reward, other: Reward | None = None, *, of_bp: int = BASIS_POINTS
) -> int:
    """Return a share of the sum of rewards as a share of the cheapest line, rounded up."""
    rewards = [one] if other is None else [one, other]
    rate_bp = sum(reward.rate_bp or 0 for reward in rewards)
    fixed_fen = sum(reward.fixed_fen or 0 for reward in rewards)
    price_fen = rules.entry_price_fen or 1
    parts = (rate_bp * price_fen + fixed_fen * BASIS_POINTS) * of_bp
    return -(-parts // (price_fen * BASIS_POINTS))


def _reaches(rules: ChainRules, distance: int) -> bool:
    return rules.max_depth is None or distance <= rules.max_depth


def _pays_peers(rules: ChainRules) -> bool:
    """Tell whether anybody can earn on the team of somebody who left theirs."""
    is_earned = rules.team.agent.pays or rules.team.boss.pays
    is_earned |= rules.peer_base is PeerBase.ALL and rules.direct.boss.pays
    return is_earned and rules.peer_bp > 0 and _reaches(rules, PEER_ABOVE[Role.BOSS])


def _paid_depth(rules: ChainRules) -> int | None:
    """Return how far above a buyer somebody can be paid; None without an end."""
    if rules.team.agent.pays or _pays_peers(rules):
        return rules.max_depth
    is_second = rules.repurchase_second_bp > 0 and _reaches(rules, TEAM_ABOVE_AGENT)
    return TEAM_ABOVE_AGENT if is_second else 1


def _fewest_recruits(rules: ChainRules) -> int | None:
    """Return with how many recruits somebody can rise; None where recruits do not count."""
    numbers = [
        condition.at_least
        for upgrade in rules.levels.upgrades
        for condition in upgrade.conditions
        if condition.kind is ConditionKind.RECRUITS
    ]
    if rules.promotion_by is PromotionBy.RECRUITS and rules.promote_count is not None:
        numbers.append(rules.promote_count)
    return min(numbers, default=None)
