"""Channel distribution, TEAM_LADDER."""

from typing import Any

from app.engines import ladders
from app.engines.contract import Family, Model
from app.engines.events import Event
from app.engines.incentives import closed
from app.engines.incentives_wording import KINDS, explain
from app.engines.ladders import Month, MonthKind
from app.engines.months import MonthBooks, MonthClose, MonthScope
from app.engines.places import Places
from app.engines.results import NOTHING, Decisions
from app.engines.team_ladder import profile, sentences
from app.engines.team_ladder.rules import TeamLadderRules
from app.kernel.i18n import N_


def _decide(_rules: TeamLadderRules, _event: Event, _places: Places[Any]) -> Decisions:
    return NOTHING


def _close(rules: TeamLadderRules, books: MonthBooks) -> MonthClose:
    month = Month(rules.model, books.plan_id, books.month)
    return closed(month, [ladders.close(rules.ladder, books.people, month)])


MODEL = Model(
    code="CHANNEL_TEAM_LADDER",
    family=Family.CHANNEL,
    title=N_("Channel distribution, team ladder"),
    rules=TeamLadderRules,
    decide=_decide,
    reacts_to=frozenset(),
    bound=profile.payout_bound,
    practices=profile.practices,
    describe=sentences.describe,
    explain=explain,
    kinds={MonthKind.TEAM_LADDER: KINDS[MonthKind.TEAM_LADDER]},
    original={
        "model": "CHANNEL_TEAM_LADDER",
        "ladder": {
            "rungs": [
                {"from_fen": 1_000_000, "rate_bp": 300},
                {"from_fen": 5_000_000, "rate_bp": 600},
                {"from_fen": 20_000_000, "rate_bp": 1_000},
                {"from_fen": 50_000_000, "rate_bp": 1_500},
            ],
            "max_depth": None,
        },
    },
    close_month=_close,
    month_scope=MonthScope.PLAN,
)
