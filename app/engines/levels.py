"""Levels: whether the settled sales of a distributor lift them, and whether they keep a level.

Rising goes only upwards: a figure that shrinks, by a refund or because time passes, takes no level
away. Only the review at the end of a period does, where the plan has one, after a warning and a
time of grace. The windows are the caller's to apply, since they end at the moment of evaluation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from app.engines.parameters import ConditionKind, Every, Levels, Mode, Upgrade
from app.engines.results import Facts
from app.kernel.money import BASIS_POINTS


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


@dataclass(frozen=True, slots=True)
class Review:
    """What a level asked for in a period, what was found for each, and whether that keeps it."""

    level: int
    is_kept: bool
    grace_days: int
    explanation: Facts


def review(levels: Levels, level: int, found: Mapping[ConditionKind, int]) -> Review | None:
    """Return whether a level is kept with these figures of a period; None where nothing is asked.

    Of each condition that leads to the level, `share_bp` has to be reached in the period, rounded
    up, whatever the window of the condition; all or any of them, as the level itself asks. The
    first level cannot be lost. A figure that is missing counts as zero.

    >>> from app.engines.parameters import Retention
    >>> levels = Levels(retention=Retention())
    >>> [(one := review(levels, 2, {ConditionKind.DIRECT_SALES: fen})) and one.is_kept
    ...  for fen in (249_999, 250_000)]
    [False, True]
    """
    retention = levels.retention
    upgrade = next((one for one in levels.upgrades if one.level == level), None)
    if retention is None or upgrade is None:
        return None
    asked = [(one, required(one.at_least, retention.share_bp)) for one in upgrade.conditions]
    verdicts = (found.get(one.kind, 0) >= least for one, least in asked)
    is_kept = all(verdicts) if upgrade.mode is Mode.ALL else any(verdicts)
    facts: Facts = {
        "level": level,
        "mode": upgrade.mode.value,
        "share_bp": retention.share_bp,
        "grace_days": retention.grace_days,
        "conditions": [
            {
                "kind": one.kind.value,
                "threshold": one.at_least,
                "at_least": least,
                "found": found.get(one.kind, 0),
            }
            for one, least in asked
        ],
    }
    return Review(level, is_kept, retention.grace_days, facts)


def required(at_least: int, share_bp: int) -> int:
    """Return the share of a threshold that keeps a level: rounded up, so never nothing.

    >>> required(500_000, 5_000), required(3, 5_000), required(1, 1)
    (250000, 2, 1)
    """
    return -(-at_least * share_bp // BASIS_POINTS)


def period_name(year: int, month: int, every: Every) -> str:
    """Name the period that a month belongs to.

    >>> period_name(2026, 10, Every.MONTH), period_name(2026, 10, Every.QUARTER)
    ('2026-10', '2026-Q4')
    """
    if every is Every.MONTH:
        return f"{year}-{month:02d}"
    return f"{year}-Q{(month + 2) // 3}"


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
