"""How far a distributor is on the way to the next level. Figures come from settled orders."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.distribution.levels import figures_of
from app.engines.documents import load_rules
from app.engines.levels import Figure
from app.engines.parameters import ConditionKind, Mode, Upgrade
from app.members.models import Distributor
from app.plans.queries import level_version
from miniprogram_api.fields import View


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
