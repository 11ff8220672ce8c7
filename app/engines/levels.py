"""Levels: whether the settled sales of a distributor lift them, and to which level.

Only ever upwards: a figure that shrinks, by a refund or because time passes, takes no level away.
The windows are the caller's to apply, since they end at the moment of evaluation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from app.engines.parameters import ConditionKind, Levels, Mode, Upgrade
from app.engines.results import Facts


class Figure(NamedTuple):
    """What has to be known of a distributor: which figure, over how many days."""

    kind: ConditionKind
    window_days: int


@dataclass(frozen=True, slots=True)
class Promotion:
    """A rise, and the conditions of the level reached with what was found for each."""

    from_level: int
    to_level: int
    explanation: Facts


def figures_needed(levels: Levels) -> frozenset[Figure]:
    """Return what has to be known of each distributor to evaluate these levels.

    >>> sorted(figures_needed(Levels()))[0]
    Figure(kind=<ConditionKind.DIRECT_SALES: 'DIRECT_SALES'>, window_days=90)
    """
    return frozenset(
        Figure(condition.kind, condition.window_days)
        for upgrade in levels.upgrades
        for condition in upgrade.conditions
    )


def promote(levels: Levels, level: int, figures: Mapping[Figure, int]) -> Promotion | None:
    """Return the rise that these figures bring to someone at `level`, if they bring one.

    With `jump` the highest level whose conditions are met, without it the next one only. A
    figure that is missing counts as zero.

    >>> sold = Figure(ConditionKind.DIRECT_SALES, 90)
    >>> rise = promote(Levels(), 1, {sold: 500_000})
    >>> rise and (rise.from_level, rise.to_level)
    (1, 2)
    >>> promote(Levels(), 1, {sold: 499_999})
    """
    within_reach = [upgrade for upgrade in levels.upgrades if upgrade.level > level]
    if not levels.jump:
        within_reach = within_reach[:1]
    for upgrade in reversed(within_reach):
        if _met(upgrade, figures):
            return Promotion(level, upgrade.level, _facts(level, upgrade, figures))
    return None


def _met(upgrade: Upgrade, figures: Mapping[Figure, int]) -> bool:
    verdicts = (
        figures.get(Figure(condition.kind, condition.window_days), 0) >= condition.at_least
        for condition in upgrade.conditions
    )
    return all(verdicts) if upgrade.mode is Mode.ALL else any(verdicts)


def _facts(level: int, upgrade: Upgrade, figures: Mapping[Figure, int]) -> Facts:
    return {
        "from_level": level,
        "to_level": upgrade.level,
        "mode": upgrade.mode.value,
        "conditions": [
            {
                "kind": condition.kind.value,
                "window_days": condition.window_days,
                "at_least": condition.at_least,
                "found": figures.get(Figure(condition.kind, condition.window_days), 0),
            }
            for condition in upgrade.conditions
        ],
    }
