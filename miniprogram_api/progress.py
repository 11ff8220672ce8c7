"""How far a distributor is on the way to the next level, and whether they are losing theirs.

Figures come from settled orders.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from app.distribution.levels import figures_of
from app.distribution.warnings import open_warning
from app.engines.documents import load_rules
from app.engines.levels import Figure
from app.engines.parameters import ConditionKind, Every, Mode, Upgrade
from app.members.models import Distributor
from app.plans.queries import level_version
from miniprogram_api.fields import Bilingual, View
from miniprogram_api.problems import both


class ConditionView(View):
    """One condition: sales in fen, or a number of paying customers, within a window."""

    kind: ConditionKind
    window_days: int
    required: int
    reached: int


class ProgressView(View):
    """What the next level asks for; with `ALL` every condition must be met, with `ANY` one."""

    next_level: int
    mode: Mode
    conditions: list[ConditionView]


class KeepingView(View):
    """What keeps a level: a share of its conditions in each period, in basis points."""

    every: Every
    share_bp: int
    grace_days: int


class WarningView(View):
    """Notice that a level will be lost unless it is made good in time."""

    level: int
    period: str
    given_at: datetime
    until_at: datetime
    explanation: list[Bilingual]


def of(session: Session, distributor: Distributor, *, now: datetime) -> ProgressView | None:
    """Return the way to the next level; None at the top, or while no plan is in force."""
    version = level_version(session, at=now)
    if version is None:
        return None
    levels = load_rules(version.rules).levels
    upgrade = next((one for one in levels.upgrades if one.level == distributor.level + 1), None)
    if upgrade is None:
        return None
    found = figures_of(session, levels, [distributor.member_id], now=now)
    return _view(upgrade, found[distributor.member_id])


def keeping(session: Session, *, now: datetime) -> KeepingView | None:
    """Return how levels are kept; None where they are never lost."""
    version = level_version(session, at=now)
    kept = load_rules(version.rules).levels.retention if version is not None else None
    if kept is None:
        return None
    return KeepingView(every=kept.every, share_bp=kept.share_bp, grace_days=kept.grace_days)


def warning(session: Session, member_id: int) -> WarningView | None:
    """Return the warning that a distributor is under; None where there is none."""
    found = open_warning(session, member_id)
    if found is None:
        return None
    return WarningView(
        level=found.level,
        period=found.period,
        given_at=found.given_at,
        until_at=found.until_at,
        explanation=[Bilingual(**both(sentence)) for sentence in found.explanation],
    )


def _view(upgrade: Upgrade, figures: dict[Figure, int]) -> ProgressView:
    return ProgressView(
        next_level=upgrade.level,
        mode=upgrade.mode,
        conditions=[
            ConditionView(
                kind=condition.kind,
                window_days=condition.window_days,
                required=condition.at_least,
                reached=figures.get(Figure(condition.kind, condition.window_days), 0),
            )
            for condition in upgrade.conditions
        ],
    )
