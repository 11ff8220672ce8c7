"""What a plan does, in the words of the law: what the compliance check looks at.

Each model derives its own from its parameters, so that no plan can be declared to be something
that it is not.
"""

from dataclasses import dataclass

from app.engines.parameters import ConditionKind, Entry, PlanParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Practices:
    """One plan, described. Shares in basis points; `None` for a depth means without an end.

    `paid_depth`: how many people above a buyer can be paid for one order, all kinds of reward
    together, counted by the farthest. `fixed_share_bp`: the dearest fixed amount as a share of the
    order that brings it; 0 where all rewards are rates. `promotion_recruits`: with how many
    recruits somebody rises; None where recruits do not count. `entry_spend_fen`: the own purchases
    with which somebody begins to earn; 0 where none are needed.
    """

    entry: Entry
    paid_depth: int | None
    pays_per_head: bool = False
    fixed_share_bp: int = 0
    has_unlimited_team_pay: bool = False
    pays_after_leaving: bool = False
    promotion_recruits: int | None = None
    has_spillover: bool = False
    has_queue: bool = False
    pool_bp: int = 0
    seats_per_store: int = 0
    promises_return: bool = False
    pays_cash: bool = True
    entry_spend_fen: int = 0


def fewest_recruits(rules: PlanParameters) -> int | None:
    """Return with how many recruits somebody can rise; None where recruits do not count."""
    numbers = [
        condition.at_least
        for upgrade in rules.levels.upgrades
        for condition in upgrade.conditions
        if condition.kind is ConditionKind.RECRUITS
    ]
    return min(numbers, default=None)
